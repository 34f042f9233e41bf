"""What customers are given, over HTTP: asked for by agents, decided by supervisors, kept for ever."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, JSONBody, QueryParameter

from agent_assist.advice.authority import Authority, amount_of
from agent_assist.errors import LedgerError, PlaybookError
from agent_assist.store.ledger import Ledger
from agent_assist.store.ledger import Request as Wish
from agent_assist.store.ledger import State as HowItStands
from agent_assist.types import Compensation
from agent_assist.web.access import known, needs, office
from agent_assist.web.api import find_call, tell_all
from agent_assist.web.passes import Pass, Role

Posted = Request[Any, Any, State]
_STATUS: Final = {"unknown": 404, "forbidden": 403, "conflict": 409}


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something for a customer."""

    key: Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
    """Made by who asks, a new one for each request: sent again, it is answered as before."""
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    amount: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    """Decimal, above zero."""
    currency: Annotated[str, msgspec.Meta(min_length=3, max_length=3)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a supervisor says to it."""

    approve: bool
    note: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class CompensationList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    compensations: Sequence[Compensation]


@post(
    "/v1/calls/{call_id:str}/compensations", guards=[needs(Role.AGENT, Role.SENIOR, Role.SUPERVISOR)], status_code=201
)
async def ask_compensation(request: Posted, call_id: FromPath[str], data: JSONBody[Wanted]) -> Compensation:
    """Ask to give the customer of a call something: granted, refused, or put before a supervisor, by the table."""
    record = await find_call(request, call_id)
    who = _named(request)
    authority, source = await _authority(request, record.attributes.get("tenant"))
    wish = Wish(
        key=data.key,
        call_id=call_id,
        customer_id=record.customer_id,
        tier=record.attributes.get("customer_tier", "")[:64],
        kind=data.kind,
        amount=_amount(data, authority),
        reason=data.reason.replace("\0", ""),
        by=who.name,
        role=who.role.value,
    )
    ledger = Ledger(office(request.app).store.engine)
    return await _told(request, asyncio.to_thread(ledger.ask, wish, authority, source, datetime.now(UTC)))


@post("/v1/compensations/{name:str}/decision", guards=[needs(Role.SUPERVISOR)], status_code=201)
async def decide_compensation(request: Posted, name: FromPath[str], data: JSONBody[Decision]) -> Compensation:
    """Approve or deny somebody else's request, within one's own authority."""
    us, who = office(request.app), _named(request)
    ledger = Ledger(us.store.engine)
    asked = await asyncio.to_thread(ledger.one, name)
    if asked is None:
        raise NotFoundException(f"expected the id of a request, got {name[:40]!r}")
    record = await find_call(request, asked.call_id)
    authority, source = await _authority(request, record.attributes.get("tenant"))
    decided = asyncio.to_thread(
        ledger.decide,
        name,
        approve=data.approve,
        note=data.note.replace("\0", ""),
        by=who.name,
        role=who.role.value,
        authority=authority,
        source=source,
        now=datetime.now(UTC),
    )
    return await _told(request, decided)


@get("/v1/compensations", guards=[needs(Role.SUPERVISOR)])
async def list_compensations(
    request: Posted,
    how: Annotated[HowItStands | None, QueryParameter(name="state")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
) -> CompensationList:
    """What was asked for, the newest first."""
    ledger = Ledger(office(request.app).store.engine)
    return CompensationList(compensations=await asyncio.to_thread(ledger.find, how, limit))


async def _told(request: Posted, made: Any) -> Compensation:
    """What the ledger says, told to all who listen to the call."""
    try:
        compensation: Compensation = await made
    except LedgerError as error:
        raise HTTPException(str(error), status_code=_STATUS[error.kind]) from error
    await tell_all(request, compensation)
    return compensation


async def _authority(request: Posted, tenant: str | None) -> tuple[Authority, str]:
    read = office(request.app).playbook
    if read is None:
        raise HTTPException("there is no playbook here that says what may be given", status_code=503)
    try:
        playbook = await asyncio.to_thread(read, tenant)
    except PlaybookError as error:
        raise HTTPException("the playbook cannot be read just now", status_code=503) from error
    if playbook.compensation is None:
        raise HTTPException("the playbook does not say what may be given", status_code=409)
    return playbook.compensation, playbook.source


def _named(request: Posted) -> Pass:
    """Who asks: what is kept for ever needs a name."""
    who = known(request)
    if not who.name:
        raise PermissionDeniedException("expected a pass with a name, got none")
    return who


def _amount(data: Wanted, authority: Authority) -> str:
    if data.currency != authority.currency:
        raise HTTPException(f"expected {authority.currency}, got {data.currency!r}", status_code=400)
    try:
        amount = amount_of(data.amount, authority.digits)
    except ValueError as error:
        raise HTTPException(str(error), status_code=400) from error
    if not amount:
        raise HTTPException(f"expected an amount above zero, got {data.amount!r}", status_code=400)
    return f"{amount:.{authority.digits}f}"


HANDLERS: Final = (ask_compensation, decide_compensation, list_compensations)
