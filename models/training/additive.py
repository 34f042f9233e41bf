"""
Fit of the additive model (models/additive.py), with numpy alone, so that a business can do it with its own outcomes.

Penalised maximum likelihood by Newton's steps: neighbouring bins are held together (P-splines of degree 0), a wrong
direction of a feature with a known one is punished until it is gone, and a small ridge settles the rest. On folds the
smoothing is chosen, and a slope and an offset of the log-odds make them calibrated, which leaves a sum a sum.

Source: Eilers, Marx: Flexible smoothing with B-splines and penalties, Statistical Science 11(2), 1996. Bollaerts,
    Eilers, van Mechelen: Simple and multiple P-splines regression with shape constraints, Br. J. Math. Stat. Psychol.
    59, 2006. Platt: Probabilistic Outputs for Support Vector Machines, 1999.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.additive import Additive, Shape
from models.profile import Row

Floats = npt.NDArray[np.float64]
_Bins = npt.NDArray[np.int64]

FOLDS: Final = 5
SEED: Final = 11
_MOST_BINS: Final = 16
_FEWEST: Final = 20
"""Customers of whom a feature must be unknown before that has a term, and of a kind before it has one."""
_SMOOTHINGS: Final = (1.0, 3.0, 10.0, 30.0, 300.0)
"""Precisions of a step between neighbouring bins, of which the one with the least log loss on folds is taken."""
_RIDGE: Final = 0.5
_FLATTEST: Final = 0.05
_TIED: Final = 1e6
"""Precision of a step that would go the wrong way."""
_STEPS: Final = 60
_CLOSE: Final = 1e-4
"""Log-odds; a Newton step so small is followed by ones that are its square."""


class Column(NamedTuple):
    """A feature to be learned."""

    name: str
    rises: int = 0
    """1: more of it never lowers the risk; -1: never raises it; 0: as the data say."""
    kinds: bool = False


class Purpose(NamedTuple):
    """What a model is for."""

    name: str
    trade: str
    trained_on: str


class _Design(NamedTuple):
    """Shapes without terms yet, and where their bins stand among the parameters."""

    shapes: tuple[Shape, ...]
    starts: tuple[int, ...]
    rises: tuple[int, ...]
    width: int


class _Fit(NamedTuple):
    parameters: Floats
    covariance: Floats


def fit(rows: Sequence[Row], truth: Floats, columns: Sequence[Column], purpose: Purpose) -> Additive:
    """
    Learn who leaves.

    Args:
        truth: Shape (n,), 1 of a customer who left and 0 of one who stayed; both must occur.

    Returns:
        The model; the same for the same arguments.
    """
    design = _design(rows, columns)
    x, parts = _matrix(design, rows), folds(truth)
    smoothing = min(_SMOOTHINGS, key=lambda one: log_loss(truth, _held_out(x, truth, design, one, parts)))
    slope, offset = _platt(_held_out(x, truth, design, smoothing, parts), truth)
    found = _solve(x, truth, design, smoothing)
    return _model(
        design, x, _Fit(found.parameters * np.float64(slope), found.covariance * np.float64(slope**2)), offset, purpose
    )


def out_of_fold(rows: Sequence[Row], truth: Floats, columns: Sequence[Column], purpose: Purpose) -> Floats:
    """Log-odds of each customer by a model that was fitted, smoothing and all, without their fold: shape (n,)."""
    found, parts = np.zeros(len(rows)), folds(truth, seed=SEED + 1)
    for part in range(FOLDS):
        model = fit(
            [row for row, at in zip(rows, parts, strict=True) if at != part], truth[parts != part], columns, purpose
        )
        for n in np.flatnonzero(parts == part).tolist():
            found[n] = model.sum(rows[n]).log_odds
    return found


def folds(truth: Floats, seed: int = SEED) -> _Bins:
    """A fold of each customer, with the same share of leavers in all: shape (n,)."""
    rng, found = np.random.default_rng(seed), np.zeros(len(truth), np.int64)
    for label in (0.0, 1.0):
        chosen = rng.permutation(np.flatnonzero(truth == label))
        found[chosen] = np.arange(len(chosen)) % FOLDS
    return found


def log_loss(truth: Floats, log_odds: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    return float(np.mean(np.logaddexp(0.0, log_odds) - truth * log_odds))


def _design(rows: Sequence[Row], columns: Sequence[Column]) -> _Design:
    shapes: list[Shape] = []
    starts: list[int] = []
    rises: list[int] = []
    at = 1
    for column in columns:
        shape = _shape(column, [row.get(column.name) for row in rows])
        if len(shape.terms) < 2:
            continue
        shapes.append(shape)
        starts.append(at)
        rises.append(0 if column.kinds else column.rises)
        at += len(shape.terms) + (shape.missing is not None)
    return _Design(tuple(shapes), tuple(starts), tuple(rises), at)


def _shape(column: Column, values: Sequence[float | str | None]) -> Shape:
    edges: tuple[float, ...] = ()
    kinds: tuple[str, ...] = ()
    if column.kinds:
        names, counts = np.unique([str(value) for value in values if value is not None], return_counts=True)
        kinds = tuple(str(name) for name, count in zip(names, counts, strict=True) if count >= _FEWEST)
    else:
        probe = Shape(name=column.name, terms=(), missing=None, spread=0.0)
        known = np.sort([float(value) for value in values if value is not None and probe.bin(value) is not None])
        if len(known):
            cuts = np.quantile(known, np.linspace(0, 1, _MOST_BINS + 1)[1:-1], method="lower")
            edges = tuple(float(f"{cut:.6g}") for cut in np.unique(cuts) if cut < known[-1])
    width = len(kinds) if column.kinds else len(edges) + 1
    shape = Shape(name=column.name, edges=edges, kinds=kinds, terms=(0.0,) * width, missing=None, spread=0.0)
    unknown = sum(shape.bin(value) is None for value in values)
    return msgspec.structs.replace(shape, missing=0.0 if unknown >= _FEWEST else None)


def _matrix(design: _Design, rows: Sequence[Row]) -> Floats:
    """Shape (n, width): 1 for the base and for each bin that a customer is in."""
    x = np.zeros((len(rows), design.width))
    x[:, 0] = 1.0
    for shape, start in zip(design.shapes, design.starts, strict=True):
        for n, row in enumerate(rows):
            at = shape.bin(row.get(shape.name))
            if at is not None:
                x[n, start + at] = 1.0
            elif shape.missing is not None:
                x[n, start + len(shape.terms)] = 1.0
    return x


def _wrong(design: _Design, parameters: Floats) -> npt.NDArray[np.bool_]:
    """Shape (width,): whether the step from a bin to the next goes the wrong way."""
    found = np.zeros(design.width, np.bool_)
    for shape, start, rises in zip(design.shapes, design.starts, design.rises, strict=True):
        bins = slice(start, start + len(shape.terms) - 1)
        found[bins] = rises * np.diff(parameters[start : start + len(shape.terms)]) < 0
    return found


def _penalty(design: _Design, smoothing: float, tied: npt.NDArray[np.bool_]) -> Floats:
    """Shape (width, width), symmetric: of the steps between bins, much of those that are tied, and the ridge."""
    found = np.diag(np.full(design.width, _RIDGE))
    found[0, 0] = 1e-6
    for shape, start in zip(design.shapes, design.starts, strict=True):
        if shape.kinds:
            continue
        for at in range(start, start + len(shape.terms) - 1):
            weight = smoothing + (_TIED if tied[at] else 0.0)
            found[at : at + 2, at : at + 2] += weight * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return found


def _solve(x: Floats, truth: Floats, design: _Design, smoothing: float) -> _Fit:
    parameters, hessian = np.zeros(design.width), np.eye(design.width)
    tied = np.zeros(design.width, np.bool_)
    for _ in range(_STEPS):
        penalty = _penalty(design, smoothing, tied)
        p = 1 / (1 + np.exp(-np.clip(x @ parameters, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, x.T @ (truth - p) - penalty @ parameters)
        parameters = parameters + step
        if float(np.abs(step).max()) < _CLOSE:
            # Bins that were tied stay so, lest they go to and fro for ever.
            more = tied | _wrong(design, parameters)
            if (more == tied).all():
                break
            tied = more
    return _Fit(_in_order(design, parameters), np.asarray(np.linalg.inv(hessian), np.float64))


def _in_order(design: _Design, parameters: Floats) -> Floats:
    """Without the last of the wrong way that a finite penalty leaves."""
    found = parameters.copy()
    for shape, start, rises in zip(design.shapes, design.starts, design.rises, strict=True):
        if rises:
            bins = slice(start, start + len(shape.terms))
            found[bins] = rises * np.maximum.accumulate(rises * found[bins])
    return found


def _held_out(x: Floats, truth: Floats, design: _Design, smoothing: float, parts: _Bins) -> Floats:
    found = np.zeros(len(truth))
    for part in range(FOLDS):
        found[parts == part] = (
            x[parts == part] @ _solve(x[parts != part], truth[parts != part], design, smoothing).parameters
        )
    return found


def _platt(log_odds: Floats, truth: Floats) -> tuple[float, float]:
    """Slope and offset; the slope is not below 0.05, lest a model of noise turn the directions round."""
    middle, share = float(log_odds.mean()), float(truth.mean())
    x = np.stack([log_odds - middle, np.ones_like(log_odds)], axis=1)
    start = np.log(share / (1 - share))
    found, free = np.array([_FLATTEST, start]), np.array([True, True])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ found, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        found[free] += np.linalg.solve(hessian[np.ix_(free, free)], (x.T @ (truth - p))[free])
        if found[0] < _FLATTEST:
            found, free = np.array([_FLATTEST, start]), np.array([False, True])
    return float(found[0]), float(found[1]) - float(found[0]) * middle


def _model(design: _Design, x: Floats, found: _Fit, offset: float, purpose: Purpose) -> Additive:
    """Shift each shape to a mean of 0 over the customers; the base takes what is shifted."""
    shift = np.eye(design.width)
    for shape, start in zip(design.shapes, design.starts, strict=True):
        bins = slice(start, start + len(shape.terms) + (shape.missing is not None))
        share = x[:, bins].mean(axis=0)
        shift[bins, bins] -= share[None, :]
        shift[0, bins] += share
    parameters, covariance = shift @ found.parameters, shift @ found.covariance @ shift.T
    parameters[0] += offset
    shapes: list[Shape] = []
    for shape, start in zip(design.shapes, design.starts, strict=True):
        end = start + len(shape.terms)
        bins = slice(start, end + (shape.missing is not None))
        shapes.append(
            msgspec.structs.replace(
                shape,
                terms=tuple(_short(term) for term in parameters[start:end]),
                missing=None if shape.missing is None else _short(parameters[end]),
                spread=_short(np.sqrt(x[:, bins].mean(axis=0) @ np.square(parameters[bins]))),
            )
        )
    lines = tuple(tuple(_short(value) for value in covariance[n, : n + 1]) for n in range(design.width))
    digest = hashlib.sha256(msgspec.json.encode((purpose.name, shapes, _short(parameters[0])))).hexdigest()[:8]
    return Additive(
        name=purpose.name,
        trade=purpose.trade,
        trained_on=purpose.trained_on,
        rows=len(x),
        version=f"{purpose.name}-{digest}",
        base=_short(parameters[0]),
        shapes=tuple(shapes),
        covariance=lines,
    )


def _short(value: float) -> float:
    return float(f"{value:.5g}")
