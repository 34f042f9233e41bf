"""Who calls, as far as is known: what overlay, rules and risk of a call begin from, and go on from when it changes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from agent_assist.customer.behaviour import behaviour
from agent_assist.customer.days import Touch
from agent_assist.customer.events import Case, Interaction, Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.pop import pop
from agent_assist.customer.preferences import Preferences
from agent_assist.customer.profile import Contact, Profile, Words
from agent_assist.customer.reasons import LikelyReason
from agent_assist.customer.tags import COMPLAINT, Business, Tag, TagRule, tags
from models.churn import Standing, standing

_PROOFS: Final = 5
"""Events of a tag that are named, the latest."""
_REASONS: Final = 3
_LINE: Final = 60


What = Literal["order", "case", "complaint", "contact", "call"]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """An event on which a tag rests, as a person reads it."""

    event_id: str
    at: datetime
    what: What
    """"call" is the one that is running."""
    line: str


class CallerTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag with what it rests on."""

    id: str
    name: Words
    """Empty of one that a person or another system set: its id says it."""
    strategy: Words = {}
    because: tuple[Proof, ...] = ()
    """The latest first."""
    more: int = 0
    """Events beside those."""
    until: datetime | None = None
    """The last moment at which it holds if nothing more happens."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on a call, and what is known of them at a time."""

    at: datetime
    """Of the look: of two the later holds."""
    customer_id: str | None
    """None where a number belongs to several: ``customers_of_phone`` among the attributes says to whom."""
    name: str = ""
    version: tuple[datetime, str] | None = None
    """Time and id of the latest event that is in it."""
    attributes: dict[str, str] = {}
    """As ``pop`` gives them; what the telephone side tells comes before them."""
    standing: Standing | None = None
    """From which the risk of the call goes on; None where no model of the trade is set."""
    tags: tuple[CallerTag, ...] = ()
    reasons: tuple[LikelyReason, ...] = ()
    """Why they are likely to call."""
    contacts: tuple[Contact, ...] = ()
    """The last on all channels, the latest first."""
    preferences: Preferences = Preferences()
    manner: Words = {}
    """How to speak with people of their region."""
    days: tuple[Touch, ...] = ()
    said: tuple[str, ...] = ()
    """Signals of the running call that are counted in the tags."""
    by: str = ""
    """Of who picked this customer among several; empty where the call told who it is."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A call in progress, as far as it is a contact already."""

    call_id: str
    direction: Literal["in", "out"] = "in"
    issue: str = ""
    said: tuple[str, ...] = ()
    """Signals that the customer has given: "complaint", "cancel" ..."""


def caller(
    seen: Profile,
    known: Facts,
    rules: Sequence[TagRule],
    business: Business,
    language: Literal["zh", "en"],
    running: Running | None = None,
) -> Caller:
    """
    What is known of a customer who is on a call.

    A running call that has given a signal counts for the tags as the contact that it will be when it has ended, so that
    a second complaint is one when it is made. It does not count for the risk and for the likely reason, to which the
    call speaks itself.

    Args:
        seen: Of ``known`` at the same time, without the running call.
        running: None before there is any.
    """
    counted = known if running is None or not running.said else _with(known, running, seen)
    held = seen.tags if counted is known else tags(counted, seen.at, rules, business)
    return Caller(
        at=seen.at,
        customer_id=seen.customer_id,
        name=seen.name,
        version=seen.version,
        attributes=pop(msgspec.structs.replace(seen, tags=held), language),
        standing=None if business.model is None else standing(behaviour(known, seen.at), business.model),
        tags=tuple(_told(tag, counted, running) for tag in held),
        reasons=seen.reasons[:_REASONS],
        contacts=seen.contacts,
        preferences=seen.preferences,
        manner=seen.manner,
        days=seen.days,
        said=() if running is None else running.said,
    )


def several(ids: Iterable[str], at: datetime) -> Caller:
    """A number that belongs to all of these."""
    return Caller(at=at, customer_id=None, attributes={"customers_of_phone": ",".join(ids)})


def same(one: Caller | None, other: Caller) -> bool:
    """Whether two looks saw the same."""
    return one is not None and msgspec.structs.replace(other, at=one.at, by=one.by) == one


def in_force(given: Mapping[str, str], known: Caller) -> dict[str, str]:
    """
    The attributes of a call.

    Args:
        given: Those that the telephone side told.
    """
    return known.attributes | dict(given)


def given_of(attributes: Mapping[str, str], known: Caller | None) -> dict[str, str]:
    """What the telephone side told, of attributes as a call began with them."""
    ours = {} if known is None else known.attributes
    return {name: text for name, text in attributes.items() if name not in ours}


def _with(known: Facts, running: Running, seen: Profile) -> Facts:
    """With the running call as a contact; as ``agent_assist.call.contact`` makes it at the end."""
    contact = Interaction(
        event_id=f"call:{running.call_id}",
        customer_id=known.customer_id,
        at=seen.at,
        interaction_id=running.call_id,
        channel="phone",
        direction=running.direction,
        issue=running.issue,
        call_id=running.call_id,
        complaint="complaint" in running.said,
        signals=running.said,
    )
    others = (one for one in known.interactions if one.interaction_id != running.call_id)
    return msgspec.structs.replace(known, interactions=(*others, contact))


def _told(tag: Tag, known: Facts, running: Running | None) -> CallerTag:
    """With what it rests on."""
    both: list[Order | Case | Interaction] = [*known.orders, *known.cases, *known.interactions]
    events = {one.event_id: one for one in both}
    ours = None if running is None else f"call:{running.call_id}"
    rests = [_proof(events[one], ours) for one in tag.evidence if one in events]
    rests.sort(key=lambda proof: (proof.at, proof.event_id), reverse=True)
    return CallerTag(
        id=tag.id,
        name=tag.name,
        strategy=tag.strategy,
        because=_chosen(rests),
        more=max(0, len(rests) - _PROOFS),
        until=tag.until,
    )


def _chosen(rests: Sequence[Proof]) -> tuple[Proof, ...]:
    """Of many the latest, but of each sort one at least: twenty orders are not to hide the two complaints."""
    first = {proof.what: proof for proof in reversed(rests)}
    wanted = [*first.values(), *(proof for proof in rests if first[proof.what] is not proof)][:_PROOFS]
    return tuple(sorted(wanted, key=lambda proof: (proof.at, proof.event_id), reverse=True))


def _proof(event: Order | Case | Interaction, ours: str | None) -> Proof:
    match event:
        case Order():
            line = f"{event.order_id} {event.amount} {event.currency}"
            return Proof(event_id=event.event_id, at=event.ordered_at, what="order", line=line)
        case Case():
            what: What = "complaint" if event.type == COMPLAINT else "case"
            line = f"{event.case_id} {event.issue}".strip()
            return Proof(event_id=event.event_id, at=event.opened_at, what=what, line=line)
        case Interaction():
            kind: What = "complaint" if event.complaint else "contact"
            words = " ".join(f"{event.issue} {event.text}".split())
            line = words if len(words) <= _LINE else f"{words[: _LINE - 1]}…"
            line = f"{event.channel} {line}".strip()
            return Proof(
                event_id=event.event_id, at=event.at, what="call" if event.event_id == ours else kind, line=line
            )
