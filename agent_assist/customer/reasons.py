"""
Why a customer is likely to call, from what is open: at ring, before a word is said.

Each thing that is open speaks for a reason with odds against "something else"; the odds are ours, set by judgement, and
stand in ``_ODDS``. Several things of one reason count as the strongest of them, so that ten late orders are no
certainty.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from agent_assist.customer.events import Case, Interaction, Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.tags import COMPLAINT

Reason = Literal["delivery", "case", "promise", "again", "new_product", "refund", "contract"]

_ODDS: Final[dict[Reason, float]] = {
    "promise": 4.0,
    "delivery": 3.0,
    "case": 2.5,
    "again": 2.0,
    "refund": 1.5,
    "new_product": 0.6,
    "contract": 0.5,
}
_WORDS: Final[dict[Reason, dict[str, str]]] = {
    "promise": {"zh": "承诺已到期:{what}", "en": "A promise is overdue: {what}"},
    "delivery": {"zh": "订单 {what} 配送已延误", "en": "Order {what} is late"},
    "case": {"zh": "未结工单 {what}", "en": "Open case {what}"},
    "again": {"zh": "近期就同一问题来电:{what}", "en": "Contacted us lately about {what}"},
    "refund": {"zh": "订单 {what} 已退货", "en": "Order {what} was returned"},
    "new_product": {"zh": "订单 {what} 刚送达", "en": "Order {what} has just arrived"},
    "contract": {"zh": "合同将于 {what} 到期", "en": "The contract ends on {what}"},
}
_LATELY: Final = timedelta(days=7)
_SOON: Final = timedelta(days=30)
LEAST: Final = 0.4
"""Probability from which on a reason is more than a guess: below it nothing is sent to anybody."""


class LikelyReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason."""

    reason: Reason
    probability: float
    """Of this against all others and "something else"."""
    text: dict[str, str]
    evidence: tuple[str, ...]
    """Ids of the events; none where a field of the customer says it."""


class _Sign(NamedTuple):
    reason: Reason
    odds: float
    what: str
    event_id: str


def likely_reasons(known: Facts, at: datetime) -> tuple[LikelyReason, ...]:
    """
    The most probable first; none where nothing is open.

    Args:
        known: Folded up to ``at``.
        at: When the telephone rings.
    """
    found: dict[Reason, list[_Sign]] = {}
    for sign in _signs(known, at):
        found.setdefault(sign.reason, []).append(sign)
    strongest = {reason: max(signs, key=lambda sign: sign.odds) for reason, signs in found.items()}
    whole = 1 + sum(sign.odds for sign in strongest.values())
    ranked = sorted(strongest.values(), key=lambda sign: (-sign.odds, sign.reason))
    return tuple(
        LikelyReason(
            reason=sign.reason,
            probability=round(sign.odds / whole, 4),
            text={language: words.format(what=sign.what) for language, words in _WORDS[sign.reason].items()},
            evidence=tuple(one.event_id for one in found[sign.reason] if one.event_id),
        )
        for sign in ranked
    )


def _signs(known: Facts, at: datetime) -> Iterator[_Sign]:
    for order in known.orders:
        yield from _of_order(order, at)
    for case in known.cases:
        yield from _of_case(case, at)
    for one in known.interactions:
        if one.direction == "in" and one.solved is not True and at - _LATELY <= one.at <= at:
            yield _sign("again", one.issue or one.channel, one, at - one.at)
    if known.contract_until is not None:
        left = datetime.combine(known.contract_until, at.timetz()) - at
        if timedelta(0) <= left <= _SOON:
            yield _Sign("contract", _ODDS["contract"], known.contract_until.isoformat(), "")


def _of_order(order: Order, at: datetime) -> Iterator[_Sign]:
    open_ = order.status in {"open", "paid", "shipped"}
    if open_ and order.promised_by is not None and order.promised_by < at:
        yield _Sign("delivery", _ODDS["delivery"], order.order_id, order.event_id)
    if order.status == "delivered" and at - _LATELY <= order.at <= at:
        yield _sign("new_product", order.order_id, order, at - order.at)
    if order.status == "returned" and at - 2 * _LATELY <= order.at <= at:
        yield _Sign("refund", _ODDS["refund"], order.order_id, order.event_id)


def _of_case(case: Case, at: datetime) -> Iterator[_Sign]:
    if case.status not in {"open", "waiting"}:
        return
    what = f"{case.case_id} {case.issue}".strip()
    if case.promised_by is not None and case.promised_by < at:
        yield _Sign("promise", _ODDS["promise"], what, case.event_id)
    # A complaint that is open is called about more than a request.
    yield _Sign("case", _ODDS["case"] * (1.5 if case.type == COMPLAINT else 1.0), what, case.event_id)


def _sign(reason: Reason, what: str, event: Interaction | Order, ago: timedelta) -> _Sign:
    """The longer ago, the less it says: half after half a week."""
    return _Sign(reason, _ODDS[reason] * 0.5 ** (ago / (_LATELY / 2)), what, event.event_id)
