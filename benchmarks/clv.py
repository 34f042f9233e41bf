"""
What customers buy: the models of ``models.clv`` fitted to the first part of two public trades, and asked for the rest.

CDNOW: the 1/10 sample of the cohort of early 1997, on which the models' authors published (Fader, Hardie, Lee 2005); 39
weeks are fitted, 39 foretold. UCI Online Retail: wholesale customers in France and Germany, 39 weeks and 14; invoices
that were cancelled are left out, and what was cancelled of others is not. Nothing is chosen by the weeks foretold.
Beside the models stand two plain forecasts: each customer goes on at their own rate, and all go on at one rate.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.environment import Environment, environment, report
from models.clv import Histories, Money, Purchases, fit_money, fit_purchases

Floats = npt.NDArray[np.float64]
_ROUNDS: Final = 2_000
_MOST: Final = 7


class Trade(NamedTuple):
    """Purchases of a set: money of each customer's days, and the last days fitted and foretold."""

    name: str
    days: dict[str, dict[date, float]]
    fitted_until: date
    foretold_until: date


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A mean over customers and its 95 % interval, from 2,000 resamples of the customers."""

    mean: float
    low: float
    high: float


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """One way to foretell, against what came."""

    name: str
    total: float
    """Foretold of all."""
    error: Interval
    """Mean absolute, of a customer."""
    rmse: float
    better: Interval | None
    """How much smaller the model's absolute error is than this one's; None of the model."""


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """Purchases or money of the weeks to come."""

    actual: float
    """Of all."""
    forecasts: tuple[Forecast, ...]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Customers of as many repeats in the weeks fitted."""

    repeats: str
    n: int
    foretold: float
    """Mean purchases."""
    actual: float


class SetResult(msgspec.Struct, frozen=True, kw_only=True):
    """One set."""

    name: str
    n: int
    weeks: float
    """Foretold."""
    purchases_model: Purchases
    money_model: Money
    purchases: Foretold
    money: Foretold
    groups: tuple[Group, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Of a run."""

    environment: Environment
    sets: tuple[SetResult, ...]


def run(data: Path, *, out: Path | None, json: bool) -> None:
    """
    Fit, foretell, compare.

    Args:
        data: Directory with ``cdnow/CDNOW_sample.txt`` and ``online_retail/transactions.csv.gz``.
    """
    where = environment(f"warmline bench clv --data {data}", ("numpy",))
    trades = (cdnow(data / "cdnow" / "CDNOW_sample.txt"), online_retail(data / "online_retail" / "transactions.csv.gz"))
    report(Result(environment=where, sets=tuple(compared(each) for each in trades)), out=out, json=json, show=show)


def cdnow(path: Path) -> Trade:
    """Of the authors' file: number in the cohort, in the sample, day, CDs, dollars."""
    days: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for line in path.read_text(encoding="utf-8").splitlines():
        _, customer, day, _, dollars = line.split()
        days[customer][datetime.strptime(day, "%Y%m%d").date()] += float(dollars)  # noqa: DTZ007
    return Trade("CDNOW sample", days, date(1997, 9, 30), date(1998, 6, 30))


def online_retail(path: Path) -> Trade:
    """Lines of invoices; the number of one that was cancelled begins with C."""
    days: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["CustomerID"] and not row["InvoiceNo"].startswith("C"):
                day = datetime.fromisoformat(row["InvoiceDate"]).date()
                days[row["CustomerID"]][day] += float(row["Quantity"]) * float(row["UnitPrice"])
    return Trade("Online Retail, France and Germany", days, date(2011, 8, 31), date(2011, 12, 8))


class _Seen(NamedTuple):
    of: Histories
    mean: Floats
    """Money of a repeat, 0 without any."""
    first: Floats
    bought: Floats
    """Purchases of the weeks to come."""
    paid: Floats


def compared(trade: Trade) -> SetResult:
    """The models and the plain forecasts on one set."""
    seen = _seen(trade)
    weeks = (trade.foretold_until - trade.fitted_until).days / 7
    buying = fit_purchases(seen.of)
    paying = fit_money(seen.of.repeats, seen.mean)
    expected = buying.expected(seen.of, weeks)
    own = seen.of.repeats / np.maximum(seen.of.age, 1 / 7) * weeks
    one = np.full_like(own, seen.of.repeats.sum() / seen.of.age.sum() * weeks)
    usual = np.where(seen.of.repeats > 0, seen.mean, seen.first)
    return SetResult(
        name=trade.name,
        n=len(own),
        weeks=weeks,
        purchases_model=buying,
        money_model=paying,
        purchases=_foretold(seen.bought, {"BG/NBD": expected, "own rate": own, "one rate": one}),
        money=_foretold(
            seen.paid,
            {
                "BG/NBD, Gamma-Gamma": expected * paying.expected(seen.of.repeats, seen.mean),
                "own rate, own mean": own * usual,
                "one rate, one mean": one * usual.mean(),
            },
        ),
        groups=tuple(_groups(seen, expected)),
    )


def _seen(trade: Trade) -> _Seen:
    rows: list[tuple[float, ...]] = []
    for days in trade.days.values():
        fitted = sorted(day for day in days if day <= trade.fitted_until)
        if not fitted:
            continue
        first, repeats = fitted[0], fitted[1:]
        later = [money for day, money in days.items() if trade.fitted_until < day <= trade.foretold_until]
        mean = sum(days[day] for day in repeats) / len(repeats) if repeats else 0.0
        age, last = (trade.fitted_until - first).days / 7, (fitted[-1] - first).days / 7
        rows.append((len(repeats), last, age, mean, days[first], len(later), sum(later)))
    x, last_week, ages, mean_money, first_money, bought, paid = np.array(rows, dtype=np.float64).T
    return _Seen(Histories(repeats=x, last=last_week, age=ages), mean_money, first_money, bought, paid)


def _foretold(actual: Floats, forecasts: dict[str, Floats]) -> Foretold:
    ours, *_ = forecasts.values()
    found = tuple(
        Forecast(
            name=name,
            total=float(each.sum()),
            error=_interval(np.abs(each - actual)),
            rmse=float(np.sqrt(np.mean((each - actual) ** 2))),
            better=None if each is ours else _interval(np.abs(each - actual) - np.abs(ours - actual)),
        )
        for name, each in forecasts.items()
    )
    return Foretold(actual=float(actual.sum()), forecasts=found)


def _interval(values: Floats) -> Interval:
    rng = np.random.default_rng(0)
    means = [float(values[rng.integers(0, values.size, values.size)].mean()) for _ in range(_ROUNDS)]
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))


def _groups(seen: _Seen, expected: Floats) -> Iterator[Group]:
    capped = np.minimum(seen.of.repeats, _MOST)
    for repeats in range(_MOST + 1):
        held = capped == repeats
        if held.any():
            name = str(repeats) if repeats < _MOST else f"{_MOST} or more"
            foretold, actual = float(expected[held].mean()), float(seen.bought[held].mean())
            yield Group(repeats=name, n=int(held.sum()), foretold=foretold, actual=actual)


def show(result: Result, console: Console) -> None:
    """As tables."""
    for one in result.sets:
        buying, paying = one.purchases_model, one.money_model
        console.print(f"{one.name}: {one.n} customers, {one.weeks:.1f} weeks foretold")
        console.print(
            f"r {buying.r:.3f}, alpha {buying.alpha:.3f}, a {buying.a:.3f}, b {buying.b:.3f}, "
            f"log-likelihood {buying.log_likelihood:.1f}; p {paying.p:.2f}, q {paying.q:.2f}, "
            f"gamma {paying.gamma:.2f} (n={paying.n})"
        )
        for title, foretold in (("purchases", one.purchases), ("money", one.money)):
            table = Table("forecast", "all", "mean absolute error", "RMSE", "worse than the model by", title=title)
            table.add_row("(what came)", f"{foretold.actual:.0f}")
            for each in foretold.forecasts:
                worse = "" if each.better is None else _text(each.better)
                table.add_row(each.name, f"{each.total:.0f}", _text(each.error), f"{each.rmse:.3f}", worse)
            console.print(table)
        table = Table("repeats", "customers", "foretold", "came", title="mean purchases by repeats")
        for group in one.groups:
            table.add_row(group.repeats, str(group.n), f"{group.foretold:.2f}", f"{group.actual:.2f}")
        console.print(table)


def _text(of: Interval) -> str:
    return f"{of.mean:.3f} ({of.low:.3f} ... {of.high:.3f})"
