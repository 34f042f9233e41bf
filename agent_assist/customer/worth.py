"""
What a customer is worth: the margin expected of them within a year, where it lies, or why that is not known.

Of trade without contracts by models fitted to all customers when they are counted; of contracts by the price of a
month and the hazard that comes with the program. Neither is told without the share of the money that is margin, which
nobody but the business knows.
"""

import math
from array import array
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Final, Literal

import msgspec
import numpy as np

from agent_assist.customer.behaviour import behaviour
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import Bought
from agent_assist.customer.tags import Business, Fitted
from models.clv import Histories, contract_value, fit_money, fit_purchases, worth
from models.errors import FitError
from models.survival import shipped_hazard, staying

WEEKS: Final = 52
"""How far one looks."""
_MONTHS: Final = 12
_MOST: Final = 100.0
"""Of the parameters a and b, above which a chance is as good as certain and the formulas come to overflow: ours."""
PRICE: Final = "price"
"""Attribute of a customer with a contract: money of a month, the same of which the hazard was learned."""

Why = Literal["", "trade", "margin", "count", "fit", "orders", "contract", "tenure", "price"]


class Clv(msgspec.Struct, frozen=True, kw_only=True):
    """Margin expected of a customer in the weeks to come, discounted; None where it is not known."""

    margin: float | None = None
    low: float | None = None
    """Between low and high it lies with 90 % or more, if the models are right: what one does is chance, too."""
    high: float | None = None
    weeks: int = WEEKS
    currency: str = ""
    alive: float | None = None
    """Chance that the customer still buys, or, with a contract, still has it when the weeks are over."""
    why: Why = ""
    """
    Why there is none: no trade is set, or no margin; the customers were not counted, or could not be fitted; they have
    no orders; no contract that runs; nobody knows since when they are a customer; they have no attribute "price".
    """


class Ledger:
    """Purchases of customers one after the other, as the models take them: four numbers of each are kept."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._numbers = tuple(array("d") for _ in range(4))

    def add(self, had: Bought, at: datetime) -> None:
        """One customer; those without orders are none."""
        if not had.orders:
            return
        for numbers, value in zip(self._numbers, history(had, at, self._zone), strict=True):
            numbers.append(value)

    def fit(self) -> Fitted:
        """
        The models of all of them.

        Raises:
            FitError: If too few bought again, or the data do not tell the parameters.
        """
        repeats, last, age, mean = (np.array(numbers) for numbers in self._numbers)
        found = fit_purchases(Histories(repeats=repeats, last=last, age=age))
        # Where all leave with one chance, a and b run away, and only their ratio says something.
        shrink = min(_MOST / max(found.a, found.b), 1.0)
        return Fitted(
            purchases=msgspec.structs.replace(found, a=found.a * shrink, b=found.b * shrink),
            money=fit_money(repeats, mean),
        )


def history(had: Bought, at: datetime, zone: tzinfo) -> tuple[float, float, float, float]:
    """Repeats, weeks to the last, weeks to ``at``, mean money of a repeat: orders of one day are one purchase."""
    days: dict[int, Decimal] = {}
    for order, amount in zip(had.orders, had.amounts, strict=True):
        day = order.ordered_at.astimezone(zone).toordinal()
        days[day] = days.get(day, Decimal(0)) + amount
    first, *repeats = sorted(days)
    age = (at.astimezone(zone).toordinal() - first) / 7
    mean = float(sum(days[day] for day in repeats)) / len(repeats) if repeats else 0.0
    return float(len(repeats)), (max(days) - first) / 7, age, mean


def clv(known: Facts, had: Bought, at: datetime, business: Business) -> Clv:
    """
    What a customer is worth at a time.

    Args:
        had: What they had bought at that time.
        business: With what was fitted when all customers were counted.
    """
    policy, currency = business.worth, business.currency
    if policy.trade is None or policy.margin is None:
        return Clv(currency=currency, why="trade" if policy.trade is None else "margin")
    if policy.trade == "contract":
        return _of_contract(known, at, business, policy.margin)
    if business.population is None or business.fitted is None or not had.orders:
        counted = business.population is not None
        return Clv(currency=currency, why="count" if not counted else "orders" if not had.orders else "fit")
    repeats, last, age, mean = history(had, at, business.zone)
    of = Histories(repeats=np.array([repeats]), last=np.array([last]), age=np.array([age]))
    models = business.fitted
    try:
        found = worth(
            models.purchases, models.money, of, mean, weeks=WEEKS, margin=policy.margin, discount=policy.discount
        )
    except FitError:
        return Clv(currency=currency, why="fit")
    return Clv(margin=found.expected, low=found.low, high=found.high, currency=currency, alive=found.alive)


def _of_contract(known: Facts, at: datetime, business: Business, margin: float) -> Clv:
    """A month is a period; its renewal has the chance with which as many stay for a year as by the hazard."""
    currency, discount = business.currency, business.worth.discount
    if known.contract_until is None or known.contract_until < at.astimezone(business.zone).date():
        return Clv(currency=currency, why="contract")
    price = _money(known.attributes.get(PRICE, ""))
    if price is None:
        return Clv(currency=currency, why="price")
    profile = behaviour(known, at)
    if profile.tenure_days is None:
        return Clv(currency=currency, why="tenure")
    stays = staying(_hazard(), profile, _MONTHS)[-1]
    retention, monthly = stays ** (1 / _MONTHS), (1 + discount) ** (1 / _MONTHS) - 1
    paid = price * margin

    def until(months: int) -> float:
        return contract_value(paid, 1.0, monthly, months)

    expected = contract_value(paid, retention, monthly, _MONTHS)
    return Clv(
        margin=expected,
        low=min(until(_months(retention, 0.05)), expected),
        high=until(_months(retention, 0.95)),
        currency=currency,
        alive=stays,
    )


def _months(retention: float, share: float) -> int:
    """Renewals that so many customers do not exceed."""
    return next((k for k in range(_MONTHS) if 1 - retention ** (k + 1) >= share), _MONTHS)


def _money(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


_hazard = cache(shipped_hazard)
