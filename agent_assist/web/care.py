"""The load of a team over HTTP: a sum over several agents, and nothing of any one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import QueryParameter

from agent_assist.call.care import DEFAULT, TeamLoad
from agent_assist.store.care import Care
from agent_assist.web.access import needs, office
from agent_assist.web.passes import Role


class TeamCare(msgspec.Struct, frozen=True, kw_only=True):
    """How much anger and abuse a team was exposed to."""

    since: datetime
    until: datetime
    queue: str | None
    least_agents: int
    """Of fewer agents ..."""
    least_hours: float
    """... or hours of calls nothing is told."""
    team: TeamLoad | None


# Not less than a shift: from one hour more or less it could be told whose call it was.
@get("/v1/care", guards=[needs(Role.SUPERVISOR)])
async def get_care(
    request: Request[Any, Any, State],
    hours: Annotated[int, QueryParameter(ge=8, le=24 * 31)] = 24,
    queue: Annotated[str | None, QueryParameter(max_length=256)] = None,
) -> TeamCare:
    """The load of all agents, or of a queue's, over the last so many hours."""
    until = datetime.now(UTC)
    since = until - timedelta(hours=hours)
    team = await asyncio.to_thread(Care(office(request.app).store).load, since, queue)
    return TeamCare(
        since=since,
        until=until,
        queue=queue,
        least_agents=DEFAULT.least_agents,
        least_hours=DEFAULT.least_hours,
        team=team,
    )


HANDLERS: Final = (get_care,)
