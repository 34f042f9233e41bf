"""The customer's mood over a call as its events come in: the curve, its swings and its turns, in little space."""

from collections.abc import Iterable
from typing import Final

import msgspec

from agent_assist.call.measures import NON_TALK_MS, asks_to_wait, is_assent
from agent_assist.types import CallMood, CurvePoint
from audio.types import Channel
from models.curve import Curve, Point, Sample, Swings
from models.turning import Before, Turns
from models.types import Utterance

_PLACES: Final = 2
"""Decimals of what is told in points."""
_SAID_S: Final = 0.5
"""Certain speech from which an utterance says something of its own: ours."""


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What has come since the customer last said something; finals come in the order of their end."""

    before: Before = Before()
    end_ms: int = 0
    """Of the last speech of anybody."""
    customer: tuple[int, int] = (-1, -1)
    """Start and end of their last utterance."""
    agent: tuple[int, int] = (-1, -1)
    waits: bool = False
    """The last that the agent said, assents aside, was to wait."""

    def add(self, utterance: Utterance) -> "Since":
        """With one more utterance of either."""
        agent = utterance.channel is Channel.AGENT
        span, was = (utterance.start_ms, utterance.end_ms), self.before
        other = self.customer if agent else self.agent
        silence_ms = max(0, utterance.start_ms - self.end_ms)
        before = msgspec.structs.replace(
            was,
            agent_from_ms=utterance.start_ms if agent and was.agent_from_ms is None else was.agent_from_ms,
            agent_to_ms=utterance.end_ms if agent else was.agent_to_ms,
            silence_ms=max(was.silence_ms, silence_ms),
            hold_ms=was.hold_ms + (silence_ms if self.waits and silence_ms > NON_TALK_MS else 0),
            overtalk_ms=was.overtalk_ms + max(0, min(span[1], other[1]) - max(span[0], other[0])),
        )
        return Since(
            before=before,
            end_ms=max(self.end_ms, utterance.end_ms),
            customer=self.customer if agent else span,
            agent=span if agent else self.agent,
            waits=asks_to_wait(utterance.text) if agent and not is_assent(utterance.text) else self.waits,
        )


class Mood(msgspec.Struct, frozen=True, kw_only=True):
    """The customer's mood so far."""

    curve: Curve = Curve()
    turns: Turns = Turns()
    since: Since = Since()
    point: CurvePoint | None = None
    """Of the customer's last utterance."""

    def add(self, utterance: Utterance) -> "Mood":
        """With one more utterance of either; the agent's say nothing of a mood, but may be what turned it."""
        since = self.since.add(utterance)
        point = point_of(utterance)
        if point is None:
            return msgspec.structs.replace(self, since=since)
        curve, sample = self.curve.push(point)
        # What came before a "hm" came before what is said after it, too.
        said = point.certain_s >= _SAID_S and not (point.valence is None and point.agitation is None)
        return Mood(
            curve=curve,
            turns=self.turns.push(point, since.before),
            since=msgspec.structs.replace(since, before=Before()) if said else since,
            point=_told(utterance, sample),
        )

    def about(self, topics: Iterable[str]) -> "Mood":
        """With what the customer's last utterance speaks of."""
        topic = ",".join(sorted(topics))
        if not topic or self.point is None:
            return self
        return msgspec.structs.replace(self, turns=self.turns.about(self.point.at_ms, topic))

    def told(self, call_id: str) -> CallMood | None:
        """As others are told; None before the customer has said anything."""
        if self.point is None:
            return None
        swings, turns = swings_told(self.curve), self.turns.found
        return CallMood(call_id=call_id, at_ms=self.point.at_ms, point=self.point, swings=swings, turns=turns)


def point_of(utterance: Utterance) -> Point | None:
    """What an utterance says of the customer's mood; None for the agent's."""
    emotion = utterance.emotion
    if utterance.channel is Channel.AGENT or emotion is None:
        return None
    return Point(
        end_ms=utterance.end_ms,
        speech_ms=utterance.end_ms - utterance.start_ms,
        valence=emotion.valence,
        arousal=emotion.arousal,
        agitation=emotion.agitation,
        confidence=emotion.confidence,
    )


def curve_of(utterances: Iterable[Utterance]) -> tuple[tuple[CurvePoint, ...], Swings | None]:
    """
    The curve of a call from its finals, and how it swung: the same as was told while it ran.

    Args:
        utterances: In any order.
    """
    curve, told = Curve(), list[CurvePoint]()
    for utterance in sorted(utterances, key=lambda utterance: utterance.number):
        point = point_of(utterance)
        if point is not None:
            curve, sample = curve.push(point)
            told.append(_told(utterance, sample))
    return tuple(told), swings_told(curve)


def swings_told(curve: Curve) -> Swings | None:
    """How a curve swings, as others are told; None before anything is known of the mood."""
    swings = curve.swings
    if swings is None:
        return None
    return msgspec.structs.replace(
        swings,
        range=round(swings.range, _PLACES),
        variance=round(swings.variance, _PLACES),
        slope=round(swings.slope, _PLACES),
        shift=None if swings.shift is None else round(swings.shift, _PLACES),
    )


def _told(utterance: Utterance, sample: Sample) -> CurvePoint:
    return CurvePoint(
        utterance_id=utterance.id,
        at_ms=utterance.end_ms,
        score=None if sample.score is None else round(sample.score, _PLACES),
        trend=sample.trend,
        arousal=None if sample.arousal is None else round(sample.arousal, 3),
        agitation=None if sample.agitation is None else round(sample.agitation, 3),
    )
