"""
What two groups of a trial differ by, and whether it may be looked at before its end.

``difference`` holds for one look, at a number of customers that was set before. ``always`` holds for any number of
looks, whenever the trial is ended; its interval is wider. Both take groups by stratum, so that a trial in which the
strata are not equally mixed is not misled by them.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

import msgspec

from models.errors import FitError, OutOfRange

FEWEST: Final = 30
"""Customers in each group from which a mean is taken as normal: ours."""
FEWEST_ALWAYS: Final = 100
"""Customers in each group before the first look: always valid holds for large groups only. Ours."""


class Arm(NamedTuple):
    """A group of a trial: sums of an outcome; 0 or 1 each where it is a share."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Of the outcome; n > 0."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Of the outcome; n > 1."""
        return max(self.squares - self.total * self.total / self.n, 0.0) / (self.n - 1)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Of the second group from the first, with its interval."""

    estimate: float
    low: float
    high: float
    level: float
    """Of confidence, as 0.95."""
    n: tuple[int, int]


def arm(outcomes: Iterable[float]) -> Arm:
    """The sums of a group."""
    values = list(outcomes)
    return Arm(len(values), math.fsum(values), math.fsum(value * value for value in values))


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> float:
    """
    Probability that groups of these shares differ in size so much by chance; below 0.001 the assignment is broken.

    Source: Pearson's chi-square test; Fabijan et al.: Diagnosing Sample Ratio Mismatch in Online Controlled
        Experiments, KDD 2019.
    """
    if len(counts) != len(shares) or len(counts) < 2 or min(shares) <= 0:
        raise FitError("two groups or more, each with a share above 0", f"{counts} of {shares}", sum(counts))
    n, whole = sum(counts), sum(shares)
    if n == 0:
        return 1.0
    expected = [n * share / whole for share in shares]
    statistic = sum((count - due) ** 2 / due for count, due in zip(counts, expected, strict=True))
    return _chi_square_beyond(statistic, len(counts) - 1)


def difference_of_shares(a: Arm, b: Arm, level: float = 0.95) -> Difference:
    """
    Of b from a, where outcomes are 0 or 1; for one look. Holds in small groups and near 0 and 1, too.

    Source: Newcombe: Interval Estimation for the Difference Between Independent Proportions, Statistics in Medicine
        17, 1998, method 10.
    """
    if min(a.n, b.n) < 1:
        raise FitError("customers in both groups", f"{a.n} and {b.n}", a.n + b.n)
    z = _z(level)
    (low_a, high_a), (low_b, high_b) = _wilson(a, z), _wilson(b, z)
    estimate = b.mean - a.mean
    low = estimate - math.hypot(b.mean - low_b, high_a - a.mean)
    high = estimate + math.hypot(high_b - b.mean, a.mean - low_a)
    return Difference(estimate=estimate, low=low, high=high, level=level, n=(a.n, b.n))


def difference(strata: Sequence[tuple[Arm, Arm]], level: float = 0.95) -> Difference | None:
    """
    Of the second groups from the first, for one look; None while there are fewer than 30 in either.

    Args:
        strata: Both groups of each stratum; one pair where there are no strata. Strata in which either group has
            fewer than two customers are left out; each other counts by its customers.
    """
    estimate, variance, n = _stratified(strata)
    if min(n) < FEWEST:
        return None
    half = _z(level) * math.sqrt(variance)
    return Difference(estimate=estimate, low=estimate - half, high=estimate + half, level=level, n=n)


def always(strata: Sequence[tuple[Arm, Arm]], scale: float, level: float = 0.95) -> Difference | None:
    """
    The same for any number of looks: of all of them together, one is wrong with at most the probability 1 - level.

    None while there are fewer than 100 in either group. The bound holds in the limit of large groups, as the variance
    is estimated; see the test for what it does in ours.

    Args:
        scale: Above 0: the difference that is expected, in the unit of the outcome. The interval is valid whatever it
            is, and narrowest where it is about right; it must not be chosen after the trial began.

    Source: Johari, Koomen, Pekelis, Walsh: Always Valid Inference: Continuous Monitoring of A/B Tests, Operations
        Research 70(3), 2022: the mixture sequential probability ratio test with a normal mixture, for two streams.
    """
    if not scale > 0:
        raise OutOfRange("scale", scale, 0, math.inf)
    estimate, variance, n = _stratified(strata)
    if min(n) < FEWEST_ALWAYS or variance == 0:
        return None
    mixed = variance + scale * scale
    log_odds = 2 * math.log(1 / (1 - level)) + math.log(mixed / variance)
    half = math.sqrt(variance * mixed / (scale * scale) * log_odds)
    return Difference(estimate=estimate, low=estimate - half, high=estimate + half, level=level, n=n)


def _stratified(strata: Sequence[tuple[Arm, Arm]]) -> tuple[float, float, tuple[int, int]]:
    """Difference, its variance, and the customers in both groups."""
    kept = [(a, b) for a, b in strata if min(a.n, b.n) > 1]
    n = sum(a.n for a, _ in kept), sum(b.n for _, b in kept)
    whole = sum(n)
    estimate = sum((a.n + b.n) / whole * (b.mean - a.mean) for a, b in kept)
    variance = sum(((a.n + b.n) / whole) ** 2 * (a.variance / a.n + b.variance / b.n) for a, b in kept)
    return estimate, variance, n


def _wilson(of: Arm, z: float) -> tuple[float, float]:
    n, share = of.n, of.mean
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max((middle - half) / (1 + z * z / n), 0.0), min((middle + half) / (1 + z * z / n), 1.0)


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise OutOfRange("level", level, 0, 1)
    return NormalDist().inv_cdf(0.5 + level / 2)


def _chi_square_beyond(statistic: float, degrees: int) -> float:
    """Upper tail of the chi-square distribution, by its recursion over degrees of freedom."""
    half = statistic / 2
    tail = math.erfc(math.sqrt(half)) if degrees % 2 else math.exp(-half)
    if half > 0:
        for k in range(1 + (degrees + 1) % 2, degrees, 2):
            tail += math.exp(k / 2 * math.log(half) - half - math.lgamma(k / 2 + 1))
    return min(tail, 1.0)
