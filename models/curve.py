"""
The curve of a customer's mood over a call, and how it swings.

Each utterance moves the curve by as much as it says: the curve is an exponentially weighted mean whose clock is not
time but speech, counted more where the emotion is certain. A "hm" hardly moves it, a sentence moves it about half
way, and no value depends on a later utterance. Divided by the sum of its weights, so that the start is no bias.

Valence goes in as -1 ... 1; all that comes out for people is in points of the public score, -5 ... +5.
"""

from typing import Final, Literal, NamedTuple

import msgspec

PUBLIC: Final = 5.0
"""Points of the public score at a valence of 1."""
DEAD_BAND: Final = 0.5
"""Points by which a score must lie off for a trend, or off zero for a sign."""
_HALF_LIFE_S: Final = 2.0
"""Certain speech in which what was before loses half its weight: ours."""
_SLOWER: Final = 4.0
"""Times slower is the curve that the trend is measured against."""
_UNSURE: Final = 0.25
"""What speech counts of which no emotion is certain."""
_START: Final = 3
"""Samples whose mean is the level at which a call begins."""

Trend = Literal["rising", "steady", "falling"]


class Point(NamedTuple):
    """What one utterance of the customer says of their mood."""

    end_ms: int
    speech_ms: int
    valence: float | None
    """-1 ... 1; None where not known, as for the two below."""
    arousal: float | None
    """-1 ... 1."""
    agitation: float | None
    """0 ... 1."""
    confidence: float
    """0 ... 1."""

    @property
    def certain_s(self) -> float:
        """Seconds of speech, counted less where nothing is certain."""
        return max(0, self.speech_ms) / 1_000 * (_UNSURE + (1 - _UNSURE) * self.confidence)


class Smooth(msgspec.Struct, frozen=True, array_like=True):
    """A mean in which the old fades."""

    weight: float = 0.0
    """0 ... 1; 0 where nothing is known."""
    value: float = 0.0

    def push(self, value: float | None, certain_s: float, half_life_s: float) -> "Smooth":
        """With one more value, or the same where it is not known."""
        kept = 2.0 ** (-certain_s / half_life_s)
        if value is None or kept == 1.0:
            return self
        weight = self.weight * kept + 1 - kept
        return Smooth(weight, self.value + (value - self.value) * (1 - kept) / weight)

    @property
    def known(self) -> float | None:
        return self.value if self.weight > 0 else None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The curve after an utterance."""

    score: float | None
    """-5 ... +5; None before any valence is known."""
    trend: Trend
    """Against the slower curve, outside a dead band of half a point."""
    arousal: float | None
    """-1 ... 1, smoothed likewise."""
    agitation: float | None
    """0 ... 1, smoothed likewise."""


class Swings(msgspec.Struct, frozen=True, kw_only=True):
    """How the curve has moved so far, in points of the public score."""

    samples: int
    range: float
    """Highest less lowest, 0 ... 10."""
    variance: float
    """Of the samples, as a population; points squared."""
    slope: float
    """Of the line of least squares, points a minute; 0 for a single moment."""
    sign_changes: int
    """Times that the score went from half a point or more on one side of 0 to as much on the other."""
    shift: float | None
    """The curve now less the mean of its first three samples; None before there are more than these."""


class Sums(msgspec.Struct, frozen=True, array_like=True):
    """
    Running statistics of the curve, in points and minutes.

    Source: Welford, Note on a Method for Calculating Corrected Sums of Squares and Products, Technometrics 4(3), 1962.
    """

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    minute: float = 0.0
    """Mean time."""
    minute_squares: float = 0.0
    products: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    sign: int = 0
    changes: int = 0
    first: tuple[float, ...] = ()
    last: float = 0.0

    def push(self, score: float, end_ms: int) -> "Sums":
        """With one more sample."""
        n, minute = self.n + 1, end_ms / 60_000
        step, later = score - self.mean, minute - self.minute
        mean, at = self.mean + step / n, self.minute + later / n
        sign = (score >= DEAD_BAND) - (score <= -DEAD_BAND) or self.sign
        return Sums(
            n=n,
            mean=mean,
            squares=self.squares + step * (score - mean),
            minute=at,
            minute_squares=self.minute_squares + later * (minute - at),
            products=self.products + later * (score - mean),
            lowest=min(self.lowest, score) if self.n else score,
            highest=max(self.highest, score) if self.n else score,
            sign=sign,
            changes=self.changes + (sign * self.sign < 0),
            first=(*self.first, score)[:_START],
            last=score,
        )

    @property
    def swings(self) -> Swings | None:
        """None before any sample."""
        if self.n == 0:
            return None
        return Swings(
            samples=self.n,
            range=self.highest - self.lowest,
            variance=self.squares / self.n,
            slope=self.products / self.minute_squares if self.minute_squares > 0 else 0.0,
            sign_changes=self.changes,
            shift=self.last - sum(self.first) / _START if self.n > _START else None,
        )


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """The curve so far: all that the next utterance needs, the same size however long the call."""

    valence: Smooth = Smooth()
    slow: Smooth = Smooth()
    """Valence, slower."""
    arousal: Smooth = Smooth()
    agitation: Smooth = Smooth()
    sums: Sums = Sums()

    def push(self, point: Point) -> tuple["Curve", Sample]:
        """
        Take in the next utterance.

        Returns:
            The curve to go on with, and its value now.
        """
        said = point.certain_s
        valence = self.valence.push(point.valence, said, _HALF_LIFE_S)
        slow = self.slow.push(point.valence, said, _HALF_LIFE_S * _SLOWER)
        curve = Curve(
            valence=valence,
            slow=slow,
            arousal=self.arousal.push(point.arousal, said, _HALF_LIFE_S),
            agitation=self.agitation.push(point.agitation, said, _HALF_LIFE_S),
            sums=self.sums if valence is self.valence else self.sums.push(PUBLIC * valence.value, point.end_ms),
        )
        lead = PUBLIC * (valence.value - slow.value)
        sample = Sample(
            score=PUBLIC * valence.value if valence.weight > 0 else None,
            trend="rising" if lead >= DEAD_BAND else "falling" if lead <= -DEAD_BAND else "steady",
            arousal=curve.arousal.known,
            agitation=curve.agitation.known,
        )
        return curve, sample

    @property
    def swings(self) -> Swings | None:
        """None before any valence is known."""
        return self.sums.swings
