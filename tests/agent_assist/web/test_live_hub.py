"""The hub: every message once, in order, and again for who lost the thread."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_assist.call.record import record_of
from agent_assist.errors import SlowListener
from agent_assist.types import CardKind, Withdrawn
from agent_assist.web.listener import QUEUE, Listener, Message, tell
from agent_assist.web.live import Live
from models.meaning import Clause, Meaning
from models.turning import Before, Cause, Turn


def queued(listener: Listener | None) -> list[dict[str, Any]]:
    """What waits for a listener."""
    assert listener is not None
    waiting = [json.loads(told.text) for told in listener._queue]
    listener._queue.clear()
    return waiting


def kinds(listener: Listener | None) -> list[str]:
    return [message["kind"] for message in queued(listener)]


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_message_that_comes_twice_is_told_once(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    listener = hub.listen("c")
    for _ in range(2):
        for message in (c.started(), c.final(0), c.card(0), c.risk(1_500, 0.4), c.feedback(0), c.measures(1_500)):
            hub.publish(message)
        hub.publish(c.ended())
    assert kinds(listener) == ["snapshot", "final", "card", "risk", "feedback", "measures", "ended"]


def test_a_provisional_card_is_told_confirmed_or_withdrawn_and_not_again(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    listener = hub.listen("c")
    early = [msgspec.structs.replace(c.card(number), provisional=True) for number in (0, 1)]
    gone = [Withdrawn(call_id="c", card_id=card.id, at_ms=1) for card in early]
    for message in (*early, c.card(0), gone[1], early[0], gone[0]):
        hub.publish(message)
    assert kinds(listener) == ["snapshot", "card", "card", "card", "withdrawn"]
    record = hub.record("c")
    assert record is not None
    assert record.cards == (c.card(0),)


def test_numbers_count_what_lasts_and_partials_carry_the_last(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    listener = hub.listen("c")
    for message in (c.partial(0), c.final(0), c.partial(1), c.partial(1, 1), c.final(1)):
        hub.publish(message)
    assert [(m["kind"], m["seq"]) for m in queued(listener)] == [
        ("snapshot", 1),
        ("partial", 1),
        ("final", 2),
        ("partial", 2),
        ("partial", 2),
        ("final", 3),
    ]


def test_a_partial_never_follows_its_final_nor_goes_back(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    listener = hub.listen("c")
    for message in (c.partial(0, 2), c.partial(0, 1), c.partial(0, 2), c.final(0), c.partial(0, 3)):
        hub.publish(message)
    assert kinds(listener) == ["snapshot", "partial", "final"]
    assert queued(hub.listen("c"))[0]["data"]["partials"] == []


def test_a_partial_that_came_to_nothing_is_told_and_no_longer_kept(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    listener = hub.listen("c")
    for message in (c.partial(0), msgspec.structs.replace(c.partial(0, 1), text="")):
        hub.publish(message)
    assert kinds(listener) == ["snapshot", "partial", "partial"]
    assert queued(hub.listen("c"))[0]["data"]["partials"] == []


def test_what_was_said_before_a_final_and_came_to_nothing_is_no_longer_shown(call: Any) -> None:
    hub, c = Live(), call("c")
    for message in (c.started(), c.partial(0), c.partial(2), c.final(1)):
        hub.publish(message)
    (snapshot,) = queued(hub.listen("c"))
    assert [partial["utterance_id"] for partial in snapshot["data"]["partials"]] == ["c:customer:4000"]


def test_an_older_risk_told_again_is_not_shown(call: Any) -> None:
    hub, c = Live(), call("c")
    for message in (c.started(), c.risk(1_500, 0.2), c.risk(3_500, 0.7), c.risk(1_500, 0.2)):
        hub.publish(message)
    record = hub.record("c")
    assert record is not None
    assert record.risk.score == 0.7


def test_each_point_of_the_curve_is_told_once_and_older_turns_do_not_come_back(call: Any) -> None:
    hub, c = Live(), call("c")
    turn = Turn(
        start_ms=0, at_ms=1_500, direction="worse", size=-3.0, agitation=0.5, cause=Cause.AGENT, before=Before()
    )
    hub.publish(c.started())
    listener = hub.listen("c")
    for message in (c.mood(0), c.mood(1, turn), c.mood(2, turn), c.mood(2, turn), c.mood(0)):
        hub.publish(message)
    assert [m["data"]["point"]["at_ms"] for m in queued(listener)[1:]] == [1_500, 3_500, 5_500]
    record = hub.record("c")
    assert record is not None
    assert record.turns == (turn,)
    hub.load([msgspec.structs.replace(record, turns=())])
    assert queued(hub.listen("c"))[0]["data"]["turns"][0]["before"]["silence_ms"] == 0


def test_the_same_measures_at_the_end_of_the_call_are_told(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    listener = hub.listen("c")
    for at_ms in (1_500, 1_500, 90_000, 90_000, 1_500):
        hub.publish(c.measures(at_ms))
    assert [m["data"]["at_ms"] for m in queued(listener)[1:]] == [1_500, 90_000]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.integers(1, 40), seen=st.integers(0, 43))
def test_who_comes_again_gets_just_what_was_missed(call: Any, said: int, seen: int) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    for number in range(said):
        hub.publish(c.final(number))
    messages = queued(hub.listen("c", epoch=hub.epoch, after=seen))
    if seen <= said + 1:
        assert [m["seq"] for m in messages] == list(range(seen + 1, said + 2))
    else:
        assert [m["kind"] for m in messages] == ["snapshot"]


def test_who_comes_from_another_hub_or_too_late_gets_a_snapshot(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    for number in range(QUEUE + 100):
        hub.publish(c.final(number))
    assert kinds(hub.listen("c", epoch="of-another", after=QUEUE)) == ["snapshot"]
    assert kinds(hub.listen("c", epoch=hub.epoch, after=2)) == ["snapshot"]
    assert kinds(hub.listen("c", epoch=hub.epoch, after=QUEUE)) == ["final"] * 101


@pytest.mark.slow
def test_the_whole_log_and_the_partials_fit_a_new_listener(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    for number in range(1_000):
        hub.publish(c.final(number))
    for number in range(1_000, 1_100):
        hub.publish(c.partial(number))
    deepest = 0
    for after in range(1_001 - QUEUE, 1_002):
        listener = hub.listen("c", epoch=hub.epoch, after=after)
        assert listener is not None
        assert not listener._overrun
        deepest = max(deepest, len(queued(listener)))
    assert QUEUE - 10 < deepest <= QUEUE


async def test_a_full_queue_gives_up_partials_first_and_then_the_listener(call: Any) -> None:
    listener, c = Listener(), call("c")
    partial, final = tell(Message(kind="partial", data=c.partial(0))), tell(Message(kind="final", data=c.final(0)))
    for _ in range(QUEUE // 2):
        listener.put(final)
        listener.put(partial)
    listener.put(partial)
    assert len(listener._queue) == QUEUE
    listener.put(final)
    assert {told.kind for told in listener._queue} == {"final"}
    for _ in range(QUEUE - QUEUE // 2 - 1):
        listener.put(final)
    assert (await listener.get(1)) is final
    listener.put(final)
    listener.put(final)
    with pytest.raises(SlowListener, match="512 messages unread"):
        await listener.get(1)


async def test_waiting_for_a_message_ends_when_there_is_none() -> None:
    assert await Listener().get(0.01) is None


@pytest.mark.slow
async def test_the_list_is_told_at_once_and_then_of_the_last_state_alone(call: Any) -> None:
    hub, c = Live(), call("c")
    listener = hub.listen_all([])
    hub.publish(c.started())
    for number in range(20):
        hub.publish(c.final(number))
    hub.publish(c.card(19, CardKind.ALERT))
    assert [m["data"] if m["kind"] == "calls" else m["data"]["utterances"] for m in queued(listener)] == [[], 0]
    await asyncio.sleep(0.7)
    (last,) = queued(listener)
    assert (last["data"]["utterances"], last["data"]["alerts"]) == (20, 1)
    await asyncio.sleep(0.6)
    assert queued(listener) == []


def test_what_comes_before_a_calls_start_waits_for_it(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.card(0))
    assert (hub.record("c"), hub.listen("c"), hub.records(), hub.newest()) == (None, None, [], None)
    hub.publish(c.started())
    (snapshot,) = queued(hub.listen("c"))
    assert [card["rule"] for card in snapshot["data"]["cards"]] == ["cancel"]


def test_feedback_on_a_call_long_gone_does_not_bring_back_an_empty_call(call: Any) -> None:
    hub, c = Live(), call("c")
    stored = record_of("c", [c.started(), c.final(0), c.ended()], [c.card(0)])
    hub.publish(c.feedback(0))
    assert hub.record("c") is None
    hub.load([stored])
    record = hub.record("c")
    assert record is not None
    assert (record.status, len(record.utterances), len(record.feedback)) == ("ended", 1, 1)


def test_after_a_restart_what_the_store_knows_is_not_told_again(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.load([record_of("c", [c.started(), c.final(0)], [c.card(0)])])
    listener = hub.listen("c")
    for message in (c.final(0), c.partial(0), c.card(0), c.final(1)):
        hub.publish(message)
    assert kinds(listener) == ["snapshot", "final"]


def test_ended_calls_are_forgotten_after_a_while_unless_somebody_listens(call: Any) -> None:
    clock = Clock()
    hub = Live(clock)
    for name in ("gone", "watched", "going"):
        hub.publish(call(name).started())
    hub.publish(call("gone").ended())
    hub.publish(call("watched").ended())
    listener = hub.listen("watched")
    assert listener is not None
    clock.now += 901
    hub.publish(call("going").final(0))
    hub.forget()
    assert {record.call_id for record in hub.records()} == {"watched", "going"}
    hub.leave(listener)
    hub.forget()
    assert {record.call_id for record in hub.records()} == {"going"}


def test_who_was_away_while_a_call_was_let_go_and_came_again_sees_it_whole(call: Any) -> None:
    clock = Clock()
    hub = Live(clock)
    for message in (call("c").started(), call("c").final(0), call("c").ended()):
        hub.publish(message)
    listener = hub.listen("c")
    assert listener is not None
    first = queued(listener)[0]
    hub.leave(listener)
    record = hub.record("c")
    assert record is not None
    clock.now += 901
    hub.forget()
    hub.load([record])
    hub.publish(call("c").final(1))
    assert kinds(hub.listen("c", epoch=first["epoch"], after=first["seq"])) == ["snapshot"]
    later = queued(hub.listen("c"))[0]
    assert kinds(hub.listen("c", epoch=later["epoch"], after=later["seq"])) == []


@pytest.mark.slow
def test_memory_is_bounded_whatever_is_asked_for(call: Any) -> None:
    hub = Live()
    for number in range(2_000):
        c = call(f"c{number}")
        hub.load([record_of(c.id, [c.started(), c.ended()], [])])
    hub.forget()
    assert len(hub.records()) == 500


def test_the_newest_call_is_the_last_begun_that_is_neither_over_nor_silent(call: Any) -> None:
    clock = Clock()
    hub = Live(clock)
    hub.publish(call("first").started(0))
    hub.publish(call("second").started(5))
    assert hub.newest() == "second"
    clock.now += 121
    hub.publish(call("first").partial(0))
    assert hub.newest() == "first"
    assert hub.is_over("second")
    hub.publish(call("first").ended())
    assert hub.newest() == "second"
    hub.publish(call("second").ended())
    assert hub.newest() is None


def test_the_vectors_of_what_was_said_are_not_told(call: Any) -> None:
    hub, c = Live(), call("c")
    hub.publish(c.started())
    listener = hub.listen("c")
    meaning = Meaning(space="s", clauses=(Clause(start=0, end=1, vector=b"\x01"),))
    said = c.final(0)
    hub.publish(msgspec.structs.replace(said, utterance=msgspec.structs.replace(said.utterance, meaning=meaning)))
    _, told = queued(listener)
    assert told["data"]["utterance"]["meaning"] is None
    record = hub.record("c")
    assert record is not None
    assert record.utterances == (said.utterance,)
