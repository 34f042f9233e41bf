"""Who is on a call is looked at again when something of it changes, and what is new is told once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from agent_assist.customer.events import Case, CustomerEvent, Identified, Interaction, Merged, Order, Split
from agent_assist.customer.tags import Business, load
from agent_assist.store.callers import Callers
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import Counts, CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.types import CallEnded, CallStarted, CustomerKnown
from models.churn import shipped
from stream.knowing import Knowing

NOW = datetime(2026, 7, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)
HIGH = "high_risk_high_value"


class Room:
    """A store, calls that run, and what was published."""

    def __init__(self, path: Path) -> None:
        self.store = CallStore(f"sqlite:///{path / 'calls.db'}")
        self.store.upgrade()
        self.customers = CustomerStore(self.store.engine)
        self.customers.keep_counts(Counts(as_of=NOW, customers=1, order_values=(Decimal(50),) * 99, population=None))
        profiles = Profiles(self.customers, load(), Business(model=shipped("orders")))
        self.callers = Callers(profiles, self.store.engine)
        self.published: list[CustomerKnown] = []
        self.now = NOW
        self.knowing = Knowing(self.callers, self.publish, lambda: self.now)
        self._arrival = 0

    async def publish(self, message: CustomerKnown) -> None:
        self.published.append(message)
        self.write(message)

    def write(self, *messages: Any) -> None:
        self.store.write(messages, {}, range(self._arrival, self._arrival + len(messages)))
        self._arrival += len(messages)

    async def tell(self, *events: CustomerEvent, stored: bool = True) -> None:
        self.now += timedelta(seconds=1)
        if stored:
            self.customers.take(events, "test", NOW)
        self.knowing.told((event, self.now) for event in events)
        await self.knowing.look()

    async def ring(self, call_id: str = "c", customer_id: str | None = "k", **given: str) -> CallStarted:
        """As the gateway and the worker begin a call."""
        caller = self.callers.at_ring(customer_id, given, self.now)
        attributes = given if caller is None else caller.attributes | given
        known = customer_id or (None if caller is None else caller.customer_id)
        start = CallStarted(
            call_id=call_id, at=self.now, protocol="t", customer_id=known, attributes=attributes, caller=caller
        )  # fmt: skip
        self.write(start)
        self.knowing.begun(call_id, self.now)
        await self.knowing.look()
        return start

    def tags(self) -> list[set[str]]:
        return [{tag.id for tag in each.caller.tags} for each in self.published]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.store.close()


def order(number: int, customer: str = "k") -> Order:
    at = NOW - (20 + number) * DAY
    return Order(
        event_id=f"o{number}", customer_id=customer, at=at, order_id=f"o{number}", ordered_at=at, amount=Decimal(90),
        currency="CNY",
    )  # fmt: skip


def complaint(number: int, customer: str = "k", at: datetime = NOW - DAY) -> Case:
    name = f"k{number}"
    return Case(event_id=name, customer_id=customer, at=at, case_id=name, opened_at=at, type="complaint")


async def test_a_second_complaint_told_during_the_call_is_known_in_it_at_once(room: Room) -> None:
    room.customers.take([order(1), order(2), complaint(1)], "test", NOW)
    start = await room.ring()
    assert start.caller is not None
    assert HIGH not in {tag.id for tag in start.caller.tags}
    assert room.published == []
    await room.tell(complaint(2))
    [known] = room.published
    assert known.call_id == "c"
    assert known.arrived_at == room.now
    tag = next(tag for tag in known.caller.tags if tag.id == HIGH)
    assert {(proof.event_id, proof.what) for proof in tag.because} >= {("k1", "complaint"), ("k2", "complaint")}
    assert HIGH in known.caller.attributes["customer_tag_ids"]
    assert known.caller.standing != start.caller.standing
    await room.tell(complaint(2))
    assert len(room.published) == 1


async def test_the_complaint_of_the_call_itself_counts_and_counts_once(room: Room) -> None:
    room.customers.take([order(1), complaint(1)], "test", NOW)
    await room.ring()
    room.knowing.signalled("c", ("complaint",), room.now)
    await room.knowing.look()
    assert HIGH in room.tags()[-1]
    # What it will be when it has ended changes nothing: it is the same complaint.
    at = NOW + timedelta(minutes=3)
    ended = Interaction(
        event_id="call:c", customer_id="k", at=at, interaction_id="c", channel="phone", call_id="c", complaint=True,
        signals=("complaint",),
    )  # fmt: skip
    room.now = at
    await room.tell(ended)
    assert len(room.published[-1].caller.tags) == len(room.published[0].caller.tags)


async def test_without_a_first_complaint_that_of_the_call_is_the_only_one(room: Room) -> None:
    room.customers.take([order(1)], "test", NOW)
    await room.ring()
    room.knowing.signalled("c", ("complaint", "cancel"), room.now)
    await room.knowing.look()
    assert HIGH not in room.tags()[-1]
    assert "wants_to_leave" in room.tags()[-1]
    assert room.published[-1].caller.said == ("complaint", "cancel")


async def test_what_the_call_has_said_stays_counted_when_something_else_is_told(room: Room) -> None:
    room.customers.take([order(1)], "test", NOW)
    await room.ring()
    room.knowing.signalled("c", ("complaint",), room.now)
    await room.knowing.look()
    await room.tell(complaint(1))
    assert HIGH in room.tags()[-1]


async def test_two_who_are_found_to_be_one_bring_their_complaints_together(room: Room) -> None:
    room.customers.take([order(1), complaint(1), complaint(2, "other")], "test", NOW)
    await room.ring()
    await room.tell(Merged(event_id="m", customer_id="other", at=NOW, into="k"))
    assert HIGH in room.tags()[-1]
    await room.tell(complaint(3, "other"))
    await room.tell(Split(event_id="s", customer_id="other", at=NOW + timedelta(seconds=1)))
    assert HIGH not in room.tags()[-1]


async def test_nobody_hears_of_a_customer_who_does_not_call(room: Room) -> None:
    room.customers.take([order(1), complaint(1)], "test", NOW)
    await room.ring("c", "k")
    await room.tell(complaint(2, "somebody"))
    room.write(CallEnded(call_id="c", duration_ms=1, reason="hangup"))
    await room.tell(complaint(2))
    assert room.published == []


async def test_a_customer_of_whom_something_is_told_first_during_their_call_is_known_then(room: Room) -> None:
    await room.ring("c", "new")
    await room.tell(order(1, "new"))
    assert room.published[0].caller.customer_id == "new"


async def test_what_is_told_between_the_look_at_ring_and_the_start_is_not_missed(room: Room) -> None:
    room.customers.take([order(1), complaint(1)], "test", NOW)
    seen = room.callers.at_ring("k", {}, NOW)
    await room.tell(complaint(2))
    assert room.published == []
    room.write(CallStarted(call_id="c", at=NOW, protocol="t", customer_id="k", caller=seen))
    room.knowing.begun("c", NOW)
    await room.knowing.look()
    assert HIGH in room.tags()[-1]


async def test_what_the_telephone_side_says_stays_before_what_is_known(room: Room) -> None:
    room.customers.take([order(1), complaint(1)], "test", NOW)
    await room.ring(customer_tags="ours", likely_reason="theirs")
    await room.tell(complaint(2))
    assert "customer_tags" not in room.published[-1].caller.attributes
    record = room.store.call("c")
    assert record is not None
    assert (record.attributes["customer_tags"], record.attributes["likely_reason"]) == ("ours", "theirs")
    assert HIGH in record.attributes["customer_tag_ids"]


async def test_a_store_that_is_away_delays_a_look_and_loses_none(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.customers.take([order(1), complaint(1)], "test", NOW)
    await room.ring()

    def away(*_: Any) -> Any:
        raise OperationalError("select", {}, Exception("away"))

    for name in ("concerned", "line"):
        with monkeypatch.context() as patch:
            patch.setattr(room.callers, name, away)
            with pytest.raises(OperationalError):
                await room.tell(complaint(2))
    await room.knowing.look()
    assert HIGH in room.tags()[-1]


async def test_a_customer_at_whom_nobody_can_look_keeps_no_other_call_up(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.customers.take([order(1), complaint(1), order(2, "bad")], "test", NOW)
    await room.ring("c-bad", "bad")
    await room.ring("c-k", "k")
    whole = room.callers.line

    def broken(call_id: str) -> Any:
        if call_id == "c-bad":
            raise OverflowError("date value out of range")
        return whole(call_id)

    monkeypatch.setattr(room.callers, "line", broken)
    await room.tell(complaint(9, "bad"), complaint(2))
    assert [known.call_id for known in room.published] == ["c-k"]


async def test_a_number_of_several_names_them_all(room: Room) -> None:
    for number, name in enumerate("ab"):
        phone = Identified(event_id=f"p{number}", customer_id=name, at=NOW, kind="phone", value="+861")
        room.customers.take([phone], "test", NOW)
    start = await room.ring("c", None, phone="+861")
    assert start.attributes["customers_of_phone"] == "a,b"
    assert room.published == []


async def test_a_clock_that_is_behind_the_one_of_the_ring_hides_nothing(room: Room) -> None:
    room.customers.take([order(1), complaint(1)], "test", NOW)
    start = await room.ring()
    room.now = NOW - timedelta(minutes=1)
    await room.tell(complaint(2))
    assert start.caller is not None
    assert room.published[-1].caller.at > start.caller.at
    record = room.store.call("c")
    assert record is not None
    assert record.caller is not None
    assert HIGH in {tag.id for tag in record.caller.tags}


async def test_of_an_import_of_many_customers_the_one_on_the_line_is_found(room: Room) -> None:
    room.customers.take([order(1), complaint(1), complaint(2)], "test", NOW - DAY)
    room.write(CallStarted(call_id="c", at=NOW, protocol="t", customer_id="k"))
    crowd = [complaint(n, f"other-{n}") for n in range(40_000)]
    await room.tell(*crowd[:20_000], complaint(2), *crowd[20_000:], stored=False)
    [known] = room.published
    assert known.call_id == "c"
