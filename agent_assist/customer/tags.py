"""
Tags by rules, each with the events that it rests on and the time until which it holds if nothing more happens.

Rules are data (``tags.yaml``); those of a customer are looked at anew with every event, in a running call too.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from agent_assist.customer.calendar import last_with_months_before, months_before
from agent_assist.customer.days import Calendar
from agent_assist.customer.events import Case, Channel, Interaction, Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import NOT_BOUGHT
from agent_assist.customer.rfm import Population
from models.additive import Additive
from models.clv import Money, Purchases

DEFAULT: Final = Path(__file__).parent / "tags.yaml"
COMPLAINT: Final = "complaint"
"""Type of a case."""

Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Words = dict[Literal["zh", "en"], str]


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Back from now, its beginning included: calendar months, or days of 24 hours."""

    months: Count | None = None
    days: Count | None = None

    def __post_init__(self) -> None:
        if (self.months is None) is (self.days is None):
            raise ValueError("expected months or days of a window, got both or neither")

    def since(self, at: datetime, zone: tzinfo) -> datetime:
        return at - timedelta(days=self.days) if self.days else months_before(at, self.months or 0, zone)

    def until(self, since: datetime, zone: tzinfo) -> datetime:
        """The last time at which something lies in the window."""
        return (
            since + timedelta(days=self.days) if self.days else last_with_months_before(since, self.months or 0, zone)
        )


class _Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="of"):
    pass


class Complaints(_Condition, frozen=True, kw_only=True, tag="complaints"):
    """Cases of this type and contacts in this category; at most one of a case and of a contact."""

    at_least: Count
    within: Window


class Contacts(_Condition, frozen=True, kw_only=True, tag="contacts"):
    """What the customer began."""

    at_least: Count
    within: Window
    channel: Channel | None = None
    same_issue: bool = False
    """Only those about the issue with the most."""


class OrderValue(_Condition, frozen=True, kw_only=True, tag="order_value"):
    """Average value of an order, from an amount or a percentile of the customer base."""

    percentile: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.percentile is None) is (self.amount is None):
            raise ValueError("expected a percentile or an amount of order_value, got both or neither")


class Orders(_Condition, frozen=True, kw_only=True, tag="orders"):
    at_least: Count
    within: Window | None = None


class Discounts(_Condition, frozen=True, kw_only=True, tag="discounts"):
    """Share of orders with a discount."""

    at_least: Share
    of_at_least: Count = 3
    """Orders, below which a share says nothing."""


class Signals(_Condition, frozen=True, kw_only=True, tag="signals"):
    """Contacts in which the customer spoke so: "price", "cancel", "competitor" ..."""

    any_of: tuple[Name, ...]
    at_least: Count = 1
    within: Window


class Tenure(_Condition, frozen=True, kw_only=True, tag="tenure"):
    """Since the customer joined, or first ordered."""

    at_least: Window


Condition = Complaints | Contacts | OrderValue | Orders | Discounts | Signals | Tenure


class TagRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All conditions hold."""

    id: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]
    name: Words
    strategy: Words = {}
    """What is done for such customers."""
    all: Annotated[tuple[Condition, ...], msgspec.Meta(min_length=1)]


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of a customer at a time."""

    id: str
    name: Words
    strategy: Words = {}
    evidence: tuple[str, ...]
    """Ids of the events."""
    since: datetime | None = None
    """When a person or another system set it; None of a rule's."""
    until: datetime | None = None
    """The last moment at which it holds if nothing more happens; None: without end."""
    by: str = "rule"


class WorthPolicy(NamedTuple):
    """How the business earns: settings."""

    trade: Literal["contract", "orders"] | None = None
    margin: float | None = None
    """Share of the money of an order, or of a month's price, that is margin, 0 ... 1."""
    discount: float = 0.10
    """Of a year."""


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """Models of how all customers buy."""

    purchases: Purchases
    money: Money


class Business(NamedTuple):
    """What rules need beside the customer."""

    zone: tzinfo = UTC
    currency: str = "CNY"
    """Orders in others do not count for values."""
    order_values: tuple[Decimal, ...] = ()
    """
    The 1st to the 99th percentile of the customers' average order values, by nearest rank; empty where they are not
    known: then nobody lies above one.
    """
    population: Population | None = None
    """Of all customers, for the scores of one."""
    model: Additive | None = None
    """Of who leaves; None where the trade has none."""
    calendars: frozenset[Calendar] = frozenset()
    """Whose festivals count."""
    worth: WorthPolicy = WorthPolicy()
    fitted: Fitted | None = None
    """When all customers were counted; None where the data did not tell it."""
    hazard: Additive | None = None
    """Of who leaves within the month, for trade with contracts."""


class _Held(NamedTuple):
    events: Iterable[str]
    until: datetime | None


def load(path: Path = DEFAULT) -> tuple[TagRule, ...]:
    """
    The rules of a file.

    Raises:
        ValueError: If it does not hold rules, or two of one id; says what was expected and where.
    """
    try:
        rules = msgspec.yaml.decode(path.read_bytes(), type=dict[Literal["tags"], tuple[TagRule, ...]])["tags"]
    except (msgspec.DecodeError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"expected rules of tags, got {error} (in {path})") from error
    ids = [rule.id for rule in rules]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise ValueError(f"expected each tag once, got {', '.join(twice)} more often (in {path})")
    return rules


def tags(known: Facts, at: datetime, rules: Sequence[TagRule], business: Business) -> tuple[Tag, ...]:
    """
    The tags of a customer.

    Args:
        known: Folded up to ``at``.
        at: With a time zone.
    """
    found = [
        Tag(id=one.tag, name={}, evidence=(one.event_id,), since=one.at, until=one.expires_at, by=one.by or "person")
        for one in known.tags
        if one.expires_at is None or at <= one.expires_at
    ]
    for rule in rules:
        held = [_held(condition, known, at, business) for condition in rule.all]
        if all(one is not None for one in held):
            sure = [one for one in held if one is not None]
            ends = [one.until for one in sure if one.until is not None]
            found.append(
                Tag(
                    id=rule.id,
                    name=rule.name,
                    strategy=rule.strategy,
                    evidence=tuple(dict.fromkeys(event for one in sure for event in one.events)),
                    until=min(ends, default=None),
                )
            )
    return tuple(found)


def complaints(known: Facts) -> list[Case | Interaction]:
    """
    Each complaint once, by time: a case of the type, or a contact in the category that is about no such case.

    Of several contacts in one call the first counts.
    """
    cases = {case.case_id: case for case in known.cases if case.type == COMPLAINT}
    contacts: dict[str, Interaction] = {}
    for one in sorted(known.interactions, key=lambda one: (one.at, one.event_id)):
        if one.complaint and one.case_id not in cases:
            contacts.setdefault(one.case_id or one.call_id or one.interaction_id, one)
    return sorted([*cases.values(), *contacts.values()], key=lambda one: (_when(one), one.event_id))


def counted(known: Facts, currency: str | None = None) -> list[Order]:
    """Orders that are trade, in one currency or all."""
    return [one for one in known.orders if one.status not in NOT_BOUGHT and currency in {None, one.currency}]


def average_order_value(known: Facts, currency: str) -> Decimal | None:
    """Mean amount of the orders that are trade; None without any."""
    orders = counted(known, currency)
    return sum((one.amount for one in orders), Decimal(0)) / len(orders) if orders else None


def percentiles(values: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """The 1st to the 99th, by nearest rank: the least value that so many in a hundred do not exceed; () of nothing."""
    ordered = sorted(values)
    return tuple(ordered[-(-len(ordered) * p // 100) - 1] for p in range(1, 100)) if ordered else ()


def _held(condition: Condition, known: Facts, at: datetime, business: Business) -> _Held | None:
    zone = business.zone
    match condition:
        case Complaints():
            return _latest(complaints(known), condition.at_least, condition.within, at, zone)
        case Contacts():
            return _contacts(condition, known, at, zone)
        case Signals():
            asked = set(condition.any_of)
            said = [one for one in known.interactions if asked & set(one.signals)]
            return _latest(said, condition.at_least, condition.within, at, zone)
        case Orders():
            return _latest(counted(known), condition.at_least, condition.within, at, zone)
        case OrderValue():
            return _valued(condition, known, business)
        case Discounts():
            orders = counted(known)
            low = [one for one in orders if one.discounted]
            enough = len(orders) >= condition.of_at_least and len(low) >= condition.at_least * len(orders)
            return _Held([one.event_id for one in low], None) if enough else None
        case Tenure():
            return _tenure(condition, known, at, zone)


def _when(one: Case | Interaction | Order) -> datetime:
    match one:
        case Case():
            return one.opened_at
        case Order():
            return one.ordered_at
        case Interaction():
            return one.at


def _latest(
    found: Sequence[Case | Interaction | Order], least: int, within: Window | None, at: datetime, zone: tzinfo
) -> _Held | None:
    """Whether so many lie in the window; it holds until the last but ``least`` leaves it."""
    since = None if within is None else within.since(at, zone)
    inside = sorted(
        (one for one in found if _when(one) <= at and (since is None or _when(one) >= since)),
        key=_when,
    )
    if len(inside) < least:
        return None
    until = None if within is None else within.until(_when(inside[-least]), zone)
    return _Held([one.event_id for one in inside], until)


def _contacts(condition: Contacts, known: Facts, at: datetime, zone: tzinfo) -> _Held | None:
    began = [
        one
        for one in known.interactions
        if one.direction == "in"
        and condition.channel in {None, one.channel}
        and (one.issue or not condition.same_issue)
    ]
    if not condition.same_issue:
        return _latest(began, condition.at_least, condition.within, at, zone)
    about = {issue: [one for one in began if one.issue == issue] for issue in sorted({one.issue for one in began})}
    held = [_latest(some, condition.at_least, condition.within, at, zone) for some in about.values()]
    sure = [one for one in held if one is not None]
    return max(sure, key=lambda one: len(list(one.events)), default=None)


def _valued(condition: OrderValue, known: Facts, business: Business) -> _Held | None:
    average = average_order_value(known, business.currency)
    if condition.amount is not None:
        least: Decimal | None = condition.amount
    else:
        least = business.order_values[(condition.percentile or 1) - 1] if business.order_values else None
    if average is None or least is None or average < least:
        return None
    return _Held([one.event_id for one in counted(known, business.currency)], None)


def _tenure(condition: Tenure, known: Facts, at: datetime, zone: tzinfo) -> _Held | None:
    orders = counted(known)
    began = known.joined_at or (orders[0].ordered_at if orders else None)
    if began is None or condition.at_least.since(at, zone) < began:
        return None
    return _Held([] if known.joined_at else [orders[0].event_id], None)
