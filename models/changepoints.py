"""
Change points: where the level of a noisy series changes.

The values are noisy measurements of a level that stays for a while and then is another. The levels are found by
optimal partitioning: of all ways to cut the series, the one with the least squared error plus a penalty for each cut,
found exactly by dynamic programming. The penalty is that of the Bayesian information criterion as modified for change
points: a level of each measure is worth ``log(n)``, the place of the cut twice that.

Source: Jackson et al.: An Algorithm for Optimal Partitioning of Data on an Interval, IEEE Signal Processing Letters
    12(2), 2005; Killick, Fearnhead, Eckley: Optimal Detection of Changepoints with a Linear Computational Cost, JASA
    107(500), 2012, whose pruning is not worth its while at our lengths; Zhang, Siegmund: A Modified Bayes Information
    Criterion with Applications to the Analysis of Comparative Genomic Hybridization Data, Biometrics 63(1), 2007,
    without its term for the lengths of the levels.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHORTEST: Final = 2
"""Values that a level lasts at least: one outburst is no change of it."""
_OUTBURST: Final = 2.0
"""Deviations beyond both its neighbours from which one value is an outburst: ours."""
_PRIOR: Final = 10.0
"""Values that the belief about the noise counts as: ours."""


def change_points(values: Floats, weights: Floats, noise: Floats, *, shortest: int = SHORTEST) -> list[int]:
    """
    Where the level of a series changes.

    Args:
        values: Shape (n, d): d measures of each utterance, NaN where not known.
        weights: Shape (n,), at least 0: the variance of a value is that of the noise divided by it.
        noise: Shape (d,), above 0: standard deviation of a value of weight 1.
        shortest: Values of a level at least.

    Returns:
        Places at which a new level begins, in order; neither 0 nor n.
    """
    n, d = values.shape
    if n < 2 * shortest:
        return []
    known = ~np.isnan(values)
    w = known * weights[:, None]
    # About the mean, so that nothing is lost where values are large and differ little.
    total = w.sum(axis=0)
    mean = np.divide(np.nansum(np.where(known, values, 0) * w, axis=0), total, out=np.zeros(d), where=total > 0)
    x = np.where(known, values - mean, 0) / noise
    sums = [np.vstack([np.zeros(d), np.cumsum(each, axis=0)]) for each in (w, w * x, w * x * x)]
    penalty = (int((total > 0).sum()) + 2) * math.log(n)
    # Of every level that may be, from its beginning to its end: what it costs, shape (n + 1, n + 1).
    weight, first, second = (total[None] - total[:, None] for total in sums)
    errors = second - np.divide(first * first, weight, out=np.zeros_like(first), where=weight > 0)
    level = np.maximum(errors, 0).sum(axis=2)
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    previous = np.zeros(n + 1, dtype=np.int64)
    for end in range(shortest, n + 1):
        last = end - shortest + 1
        costs = best[:last] + level[:last, end] + penalty
        previous[end] = costs.argmin()
        best[end] = costs[previous[end]]
    places: list[int] = []
    end = int(previous[n])
    while end > 0:
        places.append(end)
        end = int(previous[end])
    return places[::-1]


def noise_of(values: Floats, prior: Floats) -> Floats:
    """
    Standard deviation of the values about their levels, whatever the levels.

    Args:
        values: Shape (n, d), NaN where not known.
        prior: Shape (d,): what is believed before, worth ten values.

    Returns:
        Shape (d,). From the median step between neighbours, which the few steps from level to level hardly move.
    """
    found = np.square(prior)
    for measure in range(values.shape[1]):
        steps = np.abs(np.diff(values[~np.isnan(values[:, measure]), measure]))
        if steps.size:
            # The median of |N(0, 2 s^2)| is 0.6745 * sqrt(2) * s.
            variance = (_median(steps) / 0.9539) ** 2
            found[measure] = (_PRIOR * found[measure] + steps.size * variance) / (_PRIOR + steps.size)
    return np.sqrt(found)


def _median(values: Floats) -> float:
    """NumPy's own takes ten times as long for a few."""
    ordered, middle = np.sort(values), values.size // 2
    return float(ordered[middle] if values.size % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def without_outbursts(values: Floats, noise: Floats) -> Floats:
    """
    The series without outbursts of a single utterance, which would otherwise drag a neighbour along.

    One that lies more than two deviations beyond both its neighbours on every measure that is known of it counts as the
    nearer of them; where one measure goes on, it is no outburst.

    Args: As ``change_points``.
    """
    calm = values.copy()
    beyond = np.where(np.isnan(values), np.inf, 0.0)
    for measure in range(values.shape[1]):
        places = np.flatnonzero(~np.isnan(values[:, measure]))
        known = values[places, measure]
        low, high = np.minimum(known[:-2], known[2:]), np.maximum(known[:-2], known[2:])
        nearest = np.clip(known[1:-1], low, high)
        beyond[places[1:-1], measure] = np.abs(known[1:-1] - nearest) / noise[measure]
        calm[places[1:-1], measure] = nearest
    is_outburst = beyond.min(axis=1) > _OUTBURST
    return np.where(is_outburst[:, None], calm, values)
