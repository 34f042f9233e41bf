"""Who it is that calls, where the number does not say it: those it may be, and the one that the agent picks."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, JSONBody

from agent_assist.store.callers import Callers, Line
from agent_assist.types import CustomerKnown
from agent_assist.web.access import known, needs_token, office
from agent_assist.web.api import find_call
from agent_assist.web.customers import ids
from agent_assist.web.passes import Role

_PUBLISH_S: Final = 5.0

Asked = Request[Any, Any, State]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A customer who may be the one that calls."""

    customer_id: str
    name: str
    """For all but supervisors its first character."""
    tier: str
    region: str
    last_contact: datetime | None
    last_issue: str


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Those to whom the number belongs, the latest contact first."""

    candidates: Sequence[Candidate]


class Picked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who it is."""

    customer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


@get("/v1/calls/{call_id:str}/candidates", guards=[needs_token])
async def candidates(request: Asked, call_id: FromPath[str]) -> Candidates:
    """Who may be calling, where the number belongs to several customers."""
    record = await find_call(request, call_id)
    full = known(request).role in {Role.SUPERVISOR, Role.ADMIN}
    found = [await asyncio.to_thread(_candidate, request, one, full=full) for one in _named(record.attributes)]
    # Two of them may have turned out to be one.
    there = {one.customer_id: one for one in found if one is not None}.values()
    oldest = datetime.min.replace(tzinfo=UTC)
    return Candidates(candidates=sorted(there, key=lambda one: one.last_contact or oldest, reverse=True))


@post("/v1/calls/{call_id:str}/customer", guards=[needs_token], status_code=202)
async def pick(request: Asked, call_id: FromPath[str], data: JSONBody[Picked]) -> None:
    """
    Say who it is that calls: one of the candidates; supervisors may name any customer.

    What is known of them is told to the call, and the call becomes theirs.
    """
    record = await find_call(request, call_id)
    if record.status != "live":
        raise HTTPException("the call is over; whose it was is settled", status_code=409)
    if record.customer_id is not None:
        raise HTTPException("it is known already who calls", status_code=409)
    who, same = known(request), await ids(office(request.app), data.customer_id)
    if not set(same) & set(_named(record.attributes)) and who.role not in {Role.SUPERVISOR, Role.ADMIN}:
        raise PermissionDeniedException("expected one of the customers to whom the number belongs")
    now = datetime.now(UTC)
    found = await asyncio.to_thread(_look, _callers(request), call_id, data.customer_id, now, who.name or who.role)
    if found is None:
        raise NotFoundException(f"expected a customer of whom something was told, got {data.customer_id[:128]!r}")
    try:
        async with asyncio.timeout(_PUBLISH_S):
            await office(request.app).know(found)
    except TimeoutError as error:
        raise HTTPException("it could not be passed on just now; try again", status_code=503) from error


def _named(attributes: dict[str, str]) -> list[str]:
    return [one for one in attributes.get("customers_of_phone", "").split(",") if one]


def _callers(request: Asked) -> Callers:
    found = office(request.app).callers
    if found is None:
        raise NotFoundException("expected a gateway that knows customers, got one without a store of them")
    return found


def _look(callers: Callers, call_id: str, customer_id: str, now: datetime, by: str) -> CustomerKnown | None:
    line: Line | None = callers.line(call_id)
    if line is None:
        # It began a moment ago and is not stored yet.
        raise HTTPException("the call is only just beginning; try again", status_code=503)
    named = msgspec.structs.replace(line, customer_id=customer_id)
    caller = callers.again(named, now, by=by)
    return None if caller is None else CustomerKnown(call_id=call_id, caller=caller, arrived_at=now)


def _candidate(request: Asked, customer_id: str, *, full: bool) -> Candidate | None:
    profiles = office(request.app).profiles
    seen = None if profiles is None else profiles.of(customer_id, datetime.now(UTC))
    if seen is None:
        return None
    last = seen.contacts[0] if seen.contacts else None
    return Candidate(
        customer_id=seen.customer_id,
        name=seen.name if full or not seen.name else f"{seen.name[0]}••",
        tier=seen.tier,
        region=seen.region,
        last_contact=None if last is None else last.at,
        last_issue="" if last is None else last.issue,
    )


HANDLERS: Final = (candidates, pick)
