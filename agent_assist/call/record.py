"""A call as one object, built from its events and what was advised; the order of arrival does not matter."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from agent_assist.call.mood import curve_of
from agent_assist.call.review import reviewed
from agent_assist.customer.caller import Caller, given_of, in_force
from agent_assist.types import (
    Acknowledged,
    Article,
    Asked,
    Assist,
    Break,
    CallEnded,
    CallFlow,
    CallMeasures,
    CallMood,
    CallRecord,
    CallRisk,
    CallStarted,
    CallSummary,
    CallSynopsis,
    Card,
    CardFeedback,
    CardKind,
    Compensation,
    CustomerKnown,
    Degraded,
    Event,
    Hint,
    Keys,
    Measures,
    Partial,
    SpeakerMeasures,
    SynopsisEdit,
    Webhook,
    Whisper,
    Withdrawn,
    Withheld,
)
from agent_assist.types import Final as FinalEvent
from audio.types import Channel
from models.types import ChurnRisk, EmotionLabel, RiskLevel, Utterance, shown

_NOBODY: Final = SpeakerMeasures(
    talk_ms=0,
    talk_share=None,
    interruptions=0,
    words_per_minute=None,
    characters_per_minute=None,
    loudness_dbfs=None,
)
NO_MEASURES: Final = Measures(customer=_NOBODY, agent=_NOBODY, talk_ms=0, non_talk_ms=0, overtalk_ms=0, interruptions=0)
NO_RISK: Final = ChurnRisk(score=None, level=RiskLevel.UNKNOWN, reasons=(), model_version="")


def empty(call_id: str) -> CallRecord:
    """A call of which nothing is known yet."""
    return CallRecord(
        call_id=call_id,
        duration_ms=0,
        utterances=(),
        cards=(),
        risk=NO_RISK,
        measures=NO_MEASURES,
        status="live",
        protocol="",
    )


def add(record: CallRecord, message: Event | Assist) -> CallRecord:
    """The record with one more message; the same object where that told nothing new."""
    added = _add(record, message)
    is_reviewed = isinstance(message, CallStarted | FinalEvent | CallEnded)
    return reviewed(added) if added is not record and is_reviewed else added


def _add(record: CallRecord, message: Event | Assist) -> CallRecord:  # noqa: PLR0912 - a case for each message
    replace = msgspec.structs.replace
    match message:
        case CallStarted():
            if record.started_at is not None:
                return record
            return replace(
                record,
                started_at=message.at,
                protocol=message.protocol,
                customer_id=message.customer_id,
                customer_name=message.customer_name,
                agent_id=message.agent_id,
                queue=message.queue,
                attributes=message.attributes,
                caller=message.caller,
            )
        case CustomerKnown():
            return _known(record, message.caller)
        case Partial():
            return record
        case FinalEvent():
            utterance = message.utterance
            if any(known.id == utterance.id for known in reversed(record.utterances)):
                return record
            return _said(record, shown(utterance))
        case CallEnded():
            status = "lost" if message.reason == "lost" else "ended"
            if record.status == status and record.duration_ms == message.duration_ms:
                return record
            return replace(record, status=status, duration_ms=message.duration_ms)
        case Keys():
            if any(known.id == message.id for known in record.keys):
                return record
            keys = sorted((*record.keys, message), key=lambda k: (k.start_ms, k.id))
            return replace(record, keys=tuple(keys), duration_ms=max(record.duration_ms, message.end_ms))
        case Degraded():
            return record if message in record.degraded else replace(record, degraded=(*record.degraded, message))
        case Card():
            return _shown(record, message)
        case Withdrawn():
            left = tuple(card for card in record.cards if card.id != message.card_id or not card.provisional)
            return record if len(left) == len(record.cards) else replace(record, cards=left)
        case Withheld() | Webhook() | Break():
            return record
        case Article():
            if any(known.id == message.id for known in record.articles):
                return record
            return replace(record, articles=tuple(sorted((*record.articles, message), key=lambda a: (a.at_ms, a.id))))
        case Hint():
            if any(known.id == message.id for known in record.hints):
                return record
            return replace(record, hints=tuple(sorted((*record.hints, message), key=lambda h: (h.at_ms, h.id))))
        case CallRisk():
            return record if message.risk == record.risk else replace(record, risk=message.risk)
        case CallMeasures():
            return record if message.measures == record.measures else replace(record, measures=message.measures)
        case CallMood():
            return record if message.turns == record.turns else replace(record, turns=message.turns)
        case CallFlow():
            flow = record.flow
            if flow is not None and (message.over, message.at_ms) < (flow.over, flow.at_ms):
                return record
            return record if message == flow else replace(record, flow=message)
        case Compensation():
            return _compensated(record, message)
        case CallSynopsis():
            known = record.synopsis
            if known is not None and order(message) <= order(known):
                return record
            return replace(record, synopsis=message)
        case SynopsisEdit():
            if message in record.synopsis_edits:
                return record
            edits = sorted((*record.synopsis_edits, message), key=lambda edit: edit.at)
            return replace(record, synopsis_edits=tuple(edits))
        case CardFeedback():
            if any((f.card_id, f.action) == (message.card_id, message.action) for f in record.feedback):
                return record
            return replace(record, feedback=(*record.feedback, message))
        case Acknowledged():
            if any(known.card_id == message.card_id for known in record.acknowledged):
                return record
            return replace(record, acknowledged=(*record.acknowledged, message))
        case Asked():
            if any(known.id == message.id for known in record.asked):
                return record
            return replace(record, asked=tuple(sorted((*record.asked, message), key=lambda a: (a.at, a.id))))
        case Whisper():
            if any(known.id == message.id for known in record.whispers):
                return record
            return replace(record, whispers=tuple(sorted((*record.whispers, message), key=lambda w: (w.at, w.id))))


def _known(record: CallRecord, caller: Caller) -> CallRecord:
    """With what is known of the customer by now; an older look changes nothing."""
    if record.caller is not None and caller.at <= record.caller.at:
        return record
    given = given_of(record.attributes, record.caller)
    # What a call began with stays told apart from what is known: of one name the telephone side's word holds.
    caller = msgspec.structs.replace(
        caller, attributes={name: text for name, text in caller.attributes.items() if name not in given}
    )
    return msgspec.structs.replace(
        record,
        caller=caller,
        attributes=in_force(given, caller),
        customer_id=record.customer_id or caller.customer_id,
        customer_name=record.customer_name or caller.name or None,
    )


def order(synopsis: CallSynopsis) -> tuple[bool, int, bool]:
    """Which of two is the later: that of the whole call, rewritten where it was."""
    return synopsis.over, synopsis.at_ms, synopsis.rewritten or bool(synopsis.rejected)


def _shown(record: CallRecord, card: Card) -> CallRecord:
    """With one more card, or a provisional one confirmed; what is confirmed is so for good."""
    known = next((known for known in record.cards if known.id == card.id), None)
    if known is not None and (card.provisional or not known.provisional):
        return record
    others = (each for each in record.cards if each.id != card.id)
    cards = sorted((*others, card), key=lambda card: (card.at_ms, -card.priority, card.id))
    return msgspec.structs.replace(record, cards=tuple(cards))


def _compensated(record: CallRecord, message: Compensation) -> CallRecord:
    """With one more, or one that was decided; a decision is not taken back."""
    known = next((known for known in record.compensations if known.id == message.id), None)
    if known is not None and (known == message or known.decided_at is not None):
        return record
    others = (each for each in record.compensations if each.id != message.id)
    return msgspec.structs.replace(
        record, compensations=tuple(sorted((*others, message), key=lambda each: (each.asked_at, each.id)))
    )


def _said(record: CallRecord, utterance: Utterance) -> CallRecord:
    utterances = tuple(sorted((*record.utterances, utterance), key=lambda u: (u.start_ms, u.channel)))
    record = msgspec.structs.replace(
        record, utterances=utterances, duration_ms=max(record.duration_ms, utterance.end_ms)
    )
    if utterance.channel is Channel.AGENT:
        return record
    curve, swings = curve_of(utterances)
    return msgspec.structs.replace(record, curve=curve, swings=swings)


def record_of(call_id: str, events: Iterable[Event], assists: Iterable[Assist | Degraded]) -> CallRecord:
    """A whole call."""
    record = empty(call_id)
    for message in (*events, *assists):
        record = add(record, message)
    return record


class Attention(NamedTuple):
    """What of a call waits for a supervisor; see ``CallSummary``."""

    open_alerts: int
    alert: str
    questions: int


def attention(alerts: Sequence[Card], desk: Iterable[Acknowledged | Asked | Whisper]) -> Attention:
    """
    What nobody has taken up.

    Args:
        alerts: By time.
    """
    said = list(desk)
    seen = {one.card_id for one in said if isinstance(one, Acknowledged)}
    answered = {one.answers for one in said if isinstance(one, Whisper)}
    left = [card for card in alerts if card.id not in seen]
    questions = sum(isinstance(one, Asked) and one.id not in answered for one in said)
    return Attention(len(left), left[-1].reason if left else "", questions)


def summary(record: CallRecord) -> CallSummary | None:
    """Its line in the list of calls; None before its start is known."""
    if record.started_at is None:
        return None
    alerts = [card for card in record.cards if card.kind is CardKind.ALERT]
    wanted = attention(alerts, (*record.acknowledged, *record.asked, *record.whispers))
    labels = [u.emotion.label for u in reversed(record.utterances) if u.emotion is not None]
    return CallSummary(
        call_id=record.call_id,
        started_at=record.started_at,
        status=record.status,
        duration_ms=record.duration_ms,
        customer_id=record.customer_id,
        customer_name=record.customer_name,
        agent_id=record.agent_id,
        queue=record.queue,
        utterances=len(record.utterances),
        alerts=len(alerts),
        risk=record.risk,
        emotion=next((label for label in labels if label is not EmotionLabel.UNKNOWN), EmotionLabel.UNKNOWN),
        open_alerts=wanted.open_alerts,
        alert=wanted.alert,
        questions=wanted.questions,
    )
