"""The state of a call: pure, resumable, small."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState, fold
from agent_assist.types import (
    Assist,
    CallEnded,
    CallFlow,
    CallMeasures,
    CallRisk,
    CallStarted,
    Card,
    Degraded,
    Event,
    Final,
    Partial,
)
from audio.types import Channel
from models.types import Emotion, EmotionLabel, RiskLevel, Utterance

ASSISTANT = Assistant(load())
TEXTS = [
    "我要退款",
    "这已经是我第三次打电话了",
    "谢谢你",
    "I want to cancel my plan",
    "Blue Harbor is cheaper",
    "hello",
    "嗯",
]


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    found: list[Event] = []
    now, numbers = 0, {Channel.CUSTOMER: 0, Channel.AGENT: 0}
    for _ in range(draw(st.integers(0, 12))):
        channel = draw(st.sampled_from(Channel))
        start = now + draw(st.integers(0, 5000))
        now = start + draw(st.integers(200, 9000))
        emotion = None
        if channel is Channel.CUSTOMER and draw(st.booleans()):
            emotion = Emotion(
                label=draw(st.sampled_from(EmotionLabel)),
                valence=draw(st.none() | st.floats(-1, 1)),
                arousal=None,
                agitation=draw(st.none() | st.floats(0, 1)),
                confidence=draw(st.floats(0, 1)),
            )
        found.append(
            Final(
                call_id="c",
                utterance=said(channel, numbers[channel], start, now, draw(st.sampled_from(TEXTS)), emotion),
            )
        )
        numbers[channel] += 1
    return found


def said(channel: Channel, number: int, start: int, end: int, text: str, emotion: Emotion | None = None) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{start}",
        channel=channel,
        number=number,
        start_ms=start,
        end_ms=end,
        text=text,
        language="zh" if text[0] > "z" else "en",
        confidence=0.8,
        words=(),
        sentiment=None,
        emotion=emotion,
        loudness_dbfs=-23.4,
    )


def advised(state: CallState | None, given_events: list[Event]) -> tuple[CallState | None, list[Assist | Degraded]]:
    told: list[Assist | Degraded] = []
    for event in given_events:
        state, new = ASSISTANT.step(state, event)
        told += new
    return state, told


def stored(state: CallState | None) -> CallState | None:
    return None if state is None else msgspec.json.decode(msgspec.json.encode(state), type=CallState)


@settings(max_examples=60)
@given(events(), st.data())
@pytest.mark.slow
def test_a_call_in_two_halves_with_the_state_stored_between_is_the_call_at_once(
    all_of: list[Event], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(all_of)))
    whole, told = advised(None, all_of)
    half, first = advised(None, all_of[:cut])
    resumed, second = advised(stored(half), all_of[cut:])
    assert resumed == whole
    assert first + second == told


@settings(max_examples=60)
@given(events(), st.data())
def test_a_final_that_comes_again_changes_nothing_and_tells_nothing(all_of: list[Event], data: st.DataObject) -> None:
    state, _ = advised(None, all_of)
    if all_of:
        again = data.draw(st.sampled_from(all_of))
        assert fold(state, again) == state
        assert ASSISTANT.step(state, again) == (state, [])


def test_a_partial_changes_nothing() -> None:
    state, _ = advised(None, [Final(call_id="c", utterance=said(Channel.AGENT, 0, 0, 1000, "hello"))])
    partial = Partial(
        call_id="c",
        utterance_id="c:customer:2000",
        channel=Channel.CUSTOMER,
        revision=1,
        start_ms=2000,
        end_ms=3000,
        text="I want to cancel",
        language="en",
    )
    assert ASSISTANT.step(state, partial) == (state, [])


@pytest.mark.slow
def test_two_hours_of_talk_stay_small() -> None:
    state: CallState | None = None
    numbers = {Channel.CUSTOMER: 0, Channel.AGENT: 0}
    angry = Emotion(label=EmotionLabel.ANGRY, valence=-0.723, arousal=0.153, agitation=0.712, confidence=0.912)
    calm = Emotion(label=EmotionLabel.NEUTRAL, valence=0.123, arousal=0.153, agitation=0.112, confidence=0.912)
    largest = mood = 0
    for turn in range(2400):
        emotion = angry if turn // 100 % 2 else calm
        channel = Channel.CUSTOMER if turn % 2 else Channel.AGENT
        # Both talk without a break, over each other.
        utterance = said(
            channel, numbers[channel], turn * 3000, turn * 3000 + 4000, "这已经是我第三次打电话了我要退款" * 20, emotion
        )
        numbers[channel] += 1
        event = Final(call_id="c", utterance=utterance)
        # The rules' memory is full after a few; the rest of the state is the fold's.
        state = ASSISTANT.step(state, event)[0] if turn < 20 else fold(state, event)
        largest = max(largest, len(msgspec.json.encode(state)))
        mood = max(mood, len(msgspec.json.encode(state.mood)))
    assert largest < 24_000
    assert mood < 9_000


def test_the_risk_is_told_when_it_changes() -> None:
    def risks(told: list[Assist | Degraded]) -> list[CallRisk]:
        return [each for each in told if isinstance(each, CallRisk)]

    start = CallStarted(call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="recording", customer_id="k-1")
    state, told = advised(
        None, [start, Final(call_id="c", utterance=said(Channel.CUSTOMER, 0, 0, 2000, "hello there"))]
    )
    assert [(risk.customer_id, risk.risk.level) for risk in risks(told)] == [("k-1", RiskLevel.UNKNOWN)]
    state, told = advised(
        state, [Final(call_id="c", utterance=said(Channel.CUSTOMER, 1, 3000, 5000, "I want to cancel"))]
    )
    (told_risk,) = risks(told)
    assert told_risk.risk.score is not None
    assert told_risk.risk.score > 0.3
    assert "cancel" in {reason.name for reason in told_risk.risk.reasons}
    state, told = advised(state, [Final(call_id="c", utterance=said(Channel.AGENT, 0, 6000, 7000, "may I ask why"))])
    assert risks(told) == []
    _, told = advised(
        state, [Final(call_id="c", utterance=said(Channel.CUSTOMER, 2, 8000, 9000, "okay then I will stay"))]
    )
    (after,) = risks(told)
    assert after.risk.score is not None
    assert after.risk.score < told_risk.risk.score


def test_measures_follow_each_final_and_the_end() -> None:
    state, told = advised(None, [Final(call_id="c", utterance=said(Channel.AGENT, 0, 0, 1000, "hello"))])
    assert [type(each) for each in told if not isinstance(each, Card | CallFlow)] == [CallMeasures]
    _, told = advised(state, [CallEnded(call_id="c", duration_ms=9000, reason="hangup")])
    [end] = [each for each in told if isinstance(each, CallMeasures)]
    assert end.measures.non_talk_ms == 8000


def test_a_mood_that_swings_counts_in_the_risk_and_one_that_is_bad_throughout_does_not_swing() -> None:
    def reasons(valences: list[float]) -> dict[str, float]:
        calm = Emotion(label=EmotionLabel.UNKNOWN, valence=None, arousal=None, agitation=0.2, confidence=0.7)
        finals: list[Event] = [
            Final(
                call_id="c",
                utterance=said(
                    Channel.CUSTOMER, n, n * 6_000, n * 6_000 + 4_000, "well", msgspec.structs.replace(calm, valence=v)
                ),
            )
            for n, v in enumerate(valences)
        ]
        state, _ = advised(None, finals)
        assert state is not None
        assert state.risk is not None
        return {reason.name: reason.contribution for reason in state.risk.reasons}

    assert "swings" not in reasons([-0.7] * 6)
    assert reasons([0.4, 0.4, -0.7, -0.7, 0.4, 0.4])["swings"] > 0.02


def test_a_state_from_before_there_was_a_curve_is_taken_up() -> None:
    state, _ = advised(None, [Final(call_id="c", utterance=said(Channel.CUSTOMER, 0, 0, 1000, "hello"))])
    old = msgspec.to_builtins(state)
    del old["mood"], old["features"]["valence_range"]
    old["valences"] = {"width": 1, "means": [-0.5], "rest": []}
    taken = msgspec.json.decode(msgspec.json.encode(old), type=CallState)
    assert taken.customer_next == 1
    assert taken.mood.curve.swings is None
