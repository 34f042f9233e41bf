"""Cards used and alerts heeded, and what the mood did after them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from agent_assist.call.effects import deeds, effects_of, followed
from agent_assist.call.record import record_of
from agent_assist.types import CallRecord, CallStarted, CardFeedback, Degraded, Event, FeedbackAction, Final
from audio.types import Channel
from models.effects import Deed
from models.types import Emotion, EmotionLabel

START = datetime(2026, 1, 1, tzinfo=UTC)


def mood(valence: float) -> Emotion:
    agitation = 0.8 if valence < 0 else 0.1
    label = EmotionLabel.ANGRY if valence < 0 else EmotionLabel.SATISFIED
    return Emotion(label=label, valence=valence, arousal=0.5, agitation=agitation, confidence=1.0)


@pytest.fixture
def call(script: Any) -> CallRecord:
    """Two angry utterances that alert at 20 s, two content ones up to 44 s; what was told by then is used at 21 s."""
    events: list[Event] = [CallStarted(call_id="c", at=START, protocol="twilio")]
    told: list[Any] = []
    for start_ms, valence in ((0, -0.8), (12_000, -0.8), (24_000, 0.8), (36_000, 0.8)):
        said = script.utterance(
            Channel.CUSTOMER, "I want to cancel", mood=mood(valence), span=(start_ms, start_ms + 8_000)
        )
        events.append(Final(call_id="c", utterance=said))
        told += script.say(said)
    assert not [each for each in told if isinstance(each, Degraded)]
    record = record_of("c", events, told)
    used = [
        CardFeedback(call_id="c", card_id=card.id, action=FeedbackAction.USED, at=START + timedelta(seconds=21))
        for card in record.cards
        if card.rule in ("cancel_intent", "soothe_and_escalate")
    ]
    return msgspec.structs.replace(record, feedback=tuple(used))


def test_a_card_used_and_an_alert_heeded_are_deeds_at_their_time(call: CallRecord) -> None:
    assert sorted(deeds(call)) == [Deed("alert:soothe_and_escalate", 21_000), Deed("card:cancel_intent", 21_000)]


def test_what_was_dismissed_or_has_no_card_is_no_deed(call: CallRecord) -> None:
    dismissed = [msgspec.structs.replace(each, action=FeedbackAction.DISMISSED) for each in call.feedback]
    strange = [msgspec.structs.replace(each, card_id="another") for each in call.feedback]
    assert deeds(msgspec.structs.replace(call, feedback=(*dismissed, *strange))) == []
    assert deeds(msgspec.structs.replace(call, started_at=None)) == []


def test_the_mood_before_and_after_a_deed_is_that_of_the_curve(call: CallRecord) -> None:
    [alert, _] = followed(call)
    assert (alert.before, alert.after) == (call.curve[1].score, call.curve[3].score)
    assert alert.before == -4.0
    assert alert.delta > 7
    [offer] = [change for change in followed(call, [Deed("offer", 33_000)]) if change.kind == "offer"]
    assert (offer.before, offer.after) == (call.curve[2].score, call.curve[3].score)


def test_over_calls_the_mean_of_each_kind_is_told(call: CallRecord) -> None:
    alert, card = effects_of([call, call, call])
    assert (alert.kind, alert.n, alert.few) == ("alert:soothe_and_escalate", 3, True)
    assert alert.mean == pytest.approx(followed(call)[0].delta)
    assert alert.interval == pytest.approx((alert.mean, alert.mean))
    assert card.kind == "card:cancel_intent"
