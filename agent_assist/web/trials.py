"""Trials over HTTP, for supervisors."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from agent_assist.store.trials import TrialSeen
from agent_assist.web.access import needs, office
from agent_assist.web.passes import Role
from agent_assist.web.times import asked


@get("/v1/trials/{trial_id:str}", guards=[needs(Role.SUPERVISOR)])
async def trial(
    request: Request[Any, Any, State], trial_id: FromPath[str], at: FromQuery[datetime | None] = None
) -> TrialSeen:
    """What came of a trial until now, or as of a time; valid however often it is asked."""
    trials, now = office(request.app).trials, asked(at, "at") or datetime.now(UTC)
    found = None if trials is None else await asyncio.to_thread(trials.show, trial_id, now)
    if found is None:
        raise NotFoundException(f"expected a trial that is set, or was begun, got {trial_id[:128]!r}")
    return found


HANDLERS: Final = (trial,)
