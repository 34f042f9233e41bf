"""The customer's mood as a call is folded: what is told of it, and what came before each turn."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.call.mood import Mood, Since, curve_of
from agent_assist.call.record import record_of
from agent_assist.types import Assist, CallMood, Degraded, Event, Final
from audio.types import Channel
from models.turning import Before, Cause
from models.types import Emotion, EmotionLabel, Utterance

CALM = Emotion(label=EmotionLabel.NEUTRAL, valence=0.0, arousal=0.0, agitation=0.15, confidence=0.7)
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.8, confidence=0.8)

Told = Callable[[str], list[tuple[int, Assist | Degraded]]]


def moods(found: list[tuple[int, Assist | Degraded]]) -> list[tuple[int, CallMood]]:
    return [(turn, each) for turn, each in found if isinstance(each, CallMood)]


def test_each_utterance_of_the_customer_tells_the_curve_and_none_of_the_agent(script: Any) -> None:
    assert moods([(0, each) for each in script.say(script.utterance(Channel.AGENT, "Hello"))]) == []
    said = script.utterance(Channel.CUSTOMER, "hello", mood=ANGRY)
    [(_, mood)] = moods([(0, each) for each in script.say(said)])
    assert (mood.at_ms, mood.point.utterance_id) == (said.end_ms, said.id)
    assert (mood.point.score, mood.point.trend, mood.point.agitation) == (-3.5, "steady", 0.8)
    assert mood.turns == ()
    assert mood.swings is not None
    assert mood.swings.samples == 1


def test_where_no_emotion_is_looked_for_nothing_is_told(script: Any) -> None:
    assert moods([(0, each) for each in script.say(script.utterance(Channel.CUSTOMER, "hello", mood=ANGRY))])
    assert moods([(0, each) for each in script.say(script.utterance(Channel.CUSTOMER, "hello"))]) == []


@pytest.mark.parametrize(
    ("name", "angry", "calm", "causes"),
    [
        # Anger begins at turn 6 in the Chinese script and at turn 7, after disappointment, in the English one.
        ("zh_late_order", {4, 6}, {10}, [Cause.HOLD, Cause.AGENT]),
        ("en_cancel_plan", {6, 7}, {10}, [Cause.AGENT, Cause.AGENT]),
    ],
)
def test_the_moods_of_the_script_turn_where_the_script_turns(
    told: Told, name: str, angry: set[int], calm: set[int], causes: list[Cause]
) -> None:
    found = moods(told(name))
    by_time = {mood.at_ms: turn for turn, mood in found}
    worse, better = found[-1][1].turns
    assert (worse.direction, better.direction) == ("worse", "better")
    assert by_time[worse.at_ms] in angry
    assert by_time[better.at_ms] in calm
    assert [worse.cause, better.cause] == causes
    lowest = min(found, key=lambda each: each[1].point.score or 0.0)
    assert lowest[0] in {6, 7}
    assert (found[-1][1].point.score or 0.0) > 0


def test_what_came_before_a_turn_is_told_with_it(told: Told) -> None:
    [worse, _] = moods(told("zh_late_order"))[-1][1].turns
    # The agent asks to wait, then nobody says anything for 4.2 s.
    assert worse.before == Before(
        agent_from_ms=29_674, agent_to_ms=32_084, silence_ms=4_200, hold_ms=4_200, topic="complaint,repeat_contact"
    )


def test_the_record_has_the_curve_as_it_was_told_and_the_last_turns(script: Any) -> None:
    events: list[Event] = []
    told: list[Assist | Degraded] = []
    for n in range(8):
        for channel, mood in ((Channel.AGENT, None), (Channel.CUSTOMER, ANGRY if n in (3, 4, 5) else CALM)):
            utterance = script.utterance(channel, f"number {n}", mood=mood)
            events.append(Final(call_id="c", utterance=utterance))
            told += script.say(utterance)
    record = record_of("c", events, told)
    last = moods([(0, each) for each in told])[-1][1]
    assert list(record.curve) == [mood.point for _, mood in moods([(0, each) for each in told])]
    assert (record.swings, record.turns) == (last.swings, last.turns)
    assert [turn.direction for turn in record.turns] == ["worse", "better"]
    assert record_of("c", list(reversed(events)), told).curve == record.curve


@given(st.permutations(range(6)))
def test_the_curve_of_a_record_does_not_depend_on_the_order_of_its_finals(order: list[int]) -> None:
    said = [utterance(Channel.CUSTOMER, 5_000 * n, 5_000 * n + 3_000, n) for n in range(6)]
    assert curve_of([said[n] for n in order]) == curve_of(said)


def utterance(channel: Channel, start_ms: int, end_ms: int, number: int = 0, mood: Emotion | None = None) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{start_ms}",
        channel=channel,
        number=number,
        start_ms=start_ms,
        end_ms=end_ms,
        text="well",
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=mood or (ANGRY if number % 2 else CALM) if channel is Channel.CUSTOMER else None,
        loudness_dbfs=None,
    )


def test_silence_and_overtalk_since_the_customer_spoke_are_exact() -> None:
    customer, agent = Channel.CUSTOMER, Channel.AGENT
    mood = Mood().add(utterance(customer, 1_000, 2_000))
    assert mood.since.before == Before()
    since = mood.since
    for said in (
        utterance(agent, 1_500, 4_000),  # begins while the customer speaks: 500 ms at once
        utterance(agent, 7_500, 9_000),  # after 3.5 s of silence
        utterance(customer, 8_800, 9_500),  # 200 ms at once
    ):
        since = since.add(said)
    assert since.before == Before(agent_from_ms=1_500, agent_to_ms=9_000, silence_ms=3_500, overtalk_ms=700)


def test_what_came_before_a_grunt_came_before_what_is_said_after_it() -> None:
    unsure = Emotion(label=EmotionLabel.UNKNOWN, valence=None, arousal=None, agitation=0.2, confidence=0.0)
    mood = Mood().add(utterance(Channel.CUSTOMER, 0, 2_000)).add(utterance(Channel.AGENT, 2_500, 6_000))
    mood = mood.add(utterance(Channel.CUSTOMER, 6_500, 6_900, mood=unsure))
    assert mood.since.before.agent_from_ms == 2_500
    assert mood.add(utterance(Channel.CUSTOMER, 7_000, 9_000)).since.before == Before()


def test_one_who_speaks_within_the_others_turn_talks_over_for_as_long_as_that() -> None:
    since = Since().add(utterance(Channel.CUSTOMER, 3_000, 4_000)).add(utterance(Channel.AGENT, 1_000, 9_000))
    assert since.before.overtalk_ms == 1_000
