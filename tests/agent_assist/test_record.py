"""A call as one object: the same whatever comes twice."""

from datetime import UTC, datetime
from typing import Any

from agent_assist.call.record import NO_RISK, add, empty, record_of, summary
from agent_assist.types import (
    Assist,
    CallEnded,
    CallStarted,
    CardFeedback,
    Degraded,
    Event,
    FeedbackAction,
    Final,
)
from audio.types import Channel
from models.types import Emotion, EmotionLabel

START = CallStarted(
    call_id="c",
    at=datetime(2026, 1, 1, tzinfo=UTC),
    protocol="twilio",
    customer_id="k-1",
    customer_name="Ann",
    queue="q",
)
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.9, confidence=0.9)


def call(script: Any) -> tuple[list[Event], list[Assist]]:
    finals = [
        Final(call_id="c", utterance=script.utterance(Channel.AGENT, "Hello, how can I help?", span=(2000, 9000))),
        Final(call_id="c", utterance=script.utterance(Channel.CUSTOMER, "hm", span=(1000, 9500))),
        Final(
            call_id="c",
            utterance=script.utterance(Channel.CUSTOMER, "I want to cancel", mood=ANGRY, span=(10_000, 17_000)),
        ),
    ]
    events: list[Event] = [START, *finals, CallEnded(call_id="c", duration_ms=20_000, reason="hangup")]
    state, told = None, []
    for event in events:
        state, new = script.assistant.step(state, event)
        told += new
    return events, told


def test_a_record_holds_the_call(script: Any) -> None:
    record = record_of("c", *call(script))
    assert [u.start_ms for u in record.utterances] == [1000, 2000, 10_000]
    assert {card.rule for card in record.cards} == {
        "greeting",
        "cancel_intent",
        "soothe_and_escalate",
        "matched_reply",
        "closing_missed",
        "retention",
    }
    assert record.flow is not None
    assert record.flow.over
    assert (record.status, record.duration_ms, record.customer_name) == ("ended", 20_000, "Ann")
    assert record.risk.score is not None
    assert record.measures.overtalk_ms == 7000


def test_what_comes_twice_changes_nothing(script: Any) -> None:
    events, told = call(script)
    record = record_of("c", events, told)
    degraded = Degraded(call_id="c", at_ms=5, stage="asr", reason="slow")
    feedback = CardFeedback(call_id="c", card_id=record.cards[0].id, action=FeedbackAction.USED, at=START.at)
    for message in (degraded, feedback):
        record = add(record, message)
    assert record.degraded == (degraded,)
    assert record.feedback == (feedback,)
    for message in (*events, *record.cards, degraded, feedback):
        assert add(record, message) is record
    assert record_of("c", [*events, *events], [*told, *told]) == record_of("c", events, told)


def test_a_call_that_runs_is_live_and_one_without_an_end_is_lost(script: Any) -> None:
    events, told = call(script)
    live = record_of("c", events[:-1], told)
    assert (live.status, live.duration_ms) == ("live", 17_000)
    assert add(live, CallEnded(call_id="c", duration_ms=18_000, reason="lost")).status == "lost"


def test_a_line_sums_the_call_up(script: Any) -> None:
    line = summary(record_of("c", *call(script)))
    assert line is not None
    assert (line.utterances, line.alerts, line.emotion) == (3, 1, EmotionLabel.ANGRY)
    assert summary(empty("c")) is None
    assert empty("c").risk == NO_RISK
