"""Who may come in: the token or a pass, the name asked for, the page that asks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Guard, Receive, Scope, Send

from agent_assist.advice.playbook import Playbook
from agent_assist.advice.tenants import Shelved
from agent_assist.customer.events import CustomerEvent
from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.quality.replay import Replayed
from agent_assist.routing.policy import Policy
from agent_assist.store.alerts import Alerts
from agent_assist.store.callers import Callers
from agent_assist.store.calls import CallStore
from agent_assist.store.profiles import Profiles
from agent_assist.store.recordings import Recordings
from agent_assist.store.routing import Routing
from agent_assist.store.trials import Trials
from agent_assist.types import Assist, CallRecord, CustomerKnown, Event
from agent_assist.web.live import Live
from agent_assist.web.passes import Pass, Role, read
from agent_assist.web.problem import problem
from models.reading import Read

PROTOCOL: Final = "warmline.v1"
"""Subprotocol of the live channel."""
_OPEN: Final = ("/healthz", "/readyz")
"""A probe asks by address."""

Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class RoutingDesk:
    """What hints at who should take a call are made with."""

    policy: Policy
    store: Routing
    read: Callable[[str], Read]
    """What a text means; blocks."""
    given: Callable[[], None]
    """Called when a hint is kept that the topic is to be told."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the doors work with."""

    store: CallStore
    live: Live
    token: str
    """Of the gateway; every pass is signed with it."""
    publish: Callable[[Assist], Awaitable[None]]
    """Tells all what somebody thought or said."""
    tell: Callable[[CustomerEvent], Awaitable[None]]
    """Tells what was said of a customer."""
    know: Callable[[CustomerKnown], Awaitable[None]]
    """Tells who the customer of a running call is."""
    ready: Callable[[], bool]
    """Whether calls are taken."""
    recordings: Recordings | None = None
    """None where no sound is kept."""
    replay: Callable[[CallRecord, Sequence[Event]], Replayed] | None = None
    """Runs the rules as they are now on a stored call; blocks."""
    knowledge: tuple[KnowledgeBase, KnowledgeIndex] | None = None
    """What agents can look up."""
    profiles: Profiles | None = None
    """Who the customers are."""
    callers: Callers | None = None
    """Who is on the calls that run."""
    alerts: Alerts | None = None
    """Of customers who may leave."""
    trials: Trials | None = None
    """Of what is done of its own accord."""
    playbook: Callable[[str | None], Playbook] | None = None
    """Reads a tenant's, as it is now; blocks."""
    playbooks: Callable[[], Sequence[Shelved]] | None = None
    """Those in force, of all tenants; blocks."""
    routing: RoutingDesk | None = None
    """None where no hints are given."""
    origins: frozenset[str] = frozenset()
    """Of the pages elsewhere that hold a component of ours, as ``https://crm.example``."""


def office(app: Litestar) -> Office:
    """What the application was made with."""
    found = app.state.office
    assert isinstance(found, Office)
    return found


def whose(connection: Connection) -> Pass | None:
    """Who comes in, by the header, or by a subprotocol as browsers have to; None where it is nobody known."""
    kind, _, given = connection.headers.get("authorization", "").partition(" ")
    offered = [given.strip()] if kind.lower() == "bearer" else []
    protocols: Any = connection.scope.get("subprotocols", ())
    offered += [name.removeprefix("token.") for name in protocols if name.startswith("token.")]
    token = office(connection.app).token
    return next((found for each in offered if (found := read(token, each)) is not None), None)


def known(connection: Connection) -> Pass:
    """
    Who comes in.

    Raises:
        NotAuthorizedException: If nobody known.
    """
    who = whose(connection)
    if who is None:
        raise NotAuthorizedException("expected the header Authorization: Bearer TOKEN with the right token")
    return who


def needs_token(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard of every door for people; the signs of life and the pages, which hold no data, have none."""
    who = known(connection)
    if who.role is Role.SWITCH:
        raise PermissionDeniedException(f"expected the pass of a person, got that of a {who.role}")


def needs(*roles: Role) -> Guard:
    """Guard of what some roles alone may do; an admin always may."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        who = known(connection)
        if who.role not in {*roles, Role.ADMIN}:
            raise PermissionDeniedException(f"expected the role {' or '.join(roles)}, got {who.role}")

    return guard


def needs_token_from_afar(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of what may be read on this machine."""
    if connection.client is None or not _is_loopback(connection.client.host):
        needs_token(connection, handler)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_known_origin(connection: Connection) -> bool:
    """A browser says where its page is from: a page elsewhere must not listen, whatever token it has guessed."""
    origin = connection.headers.get("origin")
    if origin is None or origin in office(connection.app).origins:
        return True
    return origin.partition("://")[2].lower() == connection.headers.get("host", "").lower()


def host_name(header: str) -> str:
    """The name in a ``Host`` header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def only(hosts: frozenset[str]) -> Callable[[ASGIApp], ASGIApp]:
    """Refuse requests for another name: a page elsewhere whose name was made to point here."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def check(scope: Scope, receive: Receive, send: Send) -> None:
            if host_name(Headers.from_scope(scope).get("host", "")) in hosts or scope.get("path") in _OPEN:
                await app(scope, receive, send)
            elif scope["type"] == ScopeType.WEBSOCKET:
                await send({"type": "websocket.close", "code": 4400, "reason": "unknown host"})
            else:
                request: Request[Any, Any, Any] = Request(scope)
                answer: Response[Any] = problem(400, "expected a known name in the header Host")
                await answer.to_asgi_response(None, request)(scope, receive, send)

        return check

    return wrap
