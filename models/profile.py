"""What is known of a customer beside a call, as the churn model takes it."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

import msgspec

LAPSE_TIMES: Final = 3.0
"""Own median intervals after which a customer without a contract counts as lapsed ..."""
LAPSE_DAYS: Final = 60.0
"""... and the least number of days."""

Row = Mapping[str, float | str | None]
"""Of one customer: numbers and kinds by name; None, or no entry, where it is not known."""


class ProfileFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """A customer at a time. None is not known, which is never the same as none."""

    tenure_days: float | None = None
    """Since they joined, or else since their first order."""
    orders: float | None = None
    """Of all time, without cancelled ones; likewise below."""
    orders_365: float | None = None
    """In the last 365 days."""
    days_since_order: float | None = None
    interval_days: float | None = None
    """Median of the days between two orders; None with fewer than two."""
    lapse_share: float | None = None
    """Days since the last order over those after which the customer counts as lapsed: 1 and more is lapsed."""
    pace: float | None = None
    """Days since the last order over the median interval."""
    spent_365: float | None = None
    """In the currency of the latest order."""
    value_trend: float | None = None
    """Amount of the latest order over the mean of those before it."""
    discounted_share: float | None = None
    """Of orders, 0 ... 1."""
    complaints_30: float | None = None
    """Cases and contacts that complain, each case once; in so many days, likewise below."""
    complaints_90: float | None = None
    complaints_365: float | None = None
    contacts_30: float | None = None
    """Contacts that the customer began."""
    contact_surprise: float | None = None
    """-log10 of the chance of so many contacts as in the last 14 days, by the customer's own habit."""
    recurring: float | None = None
    """Contacts and cases about the issue that came most often in the last 30 days, beyond the first."""
    broken_promises: float | None = None
    """Deliveries and cases later than was promised, in the last 180 days."""
    open_cases: float | None = None
    satisfaction: float | None = None
    """Latest answer about it, 1 ... 5."""
    contract_days_left: float | None = None
    attributes: Mapping[str, str] = {}
    """Anything else that the business keeps: "contract", "payment", "price" ..."""

    def row(self) -> Row:
        """By name; an attribute never hides a field of ours."""
        own = msgspec.structs.asdict(self)
        return {**own.pop("attributes"), **own}


def lapse_days(interval: float | None) -> float:
    """Days without an order after which a customer with that median interval counts as lapsed."""
    return max(LAPSE_DAYS, LAPSE_TIMES * (interval or 0.0))


def median_interval(days: Sequence[float]) -> float | None:
    """Days between two orders, those of one calendar day being one; None with fewer than two."""
    dates = sorted({math.floor(day) for day in days})
    return float(median(after - before for before, after in pairwise(dates))) if len(dates) > 1 else None


def rhythm(days: Sequence[float], now: float) -> dict[str, float | None]:
    """
    The fields of a profile that the times of orders tell.

    Args:
        days: Of each order, in days since any beginning; at least one, none after ``now``.
    """
    interval, since = median_interval(days), now - max(days)
    return {
        "orders": float(len(days)),
        "orders_365": float(sum(now - day < 365 for day in days)),
        "days_since_order": since,
        "interval_days": interval,
        "lapse_share": since / lapse_days(interval),
        "pace": since / interval if interval else None,
    }


def value_trend(amounts: Sequence[float]) -> float | None:
    """The last amount over the mean of those before it; None where there is none above 0."""
    before = amounts[:-1]
    return amounts[-1] * len(before) / sum(before) if sum(before) > 0 else None
