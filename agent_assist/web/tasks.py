"""What is to be done, after calls and of one's own accord, over HTTP."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, put
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from agent_assist.errors import TaskChanged
from agent_assist.store.following import plain
from agent_assist.store.tasks import Place, Task, TaskQuery, Tasks
from agent_assist.store.tasks import State as TaskState
from agent_assist.web.access import known, needs, needs_token, office
from agent_assist.web.customers import ids
from agent_assist.web.passes import Pass, Role
from agent_assist.web.times import asked

_FORMAT: Final = "%Y%m%dT%H%M%S.%fZ"
_NEVER: Final = "never"


class TaskList(msgspec.Struct, frozen=True, kw_only=True):
    """Those due first; those without a time last."""

    tasks: Sequence[Task]
    next: str | None
    """For ``cursor``, where there may be more."""


class TaskChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a task is to be."""

    state: TaskState
    version: int
    """As it was read: where somebody changed it since, nothing is changed."""
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


@get("/v1/tasks", guards=[needs_token])
async def list_tasks(
    request: Request[Any, Any, State],
    *,
    how: Annotated[TaskState | None, QueryParameter(name="state")] = None,
    mine: FromQuery[bool] = False,
    customer_id: Annotated[str | None, QueryParameter(max_length=256)] = None,
    team: Annotated[str | None, QueryParameter(max_length=128)] = None,
    due_before: FromQuery[datetime | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> TaskList:
    """
    Tasks, those due first.

    An agent's are those of their calls and, of those that follow from no call, those of customers with whom they had
    one; a senior sees all of the latter. Others see all, unless they ask for theirs.
    """
    who = known(request)
    due_before = asked(due_before, "due_before")
    us = office(request.app)
    same = () if customer_id is None else await ids(us, customer_id)
    wanted = msgspec.structs.replace(
        _theirs(who, mine=mine), state=how, due_before=due_before, customers=same, team=team
    )
    found = await asyncio.to_thread(Tasks(us.store).find, wanted, limit, _place(cursor))
    return TaskList(tasks=found, next=_next(found, limit))


@put("/v1/tasks/{place:path}", guards=[needs(Role.AGENT, Role.SENIOR, Role.SUPERVISOR)])
async def change_task(request: Request[Any, Any, State], place: FromPath[str], data: JSONBody[TaskChange]) -> Task:
    """Say that a task is done, or is not to be; or open it again."""
    # The id names orders and products of other systems, in which slashes may stand.
    who, tasks, task_id = known(request), Tasks(office(request.app).store), place.removeprefix("/")
    task = await asyncio.to_thread(tasks.task, task_id)
    if task is None:
        raise NotFoundException(f"expected the id of a task, got {task_id[:256]!r}, which is not known")
    theirs = msgspec.structs.replace(_theirs(who, mine=False), task_id=task_id)
    if not await asyncio.to_thread(tasks.find, theirs, 1):
        raise PermissionDeniedException(f"the task {task_id[:256]!r} is another agent's")

    def change() -> Task:
        return tasks.change(
            task_id, state=data.state, version=data.version, by=who.name, at=datetime.now(UTC), note=plain(data.note)
        )

    try:
        return await asyncio.to_thread(change)
    except TaskChanged as error:
        raise HTTPException(str(error), status_code=409) from error


def _theirs(who: Pass, *, mine: bool) -> TaskQuery:
    """What somebody may see, or asks for as theirs."""
    if who.of_agent and not mine:
        return TaskQuery(agent_id=who.name, beside="all" if who.role is Role.SENIOR else "theirs")
    return TaskQuery(agent_id=who.name if mine else None)


def _next(found: Sequence[Task], limit: int) -> str | None:
    if len(found) < limit:
        return None
    last = found[-1]
    return f"{_NEVER if last.due_at is None else last.due_at.strftime(_FORMAT)}~{last.id}"


def _place(cursor: str | None) -> Place | None:
    """
    Of the last task of the page before.

    Raises:
        HTTPException: If it is not as ``next`` gave it.
    """
    if cursor is None:
        return None
    at, _, task_id = cursor.partition("~")
    if at == _NEVER:
        return None, task_id
    try:
        return datetime.strptime(at, _FORMAT).replace(tzinfo=UTC), task_id
    except ValueError as error:
        raise HTTPException(f"expected cursor as `next` gave it, got {cursor[:80]!r}", status_code=400) from error


HANDLERS: Final = (list_tasks, change_task)
