from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from agent_assist.customer.events import Case, Consent, CustomerEvent, Interaction, Known, Order
from agent_assist.customer.facts import facts
from agent_assist.customer.profile import Profile, profile
from agent_assist.customer.reasons import LEAST, likely_reasons
from agent_assist.customer.tags import Business, load

NOW = datetime(2026, 7, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def order(number: int, days_ago: float, **more: Any) -> Order:
    at = NOW - days_ago * DAY
    given = {"order_id": f"o{number}", "ordered_at": at, "amount": Decimal(100), "currency": "CNY"} | more
    return Order(event_id=f"order{number}", customer_id="c", at=at, **given)


def case(number: int, days_ago: float, **more: Any) -> Case:
    at = NOW - days_ago * DAY
    given = {"case_id": f"k{number}", "opened_at": at, "type": "fault"} | more
    return Case(event_id=f"case{number}", customer_id="c", at=at, **given)


def contact(number: int, days_ago: float, **more: Any) -> Interaction:
    given = {"interaction_id": f"i{number}", "channel": "phone"} | more
    return Interaction(event_id=f"contact{number}", customer_id="c", at=NOW - days_ago * DAY, **given)


def reasons(*events: CustomerEvent) -> list[str]:
    return [one.reason for one in likely_reasons(facts("c", events, NOW), NOW)]


def seen(*events: CustomerEvent) -> Profile:
    return profile(facts("c", events, NOW), NOW, load(), Business())


def test_nothing_is_guessed_of_somebody_with_whom_nothing_is_open() -> None:
    assert reasons() == []
    assert reasons(order(1, 60, status="delivered"), case(1, 9, status="solved"), contact(1, 30)) == []
    assert reasons(contact(1, 1, solved=True), contact(2, 1, direction="out")) == []


def test_each_thing_that_is_open_is_a_reason_and_says_what_it_rests_on() -> None:
    late = order(1, 9, status="shipped", promised_by=NOW - DAY)
    (one,) = likely_reasons(facts("c", [late]), NOW)
    assert (one.reason, one.evidence, one.text["zh"], one.text["en"]) == (
        "delivery", ("order1",), "订单 o1 配送已延误", "Order o1 is late",
    )  # fmt: skip
    assert reasons(order(1, 9, status="shipped", promised_by=NOW + DAY)) == []
    assert reasons(order(1, 2, status="delivered")) == ["new_product"]
    assert reasons(order(1, 2, status="returned")) == ["refund"]
    assert reasons(case(1, 3)) == ["case"]
    assert reasons(case(1, 3, promised_by=NOW - DAY)) == ["promise", "case"]
    assert reasons(contact(1, 2, issue="router")) == ["again"]
    until = (NOW + 20 * DAY).date()
    assert reasons(Known(event_id="k", customer_id="c", at=NOW - DAY, contract_until=until)) == ["contract"]


def test_what_weighs_more_comes_first_and_chances_leave_room_for_something_else() -> None:
    events = [case(1, 3, type="complaint"), order(1, 9, status="paid", promised_by=NOW - DAY), contact(1, 6, issue="x")]
    found = likely_reasons(facts("c", events), NOW)
    assert [one.reason for one in found] == ["case", "delivery", "again"]
    assert 0.9 > sum(one.probability for one in found) > 0.8
    assert sorted((one.probability for one in found), reverse=True) == [one.probability for one in found]
    (alone,) = likely_reasons(facts("c", [order(1, 2, status="delivered")]), NOW)
    assert alone.probability < LEAST


def test_ten_late_orders_weigh_as_one() -> None:
    late = [order(n, 9, status="paid", promised_by=NOW - DAY) for n in range(10)]
    (one,), (ten,) = (likely_reasons(facts("c", some), NOW) for some in (late[:1], late))
    assert one.probability == ten.probability
    assert len(ten.evidence) == 10


def test_a_profile_shows_what_was_bought_what_is_open_and_the_last_contacts() -> None:
    found = seen(
        Known(event_id="1", customer_id="c", at=NOW - 9 * DAY, name="李雷", tier="gold", region="北京"),
        Consent(event_id="2", customer_id="c", at=NOW - 9 * DAY, purpose="offers", granted=False),
        order(1, 40), order(2, 20, amount=Decimal("50.50")), order(3, 10, currency="USD"),
        order(4, 5, status="cancelled"),
        case(1, 3, issue="router", promised_by=NOW - DAY), case(2, 3, status="closed"),
        *(contact(n, n + 1, text=f"said {n} " + "words " * 40) for n in range(7)),
    )  # fmt: skip
    assert (found.name, found.tier, found.consents) == ("李雷", "gold", {"offers": False})
    assert (found.trade.orders, found.trade.value, found.trade.average) == (3, Decimal("150.50"), Decimal("75.25"))
    assert found.trade.others == {"USD": Decimal(100)}
    assert [(one.case_id, one.overdue) for one in found.cases] == [("k1", True)]
    assert [one.line[:6] for one in found.contacts] == [f"said {n}" for n in range(5)]
    assert all(len(one.line) == 80 for one in found.contacts)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Profile) == found


def test_of_a_stranger_nothing_is_known() -> None:
    found = seen()
    assert (found.version, found.trade.orders, found.trade.average, found.tags, found.reasons) == (
        None,
        0,
        None,
        (),
        (),
    )
