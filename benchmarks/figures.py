"""
Figures of what was predicted beside what was true, and how far chance moves them.

Plain functions over series of one length n: labels as text or as whole numbers from 0 on, values as numbers. None
stands for a figure of nothing. Nothing is rounded here but intervals and ``rounded``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Series = Sequence[Any] | npt.NDArray[Any]
Interval = tuple[float, float]
"""Where a figure lies, 95 %."""
Confusion = dict[str, dict[str, int]]
"""Truth, then prediction."""

_SAMPLES: Final = 1_000
_SEED: Final = 7
_BINS: Final = 15
COVERAGES: Final = (1.0, 0.9, 0.8, 0.7, 0.5)
FEWEST_GROUPS: Final = 10
"""Speakers from which they are resampled, and not their files: a handful drawn from a handful tells little."""


class ClassScore(msgspec.Struct, frozen=True, kw_only=True):
    """One class; None where nothing is true, or predicted, to divide by."""

    n: int
    recall: float | None
    precision: float | None
    f1: float | None


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """What is right of the most confident."""

    coverage: float
    """Share that is kept."""
    accuracy: float


def rounded(value: float | None, digits: int = 4) -> float | None:
    """As results have it."""
    return None if value is None else round(float(value), digits)


def spanned(value: float | None, around: Interval | None) -> str:
    """As tables have it: 0.72 (0.66 to 0.78)."""
    if value is None:
        return "-"
    return f"{value:.2f}" if around is None else f"{value:.2f} ({around[0]:.2f} to {around[1]:.2f})"


def confusion(truth: Series, predicted: Series, classes: Sequence[str]) -> Confusion:
    """
    Counts of each truth and prediction.

    Raises:
        KeyError: If there is a label besides the classes.
    """
    counts = {one: dict.fromkeys(classes, 0) for one in classes}
    for true, said in zip(truth, predicted, strict=True):
        counts[true][said] += 1
    return counts


def per_class(counts: Confusion) -> dict[str, ClassScore]:
    """Recall, precision and F1 of every class."""
    found: dict[str, ClassScore] = {}
    for name, row in counts.items():
        hits, true = row[name], sum(row.values())
        said = sum(other[name] for other in counts.values())
        found[name] = ClassScore(
            n=true,
            recall=rounded(_ratio(hits, true)),
            precision=rounded(_ratio(hits, said)),
            f1=rounded(_ratio(2 * hits, true + said)),
        )
    return found


def accuracy(truth: Series, predicted: Series) -> float | None:
    """Share of predictions that are true."""
    return float(np.mean(np.asarray(truth) == np.asarray(predicted))) if len(truth) else None


def uar(truth: Series, predicted: Series) -> float | None:
    """
    Mean recall of the classes that occur; of two classes it is the balanced accuracy.

    Source: Schuller, Steidl, Batliner: The INTERSPEECH 2009 Emotion Challenge, Interspeech 2009.
    """
    if not len(truth):
        return None
    counts = _counts(truth, predicted)
    true = counts.sum(axis=1)
    occurs = true > 0
    return float(np.mean(np.diag(counts)[occurs] / true[occurs]))


def macro_f1(truth: Series, predicted: Series) -> float | None:
    """Mean F1 of the classes that occur; what is predicted besides, as "neutral" between two, costs their recall."""
    if not len(truth):
        return None
    counts = _counts(truth, predicted)
    true = counts.sum(axis=1)
    occurs = true > 0
    return float(np.mean(2 * np.diag(counts)[occurs] / (true + counts.sum(axis=0))[occurs]))


def auc(high: Series, low: Series) -> float | None:
    """Chance that one of ``high`` is above one of ``low``; half where they are equal, None where either is empty."""
    if not len(high) or not len(low):
        return None
    above, below = np.asarray(high, dtype=np.float64), np.sort(np.asarray(low, dtype=np.float64))
    wins = np.searchsorted(below, above, side="left") + np.searchsorted(below, above, side="right")
    return float(np.mean(wins) / (2 * len(below)))


def ccc(truth: Series, predicted: Series) -> float | None:
    """
    Concordance correlation of two series; None for fewer than two values or two constants.

    Source: Lin: A concordance correlation coefficient to evaluate reproducibility, Biometrics 45, 1989.
    """
    if len(truth) < 2:
        return None
    x, y = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    apart = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return 2 * covariance / apart if apart > 0 else None


def ece(confidence: Series, right: Series) -> float | None:
    """
    Expected calibration error: how far confidence lies from accuracy, over 15 bins of equal width.

    Args:
        confidence: Probability of the class that was predicted, 0 ... 1.
        right: Whether it was true.

    Source: Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017.
    """
    if not len(confidence):
        return None
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    bins = np.clip(np.ceil(sure * _BINS).astype(np.int64) - 1, 0, _BINS - 1)
    apart = np.bincount(bins, hits - sure, minlength=_BINS)
    return float(np.abs(apart).sum() / len(sure))


def ece_by_chance(confidence: Series) -> Interval | None:
    """
    Where ``ece`` lies, 95 %, for these confidences if each were exactly right: with few files far from 0.

    Source: Broecker, Smith: Increasing the Reliability of Reliability Diagrams, Weather and Forecasting 22(3), 2007.
    """
    if not len(confidence):
        return None
    sure, draws = np.asarray(confidence, dtype=np.float64), np.random.default_rng(_SEED)
    found = [ece(sure, draws.random(len(sure)) < sure) for _ in range(_SAMPLES)]
    return _percentiles(np.array(found, np.float64))


def coverage_accuracy(confidence: Series, right: Series) -> tuple[Covered, ...]:
    """
    Accuracy of the most confident 100, 90, 80, 70 and 50 %: 1 - risk, against coverage; empty where there is nothing.

    Of those with the confidence of the last that is kept, their mean counts: the order given does not matter.

    Source: El-Yaniv, Wiener: On the Foundations of Noise-free Selective Classification, JMLR 11, 2010.
    """
    if not len(confidence):
        return ()
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    ordered = np.sort(sure)[::-1]
    found: list[Covered] = []
    for coverage in COVERAGES:
        kept = max(1, round(coverage * len(sure)))
        last = ordered[kept - 1]
        above, level = sure > last, sure == last
        hit = hits[above].sum() + (kept - above.sum()) * hits[level].mean()
        found.append(Covered(coverage=coverage, accuracy=round(float(hit / kept), 4)))
    return tuple(found)


def interval(
    figure: Callable[..., float | None], *columns: Series, groups: Sequence[str] | None = None
) -> Interval | None:
    """
    Where a figure lies, 95 %: percentiles over 1000 bootstrap samples.

    Args:
        figure: Of the columns.
        columns: Of one length; labels may be text.
        groups: Speaker of each row. Where there are at least ``FEWEST_GROUPS``, speakers are resampled with all their
            rows, otherwise rows.

    Returns:
        None where the figure is None for all samples.

    Source: Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapter 13.
    """
    if not len(columns[0]):
        return None
    coded, n = _coded(columns), len(columns[0])
    members = None if groups is None or resampled(groups) == "files" else _members(groups)
    draws, of = np.random.default_rng(_SEED), n if members is None else len(members)
    found: list[float] = []
    for _ in range(_SAMPLES):
        drawn = draws.integers(of, size=of)
        rows = drawn if members is None else np.concatenate([members[one] for one in drawn])
        value = figure(*(column[rows] for column in coded))
        if value is not None:
            found.append(value)
    return _percentiles(np.array(found)) if found else None


def ratio_interval(totals: Sequence[int], lengths: Sequence[int]) -> Interval:
    """Where the sum of the totals over that of the lengths lies, 95 %, each of them one file's."""
    total, length = np.array(totals), np.array(lengths)
    picks = np.random.default_rng(_SEED).integers(len(total), size=(_SAMPLES, len(total)))
    return _percentiles(total[picks].sum(axis=1) / np.maximum(length[picks].sum(axis=1), 1))


def resampled(groups: Sequence[str]) -> str:
    """What ``interval`` draws of rows of these groups: "speakers" or "files"."""
    return "speakers" if len(set(groups)) >= FEWEST_GROUPS else "files"


def top(chances: Mapping[str, float]) -> tuple[str, float]:
    """The most probable class, the first of equals, and its share of all."""
    name = max(chances, key=lambda one: chances[one])
    return name, chances[name] / (sum(chances.values()) or 1.0)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percentiles(values: Floats) -> Interval:
    low, high = (round(float(value), 4) for value in np.quantile(values, (0.025, 0.975)))
    return low, high


def _counts(truth: Series, predicted: Series) -> npt.NDArray[np.int64]:
    """Shape (k, k): truth, then prediction."""
    true, said = _coded((truth, predicted))
    k = int(max(true.max(), said.max())) + 1
    return np.bincount(true * k + said, minlength=k * k).reshape(k, k)


def _coded(columns: Sequence[Series]) -> list[npt.NDArray[Any]]:
    """As arrays, labels of all columns in the same whole numbers."""
    arrays = [np.asarray(column) for column in columns]
    names = [array for array in arrays if array.dtype.kind in "UO"]
    known = {name: code for code, name in enumerate(sorted({str(one) for array in names for one in array}))}
    return [
        np.array([known[str(one)] for one in array], dtype=np.int64) if array.dtype.kind in "UO" else array
        for array in arrays
    ]


def _members(groups: Sequence[str]) -> list[npt.NDArray[np.int64]]:
    """Row numbers of each group."""
    names = np.asarray(groups)
    return [np.flatnonzero(names == name) for name in sorted(set(groups))]
