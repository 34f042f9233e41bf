"""The assist worker without a broker: killed at any moment it tells the same, and no card twice under two ids."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import yaml

from agent_assist.advice.playbook import Playbook, load
from agent_assist.call.assistant import Assistant
from agent_assist.call.record import add, empty
from agent_assist.customer.caller import Caller
from agent_assist.types import CallEnded, CallStarted, Card, CustomerKnown, Event, Final, Partial, Withdrawn
from audio.types import Channel
from models.types import Utterance
from stream.assist import Adviser

RULES = """
- {id: early, kind: card, speaker: customer, priority: 9, title: {en: t}, reason: {en: r}, early: true,
   once: always, cooldown_ms: 1, phrases: {en: [cancel]}}
- {id: sorry, kind: card, speaker: agent, priority: 9, title: {en: t}, reason: {en: r}, phrases: {en: [sorry]},
   not_said: {within_ms: 5000, after: {speaker: customer, phrases: {en: [cancel]}}}}
"""


def playbook(rules: str = RULES) -> Playbook:
    return msgspec.convert({"name": "t", "version": "1", "rules": yaml.safe_load(rules)}, Playbook)


class Desk:
    """Two tenants."""

    def __init__(self) -> None:
        self.assistants = {None: Assistant(playbook()), "other": Assistant(load())}
        self.foretells = True

    def assistant(self, tenant: str | None) -> Assistant:
        return self.assistants.get(tenant) or self.assistants[None]


@dataclass
class Message:
    offset: int
    timestamp: float = 0.0


class Killed(Exception):
    pass


def said(number: int, start: int, text: str) -> Utterance:
    return Utterance(
        id=f"c:customer:{start}",
        channel=Channel.CUSTOMER,
        number=number,
        start_ms=start,
        end_ms=start + 2000,
        text=text,
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
    )


def saying(start: int, text: str) -> Partial:
    return Partial(
        call_id="c",
        utterance_id=f"c:customer:{start}",
        channel=Channel.CUSTOMER,
        revision=1,
        start_ms=start,
        end_ms=start + 1000,
        text=text,
        committed=len(text),
        language="en",
    )


START = CallStarted(call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="test")
EVENTS: list[Event] = [
    START,
    saying(0, "cancel"),
    Final(call_id="c", utterance=said(0, 0, "cancel")),
    saying(4000, "cancel"),
    Final(call_id="c", utterance=said(1, 4000, "never mind")),
    saying(9000, "well"),
    Final(call_id="c", utterance=said(2, 9000, "well")),
    CallEnded(call_id="c", duration_ms=12_000, reason="hangup"),
]


async def run(published: list[Any], table: dict[str, bytes], *, kill_after: int | None = None, until: int = 99) -> None:
    """All events from the start, as a worker reads them whose offsets were not committed."""
    left = kill_after

    async def publish(message: Any) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left = None if left is None else left - 1
        published.append(message)

    adviser = Adviser(Desk(), publish, table)
    for offset, event in enumerate(EVENTS[:until]):
        await adviser.receive(event, Message(offset))


def shown(published: list[Any]) -> list[Card]:
    record = empty("c")
    for message in published:
        record = add(record, message)
    return list(record.cards)


async def test_a_provisional_card_is_published_confirmed_and_withdrawn() -> None:
    published: list[Any] = []
    await run(published, {})
    found = [
        (each.id, each.provisional) if isinstance(each, Card) else each.card_id
        for each in published
        if isinstance(each, Card | Withdrawn)
    ]
    first, second = "c:early:c:customer:0", "c:early:c:customer:4000"
    unsaid = "c:sorry:c:customer:0"
    assert found == [(first, True), (first, False), (second, True), second, (unsaid, True), (unsaid, False)]


@pytest.mark.parametrize("kill_after", range(11))
@pytest.mark.slow
async def test_a_worker_killed_at_any_moment_shows_the_same_in_the_end(kill_after: int) -> None:
    whole: list[Any] = []
    await run(whole, {})
    published: list[Any] = []
    table: dict[str, bytes] = {}
    with pytest.raises(Killed):
        await run(published, table, kill_after=kill_after)
    await run(published, table)
    assert shown(published) == shown(whole)
    confirmed = [each.id for each in published if isinstance(each, Card) and not each.provisional]
    assert set(confirmed) == {each.id for each in whole if isinstance(each, Card) and not each.provisional}


@pytest.mark.parametrize("behind", range(len(EVENTS)))
@pytest.mark.slow
async def test_a_table_that_lost_its_last_writes_shows_the_same_in_the_end(behind: int) -> None:
    whole: list[Any] = []
    await run(whole, {})
    published: list[Any] = []
    table: dict[str, bytes] = {}
    await run(published, table, until=behind)
    saved = dict(table)
    await run(published, table)
    await run(published, saved)
    assert shown(published) == shown(whole)


async def test_what_was_read_before_tells_nothing_again() -> None:
    published: list[Any] = []
    table: dict[str, bytes] = {}
    await run(published, table)
    count, saved = len(published), dict(table)
    await run(published, table)
    assert (len(published), table) == (count, saved)


async def test_a_partial_that_tells_nothing_costs_no_record() -> None:
    class Counting(dict[str, bytes]):
        writes = 0

        def __setitem__(self, key: str, value: bytes) -> None:
            self.writes += 1
            super().__setitem__(key, value)

    table = Counting()
    await run([], table)
    assert table.writes == len(EVENTS)
    adviser = Adviser(Desk(), _nobody, table)
    await adviser.receive(saying(20_000, "hm"), Message(99))
    assert table.writes == len(EVENTS)


async def _nobody(message: Any) -> None:
    raise AssertionError(message)


async def test_the_tenant_of_a_call_picks_its_playbook_for_all_its_events() -> None:
    published: list[Any] = []

    async def publish(message: Any) -> None:
        published.append(message)

    adviser = Adviser(Desk(), publish, {})
    await adviser.receive(msgspec.structs.replace(START, attributes={"tenant": "other"}), Message(0))
    await adviser.receive(Final(call_id="c", utterance=said(0, 0, "I want to cancel")), Message(1))
    assert [each.rule for each in published if isinstance(each, Card)] == ["cancel_intent"]


async def test_signals_of_the_call_are_told_until_they_are_counted_in_what_is_known() -> None:
    asked: list[tuple[str, ...]] = []

    async def publish(_: Any) -> None:
        pass

    adviser = Adviser(Desk(), publish, {}, lambda _, said, __: asked.append(said))
    at = START.at
    known = Caller(at=at, customer_id="k")
    await adviser.receive(
        msgspec.structs.replace(START, customer_id="k", attributes={"tenant": "other"}, caller=known), Message(0)
    )
    await adviser.receive(Final(call_id="c", utterance=said(0, 0, "hello")), Message(1))
    assert asked == []
    await adviser.receive(Final(call_id="c", utterance=said(1, 4000, "I want to cancel")), Message(2))
    assert asked == [("cancel",)]
    # A look that was on its way counts nothing yet.
    behind = Caller(at=at + timedelta(seconds=1), customer_id="k")
    await adviser.receive(CustomerKnown(call_id="c", caller=behind, arrived_at=at), Message(3))
    assert asked == [("cancel",)] * 2
    counted = Caller(at=at + timedelta(seconds=2), customer_id="k", said=("cancel",))
    await adviser.receive(CustomerKnown(call_id="c", caller=counted, arrived_at=at), Message(4))
    await adviser.receive(Final(call_id="c", utterance=said(2, 9000, "well")), Message(5))
    assert asked == [("cancel",)] * 2


async def test_of_a_stranger_nobody_looks_again() -> None:
    def never(*_: Any) -> None:
        raise AssertionError

    async def publish(_: Any) -> None:
        pass

    adviser = Adviser(Desk(), publish, {}, never)
    await adviser.receive(msgspec.structs.replace(START, attributes={"tenant": "other"}), Message(0))
    await adviser.receive(Final(call_id="c", utterance=said(0, 0, "I want to cancel")), Message(1))
