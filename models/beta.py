"""The beta distribution: how sure a share is that was seen so many times."""

import math
from typing import Final

_STEPS: Final = 300
_SMALL: Final = 1e-300
_ENOUGH: Final = 1e-12


def cumulative(x: float, a: float, b: float) -> float:
    """
    The probability that a share with the distribution Beta(a, b) is at most x.

    Args:
        x: 0 ... 1.
        a: Above 0, like b.

    Source: W. Press et al., Numerical Recipes, 3rd edition, section 6.4 (continued fraction by Lentz's method).
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"expected a, b above 0 and x from 0 to 1, got {a:g}, {b:g}, {x:g}")
    if x in {0.0, 1.0}:
        return x
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # The fraction converges quickly on this side alone.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def quantile(p: float, a: float, b: float) -> float:
    """The share below which Beta(a, b) lies with probability p, to 1e-9."""
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if cumulative(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < _ENOUGH:
            break
    return found


def _away(value: float) -> float:
    """Not quite zero, to be divided by."""
    return value if abs(value) > _SMALL else _SMALL
