"""What is done for a customer who may leave, by the reason: shown how, made an offer, or won back. Pure."""

from typing import Final, Literal, get_args

from agent_assist.customer.facts import Facts
from models.types import ChurnRisk

Branch = Literal["tutorial", "offer", "win_back"]
BRANCHES: Final[tuple[Branch, ...]] = get_args(Branch)

# Ours, by judgement. What says only that somebody leaves, and not why, is in none.
REASONS: Final[dict[Branch, frozenset[str]]] = {
    # The same question again and again: they do not get on with what they bought.
    "tutorial": frozenset({"recurring", "contact_surprise", "contacts_30"}),
    "offer": frozenset(
        {
            "price", "competitor", "contract_days_left", "value_trend", "discounted_share", "spent_365", "orders",
            "orders_365", "days_since_order", "interval_days", "lapse_share", "pace",
        }
    ),
    "win_back": frozenset(
        {
            "complaint", "refund", "repeat_contact", "unresolved", "agitation", "valence", "valence_trend", "swings",
            "complaints_30", "complaints_90", "complaints_365", "broken_promises", "open_cases", "satisfaction",
        }
    ),
}  # fmt: skip
SILENT: Final = frozenset({"cancel", "saved", "satisfied", "tenure_days", "base_rate"})
"""Reasons of ours that speak for no branch."""

_TEXTS: Final[dict[Branch, tuple[dict[str, str], dict[str, str]]]] = {
    "tutorial": (
        {"zh": "使用指导", "en": "Show the customer how"},
        {
            "zh": "客户可能因使用困惑而流失:发送教程,并主动致电指导使用。",
            "en": "May leave for not getting on with the product: send the tutorial, and call to help with its use.",
        },
    ),
    "offer": (
        {"zh": "专属优惠回访", "en": "Exclusive offer"},
        {
            "zh": "客户可能因价格流失:在客户情绪平稳时致电,按优惠政策提供专属方案。",
            "en": "May leave for the price: call while they are calm, with an exclusive offer that the policy allows.",
        },
    ),
    "win_back": (
        {"zh": "满意度回访与挽回", "en": "Satisfaction call, and win back"},
        {
            "zh": "客户不满,可能流失:升级处理遗留问题,由专人致电回访并致歉,先解决问题,不谈优惠。",
            "en": "Dissatisfied, and may leave: have what is open put right, and call to apologise; no offer first.",
        },
    ),
}


def branch(risk: ChurnRisk) -> Branch:
    """
    That of the reason that weighs most and speaks for one; where none does, somebody asks them: ``win_back``.

    A reason of a call that has the name of an attribute is called ``call.NAME``.
    """
    speaking = sorted((one for one in risk.reasons if one.contribution > 0), key=lambda one: -one.contribution)
    for one in speaking:
        for way in BRANCHES:
            if one.name.removeprefix("call.") in REASONS[way]:
                return way
    return "win_back"


def allowed(wanted: Branch, known: Facts) -> Branch | None:
    """What may be done: no call to who forbids calls (None), and to who forbids offers a call without one."""
    if not known.allows("outbound", otherwise=True):
        return None
    if wanted == "offer" and not known.allows("offers", otherwise=True):
        return "win_back"
    return wanted


def words(way: Branch) -> tuple[dict[str, str], dict[str, str]]:
    """Title and text, by language."""
    return _TEXTS[way]
