"""Habits of customers, and what is unlike them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.behaviour import (
    behaviour,
    broken_promises,
    complaints,
    contact_anomaly,
    lapses_at,
    recurring,
)
from agent_assist.customer.events import Case, Interaction, Order, Survey
from agent_assist.customer.facts import Facts

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def order(days: float, amount: str = "10", **more: object) -> Order:
    given = {
        "event_id": f"o{days}",
        "customer_id": "c",
        "at": ago(days),
        "order_id": f"o{days}",
        "ordered_at": ago(days),
    }
    return Order(**{**given, "amount": Decimal(amount), "currency": "CNY", **more})  # type: ignore[arg-type]


def contact(days: float, **more: object) -> Interaction:
    given = {"event_id": f"i{days}", "customer_id": "c", "at": ago(days), "interaction_id": f"i{days}"}
    return Interaction(**{**given, "channel": "phone", **more})  # type: ignore[arg-type]


def case(days: float, **more: object) -> Case:
    given = {"event_id": f"k{days}", "customer_id": "c", "at": ago(days), "case_id": f"k{days}", "opened_at": ago(days)}
    return Case(**{**given, "type": "fault", **more})  # type: ignore[arg-type]


def known(*events: Order | Interaction | Case, joined: float | None = None) -> Facts:
    return Facts(
        customer_id="c",
        joined_at=None if joined is None else ago(joined),
        orders=tuple(sorted((e for e in events if isinstance(e, Order)), key=lambda e: e.ordered_at)),
        interactions=tuple(e for e in events if isinstance(e, Interaction)),
        cases=tuple(e for e in events if isinstance(e, Case)),
    )


def test_of_a_stranger_everything_is_unknown() -> None:
    assert set(behaviour(Facts(customer_id="c"), NOW).row().values()) == {None}


def test_orders_tell_recency_rhythm_and_value() -> None:
    found = behaviour(known(order(50), order(30, "20"), order(10, "30"), order(5, status="cancelled")), NOW)
    assert (found.orders, found.days_since_order, found.interval_days) == (3, 10, 20)
    assert found.lapse_share == pytest.approx(10 / 60)
    assert found.value_trend == pytest.approx(2.0)
    assert found.complaints_90 is None


def test_one_lapses_after_three_times_the_own_interval_but_not_within_sixty_days() -> None:
    assert lapses_at(known(order(50), order(10)), NOW) == ago(10) + timedelta(days=120)
    assert lapses_at(known(order(15), order(10)), NOW) == ago(10) + timedelta(days=60)
    assert lapses_at(known(), NOW) is None


@given(st.lists(st.floats(0, 700), max_size=8), st.floats(0, 700))
def test_nothing_that_comes_later_is_seen(days: list[float], back: float) -> None:
    events = [*(order(d) for d in days), *(contact(d, issue="bill", complaint=True) for d in days)]
    events += [case(d, promised_by=ago(d - 1)) for d in days]
    at = ago(back)
    early = [one for one in events if (one.at <= at)]
    assert behaviour(known(*events), at) == behaviour(known(*early), at)


def test_a_case_and_its_call_are_one_complaint() -> None:
    facts = known(
        case(5, type="complaint", case_id="k"), contact(5, complaint=True, case_id="k"), contact(3, complaint=True)
    )
    assert complaints(facts, NOW, 30) == 2
    assert complaints(facts, NOW, 4) == 1


def test_a_promise_is_broken_when_its_time_goes_by_first() -> None:
    kept = order(20, status="delivered", at=ago(15), promised_by=ago(14))
    late = order(19, status="delivered", at=ago(10), promised_by=ago(12))
    due = case(4, status="open", promised_by=ago(1))
    still = case(3, status="open", promised_by=ago(-1))
    assert broken_promises(known(kept, late, due, still), NOW) == 2


def test_an_issue_recurs_with_a_second_contact_but_not_within_its_case() -> None:
    assert recurring(known(contact(3, issue="bill", case_id="k"), case(4, issue="bill", case_id="k")), NOW) is None
    found = recurring(known(contact(3, issue="bill"), contact(9, issue="bill"), contact(40, issue="bill")), NOW)
    assert found == ("bill", 2)


def test_the_latest_answer_and_the_contract_are_read() -> None:
    survey = Survey(event_id="s", customer_id="c", at=ago(3), survey_id="s", kind="csat", score=2)
    found = behaviour(Facts(customer_id="c", surveys=(survey,), contract_until=date(2026, 3, 31)), NOW)
    assert (found.satisfaction, found.contract_days_left) == (2, 30)


def steady(random: Random, per_day: float, days: float = 400) -> list[float]:
    """Days ago of contacts at one rate."""
    found, at = [], random.expovariate(per_day)
    while at < days:
        found.append(at)
        at += random.expovariate(per_day)
    return found


def alarms(per_day: float, planted: int, customers: int = 2000) -> float:
    random = Random(f"{per_day}")
    found = 0
    for _ in range(customers):
        days = [*steady(random, per_day), *(random.uniform(0, 14) for _ in range(planted))]
        anomaly = contact_anomaly(known(*(contact(d) for d in days), joined=400), NOW)
        found += anomaly is not None and anomaly.unusual()
    return found / customers


@pytest.mark.parametrize("per_day", [1 / 180, 1 / 90, 1 / 30, 1 / 7])
def test_steady_customers_raise_an_alarm_in_at_most_one_of_a_hundred_looks(per_day: float) -> None:
    assert alarms(per_day, planted=0) <= 0.01


@pytest.mark.parametrize(("per_day", "planted"), [(1 / 180, 4), (1 / 90, 4), (1 / 30, 6), (1 / 7, 12)])
def test_planted_contacts_are_found(per_day: float, planted: int) -> None:
    assert alarms(per_day, planted, customers=500) >= 0.8


def test_a_new_customer_has_no_habit_yet() -> None:
    assert contact_anomaly(known(contact(1), contact(2), joined=10), NOW) is None
