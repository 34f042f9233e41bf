"""Events of one customer, folded: what is known, or was at a time; in any order, any number of times. No clock."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

import msgspec
from msgspec import UNSET

from agent_assist.customer.events import (
    Case,
    Consent,
    CustomerEvent,
    Identified,
    IdentityKind,
    Interaction,
    Known,
    Merged,
    Order,
    SpecialDate,
    Split,
    Survey,
    Tagged,
)

_FIELDS: Final = ("name", "region", "language", "birthday", "joined_at", "tier", "contract_until")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as the events tell; nothing is derived here."""

    customer_id: str
    ids: tuple[str, ...] = ()
    """Those that were merged into this one, itself among them."""
    name: str = ""
    region: str = ""
    language: str = ""
    birthday: date | None = None
    joined_at: datetime | None = None
    tier: str = ""
    contract_until: date | None = None
    attributes: Mapping[str, str] = {}
    identities: tuple[tuple[IdentityKind, str], ...] = ()
    orders: tuple[Order, ...] = ()
    """As each stands, by the time at which it was ordered; likewise the others by theirs."""
    cases: tuple[Case, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    surveys: tuple[Survey, ...] = ()
    consents: Mapping[str, Consent] = {}
    """The latest of each purpose."""
    tags: tuple[Tagged, ...] = ()
    """Set by people or other systems, and not taken away since."""
    dates: tuple[SpecialDate, ...] = ()
    version: tuple[datetime, str] | None = None
    """Time and id of the latest event in it; None of a customer of whom nothing is known."""

    def allows(self, purpose: str, *, otherwise: bool) -> bool:
        """Whether the customer allows it; ``otherwise`` where they never said."""
        said = self.consents.get(purpose)
        return otherwise if said is None else said.granted


def facts(customer_id: str, events: Iterable[CustomerEvent], at: datetime | None = None) -> Facts:
    """
    What the events tell of a customer.

    Args:
        customer_id: Under which they go on; events of ids that were merged into it may be among them.
        at: Later events are left out; None for all.
    """
    told = {event.event_id: event for event in events if at is None or event.at <= at}
    ordered = sorted(told.values(), key=lambda event: (event.at, event.event_id))
    latest: dict[tuple[str, ...], CustomerEvent] = {}
    fields: dict[str, object] = {}
    attributes: dict[str, str] = {}
    for event in ordered:
        if isinstance(event, Known):
            fields |= {name: value for name in _FIELDS if (value := getattr(event, name)) is not UNSET}
            attributes |= event.attributes
        elif not isinstance(event, Merged | Split):
            latest[_subject(event)] = event
    kept = latest.values()
    return msgspec.structs.replace(
        Facts(customer_id=customer_id),
        ids=tuple(sorted({customer_id, *(event.customer_id for event in ordered)})),
        **fields,
        attributes=attributes,
        identities=tuple(
            sorted({(one.kind, one.value) for one in kept if isinstance(one, Identified) and one.belongs})
        ),
        orders=tuple(sorted((o for o in kept if isinstance(o, Order)), key=lambda o: (o.ordered_at, o.order_id))),
        cases=tuple(sorted((c for c in kept if isinstance(c, Case)), key=lambda c: (c.opened_at, c.case_id))),
        interactions=tuple(one for one in kept if isinstance(one, Interaction)),
        surveys=tuple(one for one in kept if isinstance(one, Survey)),
        consents={one.purpose: one for one in kept if isinstance(one, Consent)},
        tags=tuple(one for one in kept if isinstance(one, Tagged) and one.present),
        dates=tuple(one for one in kept if isinstance(one, SpecialDate) and one.present),
        version=(ordered[-1].at, ordered[-1].event_id) if ordered else None,
    )


def _subject(event: CustomerEvent) -> tuple[str, ...]:
    """What a statement is about: of two with the same one the later holds."""
    match event:
        case Identified():
            return "identity", event.kind, event.value
        case Order():
            return "order", event.order_id
        case Case():
            return "case", event.case_id
        case Interaction():
            return "interaction", event.interaction_id
        case Survey():
            return "survey", event.survey_id
        case Consent():
            return "consent", event.purpose
        case Tagged():
            return "tag", event.tag
        case SpecialDate():
            return "date", event.name
        case Known() | Merged() | Split():
            return event.event_id, ""
