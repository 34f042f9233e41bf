"""
Turning points of a customer's mood: where its level changes for good, and what came before.

The levels are those of valence and agitation together, found as ``models/changepoints.py`` says: deterministic, and
without a turn where nothing but noise is seen. What an utterance says of a mood counts less the shorter it is.
"""

import math
from enum import StrEnum
from itertools import pairwise
from typing import Final, Literal

import msgspec
import numpy as np

from models.changepoints import SHORTEST, Floats, change_points, noise_of, without_outbursts
from models.curve import PUBLIC, Point

_NOISE: Final = (0.30, 0.15)
"""Standard deviation of the valence and the agitation of one utterance about their level, until known better: ours."""
_CERTAIN_S: Final = 2.0
"""Certain speech from which an utterance counts whole."""
_KEPT: Final = 64
"""Utterances at most in which turns are looked for; those of before are settled."""
_SETTLED: Final = 32
"""Of them, those whose turns are settled when they are full ..."""
_OVERLAP: Final = 8
"""... and those of the settled that stay, so that there is a level before the next turn."""
_TURNS: Final = 12
"""Settled turns kept at most; the smallest go first."""

LONG_SILENCE_MS: Final = 3_000
"""Mutual silence that may explain a turn for the worse, as in the measures of a call."""
LONG_OVERTALK_MS: Final = 300
"""Overtalk that may."""


class Cause(StrEnum):
    """What most likely brought a turn about."""

    HOLD = "hold"
    SILENCE = "silence"
    OVERTALK = "overtalk"
    AGENT = "agent"
    """What the agent said."""
    TOPIC = "topic"
    """What the customer came to speak of."""
    UNKNOWN = "unknown"


class Before(msgspec.Struct, frozen=True):
    """What came between an utterance of the customer and the one before it."""

    agent_from_ms: int | None = None
    """Start of the first utterance of the agent; None where the agent said nothing."""
    agent_to_ms: int | None = None
    """End of the last."""
    silence_ms: int = 0
    """The longest mutual silence."""
    overtalk_ms: int = 0
    hold_ms: int = 0
    topic: str = ""
    """What the utterance itself speaks of; empty where that is not known."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """An utterance as far as turns look back."""

    end_ms: int
    speech_ms: int
    weight: float
    """0 ... 1."""
    valence: float | None
    agitation: float | None
    before: tuple[int | None, int | None, int, int, int, str]
    """The values of ``Before``, without its names in every state that is stored."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A turning point: the customer's first utterance at another level."""

    start_ms: int
    """Of that utterance."""
    at_ms: int
    """Its end, where the curve has its value."""
    direction: Literal["better", "worse"]
    """Of valence less agitation, each over its whole range."""
    size: float | None
    """Change of the level of the score, -10 ... 10; None where it is not known on both sides."""
    agitation: float | None
    """Change of the level of agitation, -1 ... 1, likewise."""
    cause: Cause
    before: Before


class Turns(msgspec.Struct, frozen=True, kw_only=True):
    """
    The turns of a call so far, in bounded space.

    The last turns may still move or go when more is said; those further back than some 32 utterances are settled.
    """

    seen: tuple[Seen, ...] = ()
    new_from: int = 0
    """Place in ``seen`` before which turns are settled."""
    settled: tuple[Turn, ...] = ()

    def push(self, point: Point, before: Before) -> "Turns":
        """With the customer's next utterance; one of which nothing is known tells nothing."""
        if point.valence is None and point.agitation is None:
            return self
        weight = round(min(1.0, point.certain_s / _CERTAIN_S), 3)
        known = msgspec.structs.astuple(before)
        one = Seen(point.end_ms, point.speech_ms, weight, point.valence, point.agitation, known)
        turns = msgspec.structs.replace(self, seen=(*self.seen, one))
        return turns._settle() if len(turns.seen) >= _KEPT else turns

    def about(self, end_ms: int, topic: str) -> "Turns":
        """With what the last utterance speaks of, which is known later than its mood; ``end_ms`` says which it is."""
        if not self.seen or self.seen[-1].end_ms != end_ms:
            return self
        last = self.seen[-1]
        last = msgspec.structs.replace(last, before=(*last.before[:-1], topic))
        return msgspec.structs.replace(self, seen=(*self.seen[:-1], last))

    @property
    def found(self) -> tuple[Turn, ...]:
        """By time."""
        return (*self.settled, *(turn for _, turn in self._new()))

    def _new(self) -> list[tuple[int, Turn]]:
        return [(place, turn) for place, turn in turns_of(self.seen) if place >= self.new_from]

    def _settle(self) -> "Turns":
        past = [(place, turn) for place, turn in self._new() if place <= _SETTLED]
        cut = _SETTLED - _OVERLAP
        # A turn found once more, an utterance off, is the same.
        new_from = max(_SETTLED + 1, *(place + SHORTEST for place, _ in past)) if past else _SETTLED + 1
        settled = [*self.settled, *(turn for _, turn in past)]
        largest = sorted(settled, key=_size, reverse=True)[:_TURNS]
        return Turns(
            seen=self.seen[cut:],
            new_from=new_from - cut,
            settled=tuple(sorted(largest, key=lambda turn: turn.at_ms)),
        )


def turns_of(seen: tuple[Seen, ...]) -> list[tuple[int, Turn]]:
    """The turning points of a series of utterances, each with its place in it."""
    if len(seen) < 2 * SHORTEST:
        return []
    values = np.array([[_nan(one.valence), _nan(one.agitation)] for one in seen])
    weights = np.array([one.weight for one in seen])
    noise = noise_of(values, np.array(_NOISE))
    values = without_outbursts(values, noise)
    places = change_points(values, weights, noise)
    levels = [_level(values[a:b], weights[a:b]) for a, b in pairwise([0, *places, len(seen)])]
    return [
        (place, _turn(seen[place], before, after))
        for place, (before, after) in zip(places, pairwise(levels), strict=True)
    ]


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def _level(values: Floats, weights: Floats) -> list[float]:
    """Weighted mean of each measure; NaN where none is known."""
    known = ~np.isnan(values)
    w = known * weights[:, None]
    total = w.sum(axis=0)
    sums = (np.where(known, values, 0) * w).sum(axis=0)
    levels: list[float] = np.divide(sums, total, out=np.full(values.shape[1], np.nan), where=total > 0).tolist()
    return levels


def _turn(one: Seen, before: list[float], after: list[float]) -> Turn:
    valence, agitation = (None if math.isnan(a) or math.isnan(b) else b - a for a, b in zip(before, after, strict=True))
    mood = (valence or 0.0) - 2 * (agitation or 0.0)
    direction: Literal["better", "worse"] = "better" if mood > 0 else "worse"
    came = Before(*one.before)
    return Turn(
        start_ms=one.end_ms - one.speech_ms,
        at_ms=one.end_ms,
        direction=direction,
        size=None if valence is None else round(PUBLIC * valence, 2),
        agitation=None if agitation is None else round(agitation, 3),
        cause=likely_cause(came, direction),
        before=came,
    )


def likely_cause(before: Before, direction: Literal["better", "worse"]) -> Cause:
    """
    What most likely turned the mood: an order of ours, by judgement.

    A wait or being talked over turns moods for the worse alone; what the customer came to speak of does so where the
    agent said nothing in between.
    """
    if direction == "worse":
        if before.hold_ms > 0:
            return Cause.HOLD
        if before.silence_ms > LONG_SILENCE_MS:
            return Cause.SILENCE
        if before.overtalk_ms >= LONG_OVERTALK_MS:
            return Cause.OVERTALK
    if before.agent_from_ms is not None:
        return Cause.AGENT
    return Cause.TOPIC if before.topic else Cause.UNKNOWN


def _size(turn: Turn) -> float:
    return abs((turn.size or 0.0) / PUBLIC - 2 * (turn.agitation or 0.0))
