"""Breaks and loads from stored calls: the same whenever asked, with caps that hold from call to call."""

from datetime import UTC, datetime, timedelta

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


def test_the_load_of_a_team_is_told_from_so_many_agents_on(store: CallStore) -> None:
    care = Care(store, CarePolicy(least_agents=3, least_hours=0.2))
    end = START + timedelta(hours=1)
    for number in range(6):
        keep(store, f"c{number}", number, hard=number == 0, agent=f"a{number}", queue="qp"[number % 2])
        care.ended(f"c{number}")
    keep(store, "before it was noted", 9)
    whole, part = care.load(START, end), care.load(START, end, "q")
    assert whole is not None
    assert part is not None
    assert (whole.agents, whole.minutes_an_hour, whole.hard_share) == (6, 3.0, 0.167)
    assert (part.agents, part.minutes_an_hour, part.hard_share) == (3, 6.0, 0.333)
    assert care.load(START, end, "no such queue") is None
    assert care.load(START + timedelta(minutes=4), end) is None
    assert care.load(START, START + timedelta(minutes=2)) is None


def test_of_no_queue_the_load_is_told_where_one_would_follow_from_the_others(store: CallStore) -> None:
    care = Care(store, CarePolicy(least_agents=3, least_hours=0.2))
    end = START + timedelta(hours=1)
    for number in range(4):
        keep(store, f"c{number}", number, agent=f"a{number}", queue="q" if number else "alone")
        care.ended(f"c{number}")
    assert care.load(START, end) is not None
    assert care.load(START, end, "q") is None
    assert care.load(START, end, "alone") is None
