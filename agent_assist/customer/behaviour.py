"""
How a customer behaves, from their facts at a time: features of the churn model, and what is unlike their habit.

Pure functions without a clock; ``at`` decides what has happened yet. Lengths of time are days of 24 hours.
"""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from agent_assist.customer.events import Case, Interaction, Order
from agent_assist.customer.facts import Facts
from models.profile import ProfileFeatures, lapse_days, median_interval, rhythm, value_trend

_WINDOW: Final = 14.0
"""Days whose contacts are held against the habit before them."""
_HALF_LIFE: Final = 90.0
"""Days after which a contact counts half for the habit."""
_PRIOR: Final = (0.15, 13.5)
"""
Contacts and days that everybody is taken to have behind them: 1 in 90 days, and little trust in it, for with more the
habit of one who calls every week would be taken for less than it is.
"""
_DAY: Final = timedelta(days=1)


class Anomaly(NamedTuple):
    """Contacts of late against the customer's own habit."""

    contacts: int
    """In the last 14 days."""
    expected: float
    """By the habit before."""
    chance: float
    """Of so many or more, 0 ... 1."""

    def unusual(self, level: float = 0.01) -> bool:
        """Whether there are more than chance explains; of steady customers at most ``level`` are, at any one time."""
        return self.contacts >= 2 and self.chance <= level


class Recurring(NamedTuple):
    """An issue that came again."""

    issue: str
    times: int


def behaviour(facts: Facts, at: datetime) -> ProfileFeatures:
    """
    Features of a customer at a time.

    What no event speaks of stays unknown: a business that sends no cases has no complaints known, not none. So counts
    are None until the customer has one event of that sort, or has orders or interactions, from which its silence tells.
    """
    orders = _orders(facts, at)
    starts = [*([facts.joined_at] if facts.joined_at else []), *(one.ordered_at for one in orders[:1])]
    begun = min(starts) if starts else None
    contacts = _contacts(facts, at)
    served = bool(contacts or _cases(facts, at))
    surprise = contact_anomaly(facts, at)
    often = recurring(facts, at)
    left = (facts.contract_until - at.date()).days if facts.contract_until else None
    found = ProfileFeatures(
        tenure_days=_days(begun, at) if begun and begun <= at else None,
        complaints_30=float(complaints(facts, at, 30)) if served else None,
        complaints_90=float(complaints(facts, at, 90)) if served else None,
        complaints_365=float(complaints(facts, at, 365)) if served else None,
        contacts_30=float(sum(_days(one.at, at) < 30 for one in contacts)) if served else None,
        contact_surprise=None if surprise is None else -math.log10(max(surprise.chance, 1e-12)),
        recurring=float(often.times - 1 if often else 0) if served else None,
        broken_promises=float(broken_promises(facts, at)) if served or orders else None,
        open_cases=float(sum(one.status in {"open", "waiting"} for one in _cases(facts, at))) if served else None,
        satisfaction=_satisfaction(facts, at),
        contract_days_left=None if left is None else float(left),
        attributes=facts.attributes,
    )
    return msgspec.structs.replace(found, **_bought(orders, at))


def lapses_at(facts: Facts, at: datetime) -> datetime | None:
    """When a customer without a contract counts as lapsed if no order comes; None where nothing was ordered."""
    orders = _orders(facts, at)
    return orders[-1].ordered_at + _lapse(orders) if orders else None


def contact_anomaly(facts: Facts, at: datetime) -> Anomaly | None:
    """
    Contacts of the last 14 days against the customer's own rate before.

    The rate is a mean in which a contact of 90 days ago counts half, as an EWMA's; what is uncertain of it is heeded:
    with a gamma posterior of the rate the count is negative binomial, so that few days of habit raise no alarm.

    Returns:
        None for a customer who is known for no longer than the window.

    Source: Gelman, Carlin, Stern et al.: Bayesian Data Analysis, 3rd ed., 2013, section 2.6.
    """
    contacts = [_days(one.at, at) for one in _contacts(facts, at)]
    ages = [*contacts, *([_days(facts.joined_at, at)] if facts.joined_at else [])]
    known = max(ages) if ages else 0.0
    if known <= _WINDOW:
        return None
    decay = math.log(2) / _HALF_LIFE
    weight = _PRIOR[0] + sum(math.exp(-decay * (days - _WINDOW)) for days in contacts if days >= _WINDOW)
    exposure = _PRIOR[1] + (1 - math.exp(-decay * (known - _WINDOW))) / decay
    recent = sum(days < _WINDOW for days in contacts)
    return Anomaly(recent, weight * _WINDOW / exposure, _at_least(recent, weight, exposure / (exposure + _WINDOW)))


def recurring(facts: Facts, at: datetime, days: float = 30.0, least: int = 2) -> Recurring | None:
    """The issue that came most often in so many days, if at least so often; a case and its contacts are one."""
    seen: set[tuple[str, str]] = set()
    both: list[Interaction | Case] = [*_contacts(facts, at), *_cases(facts, at)]
    for one in both:
        began = one.opened_at if isinstance(one, Case) else one.at
        if one.issue and _days(began, at) < days:
            own = one.case_id if one.case_id is not None else one.event_id
            seen.add((one.issue, own))
    counts = Counter(issue for issue, _ in seen)
    issue, times = max(counts.items(), key=lambda each: (each[1], each[0]), default=("", 0))
    return Recurring(issue, times) if times >= least else None


def complaints(facts: Facts, at: datetime, days: float) -> int:
    """Complaints in so many days: at most one for a case and for a call."""
    cases = {one.case_id for one in _cases(facts, at) if one.type == "complaint" and _days(one.opened_at, at) < days}
    known = {one.case_id for one in facts.cases if one.type == "complaint"}
    others = {
        one.call_id or one.interaction_id
        for one in facts.interactions
        if one.complaint and one.at <= at and _days(one.at, at) < days and one.case_id not in known
    }
    return len(cases) + len(others)


def broken_promises(facts: Facts, at: datetime, days: float = 180.0) -> int:
    """Deliveries and cases for which a time was promised that went by first, in so many days."""
    late = [
        one.promised_by for one in _orders(facts, at) if _late(one, one.status not in {"delivered", "returned"}, at)
    ]
    late += [one.promised_by for one in _cases(facts, at) if _late(one, one.status in {"open", "waiting"}, at)]
    return sum(promised is not None and _days(promised, at) < days for promised in late)


def _late(one: Order | Case, waiting: bool, at: datetime) -> bool:
    """An event's own time is when what it says became true: of something that is over, when it was done."""
    return one.promised_by is not None and one.promised_by < (at if waiting else one.at)


def _days(since: datetime, at: datetime) -> float:
    return (at - since) / _DAY


def _orders(facts: Facts, at: datetime) -> list[Order]:
    return [one for one in facts.orders if one.ordered_at <= at and one.status != "cancelled"]


def _cases(facts: Facts, at: datetime) -> list[Case]:
    return [one for one in facts.cases if one.opened_at <= at]


def _contacts(facts: Facts, at: datetime) -> list[Interaction]:
    return [one for one in facts.interactions if one.direction == "in" and one.at <= at]


def _lapse(orders: Sequence[Order]) -> timedelta:
    return lapse_days(median_interval([_day(one.ordered_at) for one in orders])) * _DAY


def _day(at: datetime) -> float:
    """Days since the epoch, those of UTC."""
    return at.timestamp() / 86_400


def _bought(orders: Sequence[Order], at: datetime) -> dict[str, float | None]:
    if not orders:
        return {}
    alike = [one for one in orders if one.currency == orders[-1].currency]
    return {
        **rhythm([_day(one.ordered_at) for one in orders], _day(at)),
        "spent_365": float(sum(one.amount for one in alike if _days(one.ordered_at, at) < 365)),
        "value_trend": value_trend([float(one.amount) for one in alike]),
        "discounted_share": sum(one.discounted for one in orders) / len(orders),
    }


def _satisfaction(facts: Facts, at: datetime) -> float | None:
    answers = [one for one in facts.surveys if one.kind == "csat" and one.at <= at]
    return max(answers, key=lambda one: (one.at, one.event_id)).score if answers else None


def _at_least(count: int, shape: float, stays: float) -> float:
    """Chance of ``count`` or more of a negative binomial with that shape, ``stays`` = rate / (rate + window)."""
    chance, below = stays**shape, 0.0
    for k in range(count):
        below += chance
        chance *= (shape + k) / (k + 1) * (1 - stays)
    return max(0.0, min(1.0, 1.0 - below))
