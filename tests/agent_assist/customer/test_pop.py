from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from agent_assist.customer.events import Case, CustomerEvent, Known, Order
from agent_assist.customer.facts import facts
from agent_assist.customer.pop import pop
from agent_assist.customer.profile import profile
from agent_assist.customer.tags import Business, load
from models.churn import shipped

NOW = datetime(2026, 7, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def seen(*events: CustomerEvent, business: Business = Business()) -> dict[str, str]:  # noqa: B008
    return pop(profile(facts("c", events, NOW), NOW, load(), business), "zh")


def order(number: int, days_ago: int) -> Order:
    at = NOW - days_ago * DAY
    return Order(
        event_id=f"o{number}", customer_id="c", at=at, order_id=f"o{number}", ordered_at=at, amount=Decimal(90),
        currency="CNY",
    )  # fmt: skip


def complaint(number: int, days_ago: int) -> Case:
    at = NOW - days_ago * DAY
    return Case(event_id=f"k{number}", customer_id="c", at=at, case_id=f"k{number}", opened_at=at, type="complaint")


def test_an_agent_sees_tier_tags_and_why_the_customer_may_call() -> None:
    known = Known(event_id="1", customer_id="c", at=NOW - 9 * DAY, name="李雷", tier="金卡", birthday=date(1990, 7, 15))
    high = Business(order_values=(Decimal(50),) * 99)
    found = seen(known, order(1, 40), order(2, 20), complaint(1, 9), complaint(2, 3), business=high)
    assert (found["customer_tier"], found["customer_tags"]) == ("金卡", "高风险高价值")
    assert (found["likely_reason"], found["likely_reason_evidence"]) == ("未结工单 k1", "79%")
    assert found["customer_stage"] == "growing"
    assert found["talking_point"]
    assert found["greeting"]
    assert "churn_risk" not in found


def test_what_is_not_known_is_not_there() -> None:
    found = seen(Known(event_id="1", customer_id="c", at=NOW, name="李雷"))
    assert set(found) == {"customer_stage", "talking_point"}


def test_the_risk_comes_with_its_reasons_where_the_trade_has_a_model() -> None:
    found = seen(*(order(n, 30 * n) for n in range(4, 12)), complaint(1, 3), business=Business(model=shipped("orders")))
    assert 0 <= float(found["churn_risk"]) <= 1
    assert found["churn_reasons"]
