"""
Stage of a customer's life: exactly one at a time, from orders, contract and the risk of churn; and what to say in it.

The first that holds, in this order:

- ``lead``: bought nothing that counts, and has no contract.
- ``lapsed``: no purchase for longer than three times the customer's own median interval, at least 60 days; of one
  whose trade is a contract, that it ended.
- ``at_risk``: the risk of churn is elevated, or the contract ends within 30 days.
- ``silent``: no purchase for half of the time from which a customer counts as lapsed.
- ``won_back``: bought again within the last 90 days after they had lapsed.
- ``new``: the first purchase, or the begin of the contract, is no more than 30 days ago.
- ``regular``: four purchases or more over at least 180 days; with a contract, 180 days.
- ``growing``: all others.

The numbers are ours, but for the rule of three intervals. Of a contract only its end is known, so that one who let it
end and took a new one is not seen as won back.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final, Literal

import msgspec
import yaml

from agent_assist.customer.events import Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import Bought
from agent_assist.errors import CustomerTableError

TALKING_POINTS: Final = Path(__file__).parent / "stages.yaml"


class Stage(StrEnum):
    """Of a customer's life."""

    LEAD = "lead"
    NEW = "new"
    GROWING = "growing"
    REGULAR = "regular"
    SILENT = "silent"
    AT_RISK = "at_risk"
    LAPSED = "lapsed"
    WON_BACK = "won_back"


class StagePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Where the stages end: settings."""

    new_days: int = 30
    regular_orders: int = 4
    regular_days: int = 180
    intervals: float = 3.0
    """Of the customer's own, after which they count as lapsed."""
    least_days: int = 60
    """After which a customer counts as lapsed at the earliest."""
    usual_days: float = 40.0
    """Interval of a customer who bought once."""
    silent_share: float = 0.5
    """Of the time to lapse."""
    won_back_days: int = 90
    ending_days: int = 30
    """Before the end of a contract."""
    at_risk: float = 0.50
    """Calibrated risk of churn: the level "elevated"."""

    def __post_init__(self) -> None:
        if not 0 < self.silent_share <= 1:
            raise ValueError(f"expected silent_share above 0 and at most 1, got {self.silent_share}")
        if min(self.new_days, self.least_days, self.usual_days, self.intervals) <= 0:
            raise ValueError("expected days and intervals above 0")


class Phrases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent may say in each stage, and to a customer of many years, by language."""

    stages: Mapping[Stage, Mapping[Literal["zh", "en"], str]]
    long_term: Mapping[Literal["zh", "en"], str]


def stage(
    of: Facts,
    had: Bought,
    at: datetime,
    zone: tzinfo,
    *,
    churn: float | None = None,
    policy: StagePolicy = StagePolicy(),  # noqa: B008, frozen
) -> Stage:
    """
    The stage at a time.

    Args:
        had: What the customer had bought at that time.
        zone: Of the business: in it a contract ends with the last second of its last day.
        churn: Calibrated risk 0 ... 1, None where it is not known.
    """
    since = had.since(at)
    today = at.astimezone(zone).date()
    end = of.contract_until
    if since is None and end is None:
        return Stage.LEAD
    lapse = _lapse(had.orders, policy)
    held = end is not None and today <= end
    if not held and _lapsed(had, at, zone, end, lapse):
        return Stage.LAPSED
    if (churn is not None and churn >= policy.at_risk) or _ending(end, today, policy):
        return Stage.AT_RISK
    if not held and since is not None and since > lapse * policy.silent_share:
        return Stage.SILENT
    if _won_back(had.orders, at, policy):
        return Stage.WON_BACK
    known = at - (known_since(of, had, at) or at)
    if known <= timedelta(days=policy.new_days):
        return Stage.NEW
    often = held or len(had.orders) >= policy.regular_orders
    return Stage.REGULAR if often and known >= timedelta(days=policy.regular_days) else Stage.GROWING


def known_since(of: Facts, had: Bought, at: datetime) -> datetime | None:
    """When the trade with a customer began: they joined, or bought first, whichever was earlier; None before that."""
    begins = [order.ordered_at for order in had.orders[:1]]
    begins += [of.joined_at] if of.joined_at is not None and of.joined_at <= at else []
    return min(begins, default=None)


def long_term(began: datetime, at: datetime, zone: tzinfo, years: int = 3) -> bool:
    """
    Whether so many calendar years have passed in the zone of the business, to the second.

    What began on 29 February is a year older on 1 March of a year without that day.
    """
    local = began.astimezone(zone)
    return at >= _later(local, years)


@cache
def read_phrases(path: Path = TALKING_POINTS) -> Phrases:
    """
    What to say.

    Raises:
        CustomerTableError: If it cannot be read, or a stage has no words in one of the languages.
    """
    try:
        found = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Phrases)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise CustomerTableError(str(path), "talking points of stages", str(error)) from error
    for name, words in {
        **{each.value: found.stages.get(each, {}) for each in Stage},
        "long_term": found.long_term,
    }.items():
        if not (words.get("zh") and words.get("en")):
            raise CustomerTableError(str(path), f"words of {name} in zh and en", ", ".join(words) or "none")
    return found


def _lapse(orders: Sequence[Order], policy: StagePolicy) -> timedelta:
    """Silence after which one who bought so counts as lapsed."""
    times = [order.ordered_at for order in orders]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    usual = timedelta(seconds=median(gaps)) if gaps else timedelta(days=policy.usual_days)
    return max(usual * policy.intervals, timedelta(days=policy.least_days))


def _lapsed(had: Bought, at: datetime, zone: tzinfo, end: date | None, lapse: timedelta) -> bool:
    """Of one who holds no contract now: who bought since it ended is judged by what they buy."""
    since = had.since(at)
    if since is None or (end is not None and had.orders[-1].ordered_at.astimezone(zone).date() <= end):
        return True
    return since > lapse


def _ending(end: date | None, today: date, policy: StagePolicy) -> bool:
    return end is not None and timedelta(0) <= end - today <= timedelta(days=policy.ending_days)


def _won_back(orders: Sequence[Order], at: datetime, policy: StagePolicy) -> bool:
    recent = timedelta(days=policy.won_back_days)
    return any(
        at - orders[i].ordered_at <= recent
        and orders[i].ordered_at - orders[i - 1].ordered_at > _lapse(orders[:i], policy)
        for i in range(1, len(orders))
    )


def _later(local: datetime, years: int) -> datetime:
    try:
        return local.replace(year=local.year + years)
    except ValueError:
        return local.replace(year=local.year + years, month=3, day=1)
