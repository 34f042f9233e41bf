"""The API, the live channel and the pages."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import structlog
from litestar import Litestar, MediaType, Request, Response, WebSocket, get, post, websocket
from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, State
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException, WebSocketDisconnect
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.params import Parameter
from litestar.response import File
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agent_assist.call.record import summary
from agent_assist.store.calls import CallStore
from agent_assist.types import Assist, CallRecord, CallSummary, CardFeedback, Event, FeedbackAction
from agent_assist.web.live import Listener, Live, Message, Overrun, Snapshot, snapshot

log = structlog.get_logger()

STATIC: Final = Path(__file__).parent / "static"

_PROTOCOL: Final = "warmline.v1"
_PING_S: Final = 15.0
_UNAUTHORISED, _UNKNOWN, _TRY_AGAIN = 4401, 4404, 1013
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'"
    ),
}
SCHEMAS: Final[Mapping[str, Any]] = {
    "call": CallRecord,
    "call-summary": CallSummary,
    "event": Event,
    "assist": Assist,
    "snapshot": Snapshot,
    "live-message": Message,
}
_UNBUILT: Final = "<!doctype html><title>Warmline</title><p>The pages are not built: run <code>make web</code>.</p>"


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest calls first."""

    calls: Sequence[CallSummary]
    next: str | None
    """For ``before``, where there are more."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action: FeedbackAction
    agent_id: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


@dataclass(frozen=True, slots=True)
class Office:
    """What the handlers work with."""

    store: CallStore
    live: Live
    token: str
    feedback: Callable[[CardFeedback], Awaitable[None]]
    ready: Callable[[], bool]


def _is_right(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _authorised(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    kind, _sep, given = connection.headers.get("authorization", "").partition(" ")
    office: Office = connection.app.state.office
    if kind.lower() != "bearer" or not _is_right(given.strip(), office.token):
        raise NotAuthorizedException("expected the header Authorization: Bearer TOKEN with the right token")


@get("/v1/calls", guards=[_authorised])
async def list_calls(
    state: State,
    status: Literal["live", "ended", "lost"] | None = None,
    limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
    before: str | None = None,
) -> CallList:
    """The newest calls first, a page at a time."""
    office: Office = state.office
    lines = await asyncio.to_thread(office.store.calls, status=status, limit=limit, before=_cursor(before))
    following = f"{lines[-1].started_at.isoformat()} {lines[-1].call_id}" if len(lines) == limit else None
    # What is in progress is newer here than in the store.
    now = {line.call_id: line for record in office.live.live() if (line := summary(record)) is not None}
    current = [now.pop(line.call_id, line) for line in lines]
    if before is None and status in (None, "live"):
        current = [*sorted(now.values(), key=lambda line: line.started_at, reverse=True), *current]
    return CallList(calls=current, next=following)


def _cursor(before: str | None) -> tuple[datetime, str] | None:
    if before is None:
        return None
    at, _, call_id = before.partition(" ")
    try:
        return datetime.fromisoformat(at), call_id
    except ValueError as error:
        raise HTTPException(f"expected before as `next` gave it, got {before[:80]!r}", status_code=400) from error


@get("/v1/calls/{call_id:str}", guards=[_authorised])
async def get_call(state: State, call_id: str) -> CallRecord:
    """One call, whole."""
    office: Office = state.office
    record = office.live.record(call_id) or await asyncio.to_thread(office.store.call, call_id)
    if record is None:
        raise NotFoundException(f"expected the id of a call, got {call_id[:128]!r}, which is not known")
    return record


@post("/v1/calls/{call_id:str}/cards/{card_id:str}/feedback", guards=[_authorised], status_code=202)
async def give_feedback(state: State, call_id: str, card_id: str, data: Feedback) -> None:
    """What the agent thought of a card."""
    office: Office = state.office
    record = office.live.record(call_id) or await asyncio.to_thread(office.store.call, call_id)
    if record is None or all(card.id != card_id for card in record.cards):
        raise NotFoundException(f"expected a card of the call {call_id[:128]!r}, got {card_id[:256]!r}")
    await office.feedback(
        CardFeedback(call_id=call_id, card_id=card_id, action=data.action, at=datetime.now(UTC), agent_id=data.agent_id)
    )


@get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
def healthz() -> str:
    """The process answers."""
    return "ok\n"


@get("/readyz", media_type=MediaType.TEXT, sync_to_thread=False)
def readyz(state: State) -> Response[str]:
    """Calls are taken."""
    ready = state.office.ready()
    return Response("ready\n" if ready else "starting\n", status_code=200 if ready else 503)


@get("/metrics", media_type=MediaType.TEXT, sync_to_thread=False)
def metrics() -> Response[bytes]:
    """Of this process, for Prometheus."""
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


@get("/schemas/{name:str}", sync_to_thread=False)
def get_schema(name: str) -> dict[str, Any]:
    """JSON Schemas of what goes over API and topics: ``call.json``, ``event.json`` ..."""
    kind = SCHEMAS.get(name.removesuffix(".json"))
    if kind is None:
        known = ", ".join(f"{known}.json" for known in SCHEMAS)
        raise NotFoundException(f"expected one of {known}, got {name[:80]!r}")
    return msgspec.json.schema(kind)


@get(["/", "/overlay"], include_in_schema=False, sync_to_thread=False)
def page(request: Request[Any, Any, State]) -> Response[str] | File:
    """The list of calls, or the overlay."""
    name = "overlay.html" if request.url.path == "/overlay" else "index.html"
    if not (STATIC / name).is_file():
        return Response(_UNBUILT, media_type=MediaType.HTML, status_code=503)
    return File(STATIC / name, content_disposition_type="inline", media_type=MediaType.HTML)


@websocket("/v1/live")
async def live_channel(socket: WebSocket[Any, Any, State]) -> None:
    """A call (``call=ID`` or ``call=latest``), or the list of calls."""
    office: Office = socket.app.state.office
    offered: list[str] = socket.scope.get("subprotocols", [])
    given = next((name.removeprefix("token.") for name in offered if name.startswith("token.")), "")
    await socket.accept(subprotocols=_PROTOCOL if _PROTOCOL in offered else None)
    if not _same_origin(socket) or not _is_right(given, office.token):
        await socket.close(_UNAUTHORISED, "expected the subprotocol token.TOKEN with the right token")
        return
    wanted = socket.query_params.get("call")
    reading = asyncio.create_task(_until_closed(socket))
    telling = asyncio.create_task(_tell(socket, office, wanted))
    await asyncio.wait({reading, telling}, return_when=asyncio.FIRST_COMPLETED)
    for task in (reading, telling):
        task.cancel()
    for result in await asyncio.gather(reading, telling, return_exceptions=True):
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            log.warning("live_failed", error=type(result).__name__, pii_detail=str(result))


def _same_origin(socket: WebSocket[Any, Any, State]) -> bool:
    """A browser says where its page is from: another site's page must not listen with a token it has guessed."""
    origin = socket.headers.get("origin")
    return origin is None or origin.partition("://")[2] == socket.headers.get("host")


async def _until_closed(socket: WebSocket[Any, Any, State]) -> None:
    """Nothing is expected of the other side but its going."""
    while True:
        await socket.receive_data(mode="text")


async def _tell(socket: WebSocket[Any, Any, State], office: Office, wanted: str | None) -> None:
    try:
        if wanted is None:
            lines = await asyncio.to_thread(office.store.calls, limit=200)
            await _pump(socket, office.live, office.live.listen_all(lines))
        elif wanted == "latest":
            await _follow_latest(socket, office.live)
        else:
            await _one(socket, office, wanted)
    except Overrun:
        await socket.close(_TRY_AGAIN, "read too slowly; come again and resume")


async def _send(socket: WebSocket[Any, Any, State], message: Message) -> None:
    await socket.send_text(msgspec.json.encode(message).decode())


async def _one(socket: WebSocket[Any, Any, State], office: Office, call_id: str) -> None:
    after = socket.query_params.get("after", "0")
    listener = office.live.listen(
        call_id,
        epoch=socket.query_params.get("epoch", ""),
        after=int(after) if after.isascii() and after.isdigit() else 0,
    )
    if listener is not None:
        await _pump(socket, office.live, listener)
        return
    record = await asyncio.to_thread(office.store.call, call_id)
    if record is None:
        await socket.close(_UNKNOWN, "expected the id of a call")
        return
    await _send(socket, Message(kind="snapshot", epoch=office.live.epoch, data=snapshot(record)))
    while True:
        await asyncio.sleep(_PING_S)
        await _send(socket, Message(kind="ping"))


async def _follow_latest(socket: WebSocket[Any, Any, State], hub: Live) -> None:
    """The call that began last; when it has ended and another begins, that one."""
    shown: str | None = None
    waited = 0.0
    while True:
        newest = hub.newest()
        if newest is not None and newest != shown:
            shown = newest
            listener = hub.listen(newest)
            assert listener is not None
            await _pump(socket, hub, listener, until=lambda call_id=newest: _superseded(hub, call_id))
            continue
        if shown is None and waited == 0.0:
            await _send(socket, Message(kind="waiting", epoch=hub.epoch))
        await asyncio.sleep(0.2)
        waited += 0.2
        if waited >= _PING_S:
            waited = 0.2
            await _send(socket, Message(kind="ping"))


def _superseded(hub: Live, call_id: str) -> bool:
    record, newest = hub.record(call_id), hub.newest()
    return (record is None or record.status != "live") and newest is not None and newest != call_id


async def _pump(
    socket: WebSocket[Any, Any, State],
    hub: Live,
    listener: Listener,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Pass on what the listener gets, with a sign of life where that is nothing."""
    quiet = 0.0
    try:
        while not until():
            message = await listener.get(0.5)
            if message is not None:
                quiet = 0.0
                await _send(socket, message)
                continue
            quiet += 0.5
            if quiet >= _PING_S:
                quiet = 0.0
                await _send(socket, Message(kind="ping"))
    finally:
        hub.leave(listener)


def _only(hosts: frozenset[str]) -> Callable[[ASGIApp], ASGIApp]:
    """Refuse requests for another name: a page elsewhere whose name was made to point here."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def check(scope: Scope, receive: Receive, send: Send) -> None:
            name = Headers.from_scope(scope).get("host", "").rpartition(":")[0].strip("[]")
            if name in hosts:
                await app(scope, receive, send)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": _UNAUTHORISED, "reason": "unknown host"})
            else:
                problem = Problem(title="bad request", status=400, detail="expected a known name in the header Host")
                answer = Response(problem, status_code=400, media_type="application/problem+json")
                await answer.to_asgi_response(None, Request(scope))(scope, receive, send)

        return check

    return wrap


def _problem(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Every error in one shape; ours is told without its words."""
    if isinstance(error, HTTPException):
        status, detail = error.status_code, str(error.detail)
        if error.extra:
            detail += f": {error.extra}"
    else:
        log.exception("request_failed", error=type(error).__name__)
        status, detail = 500, "the fault is ours; the log says more"
    title = {400: "bad request", 401: "not authorised", 404: "not found"}.get(status, "error")
    return Response(
        Problem(title=title, status=status, detail=detail[:1_000]),
        status_code=status,
        media_type="application/problem+json",
    )


def application(
    *,
    store: CallStore,
    live: Live,
    token: str,
    feedback: Callable[[CardFeedback], Awaitable[None]],
    ready: Callable[[], bool],
    hosts: Sequence[str],
) -> Litestar:
    """
    The ASGI application.

    Args:
        feedback: Publishes what an agent thought of a card.
        ready: Whether calls are taken.
        hosts: Names under which it may be asked for; others are refused, against rebinding of names.
    """
    office = Office(store=store, live=live, token=token, feedback=feedback, ready=ready)
    handlers: list[Any] = [
        list_calls,
        get_call,
        give_feedback,
        healthz,
        readyz,
        metrics,
        get_schema,
        page,
        live_channel,
    ]
    if STATIC.is_dir():
        handlers.append(
            create_static_files_router(path="/assets", directories=[STATIC / "assets"], include_in_schema=False)
        )
    return Litestar(
        handlers,
        state=State({"office": office}),
        middleware=[] if "0.0.0.0" in hosts else [_only(frozenset(hosts))],  # noqa: S104 - compared, not bound
        exception_handlers={HTTPException: _problem, Exception: _problem},
        openapi_config=OpenAPIConfig(title="Warmline", version="1"),
        request_max_body_size=65_536,
        response_headers=_HEADERS,
        logging_config=None,
    )
