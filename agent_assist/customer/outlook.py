"""What is to be expected of a customer without a call: how likely they are to leave, and when. Pure."""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from agent_assist.customer.behaviour import behaviour, lapses_at
from agent_assist.customer.facts import Facts
from agent_assist.customer.outreach import Core
from agent_assist.customer.purchases import Trade, bought
from agent_assist.customer.rfm import Population, read_segments
from agent_assist.customer.tags import Business
from agent_assist.customer.triggers import Leaving
from models.churn import profile_risk, standing
from models.survival import remaining
from models.types import ChurnRisk


class Outlook(NamedTuple):
    """Nothing is told of who forbids that a profile is made of them, or where no model of the trade is set."""

    risk: ChurnRisk | None = None
    """None, too, of who has left: lapsed, or with a contract that is over."""
    leaving: Leaving | None = None


def outlook(known: Facts, at: datetime, business: Business) -> Outlook:
    """
    Risk and time of leaving.

    A customer without a contract leaves when they lapse, one with a contract when it ends, or after the median of the
    hazard where that comes first; it moves with the time, so its day is taken, not its moment.
    """
    if business.model is None or not known.allows("profiling", otherwise=True):
        return Outlook()
    seen = behaviour(known, at)
    risk = profile_risk(standing(seen, business.model))
    if business.hazard is None:
        lapses = lapses_at(known, at)
        if lapses is None:
            return Outlook(risk)
        last = [one.order_id for one in known.orders if one.status != "cancelled" and one.ordered_at <= at]
        return Outlook(None if lapses <= at else risk, Leaving(lapses, last[-1]))
    if known.contract_until is not None and known.contract_until < at.astimezone(business.zone).date():
        return Outlook()
    median = remaining(business.hazard, seen).median_days
    ends = [] if known.contract_until is None else [known.contract_until]
    if median is not None:
        ends.append((at + timedelta(days=median)).astimezone(business.zone).date())
    if not ends:
        return Outlook(risk)
    until = "" if known.contract_until is None else f":{known.contract_until}"
    return Outlook(risk, Leaving(datetime.combine(min(ends), time(0), business.zone), f"contract{until}"))


def segment_of(known: Facts, at: datetime, business: Business) -> str:
    """Of a customer; empty of who forbids profiles, and before all were counted."""
    if business.population is None or not known.allows("profiling", otherwise=True):
        return ""
    return _segment(known, at, business, business.population)


def is_core(known: Facts, at: datetime, business: Business, core: Core) -> bool:
    """Whether a customer is one of the dearest, by the tier that was told, or by what they bought."""
    if known.tier in core.tiers:
        return True
    if business.population is None or not core.segments:
        return False
    return _segment(known, at, business, business.population) in core.segments


def _segment(known: Facts, at: datetime, business: Business, against: Population) -> str:
    had = bought(known, at, Trade(currency=business.currency))
    return read_segments().of(against.score(had, at))
