"""Breaks and loads from stored calls: the same whenever asked, with caps that hold from call to call."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_assist.call.care import CarePolicy
from agent_assist.store.calls import CallStore
from agent_assist.store.care import Care
from agent_assist.types import Break, CallEnded, CallStarted, Final
from audio.types import Channel
from models.types import Emotion, EmotionLabel, Utterance

START = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.8, confidence=0.8)


def keep(
    store: CallStore, call: str, begun_min: float, *, hard: bool = True, agent: str | None = "anna", queue: str = "q"
) -> None:
    said = Utterance(
        id=f"{call}:customer:0",
        channel=Channel.CUSTOMER,
        number=0,
        start_ms=0,
        end_ms=90_000,
        text="……",
        language="zh",
        confidence=1.0,
        words=(),
        sentiment=None,
        emotion=ANGRY if hard else None,
        loudness_dbfs=None,
    )
    at = START + timedelta(minutes=begun_min)
    store.write(
        [
            CallStarted(call_id=call, at=at, protocol="test", agent_id=agent, queue=queue),
            Final(call_id=call, utterance=said),
            CallEnded(call_id=call, duration_ms=300_000, reason="hangup"),
        ],
        {},
    )


def test_a_break_is_due_after_a_hard_call_and_the_hour_is_kept_from_call_to_call(store: CallStore) -> None:
    due: list[Break] = []
    for number, begun_min in enumerate((0, 10, 40, 70)):
        keep(store, f"c{number}", begun_min, hard=number != 1)
        # Each time by one who knows nothing but the store.
        found = Care(store).ended(f"c{number}")
        due += [found] if found else []
    assert [(each.id, each.agent_id, each.at) for each in due] == [
        ("c0:break", "anna", START + timedelta(minutes=5)),
        ("c3:break", "anna", START + timedelta(minutes=75)),
    ]
    assert (due[1].exposure_ms, due[1].language, due[1].text[:2]) == (270_000, "zh", "刚才")
    # The topic read again.
    assert [Care(store).ended(f"c{number}") for number in range(4)] == [due[0], None, None, due[1]]


def test_calls_of_others_and_of_nobody_and_those_that_run_make_no_break_due(store: CallStore) -> None:
    keep(store, "a", 0)
    keep(store, "b", 1, agent="ben")
    keep(store, "n", 2, agent=None)
    store.write([CallStarted(call_id="live", at=START, protocol="test", agent_id="anna")], {})
    care = Care(store)
    assert [care.ended(call) is not None for call in ("a", "b", "n", "live", "unknown")] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("queue", "agents"), [(None, 6), ("q", 5), ("small", None)])
def test_the_load_of_a_team_is_told_from_so_many_agents_on(
    store: CallStore, queue: str | None, agents: int | None
) -> None:
    care = Care(store, CarePolicy(least_hours=0.3))
    for number in range(6):
        call = f"c{number}"
        small = "small" if number == 5 else "q"
        keep(store, call, number, hard=number == 0, agent=f"a{number}", queue=small)
        care.ended(call)
    keep(store, "before it was noted", 9)
    load = care.load(START, queue)
    assert (None if load is None else load.agents) == agents
    if load is not None:
        assert load.minutes_an_hour == round(1.5 / (load.agents * 5 / 60), 2)
    assert care.load(START + timedelta(minutes=2), queue) is None
