"""
What the customer's mood does after something was done for them, and what such deeds do on average.

Before and after is not cause and effect: angry customers calm down by themselves, too. A mean over calls says what
follows a deed, and its interval how little a few calls say.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

import msgspec

WITHIN_MS: Final = 60_000
"""How long after a deed its effect is looked for: ours."""
FEW: Final = 10
"""Deeds below which a mean is marked as resting on few."""
_T: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""97.5 % quantile of Student's t with 1 ... 30 degrees of freedom, from any table."""


class Deed(NamedTuple):
    """Something done for the customer: a card used, an offer, an alert that was heeded."""

    kind: str
    at_ms: int


class Reading(NamedTuple):
    """A value of the curve."""

    at_ms: int
    score: float
    """-5 ... +5."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The curve before a deed and after it."""

    kind: str
    at_ms: int
    before: float
    """Score when it was done, -5 ... +5."""
    after: float
    """Score at the customer's last utterance within the time given."""

    @property
    def delta(self) -> float:
        return self.after - self.before


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What follows deeds of one kind, on average."""

    kind: str
    n: int
    mean: float
    """Of the changes, in points of the public score, -10 ... 10."""
    interval: tuple[float, float] | None
    """95 % of the mean, by Student's t; None for a single one."""
    few: bool
    """Whether there are too few to go by."""


def changes(readings: Sequence[Reading], deeds: Iterable[Deed], *, within_ms: int = WITHIN_MS) -> list[Change]:
    """
    What the curve of one call did after each deed.

    Args:
        readings: By time.
        within_ms: The last reading up to so long after the deed is its outcome.

    Returns:
        By time; none of a deed before which or after which the customer's mood is not known.
    """
    found: list[Change] = []
    for deed in sorted(deeds, key=lambda deed: (deed.at_ms, deed.kind)):
        before = [reading.score for reading in readings if reading.at_ms <= deed.at_ms]
        after = [reading.score for reading in readings if deed.at_ms < reading.at_ms <= deed.at_ms + within_ms]
        if before and after:
            found.append(Change(kind=deed.kind, at_ms=deed.at_ms, before=before[-1], after=after[-1]))
    return found


def effects(found: Iterable[Change]) -> list[Effect]:
    """The mean change of each kind over calls, by kind."""
    by_kind: dict[str, list[float]] = {}
    for change in found:
        by_kind.setdefault(change.kind, []).append(change.delta)
    return [_effect(kind, deltas) for kind, deltas in sorted(by_kind.items())]


def _effect(kind: str, deltas: list[float]) -> Effect:
    n, mean = len(deltas), math.fsum(deltas) / len(deltas)
    interval = None
    if n > 1:
        error = math.sqrt(math.fsum((delta - mean) ** 2 for delta in deltas) / (n - 1) / n)
        interval = (mean - student_t(n - 1) * error, mean + student_t(n - 1) * error)
    return Effect(kind=kind, n=n, mean=mean, interval=interval, few=n < FEW)


def student_t(freedom: int) -> float:
    """
    The 97.5 % quantile of Student's t.

    Source: Abramowitz, Stegun: Handbook of Mathematical Functions, 26.7.5, beyond 30 degrees of freedom.
    """
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = NormalDist().inv_cdf(0.975)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
