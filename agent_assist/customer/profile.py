"""One customer as the people who deal with them see it: from facts and a time, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import msgspec

from agent_assist.customer.behaviour import behaviour, lapses_at
from agent_assist.customer.days import Touch, touches
from agent_assist.customer.events import Case, Interaction
from agent_assist.customer.facts import Facts
from agent_assist.customer.preferences import Preferences, in_words_of, preferences
from agent_assist.customer.purchases import Bought, bought
from agent_assist.customer.purchases import Trade as TradeIn
from agent_assist.customer.reasons import LikelyReason, likely_reasons
from agent_assist.customer.regions import read_manners
from agent_assist.customer.rfm import Rfm, read_segments
from agent_assist.customer.stage import Stage, read_phrases, stage
from agent_assist.customer.tags import Business, Tag, TagRule, complaints, counted, tags
from agent_assist.customer.worth import Clv, clv
from models.churn import profile_risk, standing
from models.types import ChurnRisk, RiskLevel

Words = Mapping[Literal["zh", "en"], str]

_LAST: Final = 5
"""Contacts that are told in a line each."""
_LINE: Final = 80


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer bought; cancelled and returned orders are no trade."""

    orders: int
    currency: str
    value: Decimal
    """Of the orders in that currency."""
    average: Decimal | None
    first_at: datetime | None
    last_at: datetime | None
    others: Mapping[str, Decimal] = {}
    """Value of orders in other currencies."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact in a line."""

    at: datetime
    channel: str
    direction: str
    issue: str
    line: str
    """The beginning of its words."""
    solved: bool | None
    agent_id: str | None
    complaint: bool = False
    call_id: str | None = None


class OpenCase(msgspec.Struct, frozen=True, kw_only=True):
    case_id: str
    type: str
    issue: str
    opened_at: datetime
    promised_by: datetime | None
    overdue: bool


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A customer at a time."""

    customer_id: str
    at: datetime
    version: tuple[datetime, str] | None
    """Time and id of the latest event in it; None of somebody of whom nothing is known."""
    ids: tuple[str, ...]
    name: str
    region: str
    language: str
    tier: str
    joined_at: datetime | None
    identities: tuple[tuple[str, str], ...]
    attributes: Mapping[str, str]
    consents: Mapping[str, bool]
    trade: Trade
    complaints: int
    """All that were ever made, each once."""
    cases: tuple[OpenCase, ...]
    contacts: tuple[Contact, ...]
    """The last, the latest first."""
    tags: tuple[Tag, ...]
    reasons: tuple[LikelyReason, ...]
    rfm: Rfm | None
    """None without orders, or where the customers were not counted yet."""
    segment: str
    stage: Stage
    talking_point: Words
    """What may be said in it, by language."""
    risk: ChurnRisk | None
    """Of leaving, before any call; None where no model of the trade is set."""
    clv: Clv
    """Margin to be expected of them."""
    lapses_at: datetime | None
    """When a customer without a contract counts as lapsed if they buy nothing more."""
    days: tuple[Touch, ...]
    """To be remembered within a week."""
    preferences: Preferences
    manner: Words
    """How to speak with people of their region; empty where nothing is to be heeded."""


def profile(known: Facts, at: datetime, rules: Sequence[TagRule], business: Business) -> Profile:
    """
    What is to be seen of a customer.

    Args:
        known: Folded up to ``at``.
        rules: Of tags.
    """
    had = bought(known, at, TradeIn(currency=business.currency))
    place = placed(known, had, at, business)
    inside = sorted(known.interactions, key=lambda one: (one.at, one.event_id), reverse=True)
    return Profile(
        customer_id=known.customer_id,
        at=at,
        version=known.version,
        ids=known.ids,
        name=known.name,
        region=known.region,
        language=known.language,
        tier=known.tier,
        joined_at=known.joined_at,
        identities=known.identities,
        attributes=known.attributes,
        consents={purpose: said.granted for purpose, said in sorted(known.consents.items())},
        trade=trade(known, business.currency),
        complaints=len(complaints(known)),
        cases=tuple(_open(case, at) for case in known.cases if case.status in {"open", "waiting"}),
        contacts=tuple(_contact(one) for one in inside[:_LAST]),
        tags=tags(known, at, rules, business),
        reasons=likely_reasons(known, at),
        rfm=place.rfm,
        segment=place.segment,
        stage=place.stage,
        talking_point=read_phrases().stages[place.stage],
        risk=place.risk,
        clv=clv(known, had, at, business),
        lapses_at=lapses_at(known, at),
        days=tuple(touches(known, had, at, business.zone, calendars=business.calendars)),
        preferences=preferences(known, at, business.zone),
        manner=in_words_of(read_manners(), known.region),
    )


class Placed(NamedTuple):
    """Where a customer stands among all, and in their own life."""

    rfm: Rfm | None
    segment: str
    stage: Stage
    risk: ChurnRisk | None


def placed(known: Facts, had: Bought, at: datetime, business: Business) -> Placed:
    """Segment, stage and risk, which the stage rests on."""
    risk = None if business.model is None else profile_risk(standing(behaviour(known, at), business.model))
    rfm = None if business.population is None else business.population.score(had, at)
    now = stage(known, had, at, business.zone, churn=_sure(risk))
    return Placed(rfm, read_segments().of(rfm), now, risk)


def _sure(risk: ChurnRisk | None) -> float | None:
    """A score on which a stage may rest."""
    return None if risk is None or risk.level is RiskLevel.UNKNOWN else risk.score


def trade(known: Facts, currency: str) -> Trade:
    """What was bought, in the currency of the business and in others."""
    orders = counted(known)
    values: dict[str, Decimal] = {}
    for order in orders:
        values[order.currency] = values.get(order.currency, Decimal(0)) + order.amount
    ours = sum(order.currency == currency for order in orders)
    value = values.pop(currency, Decimal(0))
    return Trade(
        orders=len(orders),
        currency=currency,
        value=value,
        average=(value / ours).quantize(Decimal("0.01")) if ours else None,
        first_at=orders[0].ordered_at if orders else None,
        last_at=orders[-1].ordered_at if orders else None,
        others=dict(sorted(values.items())),
    )


def _open(case: Case, at: datetime) -> OpenCase:
    return OpenCase(
        case_id=case.case_id,
        type=case.type,
        issue=case.issue,
        opened_at=case.opened_at,
        promised_by=case.promised_by,
        overdue=case.promised_by is not None and case.promised_by < at,
    )


def _contact(one: Interaction) -> Contact:
    words = " ".join(one.text.split())
    return Contact(
        at=one.at,
        channel=one.channel,
        direction=one.direction,
        issue=one.issue,
        line=words if len(words) <= _LINE else f"{words[: _LINE - 1]}…",
        solved=one.solved,
        agent_id=one.agent_id,
        complaint=one.complaint,
        call_id=one.call_id,
    )
