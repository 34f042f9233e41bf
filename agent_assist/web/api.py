"""The API over HTTP."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agent_assist.call.record import summary
from agent_assist.types import Assist, CallRecord, CallSummary, CardFeedback, Event, FeedbackAction
from agent_assist.web.access import known, needs, needs_token, needs_token_from_afar, office
from agent_assist.web.listener import Message
from agent_assist.web.live import Snapshot
from agent_assist.web.passes import Pass, Role, issue, lasting

_PUBLISH_S: Final = 5.0
Status = Literal["live", "ended", "lost"]


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest calls first."""

    calls: Sequence[CallSummary]
    next: str | None
    """For ``before``, where there may be more."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent thought of a card."""

    action: FeedbackAction
    agent_id: Annotated[str, msgspec.Meta(max_length=256)] | None = None


@get("/v1/calls", guards=[needs_token])
async def list_calls(
    request: Request[Any, Any, State],
    status: FromQuery[Status | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
    before: Annotated[str | None, QueryParameter(max_length=256)] = None,
) -> CallList:
    """The newest calls first, a page at a time."""
    us, who = office(request.app), known(request)
    cursor = cursor_of(before)
    agent_id = who.name if who.of_agent else None
    stored = await asyncio.to_thread(us.store.calls, status=status, agent_id=agent_id, limit=limit, before=cursor)
    lines = _with_live(
        [record for record in us.live.records() if who.may_see(record.agent_id)], stored, status, cursor, limit
    )
    return CallList(calls=lines, next=next_page(lines, limit))


def next_page(lines: Sequence[CallSummary], limit: int) -> str | None:
    """What ``before`` is to be for the page after; None where this is the last."""
    last = lines[-1] if len(lines) == limit else None
    return None if last is None else f"{last.started_at:%Y%m%dT%H%M%S.%fZ}~{last.call_id}"


def _with_live(
    records: Sequence[CallRecord],
    stored: Sequence[CallSummary],
    status: Status | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[CallSummary]:
    """A page of the store, with what is newer here than there."""
    newer = {line.call_id: line for record in records if (line := summary(record)) is not None}
    lines = {line.call_id: newer.pop(line.call_id, line) for line in stored}
    oldest = (stored[-1].started_at, stored[-1].call_id) if len(stored) == limit else None
    for line in newer.values():
        place = (line.started_at, line.call_id)
        if (before is None or place < before) and (oldest is None or place > oldest):
            lines[line.call_id] = line
    fitting = [line for line in lines.values() if status is None or line.status == status]
    return sorted(fitting, key=lambda line: (line.started_at, line.call_id), reverse=True)[:limit]


def cursor_of(before: str | None) -> tuple[datetime, str] | None:
    """
    Start and id of the last call of the page before.

    Raises:
        HTTPException: If it is not as ``next_page`` gave it.
    """
    if before is None:
        return None
    at, _, call_id = before.partition("~")
    try:
        return datetime.strptime(at, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC), call_id
    except ValueError as error:
        raise HTTPException(f"expected before as `next` gave it, got {before[:80]!r}", status_code=400) from error


async def find_call(request: Request[Any, Any, State], call_id: str) -> CallRecord:
    """
    A call, for who asks.

    Raises:
        NotFoundException: If it is not known.
        PermissionDeniedException: If it is another agent's, and not theirs to see.
    """
    us, who = office(request.app), known(request)
    record = us.live.record(call_id) or await asyncio.to_thread(us.store.call, call_id)
    if record is None:
        raise NotFoundException(f"expected the id of a call, got {call_id[:128]!r}, which is not known")
    if not who.may_see(record.agent_id):
        raise PermissionDeniedException(f"the call {call_id[:128]!r} is another agent's")
    return record


@get("/v1/calls/{call_id:str}", guards=[needs_token])
async def get_call(request: Request[Any, Any, State], call_id: FromPath[str]) -> CallRecord:
    """One call, whole."""
    return await find_call(request, call_id)


@post("/v1/calls/{call_id:str}/cards/{card_id:str}/feedback", guards=[needs_token], status_code=202)
async def give_feedback(
    request: Request[Any, Any, State], call_id: FromPath[str], card_id: FromPath[str], data: JSONBody[Feedback]
) -> None:
    """What the agent thought of a card."""
    record = await find_call(request, call_id)
    if all(card.id != card_id for card in record.cards):
        raise NotFoundException(f"expected a card of the call {call_id[:128]!r}, got {card_id[:256]!r}")
    who = known(request)
    opinion = CardFeedback(
        call_id=call_id,
        card_id=card_id,
        action=data.action,
        at=datetime.now(UTC),
        agent_id=who.name if who.of_agent else data.agent_id,
    )
    await tell_all(request, opinion)


async def tell_all(request: Request[Any, Any, State], message: Assist) -> None:
    """
    Publish what somebody did.

    Raises:
        HTTPException: If it could not be passed on.
    """
    try:
        async with asyncio.timeout(_PUBLISH_S):
            await office(request.app).publish(message)
    except TimeoutError as error:
        raise HTTPException("it could not be passed on just now; try again", status_code=503) from error


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pass that is asked for."""

    role: Role
    name: Annotated[str, msgspec.Meta(max_length=256)] = ""
    """Of an agent their id, as the telephone side gives it with their calls."""
    hours: float = 12.0


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """A pass, in the place of the gateway's token wherever that is asked for."""

    token: str
    role: Role
    name: str
    expires_at: int


SCHEMAS: Final[Mapping[str, Any]] = {
    "call": CallRecord,
    "call-summary": CallSummary,
    "event": Event,
    "assist": Assist,
    "snapshot": Snapshot,
    "live-message": Message,
    "pass": Granted,
}
"""What ``/schemas`` tells the shape of."""


@post("/v1/passes", guards=[needs()], status_code=201)
async def grant_pass(request: Request[Any, Any, State], data: JSONBody[Wanted]) -> Granted:
    """A pass for somebody, as a CRM asks for it that shows them the overlay."""
    try:
        who = lasting(data.role, data.name, data.hours)
    except ValueError as error:
        raise HTTPException(str(error), status_code=400) from error
    assert who.expires_at is not None, "it was made to last"
    return Granted(token=issue(office(request.app).token, who), role=who.role, name=who.name, expires_at=who.expires_at)


@get("/v1/me", guards=[needs_token], sync_to_thread=False)
def get_me(request: Request[Any, Any, State]) -> Pass:
    """Who one is here, for a page that shows no more than one may do."""
    return known(request)


@get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
def healthz() -> str:
    """The process answers."""
    return "ok\n"


@get("/readyz", media_type=MediaType.TEXT, sync_to_thread=False)
def readyz(request: Request[Any, Any, State]) -> Response[str]:
    """Calls are taken."""
    ready = office(request.app).ready()
    return Response("ready\n" if ready else "starting\n", status_code=200 if ready else 503)


@get("/metrics", media_type=MediaType.TEXT, guards=[needs_token_from_afar], sync_to_thread=False)
def metrics() -> Response[bytes]:
    """Of this process, for Prometheus; without a token from this machine alone."""
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


@get("/schemas/{name:str}", guards=[needs_token], sync_to_thread=False)
def get_schema(name: FromPath[str]) -> dict[str, Any]:
    """JSON Schemas of what goes over API and topics: ``call.json``, ``event.json`` ..."""
    kind = SCHEMAS.get(name.removesuffix(".json"))
    if kind is None:
        known = ", ".join(f"{known}.json" for known in SCHEMAS)
        raise NotFoundException(f"expected one of {known}, got {name[:80]!r}")
    return msgspec.json.schema(kind)


@get("/openapi.json", guards=[needs_token], include_in_schema=False, sync_to_thread=False)
def get_openapi(request: Request[Any, Any, State]) -> dict[str, Any]:
    """The API, described."""
    return request.app.openapi_schema.to_schema()


HANDLERS: Final = (
    list_calls,
    get_call,
    give_feedback,
    grant_pass,
    get_me,
    healthz,
    readyz,
    metrics,
    get_schema,
    get_openapi,
)
