"""What is known of a customer beside a call, as the churn model takes it."""

from collections.abc import Mapping

import msgspec

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
