"""
What is to be done for a customer of one's own accord, and when: from facts and predictions, with no clock and no store.

The id of a trigger says what it is for and not when, so that a prediction that moves, or a look that comes twice, never
makes two of it. Times are those of the business; none falls into its quiet hours.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta, tzinfo
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from agent_assist.customer.facts import Facts
from agent_assist.customer.tags import counted

Kind = Literal["usage_guide", "retention_benefit", "late_order", "product_guide"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

TITLES: Final[dict[Kind, dict[str, str]]] = {
    "usage_guide": {"zh": "发送使用指南", "en": "Send the guide"},
    "retention_benefit": {"zh": "流失前关怀:专属权益", "en": "Exclusive benefit before they leave"},
    "late_order": {"zh": "订单延误:主动告知", "en": "Tell of a late order"},
    "product_guide": {"zh": "新品使用指导", "en": "Help with a new product"},
}
_TEXTS: Final[dict[Kind, dict[str, str]]] = {
    "usage_guide": {
        "zh": "首次购买满 {days} 天:发送使用指南",
        "en": "{days} days after the first purchase: send the guide",
    },
    "retention_benefit": {
        "zh": "预计 {what} 流失:提前 {days} 天联系,提供专属权益",
        "en": "Likely to leave by {what}: call {days} days before with an exclusive benefit",
    },
    "late_order": {
        "zh": "订单 {what} 有延误风险:主动告知",
        "en": "Order {what} is likely to be late: tell the customer",
    },
    "product_guide": {"zh": "{what} 已送达:主动指导使用", "en": "{what} has arrived: offer help with its use"},
}


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done."""

    id: str
    """``customer:kind:occasion``."""
    customer_id: str
    kind: Kind
    due_at: datetime
    text: dict[str, str]
    evidence: tuple[str, ...]
    """Ids of the events."""
    held: Literal["", "opt_out", "made", "standard", "rollout"] = ""
    """
    Why it is not done: the customer does not want to be called, there is a task of it already, the customer is in the
    standard group of a trial, or a rollout has not come to them.
    """


class Policy(NamedTuple):
    """When what is done."""

    zone: tzinfo
    quiet_from: time = time(20)
    quiet_to: time = time(9)
    """What falls between is done at this time."""
    guide_days: int = 7
    benefit_days: int = 30
    late_within: timedelta = timedelta(hours=24)
    """Before the promised time, an order that has not been shipped is likely to be late."""
    complex_products: frozenset[str] = frozenset()
    """Ids of goods that come back for want of guidance."""
    kinds: frozenset[Kind] = frozenset(KINDS)
    """What is done at all."""


class Leaving(NamedTuple):
    """When a customer is expected to leave."""

    at: datetime
    cycle: str
    """What the prediction is about, the last order or a contract: of each there is one benefit."""


def triggers(known: Facts, policy: Policy, leaving: Leaving | None = None) -> tuple[Trigger, ...]:
    """
    All that is ever due for a customer, by time.

    Args:
        known: What is known now: what was cancelled or delivered since is no occasion any more.
        leaving: Where a prediction is had.
    """
    held: Literal["", "opt_out"] = "" if known.allows("outbound", otherwise=True) else "opt_out"
    occasions = (one for one in _occasions(known, policy, leaving) if one.kind in policy.kinds)
    found = [msgspec.structs.replace(one, held=held) for one in occasions]
    return tuple(sorted(found, key=lambda one: (one.due_at, one.id)))


def _occasions(known: Facts, policy: Policy, leaving: Leaving | None) -> Iterator[Trigger]:
    orders = counted(known)
    if orders:
        first, days = orders[0], policy.guide_days
        due = _days_after(first.ordered_at, days, policy)
        yield _trigger(known, "usage_guide", "first", due, policy, (first.event_id,), days=days)
    if leaving is not None:
        due, last = (
            _days_after(leaving.at, -policy.benefit_days, policy),
            f"{leaving.at.astimezone(policy.zone):%Y-%m-%d}",
        )
        yield _trigger(known, "retention_benefit", leaving.cycle, due, policy, (), days=policy.benefit_days, what=last)
    for order in orders:
        waits = order.status in {"open", "paid"}
        if order.promised_by is not None and (waits or order.status == "shipped"):
            due = order.promised_by - (policy.late_within if waits else timedelta(0))
            yield _trigger(known, "late_order", order.order_id, due, policy, (order.event_id,), what=order.order_id)
        if order.status == "delivered":
            for line in order.lines:
                if line.product_id in policy.complex_products:
                    occasion, what = f"{order.order_id}:{line.product_id}", line.name or line.product_id
                    due = _days_after(order.at, 1, policy)
                    yield _trigger(known, "product_guide", occasion, due, policy, (order.event_id,), what=what)


def _trigger(
    known: Facts, kind: Kind, occasion: str, due: datetime, policy: Policy, evidence: tuple[str, ...], **said: object
) -> Trigger:
    return Trigger(
        id=f"{known.customer_id}:{kind}:{occasion}",
        customer_id=known.customer_id,
        kind=kind,
        due_at=awake(due, policy),
        text={language: text.format(**said) for language, text in _TEXTS[kind].items()},
        evidence=evidence,
    )


def _days_after(at: datetime, days: int, policy: Policy) -> datetime:
    """The same wall time so many days later."""
    return at.astimezone(policy.zone) + timedelta(days=days)


def awake(at: datetime, policy: Policy) -> datetime:
    """The first time from ``at`` on that lies in no quiet hours."""
    local = at.astimezone(policy.zone)
    begin, end, now = policy.quiet_from, policy.quiet_to, local.time()
    over_midnight = begin > end
    quiet = (now >= begin or now < end) if over_midnight else begin <= now < end
    if not quiet:
        return local
    day = local.date() + timedelta(days=1 if over_midnight and now >= begin else 0)
    return datetime.combine(day, end, policy.zone)
