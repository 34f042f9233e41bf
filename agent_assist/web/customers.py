"""Customers over the API: what other systems tell of them, and what is known of one."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from agent_assist.customer.events import CustomerEvent, Identified, IdentityKind
from agent_assist.customer.profile import Profile
from agent_assist.customer.timeline import Entry
from agent_assist.store.histories import Histories, Place, RiskPlace, RiskTold
from agent_assist.store.profiles import Profiles
from agent_assist.store.tables import calls
from agent_assist.web import cursors
from agent_assist.web.access import Office, known, needs, needs_token, office
from agent_assist.web.passes import Role
from agent_assist.web.times import asked

MOST: Final = 1_000
"""Events of one request."""

Asked = Request[Any, Any, State]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken; it is stored when the topic has come to it."""

    events: int


@post("/v1/customers/events", guards=[needs()], status_code=202, request_max_body_size=4_000_000)
async def tell(request: Asked, data: JSONBody[tuple[CustomerEvent, ...]]) -> Sent:
    """Tell of customers; the same event again changes nothing."""
    if not 1 <= len(data) <= MOST:
        raise HTTPException(f"expected 1 to {MOST} events, got {len(data)}", status_code=400)
    for event in data:
        await office(request.app).tell(event)
    return Sent(events=len(data))


@get("/v1/customers/{customer_id:str}", guards=[needs_token])
async def customer(request: Asked, customer_id: FromPath[str], at: FromQuery[datetime | None] = None) -> Profile:
    """
    A customer now, or as known at a time; addresses are masked for all but supervisors.

    Agents see those with whom they had a call, or have.
    """
    found = await _seen(request, customer_id, asked(at, "at"))
    return found if known(request).role in {Role.SUPERVISOR, Role.ADMIN} else masked(found)


async def _seen(request: Asked, customer_id: str, at: datetime | None = None) -> Profile:
    """
    A customer who is for them to see.

    Raises:
        NotFoundException: If nothing was told of one, or they are an agent who never had a call with them.
    """
    found = await asyncio.to_thread(_profiles(request).of, customer_id, datetime.now(UTC), at)
    who = known(request)
    if found is not None and who.of_agent:
        theirs = [calls.c.customer_id.in_((customer_id, *found.ids))]
        lines = partial(office(request.app).store.calls, agent_id=who.name, limit=1, where=theirs)
        found = found if await asyncio.to_thread(lines) else None
    if found is None:
        raise NotFoundException(f"expected a customer of whom something was told, got {customer_id[:128]!r}")
    return found


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What was had with a customer, the latest first."""

    entries: Sequence[Entry]
    next: str | None
    """For ``before``, where there may be more."""


class RiskHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Each risk that was told of a customer, the latest first."""

    risks: Sequence[RiskTold]
    next: str | None
    """For ``before``, where there may be more."""


@get("/v1/customers/{customer_id:str}/timeline", guards=[needs_token])
async def had_with(
    request: Asked, customer_id: FromPath[str], limit: Limit = 50, before: FromQuery[str | None] = None
) -> Timeline:
    """Calls, contacts, orders, cases and answers of a customer, on all channels, a page at a time."""
    place = None if before is None else cursors.read(before, Place, "before")
    await _seen(request, customer_id)
    found = await asyncio.to_thread(_histories(request).timeline, customer_id, limit, place)
    last = found[-1] if len(found) == limit else None
    return Timeline(entries=found, next=None if last is None else cursors.written(Place(last.at, last.kind, last.id)))


@get("/v1/customers/{customer_id:str}/risks", guards=[needs_token])
async def risks_of(
    request: Asked, customer_id: FromPath[str], limit: Limit = 50, before: FromQuery[str | None] = None
) -> RiskHistory:
    """Each risk that was told in the calls of a customer, with its reasons, a page at a time."""
    place = None if before is None else cursors.read(before, RiskPlace, "before")
    await _seen(request, customer_id)
    found = await asyncio.to_thread(_histories(request).risks, customer_id, limit, place)
    last = found[-1][1] if len(found) == limit else None
    return RiskHistory(risks=[risk for risk, _ in found], next=None if last is None else cursors.written(last))


@get("/v1/customers", guards=[needs(Role.SUPERVISOR)])
async def whose(
    request: Asked,
    phone: FromQuery[str | None] = None,
    email: FromQuery[str | None] = None,
) -> list[str]:
    """Ids of the customers to whom a telephone number in E.164 or an e-mail address belongs."""
    if (phone is None) is (email is None):
        raise HTTPException("expected phone or email, got both or neither", status_code=400)
    kind: IdentityKind = "phone" if phone is not None else "email"
    return list(await asyncio.to_thread(_profiles(request).store.whose, kind, phone or email or ""))


@get("/v1/customers/{customer_id:str}/events", guards=[needs_token])
async def told(
    request: Asked,
    customer_id: FromPath[str],
    ids: Annotated[list[str], QueryParameter(name="id", min_items=1, max_items=100)],
) -> list[CustomerEvent]:
    """
    Events of a customer by their ids, as the evidence of a tag names them: the earliest first, addresses masked.

    Those that are not known, or are another customer's, are left out.
    """
    found = await _seen(request, customer_id)
    events = await asyncio.to_thread(_profiles(request).store.events, found.customer_id, ids)
    if known(request).role in {Role.SUPERVISOR, Role.ADMIN}:
        return events
    return [
        msgspec.structs.replace(one, value=_mask(one.kind, one.value)) if isinstance(one, Identified) else one
        for one in events
    ]


async def ids(us: Office, customer_id: str) -> tuple[str, ...]:
    """All ids of the same customer, this one too."""
    if us.profiles is None:
        return (customer_id,)
    return await asyncio.to_thread(us.profiles.store.same, customer_id)


def masked(found: Profile) -> Profile:
    """With the last four characters of a number, and of an address the domain."""
    return msgspec.structs.replace(found, identities=tuple((kind, _mask(kind, v)) for kind, v in found.identities))


def _mask(kind: str, value: str) -> str:
    return f"•••{value[value.index('@') :] if kind == 'email' and '@' in value else value[-4:]}"


def _profiles(request: Asked) -> Profiles:
    found = office(request.app).profiles
    if found is None:
        raise NotFoundException("expected a gateway that knows customers, got one without a store of them")
    return found


def _histories(request: Asked) -> Histories:
    return Histories(_profiles(request).store, office(request.app).store.engine)


HANDLERS: Final = (tell, customer, told, whose, had_with, risks_of)
