from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import msgspec
import pytest

from agent_assist.customer.events import CustomerEvent, Identified, Known, Merged, Order, Split
from agent_assist.customer.facts import facts
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import Counts, CustomerStore, Rejected, Taken

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = NOW + 2_000 * DAY
"""When all that these tests tell of has come."""


@pytest.fixture
def customers(store: CallStore) -> CustomerStore:
    return CustomerStore(store.engine)


def order(number: int, customer: str = "a", amount: str = "10.50", at: datetime = NOW) -> Order:
    return Order(
        event_id=f"o{number}", customer_id=customer, at=at, order_id=f"o{number}", ordered_at=at,
        amount=Decimal(amount), currency="CNY",
    )  # fmt: skip


def merged(number: int, one: str, into: str, day: int) -> Merged:
    return Merged(event_id=f"m{number}", customer_id=one, at=NOW + day * DAY, into=into)


def split(number: int, one: str, day: int) -> Split:
    return Split(event_id=f"s{number}", customer_id=one, at=NOW + day * DAY)


def phone(number: int, customer: str, value: str, day: int, *, belongs: bool = True) -> Identified:
    return Identified(
        event_id=f"p{number}", customer_id=customer, at=NOW + day * DAY, kind="phone", value=value, belongs=belongs
    )


def test_what_comes_twice_is_taken_once_and_what_contradicts_is_kept_for_repair(customers: CustomerStore) -> None:
    first = [order(1), order(2)]
    assert customers.take(first, "api", NOW) == Taken(new=2)
    assert customers.take([*first, order(3), order(3)], "api", NOW) == Taken(new=1, again=3)
    told = customers.take([order(2, amount="99")], "api", NOW)
    assert told == Taken(conflicting=("o2",))
    assert [one.amount for one in customers.facts("a").orders] == [Decimal("10.50")] * 3
    (kept,) = customers.rejected()
    assert (kept.source, kept.place.split()[0], kept.at) == ("api", "o2", NOW)
    assert "expected the event that is known under this id" in kept.reason
    assert msgspec.json.decode(kept.body, type=CustomerEvent) == order(2, amount="99")


def test_facts_are_those_of_all_events_in_any_order_of_arrival(customers: CustomerStore) -> None:
    events: list[CustomerEvent] = [order(n, at=NOW + n * DAY) for n in range(1200)]
    events += [Known(event_id=f"k{n}", customer_id="a", at=NOW + n * DAY, name=f"name {n}") for n in range(50)]
    shuffled = list(events)
    Random(4).shuffle(shuffled)
    customers.take(shuffled, "topic", LATER)
    assert customers.facts("a") == facts("a", events)
    assert customers.facts("a", NOW + 10 * DAY) == facts("a", events, NOW + 10 * DAY)
    assert customers.count() == len(events)


def test_merged_customers_are_one_and_a_split_undoes_it_and_the_past_stays(customers: CustomerStore) -> None:
    customers.take([order(1, "a"), order(2, "b"), order(3, "c")], "api", LATER)
    customers.take([merged(1, "b", "a", 1), merged(2, "c", "b", 2)], "api", LATER)

    def ids(customer: str, day: int | None = None) -> tuple[str, list[str]]:
        found = customers.facts(customer, None if day is None else NOW + day * DAY)
        return found.customer_id, [one.order_id for one in found.orders]

    assert ids("c") == ids("b") == ids("a") == ("a", ["o1", "o2", "o3"])
    assert ids("c", 1) == ("c", ["o3"])
    assert ids("a", 1) == ("a", ["o1", "o2"])
    customers.take([split(1, "b", 3)], "api", LATER)
    assert ids("a") == ("a", ["o1"])
    assert ids("c") == ("b", ["o2", "o3"])
    assert ids("c", 2) == ("a", ["o1", "o2", "o3"])


def test_a_ring_of_merges_is_one_customer_under_its_least_id(customers: CustomerStore) -> None:
    customers.take([order(1, "x"), order(2, "y"), order(3, "z")], "api", LATER)
    customers.take([merged(1, "z", "x", 1), merged(2, "x", "y", 2), merged(3, "y", "z", 3)], "api", LATER)
    for one in "xyz":
        assert customers.facts(one).customer_id == "x"
        assert len(customers.facts(one).orders) == 3


@pytest.mark.parametrize("arrive", [list, lambda some: list(reversed(some))])
def test_an_address_belongs_to_whom_it_was_told_of_last(
    customers: CustomerStore, arrive: Callable[[list[CustomerEvent]], list[CustomerEvent]]
) -> None:
    customers.take(
        arrive([phone(1, "a", "+861", 0), phone(2, "b", "+861", 0), phone(3, "a", "+861", 2, belongs=False)]),
        "api",
        LATER,
    )
    assert customers.whose("phone", "+861") == ("b",)
    customers.take([phone(4, "c", "+861", 1)], "api", LATER)
    assert customers.whose("phone", "+861") == ("b", "c")
    customers.take([merged(1, "c", "b", 3)], "api", LATER)
    assert customers.whose("phone", "+861") == ("b",)
    assert customers.whose("phone", "+862") == ()


def test_nothing_is_known_of_a_stranger(customers: CustomerStore) -> None:
    found = customers.facts("nobody")
    assert (found.customer_id, found.version, found.orders) == ("nobody", None, ())


def test_all_customers_are_gone_through_once_those_that_are_one_as_one(customers: CustomerStore) -> None:
    customers.take((order(n, f"c{n % 50:02}") for n in range(1500)), "api", LATER)
    customers.take([merged(1, "c07", "c40", 1), merged(2, "c30", "c40", 1)], "api", LATER)
    found = {one.customer_id: len(one.orders) for one in customers.all_facts()}
    assert found == {f"c{n:02}": 30 for n in range(50) if n not in {7, 30}} | {"c40": 90}
    assert list(customers.all_facts()) == [customers.facts(one) for one in (*sorted(found.keys() - {"c40"}), "c40")]


def test_the_latest_counts_are_those_that_hold(customers: CustomerStore) -> None:
    def counts(day: int) -> Counts:
        return Counts(as_of=NOW + day * DAY, customers=day, order_values=(Decimal("1.10"),), population=None)

    assert customers.counts() is None
    for day in (3, 1, 2):
        customers.keep_counts(counts(day))
    assert customers.counts() == counts(3)


def test_what_is_rejected_again_is_kept_once(customers: CustomerStore) -> None:
    def row(reason: str) -> Rejected:
        return Rejected(source="orders.csv", place="row 3", reason=reason, body="a,b", at=NOW)

    customers.reject([row("first")])
    customers.reject([row("second")])
    assert [one.reason for one in customers.rejected()] == ["second"]


def test_what_is_to_come_is_kept_until_its_time_has_come(customers: CustomerStore) -> None:
    some = [order(1, at=NOW + DAY), order(2, at=NOW + 2 * DAY), order(3)]
    told = customers.take(some, "topic", NOW)
    assert told == Taken(new=2, early=("o2",))
    assert [one.order_id for one in customers.facts("a").orders] == ["o3", "o1"]
    (kept,) = customers.rejected()
    assert (kept.source, kept.place.split()[0], kept.kind) == ("topic", "o2", "event")
    assert kept.reason == "expected a time that has come, got 2026-11-27T12:00:00+00:00"
    again = msgspec.json.decode(kept.body, type=CustomerEvent)
    assert customers.take([again], "topic", NOW + 2 * DAY) == Taken(new=1)
    assert customers.discard("topic", kept.place) == 1
    assert customers.rejected() == []


def test_any_text_that_an_event_may_hold_is_taken(customers: CustomerStore) -> None:
    told: list[CustomerEvent] = [
        Known(event_id="k", customer_id="a", at=NOW, name="a\x00b", attributes={"\x00": "\\u0000", "q": "\"'"}),
        Known(event_id="k\u2028'\"\\", customer_id="a", at=NOW + DAY, region="\U0001f600"),
    ]
    assert customers.take(told, "api", LATER).new == 2
    assert customers.facts("a") == facts("a", told)


@pytest.mark.parametrize("field", ["event_id", "customer_id", "value"])
def test_a_character_that_no_database_takes_is_refused_where_it_would_be_a_key(field: str) -> None:
    event = msgspec.to_builtins(phone(1, "a", "+861", 0)) | {field: "a\x00"}
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert(event, CustomerEvent)


def test_who_goes_on_under_an_id_of_which_nothing_is_told_loses_nothing(customers: CustomerStore) -> None:
    customers.take([order(1, "a"), phone(1, "a", "+861", 0), merged(1, "a", "gone", 1)], "api", LATER)
    for one in ("a", "gone"):
        found = customers.facts(one)
        assert (found.customer_id, found.ids, len(found.orders)) == ("gone", ("a", "gone"), 1)
    assert customers.whose("phone", "+861") == ("gone",)
    assert [one.customer_id for one in customers.all_facts()] == ["gone"]
    customers.take([order(2, "gone")], "api", LATER)
    assert len(customers.facts("a").orders) == 2
    customers.take([split(1, "a", 2)], "api", LATER)
    assert [len(customers.facts(one).orders) for one in ("a", "gone")] == [1, 1]


def test_all_customers_are_seen_as_they_were_at_a_time(customers: CustomerStore) -> None:
    customers.take([order(1, "a"), order(2, "b", at=NOW + DAY), merged(1, "b", "a", 2)], "api", LATER)
    for day, seen in ((0, {"a": 1}), (1, {"a": 1, "b": 1}), (2, {"a": 2})):
        found = {one.customer_id: len(one.orders) for one in customers.all_facts(NOW + day * DAY)}
        assert found == seen


def test_what_was_rejected_comes_a_page_at_a_time(customers: CustomerStore) -> None:
    every = [
        Rejected(source=f"file {n % 2}", place=f"row {n}", reason="x", body="{}", at=NOW - n // 3 * DAY, kind="orders")
        for n in range(11)
    ]
    customers.reject(every)
    found: list[Rejected] = []
    after = None
    while page := customers.rejected(4, after):
        found += page
        after = page[-1].at, page[-1].source, page[-1].place
    assert sorted(found, key=lambda one: one.place) == sorted(every, key=lambda one: one.place)
    assert [one.at for one in found] == sorted((one.at for one in every), reverse=True)
    assert {one.place for one in customers.rejected(source="file 1")} == {f"row {n}" for n in range(1, 11, 2)}
    assert customers.discard("file 1") == 5
    assert len(customers.rejected()) == 6


def test_a_batch_that_tells_one_thing_twice_differently_keeps_the_first(customers: CustomerStore) -> None:
    told = customers.take([order(1), order(2), order(1, amount="99"), order(1, amount="98"), order(1)], "api", NOW)
    assert (told.new, told.again, told.conflicting) == (2, 1, ("o1",))
    assert len(customers.rejected()) == 2
    assert [one.amount for one in customers.facts("a").orders] == [Decimal("10.50")] * 2
