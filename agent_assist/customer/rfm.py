"""
RFM: how lately, how often and for how much a customer bought, each as a score of 1 to 5 against all customers.

A score is a quintile: a customer with more than the values of k fifths of all has the score k + 1. Equal values have
equal scores, the lowest of those that they span: where most bought once, all of them have frequency 1. The money is
the total, not the mean, so that buying more lowers no score.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
import yaml

from agent_assist.customer.purchases import Bought
from agent_assist.errors import CustomerTableError

SEGMENTS: Final = Path(__file__).parent / "segments.yaml"
NO_ORDERS: Final = "no_orders"
HIGH_ORDER: Final = 0.80
"""Quantile of the average order from which it is high."""

Score = Annotated[int, msgspec.Meta(ge=1, le=5)]
Breaks = tuple[float, float, float, float]


class Rfm(NamedTuple):
    """Scores of a customer, 1 ... 5, 5 the best."""

    recency: int
    frequency: int
    monetary: int


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fifths of all customers end; those without orders are not among them."""

    as_of: datetime
    n: int
    silence: Breaks
    """Negative days since the last order at ``as_of``, so that more is better here, too."""
    frequency: Breaks
    """Orders."""
    monetary: Breaks
    """Total, in the currency of the business."""
    high_order: float
    """80th percentile of the customers' average orders, in that currency."""

    def score(self, of: Bought, at: datetime) -> Rfm | None:
        """
        Scores at a time, None without orders.

        Later than ``as_of`` all grow more silent against a population that does not: it is to be taken anew monthly.
        """
        since = of.since(at)
        if since is None:
            return None
        return Rfm(
            _score(self.silence, _silence(since)),
            _score(self.frequency, len(of.orders)),
            _score(self.monetary, float(of.total)),
        )


def population(all_bought: Iterable[Bought], as_of: datetime) -> Population | None:
    """The fifths of all customers, who may come as a stream: four numbers of each are kept. None without orders."""
    silence, frequency, monetary, average = [], [], [], []
    for one in all_bought:
        since, mean = one.since(as_of), one.average
        if since is None or mean is None:
            continue
        silence.append(_silence(since))
        frequency.append(float(len(one.orders)))
        monetary.append(float(one.total))
        average.append(float(mean))
    if not silence:
        return None
    return Population(
        as_of=as_of,
        n=len(silence),
        silence=_breaks(silence),
        frequency=_breaks(frequency),
        monetary=_breaks(monetary),
        high_order=_quantile(sorted(average), HIGH_ORDER),
    )


class Box(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Scores from one to another, both in it."""

    r: tuple[Score, Score] = (1, 5)
    f: tuple[Score, Score] = (1, 5)
    m: tuple[Score, Score] = (1, 5)

    def holds(self, scores: Rfm) -> bool:
        """Whether all three lie in it."""
        limits = (self.r, self.f, self.m)
        return all(low <= score <= high for (low, high), score in zip(limits, scores, strict=True))


class Segment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Customers of like scores."""

    id: str
    names: Mapping[Literal["zh", "en"], str]
    boxes: tuple[Box, ...]


class Segments(msgspec.Struct, frozen=True, kw_only=True):
    """A table in which every score stands once."""

    segments: tuple[Segment, ...]

    def of(self, scores: Rfm | None) -> str:
        """Id of the segment; ``no_orders`` without scores."""
        if scores is None:
            return NO_ORDERS
        return next(one.id for one in self.segments if any(box.holds(scores) for box in one.boxes))


@cache
def read_segments(path: Path = SEGMENTS) -> Segments:
    """
    A segment table.

    Raises:
        CustomerTableError: If it cannot be read, or a score falls in none or in several.
    """
    try:
        table = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Segments)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise CustomerTableError(str(path), "a table of segments", str(error)) from error
    for scores in product(range(1, 6), repeat=3):
        found = [one.id for one in table.segments if any(box.holds(Rfm(*scores)) for box in one.boxes)]
        if len(found) != 1:
            raise CustomerTableError(str(path), f"one segment for the scores {scores}", ", ".join(found) or "none")
    return table


def _silence(since: timedelta) -> float:
    return -since / timedelta(days=1)


def _breaks(values: list[float]) -> Breaks:
    values.sort()
    return _quantile(values, 0.2), _quantile(values, 0.4), _quantile(values, 0.6), _quantile(values, 0.8)


def _quantile(ordered: list[float], share: float) -> float:
    """The least value that at least this share of all do not exceed; no value between two."""
    # Rounded, as 5 * 0.6 is more than 3.
    return ordered[max(math.ceil(round(share * len(ordered), 6)) - 1, 0)]


def _score(breaks: Breaks, value: float) -> int:
    return 1 + bisect_left(breaks, value)
