"""The least of a function of few variables, without its derivatives: the simplex method."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STEP: Final = 0.5
"""Edge of the first simplex."""


def least(of: Callable[[Floats], float], start: Floats, *, tolerance: float = 1e-9, rounds: int = 4_000) -> Floats:
    """
    Where a function is least, near a start.

    A simplex may come to rest where no minimum is, so it is begun anew where it ended until that gains nothing.

    Args:
        of: May return infinity, where the point is not allowed.
        start: Shape (k,), where ``of`` is finite.
        tolerance: Difference of values at which the search ends, relative to the value.
        rounds: Steps of one simplex at most.

    Returns:
        Shape (k,).

    Source: Nelder, Mead: A Simplex Method for Function Minimization, The Computer Journal 7(4), 1965, with the
        coefficients and the order of ties of Lagarias et al., SIAM Journal on Optimization 9(1), 1998.
    """
    best, value = start, of(start)
    for _ in range(10):
        found, lower = _descend(of, best, tolerance, rounds)
        gained = value - lower
        best, value = found, lower
        if not gained > tolerance * (1 + abs(value)):
            break
    return best


def _descend(of: Callable[[Floats], float], start: Floats, tolerance: float, rounds: int) -> tuple[Floats, float]:
    points = np.vstack([start, start + _STEP * np.eye(start.size)])
    values = np.array([of(point) for point in points])
    for _ in range(rounds):
        order = np.argsort(values, kind="stable")
        points, values = points[order], values[order]
        close = np.abs(points[1:] - points[0]).max() < np.sqrt(tolerance)
        if close and values[-1] - values[0] <= tolerance * (1 + abs(values[0])):
            break
        centre = points[:-1].mean(axis=0)
        away = centre - points[-1]
        reflected, at = _tried(of, centre + away)
        if at < values[0]:
            further, there = _tried(of, centre + 2 * away)
            points[-1], values[-1] = (further, there) if there < at else (reflected, at)
            continue
        if at < values[-2]:
            points[-1], values[-1] = reflected, at
            continue
        nearer, there = _tried(of, centre + (0.5 if at < values[-1] else -0.5) * away)
        if there < min(at, values[-1]):
            points[-1], values[-1] = nearer, there
            continue
        points[1:] = points[0] + 0.5 * (points[1:] - points[0])
        values[1:] = [of(point) for point in points[1:]]
    best = int(np.argmin(values))
    return points[best], float(values[best])


def _tried(of: Callable[[Floats], float], point: Floats) -> tuple[Floats, float]:
    return point, of(point)
