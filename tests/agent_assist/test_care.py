"""Care for agents: arithmetic of exposure, caps of prompts, sums of teams, and nothing from the agent's side."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.call.care import CarePolicy, Shift, Strain, exposure, is_abusive, team_load
from audio.types import Channel
from models.types import Emotion, EmotionLabel, Utterance

A, C = Channel.AGENT, Channel.CUSTOMER
START = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.8, confidence=0.8)
CALM = Emotion(label=EmotionLabel.NEUTRAL, valence=0.0, arousal=0.0, agitation=0.1, confidence=0.8)
UNSURE = Emotion(label=EmotionLabel.ANGRY, valence=None, arousal=None, agitation=None, confidence=0.3)


def said(channel: Channel, start_s: int, end_s: int, text: str = "well", emotion: Emotion | None = None) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{start_s * 1000}",
        channel=channel,
        number=0,
        start_ms=start_s * 1000,
        end_ms=end_s * 1000,
        text=text,
        language="en",
        confidence=1.0,
        words=(),
        sentiment=None,
        emotion=emotion,
        loudness_dbfs=None,
    )


def call(call_id: str, begun_min: float, *, hard: bool, agent: str = "anna", length_s: int = 300) -> Strain:
    start = START + timedelta(minutes=begun_min)
    return Strain(call_id, agent, start, length_s * 1000, 90_000 if hard else 0, hard)


def test_the_exposure_is_the_time_of_the_customers_anger_and_abuse() -> None:
    found = exposure(
        [
            said(C, 0, 10, emotion=CALM),
            said(C, 10, 30, emotion=ANGRY),
            said(C, 40, 45, "You are all idiots", CALM),
            said(C, 50, 58, emotion=UNSURE),
            said(C, 60, 63, "你们都是骗子"),
            said(A, 70, 100, "you idiot"),
        ]
    )
    assert (found.ms, found.abusive, found.hard) == (28_000, 2, True)
    assert found.utterance_ids == ("c:customer:10000", "c:customer:40000", "c:customer:60000")


@pytest.mark.parametrize(("seconds", "hard"), [(59, False), (60, True)])
def test_a_minute_of_anger_makes_a_call_hard(seconds: int, hard: bool) -> None:
    assert exposure([said(C, 0, seconds, emotion=ANGRY)]).hard is hard


@given(
    st.lists(
        st.builds(
            said,
            st.just(A),
            st.integers(0, 100),
            st.integers(100, 300),
            st.sampled_from(["fuck you", "你们都是骗子", "hello"]),
            st.sampled_from([ANGRY, CALM, None]),
        ),
        max_size=8,
    )
)
def test_nothing_that_the_agent_says_or_sounds_like_changes_anything(agent: list[Utterance]) -> None:
    customer = [said(C, 0, 20, emotion=ANGRY), said(C, 30, 50, emotion=CALM)]
    assert exposure([*customer, *agent]) == exposure(customer)


def test_a_break_is_due_after_a_hard_call_and_at_most_once_an_hour() -> None:
    shift, due = Shift(), list[str]()
    for n, begun_min in enumerate((0, 10, 40, 70, 75)):
        shift, is_due = shift.push(call(f"c{n}", begun_min, hard=n != 1))
        due += [f"c{n}"] if is_due else []
    assert due == ["c0", "c3"]
    assert shift.prompts == (START + timedelta(minutes=5), START + timedelta(minutes=75))
    assert (shift.calls, shift.hard, shift.exposure_ms) == (5, 4, 360_000)


def test_prompts_are_capped_by_the_shift_and_the_next_shift_counts_anew() -> None:
    shift, given_in = Shift(), list[int]()
    for n in range(8):
        shift, is_due = shift.push(call(f"c{n}", 65 * n, hard=True))
        given_in += [n] if is_due else []
    assert given_in == [0, 1, 2, 3]
    shift, is_due = shift.push(call("next", 65 * 7 + 5 + 241, hard=True))
    assert is_due
    assert (shift.calls, shift.exposure_ms, len(shift.prompts)) == (1, 90_000, 1)


def test_a_call_that_comes_twice_changes_nothing() -> None:
    shift, _ = Shift().push(call("c", 0, hard=True))
    assert shift.push(call("c", 0, hard=True)) == (shift, False)


def test_of_a_team_nothing_is_told_below_so_many_agents_or_hours() -> None:
    policy = CarePolicy(least_agents=3, least_hours=1.0, heavy=4.5)
    calls = [call(f"c{n}", 0, hard=n == 0, agent=f"a{n % 3}", length_s=1_200) for n in range(3)]
    load = team_load(calls, policy)
    assert load is not None
    assert (load.agents, load.hours, load.minutes_an_hour) == (3, 1.0, 1.5)
    assert (load.hard_share, load.heavy) == (0.333, False)
    hard = team_load([call(f"c{n}", 0, hard=True, agent=f"a{n}", length_s=1_200) for n in range(3)], policy)
    assert hard is not None
    assert (hard.minutes_an_hour, hard.heavy) == (4.5, True)
    assert team_load(calls[:2] * 4, policy) is None
    assert team_load([one._replace(duration_ms=60_000) for one in calls], policy) is None


@pytest.mark.parametrize(
    "text",
    [
        "你们都是骗子",
        "他妈的到底管不管",
        "给我滚",
        "This is fucking ridiculous",
        "You people are useless",
        "Shut up and listen",
    ],
)
def test_abuse_is_heard(text: str) -> None:
    assert is_abusive(text)


@pytest.mark.parametrize(
    "text",
    [
        "我很生气,我要投诉",
        "这个垃圾桶坏了",
        "I am very angry about this",
        "the app is useless",
        "You are not an idiot",
        "石头滚下来了",
    ],
)
def test_anger_and_other_words_are_no_abuse(text: str) -> None:
    assert not is_abusive(text)
