"""
What a customer will buy and is worth: purchases in time (BG/NBD), money a purchase (Gamma-Gamma), and contracts.

Time is in weeks. Purchases of one day are one. The first purchase of a customer begins their history and is not
counted: ``repeats`` are those after it. Both models hold for trade without contracts, where a customer leaves in
silence; the second holds where the money of a purchase does not depend on how often a customer buys.

Source: Fader, Hardie, Lee: "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing
    Science 24(2), 2005; Fader, Hardie, Lee: RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal
    of Marketing Research 42(4), 2005; Fader, Hardie: The Gamma-Gamma Model of Monetary Value, note 25, 2013.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.errors import FitError, OutOfRange
from models.simplex import least

Floats = npt.NDArray[np.float64]

FEWEST: Final = 30
"""Customers with repeats below which nothing is fitted: ours."""
_BOUND: Final = 14.0
"""Logarithm beyond which a parameter says that the data do not tell it: ours."""
_APART: Final = 1e-5
"""How far parameters are kept from where a formula divides zero by zero; its value there differs by as little."""
_TERMS: Final = 20_000
_DRAWS: Final = 4_000


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Purchases of n customers, each of shape (n,)."""

    repeats: Floats
    """Purchases after the first: whole numbers."""
    last: Floats
    """Weeks from the first purchase to the last, 0 where there is one."""
    age: Floats
    """Weeks from the first purchase to the end of what was observed; at least ``last``."""

    def __post_init__(self) -> None:
        repeats, last, age = self.repeats, self.last, self.age
        if not (repeats.shape == last.shape == age.shape and repeats.ndim == 1):
            raise FitError("three arrays of one length", f"{repeats.shape}, {last.shape} and {age.shape}", len(repeats))
        right = (repeats >= 0) & (repeats == np.floor(repeats)) & (last >= 0) & (last <= age) & np.isfinite(age)
        right &= (last == 0) == (repeats == 0)
        if not right.all():
            i = int(np.argmin(right))
            got = f"{repeats[i]:g} repeats, last {last[i]:g}, age {age[i]:g} (row {i})"
            raise FitError("whole repeats, 0 <= last <= age, last above 0 only with repeats", got, len(repeats))


class Purchases(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted BG/NBD model: how often customers buy (r, alpha), and leave after a purchase (a, b)."""

    r: float
    alpha: float
    """Weeks."""
    a: float
    b: float
    n: int = 0
    """Customers it was fitted to; 0 where it was not."""
    log_likelihood: float = 0.0

    def alive(self, of: Histories) -> Floats:
        """
        Probability that a customer still buys at the end of what was observed, shape (n,).

        It is 1 without repeats: the model lets customers leave after a repeat only.
        """
        x = of.repeats
        again = x > 0
        ratio = (self.r + x) * np.log((self.alpha + of.age) / (self.alpha + of.last))
        gone = math.log(self.a) - np.log(np.where(again, self.b + x - 1, 1)) + ratio
        return np.where(again, np.exp(-np.logaddexp(0, gone)), 1.0)

    def expected(self, of: Histories, weeks: float | Floats) -> Floats:
        """
        Purchases in the weeks after what was observed, shape (n,); weeks of one length for all, or of each its own.

        The paper's hypergeometric function is transformed by Euler's formula: so transformed, its series converges
        for every horizon, and nothing overflows for customers of many purchases.

        Source: Fader, Hardie, Lee, Marketing Science 24(2), 2005, formula 10.
        """
        if np.min(weeks) < 0:
            raise OutOfRange("weeks", float(np.min(weeks)), 0, math.inf)
        x = of.repeats
        a = self.a if abs(self.a - 1) > _APART else 1 + _APART
        c = a + self.b + x - 1
        c = np.where(np.abs(c) > _APART, c, _APART)
        z = weeks / (self.alpha + of.age + weeks)
        series = _hypergeometric(a + self.b - 1 - self.r, a - 1, c, z)
        bought = c / (a - 1) * (1 - np.exp((a - 1) * np.log1p(-z)) * series)
        return np.maximum(bought, 0) * self.alive(of)


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted Gamma-Gamma model of the money of a purchase."""

    p: float
    q: float
    gamma: float
    """In the currency of the purchases."""
    n: int = 0
    log_likelihood: float = 0.0

    def expected(self, repeats: Floats, mean: Floats) -> Floats:
        """
        Money of a purchase to come, shape (n,): the customer's mean drawn towards that of all.

        Args:
            repeats: Purchases that the mean is of, shape (n,); 0 for a customer without any.
            mean: Money of those purchases, shape (n,), not read where there is none.

        Raises:
            FitError: If the model has no mean (q at most 1), for customers without purchases.
        """
        if self.q <= 1 and bool((repeats == 0).any()):
            raise FitError("q above 1, that purchases of new customers have a mean", f"q={self.q:g}", self.n)
        seen = np.where(repeats > 0, repeats * mean, 0)
        return self.p * (self.gamma + seen) / (self.p * repeats + self.q - 1)


def fit_purchases(of: Histories) -> Purchases:
    """
    The BG/NBD model of greatest likelihood.

    Where hardly anybody seems to leave, or all do with one probability, a and b run to their bounds: what is foretold
    is then that of the limit, though the numbers themselves say nothing.

    Raises:
        FitError: If too few customers bought again, or the data do not tell r and alpha.
    """
    again = int((of.repeats > 0).sum())
    if again < FEWEST:
        raise FitError(f"at least {FEWEST} customers with repeats", str(again), len(of.repeats))
    counts, which = np.unique(of.repeats, return_inverse=True)

    def surprise(logs: Floats) -> float:
        if np.abs(logs).max() > _BOUND:
            return math.inf
        return -_purchases_likelihood(np.exp(logs), of, counts, which)

    start = np.log([1.0, max(float(np.mean(of.age)) / (1 + float(np.mean(of.repeats))), 1e-3), 1.0, 2.0])
    found = least(surprise, start)
    r, alpha = _told(found[:2], ("r", "alpha"), len(of.repeats))
    a, b = (float(each) for each in np.exp(found[2:]))
    likelihood = _purchases_likelihood(np.array([r, alpha, a, b]), of, counts, which)
    return Purchases(r=r, alpha=alpha, a=a, b=b, n=len(of.repeats), log_likelihood=likelihood)


def fit_money(repeats: Floats, mean: Floats) -> Money:
    """
    The Gamma-Gamma model of greatest likelihood; customers without repeats or money are left out.

    Where customers do not differ, or the purchases of one do not, parameters run to their bounds: what is foretold is
    then that of the limit, the mean of all or the customer's own, though the numbers themselves say nothing.

    Args:
        repeats: Purchases that the mean is of, shape (n,).
        mean: Their mean money, shape (n,).

    Raises:
        FitError: If too few are left.
    """
    kept = (repeats > 0) & (mean > 0)
    x, z = repeats[kept], mean[kept]
    if x.size < FEWEST:
        raise FitError(f"at least {FEWEST} customers with repeats and money", str(x.size), len(repeats))
    counts, which = np.unique(x, return_inverse=True)
    # In the unit of the mean, so that the start fits every currency.
    unit = float(z.mean())

    def likelihood(p: float, q: float, gamma: float) -> float:
        px = p * x
        by_count = _lgamma(p * counts + q) - _lgamma(p * counts)
        rest = q * math.log(gamma) + (px - 1) * np.log(z) + px * np.log(x) - (px + q) * np.log(gamma + x * z)
        return float(np.sum(by_count[which] - math.lgamma(q) + rest))

    def surprise(logs: Floats) -> float:
        if np.abs(logs).max() > _BOUND:
            return math.inf
        p, q, gamma = np.exp(logs)
        return -likelihood(p, q, gamma * unit)

    p, q, gamma = (float(each) for each in np.exp(least(surprise, np.log([2.0, 2.0, 1.0]))))
    return Money(p=p, q=q, gamma=gamma * unit, n=int(x.size), log_likelihood=likelihood(p, q, gamma * unit))


def value(purchases: Purchases, of: Histories, money: Floats, weeks: int, *, margin: float, discount: float) -> Floats:
    """
    Margin expected of each customer's purchases in the weeks to come, discounted: CLV of that horizon, shape (n,).

    Args:
        money: Expected of a purchase, shape (n,).
        margin: Share of the money, 0 ... 1.
        discount: Of a year, as 0.10; a purchase is discounted as at the end of its week.
    """
    if not 0 <= margin <= 1:
        raise OutOfRange("margin", margin, 0, 1)
    if not discount >= 0:
        raise OutOfRange("discount", discount, 0, math.inf)
    total, before = np.zeros_like(money), np.zeros_like(money)
    for week in range(1, weeks + 1):
        until = purchases.expected(of, week)
        total += (until - before) / (1 + discount) ** (week * 7 / 365.25)
        before = until
    return total * money * margin


class Worth(NamedTuple):
    """Margin of one customer in the weeks to come, discounted."""

    expected: float
    low: float
    """
    Between low and high it lies with 90 % or more, by the models: what one customer does is chance, too. They are
    drawn as far apart as to hold the expectation, which for one who has most likely left is above what most pay.
    """
    high: float
    alive: float
    """Probability that they still buy, 0 ... 1."""


def worth(
    purchases: Purchases, money: Money, of: Histories, mean: float, *, weeks: int, margin: float, discount: float
) -> Worth:
    """
    What one customer is worth, and how far it may lie from that.

    The interval is drawn from the models' own posterior: a customer who still buys does so at a rate that is gamma
    distributed, leaves after each purchase with a chance that is beta distributed, and pays sums of the Gamma-Gamma
    model. What is unsure of the parameters is not in it.

    Args:
        of: A history of one customer.
        mean: Money of a repeat, not read where there is none.
        margin, discount: As for ``value``.

    Raises:
        FitError: If the model has no mean for a customer without repeats.
    """
    if of.repeats.shape != (1,):
        raise FitError("a history of one customer", f"of {len(of.repeats)}", len(of.repeats))
    each = Histories(*(np.repeat(part, weeks) for part in (of.repeats, of.last, of.age)))
    until = np.arange(1, weeks + 1, dtype=np.float64)
    bought = np.diff(purchases.expected(each, until), prepend=0.0)
    later = bought @ (1 + discount) ** (-until * 7 / 365.25)
    paid = float(money.expected(of.repeats, np.array([mean]))[0]) * margin
    alive = float(purchases.alive(of)[0])
    drawn = _drawn(purchases, money, of, mean, weeks) * margin * (later / max(float(bought.sum()), 1e-12))
    if not (math.isfinite(later) and np.isfinite(drawn).all()):
        raise FitError("parameters with which something is foretold", str(purchases), 1)
    low, high = np.quantile(drawn, (0.05, 0.95))
    expected = float(later) * paid
    return Worth(expected, min(float(low), expected), max(float(high), expected), alive)


def _drawn(purchases: Purchases, money: Money, of: Histories, mean: float, weeks: int, draws: int = _DRAWS) -> Floats:
    """Money of the weeks to come, a draw each, shape (draws,); the same for the same customer."""
    x, age = float(of.repeats[0]), float(of.age[0])
    rng = np.random.default_rng(0)
    rate = rng.gamma(purchases.r + x, 1 / (purchases.alpha + age), draws)
    leaves = np.clip(rng.beta(purchases.a, purchases.b + x, draws), 1e-12, 1.0)
    lives = rng.random(draws) < purchases.alive(of)[0]
    n = np.where(lives, np.minimum(rng.poisson(rate * weeks), rng.geometric(leaves)), 0)
    nu = rng.gamma(money.p * x + money.q, 1 / (money.gamma + (x * mean if x else 0.0)), draws)
    return rng.gamma(np.maximum(money.p * n, 1e-12), 1.0) / nu * (n > 0)


def contract_value(margin: float, retention: float, discount: float, periods: int | None = None) -> float:
    """
    Margin expected of the renewals of a contract, discounted; the period that runs is paid and not in it.

    Args:
        margin: Of a period, paid at its begin.
        retention: Probability of each renewal, 0 ... 1, the same at every one: ours is the simplest model; customers
            who stay are in truth ever likelier to stay.
        discount: Of a period, above 0 where retention is 1 and periods without end.
        periods: Renewals that count; None for all to come.

    Source: Gupta, Lehmann: Customers as Assets, Journal of Interactive Marketing 17(1), 2003: m r / (1 + d - r).
    """
    if not 0 <= retention <= 1:
        raise OutOfRange("retention", retention, 0, 1)
    if not discount >= 0:
        raise OutOfRange("discount", discount, 0, math.inf)
    kept = retention / (1 + discount)
    if kept == 1:
        if periods is None:
            raise OutOfRange("retention / (1 + discount)", kept, 0, math.nextafter(1, 0))
        return margin * periods
    return margin * kept / (1 - kept) * (1 if periods is None else 1 - kept**periods)


def _purchases_likelihood(parameters: Floats, of: Histories, counts: Floats, which: npt.NDArray[np.intp]) -> float:
    """The paper's formula 7, in logarithms; what depends on the count alone is computed once a count."""
    r, alpha, a, b = (float(each) for each in parameters)
    bought = _lgamma(r + counts) - math.lgamma(r) + r * math.log(alpha)
    stayed = math.lgamma(a + b) - math.lgamma(b) + _lgamma(b + counts) - _lgamma(a + b + counts)
    x = of.repeats
    still = -(r + x) * np.log(alpha + of.age)
    again = x > 0
    left = math.log(a) - np.log(np.where(again, b + x - 1, 1)) - (r + x) * np.log(alpha + of.last)
    either = np.where(again, np.logaddexp(still, np.where(again, left, still)), still)
    return float(np.sum((bought + stayed)[which] + either))


def _told(logs: Floats, names: tuple[str, ...], n: int) -> list[float]:
    found = [float(each) for each in np.exp(logs)]
    if np.abs(logs).max() > _BOUND - 2:
        got = ", ".join(f"{name}={each:.3g}" for name, each in zip(names, found, strict=True))
        raise FitError("data that tell the parameters", got, n)
    return found


def _lgamma(of: Floats) -> Floats:
    return np.array([math.lgamma(each) for each in of])


def _hypergeometric(a: float, b: float, c: Floats, z: Floats) -> Floats:
    """Gauss's series, for 0 <= z < 1, shape (n,)."""
    term, total = np.ones_like(z), np.ones_like(z)
    for j in range(_TERMS):
        term = term * ((a + j) * (b + j) / ((c + j) * (j + 1))) * z
        total += term
        if np.abs(term).max(initial=0) <= 1e-14 * np.abs(total).max(initial=1):
            return total
    raise FitError(f"a horizon for which {_TERMS} terms suffice", f"z={z.max():.6f}", len(z))
