"""Routing over HTTP: the roster, whom a call should go to, who is next, how often hints were right."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, delete, get, post, put
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody

from agent_assist.routing.asking import Asking
from agent_assist.routing.queue import Waiting, next_of
from agent_assist.routing.types import Agent, HintRequest, Id, RoutingHint
from agent_assist.store.routing import Accuracy, Given
from agent_assist.web.access import RoutingDesk, needs, office
from agent_assist.web.passes import Role
from agent_assist.web.times import asked

MOST: Final = 5_000
"""Agents of a roster, and callers who wait."""

_ASKS: Final = needs(Role.SUPERVISOR, Role.SWITCH)
_KEEPS: Final = needs(Role.SUPERVISOR)

Asked = Request[Any, Any, State]


class AgentList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The roster."""

    agents: Annotated[tuple[Agent, ...], msgspec.Meta(max_length=MOST)]


class Queue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Callers who wait."""

    waiting: Annotated[tuple[Waiting, ...], msgspec.Meta(max_length=MOST)]
    overtaken: Annotated[int, msgspec.Meta(ge=0)] = 0
    """As the last answer gave it; 0 at first."""


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be taken."""

    call_id: str | None
    """None where nobody waits."""
    overtaken: int
    """For the next question."""


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who took a call in the end."""

    agent_id: Id


@get("/v1/agents", guards=[_KEEPS])
async def list_agents(request: Asked) -> AgentList:
    """The roster, by id."""
    return AgentList(agents=tuple(await asyncio.to_thread(_desk(request).store.agents)))


@put("/v1/agents", guards=[_KEEPS], request_max_body_size=4_000_000)
async def replace_agents(request: Asked, data: JSONBody[AgentList]) -> AgentList:
    """Make these the whole roster."""
    counted = Counter(one.id for one in data.agents)
    if twice := sorted(one for one, times in counted.items() if times > 1):
        raise HTTPException(f"expected each agent once, got {twice[0]!r} more often", status_code=400)
    await asyncio.to_thread(_desk(request).store.replace, data.agents)
    return AgentList(agents=tuple(sorted(data.agents, key=lambda one: one.id)))


@put("/v1/agents/{agent_id:str}", guards=[_ASKS])
async def put_agent(request: Asked, agent_id: FromPath[str], data: JSONBody[Agent]) -> Agent:
    """One agent as they are now: free, busy, how long."""
    if data.id != agent_id:
        raise HTTPException(f"expected the id {agent_id[:128]!r} of the path, got {data.id!r}", status_code=400)
    await asyncio.to_thread(_desk(request).store.put, data)
    return data


@delete("/v1/agents/{agent_id:str}", guards=[_KEEPS])
async def remove_agent(request: Asked, agent_id: FromPath[str]) -> None:
    """Take an agent from the roster."""
    if not await asyncio.to_thread(_desk(request).store.remove, agent_id):
        raise NotFoundException(f"expected an agent of the roster, got {agent_id[:128]!r}")


@post("/v1/routing/hint", guards=[_ASKS], status_code=200)
async def hint(request: Asked, data: JSONBody[HintRequest]) -> RoutingHint:
    """Whom a call should go to, how urgent it is and why; the topic is told, too."""
    desk, us = _desk(request), office(request.app)

    def answer() -> RoutingHint:
        asking = Asking(desk.policy, us.profiles, desk.read)
        found, able = asking.answer(data, desk.store.agents(), datetime.now(UTC))
        desk.store.keep(Given(found, able))
        return found

    found = await asyncio.to_thread(answer)
    desk.given()
    return found


@get("/v1/routing/hints/{call_id:str}", guards=[_ASKS])
async def last_hint(request: Asked, call_id: FromPath[str]) -> RoutingHint:
    """The latest hint on a call."""
    found = await asyncio.to_thread(_desk(request).store.hint, call_id)
    if found is None:
        raise NotFoundException(f"expected a call with a hint, got {call_id[:128]!r}")
    return found


@put("/v1/routing/hints/{call_id:str}/agent", guards=[_ASKS], status_code=204)
async def taken(request: Asked, call_id: FromPath[str], data: JSONBody[Taken]) -> None:
    """Tell who took a call in the end, where its audio does not come to us with its agent."""
    if not await asyncio.to_thread(_desk(request).store.taken, call_id, data.agent_id):
        raise NotFoundException(f"expected a call with a hint, got {call_id[:128]!r}")


@post("/v1/routing/next", guards=[_ASKS], status_code=200, request_max_body_size=1_000_000)
async def next_caller(request: Asked, data: JSONBody[Queue]) -> Next:
    """Who of those who wait is to be taken next; nothing is kept."""
    found = next_of(data.waiting, data.overtaken, _desk(request).policy)
    return Next(call_id=None, overtaken=0) if found is None else Next(call_id=found[0].call_id, overtaken=found[1])


@get("/v1/routing/accuracy", guards=[_KEEPS])
async def accuracy(
    request: Asked, since: FromQuery[datetime | None] = None, until: FromQuery[datetime | None] = None
) -> Accuracy:
    """How often calls were taken by whom hints named, of the last 30 days or of a time."""
    end = asked(until, "until") or datetime.now(UTC)
    begin = asked(since, "since") or end - timedelta(days=30)
    return await asyncio.to_thread(_desk(request).store.accuracy, begin, end)


def _desk(request: Asked) -> RoutingDesk:
    found = office(request.app).routing
    if found is None:
        raise NotFoundException("expected a gateway that gives hints, got one that does not")
    return found


HANDLERS: Final = (
    list_agents,
    replace_agents,
    put_agent,
    remove_agent,
    hint,
    last_hint,
    taken,
    next_caller,
    accuracy,
)
