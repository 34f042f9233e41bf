"""Tasks in SQL: what is to be done after a call, from cards of that kind. Blocking, like the store."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, RowMapping, Select, select, tuple_, update

from agent_assist.errors import TaskChanged
from agent_assist.store.calls import CallStore
from agent_assist.store.instants import utc
from agent_assist.store.tables import calls, tasks

State = Literal["open", "done", "cancelled"]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done after a call."""

    id: str
    """Of the card."""
    call_id: str
    customer_id: str | None
    customer_name: str | None
    agent_id: str | None
    rule: str
    title: str
    text: str
    language: str
    due_at: datetime | None
    """UTC; None where the rule says none, or while the start of the call is not known."""
    state: State
    version: int
    """Counted up with each change."""
    by: str
    """Who changed it last; empty where nobody did."""
    changed_at: datetime | None
    note: str


class TaskQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks are looked for by."""

    state: State | None = None
    agent_id: str | None = None
    due_before: datetime | None = None


Place = tuple[datetime | None, str]
"""When a task is due, and its id: the order of the list, those without a time last."""


class Tasks:
    """Made with the cards, by ``CallStore.write``; changed here."""

    def __init__(self, store: CallStore) -> None:
        self._engine = store.engine

    def find(self, wanted: TaskQuery, limit: int = 50, after: Place | None = None) -> list[Task]:
        """
        Those due first.

        Args:
            after: Place of the last task of the page before.
        """
        dated = after is None or after[0] is not None
        with self._engine.connect() as connection:
            rows = list(connection.execute(_page(wanted, limit, after, dated=True)).mappings()) if dated else []
            # Those without a time come last: asked for apart, each part is read in the order of an index.
            if len(rows) < limit and wanted.due_before is None:
                rest = _page(wanted, limit - len(rows), None if dated else after, dated=False)
                rows += connection.execute(rest).mappings()
        return [_task(row) for row in rows]

    def task(self, task_id: str) -> Task | None:
        """One task; None where it is not known."""
        with self._engine.connect() as connection:
            return _one(connection, task_id)

    def change(self, task_id: str, *, state: State, version: int, by: str, at: datetime, note: str = "") -> Task:
        """
        Close a task, or open it again.

        Args:
            version: As it was read.

        Raises:
            TaskChanged: If somebody changed it since, or it is gone.
        """
        with self._engine.begin() as connection:
            done = connection.execute(
                update(tasks)
                .where(tasks.c.task_id == task_id, tasks.c.version == version)
                .values(state=state, version=version + 1, by=by, changed_at=at.astimezone(UTC), note=note)
            )
            now = _one(connection, task_id)
            if done.rowcount != 1 or now is None:
                raise TaskChanged(task_id, version, None if now is None else now.version)
            return now


def _page(wanted: TaskQuery, limit: int, after: Place | None, *, dated: bool) -> Select[Any]:
    """Of those with a time, or of those without one, the next."""
    due, name = tasks.c.due_at, tasks.c.task_id
    query = _whole().where(due.is_not(None) if dated else due.is_(None)).order_by(due, name).limit(limit)
    if wanted.state is not None:
        query = query.where(tasks.c.state == wanted.state)
    if wanted.agent_id is not None:
        query = query.where(tasks.c.agent_id == wanted.agent_id)
    if wanted.due_before is not None:
        query = query.where(due < wanted.due_before.astimezone(UTC))
    if after is not None:
        at, task_id = after
        query = query.where(name > task_id if at is None else tuple_(due, name) > (at.astimezone(UTC), task_id))
    return query


def _whole() -> Select[Any]:
    of_call = (calls.c.customer_id, calls.c.customer_name)
    return select(tasks, *of_call).join(calls, calls.c.call_id == tasks.c.call_id)


def _one(connection: Connection, task_id: str) -> Task | None:
    row = connection.execute(_whole().where(tasks.c.task_id == task_id)).mappings().first()
    return None if row is None else _task(row)


def _task(row: RowMapping) -> Task:
    return Task(
        id=row["task_id"],
        call_id=row["call_id"],
        customer_id=row["customer_id"],
        customer_name=row["customer_name"],
        agent_id=row["agent_id"],
        rule=row["rule"],
        title=row["title"],
        text=row["text"],
        language=row["language"],
        due_at=utc(row["due_at"]),
        state=row["state"],
        version=row["version"],
        by=row["by"],
        changed_at=utc(row["changed_at"]),
        note=row["note"],
    )
