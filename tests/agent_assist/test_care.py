"""Care for agents: arithmetic of exposure, caps of prompts, sums of teams, and nothing from the agent's side."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.call.care import BreakPrompt, CarePolicy, Shift, exposure, is_abusive, team_load
from agent_assist.call.record import empty
from agent_assist.types import CallRecord
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


def call(call_id: str, begun_min: float, *, hard: bool, agent: str | None = "anna", length_s: int = 300) -> CallRecord:
    return msgspec.structs.replace(
        empty(call_id),
        agent_id=agent,
        started_at=START + timedelta(minutes=begun_min),
        duration_ms=length_s * 1000,
        status="ended",
        utterances=(said(C, 0, 90, emotion=ANGRY if hard else CALM),),
    )


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


def test_a_break_is_prompted_after_a_hard_call_and_at_most_once_an_hour() -> None:
    shift, prompts = Shift(), list[BreakPrompt]()
    for n, begun_min in enumerate((0, 10, 40, 70, 75)):
        shift, prompt = shift.push(call(f"c{n}", begun_min, hard=n != 1))
        prompts += [prompt] if prompt else []
    assert [prompt.call_id for prompt in prompts] == ["c0", "c3"]
    assert (prompts[0].at, prompts[0].exposure_ms) == (START + timedelta(minutes=5), 90_000)
    assert prompts[1].exposure_ms == 3 * 90_000
    assert (shift.calls, shift.hard, shift.exposure_ms) == (5, 4, 360_000)


def test_prompts_are_capped_by_the_shift_and_the_next_shift_counts_anew() -> None:
    shift, given_in = Shift(), list[int]()
    for n in range(8):
        shift, prompt = shift.push(call(f"c{n}", 65 * n, hard=True))
        given_in += [n] if prompt else []
    assert given_in == [0, 1, 2, 3]
    shift, prompt = shift.push(call("next", 65 * 7 + 5 + 241, hard=True))
    assert prompt is not None
    assert (shift.calls, shift.exposure_ms, len(shift.prompts)) == (1, 90_000, 1)


def test_a_call_that_comes_twice_or_without_agent_changes_nothing() -> None:
    shift, _ = Shift().push(call("c", 0, hard=True))
    assert shift.push(call("c", 0, hard=True)) == (shift, None)
    assert shift.push(call("d", 9, hard=True, agent=None)) == (shift, None)
    state = msgspec.json.decode(msgspec.json.encode(shift), type=Shift)
    assert state == shift


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
    assert team_load([msgspec.structs.replace(one, duration_ms=60_000) for one in calls], policy) is None


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
