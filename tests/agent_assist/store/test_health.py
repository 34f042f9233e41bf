from datetime import UTC, date, datetime, timedelta

import pytest

from agent_assist.customer.events import CustomerEvent, Identified, Known, Merged
from agent_assist.customer.health import load
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.health import HealthStore, place

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = load()


@pytest.fixture
def customers(store: CallStore) -> CustomerStore:
    return CustomerStore(store.engine)


@pytest.fixture
def health(store: CallStore) -> HealthStore:
    return HealthStore(store.engine)


def told(customer: str, name: str, phone: str = "+8613800138000", day: int = -9, born: int = 1) -> list[CustomerEvent]:
    at = NOW + day * DAY
    return [
        Known(
            event_id=f"k{customer}{day}", customer_id=customer, at=at, name=name, language="zh",
            birthday=date(1990, 2, born),
        ),
        Identified(event_id=f"p{customer}{day}", customer_id=customer, at=at, kind="phone", value=phone),
    ]  # fmt: skip


def test_a_month_is_kept_and_looked_at_as_it_was_then(customers: CustomerStore, health: HealthStore) -> None:
    customers.take([*told("a", "王小明", "12", -40), *told("b", "李雷", "+8615912345678", -1)], "api", NOW)
    before = health.assess(RULES, "2026-09", NOW - 31 * DAY)
    assert (before.customers, before.total.passed, before.total.checked) == (1, 5, 6)
    customers.take(told("a", "王小明", "+8613912345678", -2), "api", NOW)
    now = health.assess(RULES, "2026-10", NOW)
    # The number that is none is still among what is known.
    assert (now.customers, now.total.passed, now.total.checked) == (2, 12, 13)
    assert [one.month for one in health.months()] == ["2026-10", "2026-09"]
    assert health.months(until="2026-09") == [before]
    again = health.assess(RULES, "2026-10", NOW)
    assert health.months() == [again, before]


def test_candidates_come_by_likeness_a_page_at_a_time(customers: CustomerStore, health: HealthStore) -> None:
    for n in range(7):
        phone = f"+86138{n:02}138000"
        customers.take(told(f"a{n}", "王小明"[: 2 + n % 2], phone, born=n + 1), "api", NOW)
        customers.take(told(f"b{n}", "王小明"[: 2 + n % 2], phone, born=n + 1), "api", NOW)
    found = health.assess(RULES, "2026-10", NOW)
    every = health.candidates(1_000)
    assert found.candidates == len(every)
    assert {(f"a{n}", f"b{n}") for n in range(7)} <= {(one.first, one.second) for one in every}
    assert every == sorted(every, key=place)
    paged, after = [], None
    while page := health.candidates(3, after):
        paged += page
        after = place(page[-1])
    assert paged == every


def test_who_was_said_to_be_two_is_not_proposed_again(customers: CustomerStore, health: HealthStore) -> None:
    customers.take([*told("a", "王小明"), *told("b", "王小明")], "api", NOW)
    health.assess(RULES, "2026-10", NOW)
    (pair,) = health.candidates()
    assert (pair.first, pair.second, pair.agreements["phone"]) == ("a", "b", "same")
    assert health.decide("b", "a", "rejected", "anna", NOW)
    assert not health.decide("a", "b", "merged", "anna", NOW)
    assert health.assess(RULES, "2026-11", NOW).candidates == 0
    assert health.candidates() == []
    (kept,) = health.candidates(state="rejected")
    assert kept.by == "anna"


def test_a_look_at_an_earlier_month_leaves_what_waits_now(customers: CustomerStore, health: HealthStore) -> None:
    customers.take([*told("a", "王小明", day=-2), *told("b", "王小明", day=-2)], "api", NOW)
    assert health.assess(RULES, "2026-10", NOW).candidates == 1
    assert health.assess(RULES, "2026-09", NOW - 9 * DAY).candidates == 0
    assert len(health.candidates()) == 1


def test_who_is_one_already_is_no_candidate(customers: CustomerStore, health: HealthStore) -> None:
    customers.take([*told("a", "王小明"), *told("b", "王小明")], "api", NOW)
    customers.take([Merged(event_id="m", customer_id="b", at=NOW - DAY, into="a")], "api", NOW)
    assert health.assess(RULES, "2026-10", NOW).candidates == 0
    assert health.assess(RULES, "2026-10", NOW - 5 * DAY).candidates == 1


def test_a_number_of_very_many_brings_no_pairs(customers: CustomerStore, health: HealthStore) -> None:
    for n in range(40):
        customers.take(told(f"c{n:02}", f"王{chr(0x5000 + n * 13)}", "+861062511111", born=n % 27 + 1), "api", NOW)
    assert health.assess(RULES, "2026-10", NOW).too_common >= 1


def test_nobody_is_no_customer(health: HealthStore) -> None:
    found = health.assess(RULES, "2026-10", NOW)
    assert (found.customers, found.total.score, found.candidates) == (0, None, 0)
