"""Tasks in SQL: after a call from cards of that kind, or of one's own accord. Blocking, like the store."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select, true, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.errors import TaskChanged
from agent_assist.store.acquainted import acquainted
from agent_assist.store.calls import CallStore
from agent_assist.store.following import Wanted, letter_rows, plain
from agent_assist.store.instants import utc
from agent_assist.store.tables import calls, tasks, webhooks

State = Literal["open", "done", "cancelled"]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done."""

    id: str
    """Of the card, or what it is for."""
    call_id: str | None
    """None of what follows from no call."""
    customer_id: str | None
    customer_name: str | None
    agent_id: str | None
    rule: str
    """That gave the card; or the kind of trigger, or what is done for one who may leave."""
    title: str
    text: str
    language: str
    texts: Mapping[str, str] = {}
    """By language, where there are several."""
    team: str = ""
    """Whose it is, where it follows from no call."""
    evidence: tuple[str, ...] = ()
    """Ids of events of the customer."""
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
    """Those of this agent's calls ..."""
    beside: Literal["none", "theirs", "all"] = "none"
    """... and, of those that follow from no call, those of customers with whom they had one, or all."""
    due_before: datetime | None = None
    customers: tuple[str, ...] = ()
    """Ids of the same customer."""
    team: str | None = None
    task_id: str | None = None


class NewTask(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done for a customer that follows from no call."""

    id: str
    customer_id: str
    customer_name: str
    language: str
    rule: str
    titles: Mapping[str, str]
    texts: Mapping[str, str]
    team: str
    evidence: tuple[str, ...]
    due_at: datetime


Place = tuple[datetime | None, str]
"""When a task is due, and its id: the order of the list, those without a time last."""


class Tasks:
    """Made with the cards, by ``CallStore.write``, or by ``add``; changed here."""

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
            rows = _merged(connection, _page(wanted, limit, after, dated=True), limit) if dated else []
            # Those without a time come last.
            if len(rows) < limit and wanted.due_before is None:
                rest = _page(wanted, limit - len(rows), None if dated else after, dated=False)
                rows += _merged(connection, rest, limit - len(rows))
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


def _page(wanted: TaskQuery, limit: int, after: Place | None, *, dated: bool) -> list[Select[Any]]:
    """
    Of those with a time, or of those without one, the next.

    Returns:
        Queries whose rows together, in their order, hold the page: each is read in the order of an index.
    """
    t, place = tasks.c, (tasks.c.due_at, tasks.c.task_id)
    query = _whole().where(t.due_at.is_not(None) if dated else t.due_at.is_(None), *_asked(wanted))
    if after is not None:
        at, task_id = after
        query = query.where(t.task_id > task_id if at is None else tuple_(*place) > (at.astimezone(UTC), task_id))
    parts = [query.where(whose) for whose in _whose(wanted)]
    return [part.order_by(*place).limit(limit) for part in parts]


def _merged(connection: Connection, parts: list[Select[Any]], limit: int) -> list[RowMapping]:
    rows = [row for part in parts for row in connection.execute(part).mappings()]
    # All of them have a time, or none has.
    return sorted(rows, key=lambda row: (row["due_at"] is None or row["due_at"], row["task_id"]))[:limit]


def _whose(wanted: TaskQuery) -> list[ColumnElement[bool]]:
    """All, or those of an agent's calls and of what follows from no call."""
    t = tasks.c
    if wanted.agent_id is None:
        return [true()]
    if wanted.beside == "none":
        return [t.agent_id == wanted.agent_id]
    of_whom = true() if wanted.beside == "all" else t.customer_id.in_(acquainted(wanted.agent_id))
    return [t.agent_id == wanted.agent_id, and_(t.call_id.is_(None), of_whom)]


def _asked(wanted: TaskQuery) -> list[ColumnElement[bool]]:
    t, found = tasks.c, list[ColumnElement[bool]]()
    if wanted.state is not None:
        found.append(t.state == wanted.state)
    if wanted.due_before is not None:
        found.append(t.due_at < wanted.due_before.astimezone(UTC))
    if wanted.customers:
        had = select(calls.c.call_id).where(calls.c.customer_id.in_(wanted.customers))
        found.append(or_(t.customer_id.in_(wanted.customers), t.call_id.in_(had)))
    if wanted.team is not None:
        found.append(t.team == wanted.team)
    if wanted.task_id is not None:
        found.append(t.task_id == wanted.task_id)
    return found


def add(connection: Connection, task: NewTask, now: datetime, wanted: Wanted | None) -> bool:
    """
    Make a task, and what other programs are told of it; whether it is new: of one id there is one for ever.

    Args:
        wanted: Who is told; None where there are no receivers.
    """
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    language = "en" if task.language.startswith("en") else "zh"
    row = {
        "task_id": task.id,
        "customer_id": task.customer_id,
        "customer_name": plain(task.customer_name),
        "rule": task.rule,
        "title": plain(task.titles[language]),
        "text": plain(task.texts[language]),
        "language": language,
        "team": task.team,
        "texts": msgspec.json.encode(task.texts).decode(),
        "evidence": msgspec.json.encode(task.evidence).decode(),
        "due_at": task.due_at.astimezone(UTC),
    }
    inserted = dialect.insert(tasks).values(row).on_conflict_do_nothing().returning(tasks.c.task_id)
    if connection.execute(inserted).first() is None:
        return False
    made = _one(connection, task.id)
    assert made is not None
    if wanted is not None:
        data = {"type": "task", **msgspec.structs.asdict(made)}
        rows = letter_rows("task.created", task.id, data, wanted, customer_id=task.customer_id, now=now)
        if rows:
            connection.execute(dialect.insert(webhooks).on_conflict_do_nothing(), rows)
    return True


def made(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of which there is a task, whatever became of it."""
    asked = select(tasks.c.task_id).where(tasks.c.task_id.in_(ids))
    return set(connection.execute(asked).scalars()) if ids else set()


class Undone(NamedTuple):
    """An open task that follows from no call."""

    task_id: str
    customer_id: str
    rule: str


def undone(connection: Connection, customers: Collection[str]) -> list[Undone]:
    """Those of customers."""
    t = tasks.c
    asked = select(t.task_id, t.customer_id, t.rule).where(
        t.customer_id.in_(customers), t.call_id.is_(None), t.state == "open"
    )
    return [Undone(*row) for row in connection.execute(asked)]


def cancel(connection: Connection, ids: Collection[str], now: datetime, note: str) -> int:
    """Cancel open tasks, as nobody's doing; how many there were."""
    if not ids:
        return 0
    cancelled = update(tasks).where(tasks.c.task_id.in_(ids), tasks.c.state == "open")
    values = {"state": "cancelled", "version": tasks.c.version + 1, "changed_at": now.astimezone(UTC), "note": note}
    return int(connection.execute(cancelled.values(values)).rowcount)


def _whole() -> Select[Any]:
    whose = [func.coalesce(tasks.c[name], calls.c[name]).label(name) for name in ("customer_id", "customer_name")]
    own = [column for column in tasks.c if column.name not in {"customer_id", "customer_name"}]
    return select(*own, *whose).outerjoin(calls, calls.c.call_id == tasks.c.call_id)


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
        texts=msgspec.json.decode(row["texts"]),
        team=row["team"],
        evidence=msgspec.json.decode(row["evidence"], type=tuple[str, ...]),
        due_at=utc(row["due_at"]),
        state=row["state"],
        version=row["version"],
        by=row["by"],
        changed_at=utc(row["changed_at"]),
        note=row["note"],
    )
