"""The load of a team over HTTP: a sum over several agents, and nothing of any one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import FromQuery, QueryParameter

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


_HOURS: Final = {"day": 24, "week": 24 * 7}


# Whole hours up to the last one, and a day or a week alone: from one call more or less it could be told whose it was.
@get("/v1/care", guards=[needs(Role.SUPERVISOR)])
async def get_care(
    request: Request[Any, Any, State],
    span: FromQuery[Literal["day", "week"]] = "day",
    queue: Annotated[str | None, QueryParameter(max_length=256)] = None,
) -> TeamCare:
    """The load of all agents, or of a queue's, over the last day or week."""
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    since = until - timedelta(hours=_HOURS[span])
    team = await asyncio.to_thread(Care(office(request.app).store).load, since, until, queue)
    return TeamCare(
        since=since,
        until=until,
        queue=queue,
        least_agents=DEFAULT.least_agents,
        least_hours=DEFAULT.least_hours,
        team=team,
    )


HANDLERS: Final = (get_care,)
