"""Customers over the API: what other systems tell of them, and what is known of one."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody

from agent_assist.customer.events import CustomerEvent, IdentityKind
from agent_assist.customer.profile import Profile
from agent_assist.store.profiles import Profiles
from agent_assist.store.tables import calls
from agent_assist.web.access import Office, known, needs, needs_token, office
from agent_assist.web.passes import Role

MOST: Final = 1_000
"""Events of one request."""

Asked = Request[Any, Any, State]


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
    profiles = _profiles(request)
    if at is not None and at.tzinfo is None:
        raise HTTPException("expected a time with its offset in at, got one without", status_code=400)
    found = await asyncio.to_thread(profiles.of, customer_id, datetime.now(UTC), at)
    who = known(request)
    if found is not None and who.of_agent:
        theirs = [calls.c.customer_id.in_((customer_id, *found.ids))]
        lines = partial(office(request.app).store.calls, agent_id=who.name, limit=1, where=theirs)
        found = found if await asyncio.to_thread(lines) else None
    if found is None:
        raise NotFoundException(f"expected a customer of whom something was told, got {customer_id[:128]!r}")
    return found if who.role in {Role.SUPERVISOR, Role.ADMIN} else masked(found)


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


async def ids(us: Office, customer_id: str) -> tuple[str, ...]:
    """All ids of the same customer, this one too."""
    if us.profiles is None:
        return (customer_id,)
    return await asyncio.to_thread(us.profiles.store.same, customer_id)


def masked(found: Profile) -> Profile:
    """With the last four characters of a number, and of an address the domain."""
    shown = tuple(
        (kind, f"•••{value[value.index('@') :] if kind == 'email' and '@' in value else value[-4:]}")
        for kind, value in found.identities
    )
    return msgspec.structs.replace(found, identities=shown)


def _profiles(request: Asked) -> Profiles:
    found = office(request.app).profiles
    if found is None:
        raise NotFoundException("expected a gateway that knows customers, got one without a store of them")
    return found


HANDLERS: Final = (tell, customer, whose)
