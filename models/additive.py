"""
An additive model in log-odds: one shape a feature, in bins, and what is not known as a bin of its own.

Nothing is imputed. A feature of which the model has learned what it means to be unknown has a term for that; otherwise
its term is 0, that of the average customer, and the interval widens by how far the term differs among customers.

Source: Hastie, Tibshirani: Generalized Additive Models, 1990; Lou, Caruana, Gehrke: Intelligible Models for
    Classification and Regression, KDD 2012.
"""

import math
from bisect import bisect_left
from pathlib import Path

import msgspec

from models.errors import WeightsDamaged
from models.profile import Row

Z95 = 1.959964


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature adds, in log-odds; over the customers of the training 0 in the mean."""

    name: str
    edges: tuple[float, ...] = ()
    """Of a number: bin k holds the values above edge k - 1 up to edge k."""
    kinds: tuple[str, ...] = ()
    """Of a feature with kinds: bin k is kind k."""
    terms: tuple[float, ...]
    """Of each bin."""
    missing: float | None
    """Where it is not known; None where it always was in training."""
    spread: float
    """Standard deviation of the term over the customers of the training."""

    def bin(self, value: float | str | None) -> int | None:
        """Its bin, counted from 0; None where it is not known, or of a kind that the training did not have."""
        if value is None:
            return None
        if self.kinds:
            return self.kinds.index(str(value)) if str(value) in self.kinds else None
        number = _number(value)
        return None if number is None else bisect_left(self.edges, number)


class Sum(msgspec.Struct, frozen=True):
    """Log-odds of a customer and what they are made of."""

    base: float
    terms: tuple[tuple[str, float], ...]
    variance: float
    """Of the log-odds: by the chance of the training, and by what is not known."""
    support: float
    """Share of the differences between customers, as variance of log-odds, that what is known explains: 0 ... 1."""

    @property
    def log_odds(self) -> float:
        return self.base + math.fsum(term for _, term in self.terms)

    def interval(self) -> tuple[float, float]:
        """Where the probability lies, 95 %."""
        apart = Z95 * math.sqrt(self.variance)
        return sigmoid(self.log_odds - apart), sigmoid(self.log_odds + apart)


class Additive(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted model; small enough for a file of JSON that people read."""

    name: str
    trade: str
    """For which kind of business it holds."""
    trained_on: str
    rows: int
    version: str
    base: float
    """Log-odds of the average customer."""
    shapes: tuple[Shape, ...]
    covariance: tuple[tuple[float, ...], ...]
    """
    Of base, then each shape's bins and missing, in that order: the lower triangle, row by row, of the posterior of the
    penalised fit (Wahba: Bayesian confidence intervals for the cross-validated smoothing spline, JRSS B 45, 1983).
    """
    call: dict[str, float] = {}
    """What each term of a call is multiplied by, where outcomes of calls taught it."""

    def sum(self, row: Row) -> Sum:
        """The log-odds of a customer."""
        terms: list[tuple[str, float]] = []
        chosen, start, unknown, known = [0], 1, 0.0, 0.0
        bins = [shape.bin(row.get(shape.name)) for shape in self.shapes]
        # Nobody of the training was a stranger: of one, that this or that is not known tells nothing.
        stranger = all(at is None for at in bins)
        for shape, at in zip(self.shapes, bins, strict=True):
            if at is not None:
                terms.append((shape.name, shape.terms[at]))
                chosen.append(start + at)
                known += shape.spread**2
            elif shape.missing is not None and not stranger:
                terms.append((shape.name, shape.missing))
                chosen.append(start + len(shape.terms))
            else:
                unknown += shape.spread**2
            start += len(shape.terms) + (shape.missing is not None)
        variance = math.fsum(
            self.covariance[a][b] * (1 if a == b else 2) for i, a in enumerate(chosen) for b in chosen[: i + 1]
        )
        whole = math.fsum(shape.spread**2 for shape in self.shapes)
        return Sum(self.base, tuple(terms), max(0.0, variance) + unknown, known / whole if whole else 0.0)


def sigmoid(log_odds: float) -> float:
    """A probability of log-odds, without overflow."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(log_odds) / (1 + math.exp(log_odds))


def logit(p: float) -> float:
    """Log-odds of a probability between 0 and 1."""
    return math.log(p / (1 - p))


def read_additive(path: Path) -> Additive:
    """
    A model of a file.

    Raises:
        WeightsDamaged: If it is none, or its parts do not fit together.
    """
    try:
        model = msgspec.json.decode(path.read_bytes(), type=Additive)
    except msgspec.DecodeError as error:
        raise WeightsDamaged(str(path), "an additive model", str(error)) from error
    wanted = 1 + sum(len(shape.terms) + (shape.missing is not None) for shape in model.shapes)
    fits = all(len(shape.terms) == (len(shape.kinds) or len(shape.edges) + 1) for shape in model.shapes)
    if not fits or [len(line) for line in model.covariance] != list(range(1, wanted + 1)):
        raise WeightsDamaged(str(path), f"terms for each bin and a covariance of {wanted}", "others")
    return model


def write_additive(path: Path, model: Additive) -> None:
    """Write a model, the same bytes for the same one."""
    path.write_bytes(msgspec.json.encode(model) + b"\n")


def _number(value: float | str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
