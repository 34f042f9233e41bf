"""What else follows from a message: a task to be done, and what other programs are to be told."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from agent_assist.store.instants import utc
from agent_assist.store.tables import calls, tasks
from agent_assist.types import Assist, CallSynopsis, Card, CardKind, Event, Webhook

Row = dict[str, Any]

EVENTS: Final = ("rule.fired", "alert.raised", "alert.changed", "task.created", "call.summarised")
"""What other programs can be told; the first to the receiver that the rule names alone."""
_HOUR_MS: Final = 3_600_000
_FOUND: Final = tasks.c.task_id == bindparam("task")


class Wanted(NamedTuple):
    """Which receivers there are, and who wants what."""

    names: Collection[str]
    by_event: Mapping[str, Collection[str]]


def task_rows(card: Card) -> list[Row]:
    """Of a card that is to be done later; none of others, and of what is not sure yet."""
    if card.kind is not CardKind.TASK or card.provisional:
        return []
    row: Row = {
        "task_id": card.id,
        "call_id": card.call_id,
        "rule": card.rule,
        "title": plain(card.title),
        "text": plain(card.text),
        "language": card.language,
        "due_ms": None if card.due_hours is None else card.at_ms + round(card.due_hours * _HOUR_MS),
    }
    return [row]


def settle_tasks(connection: Connection, call_ids: Collection[str]) -> None:
    """
    Say whose the tasks of calls are, and when they are due, as far as the start of the call is known.

    Start and card come through two topics, in either order and perhaps to two workers: who holds the call's row sees
    what the other has written, and the later of them settles it.
    """
    held = select(calls.c.call_id, calls.c.started_at, calls.c.agent_id).where(calls.c.call_id.in_(call_ids))
    found = connection.execute(held.with_for_update().order_by(calls.c.call_id))
    begun = {row.call_id: (utc(row.started_at), row.agent_id) for row in found}
    query = select(tasks.c.task_id, tasks.c.call_id, tasks.c.due_ms, tasks.c.due_at, tasks.c.agent_id)
    rows: list[Row] = []
    for task in connection.execute(query.where(tasks.c.call_id.in_(call_ids))):
        start, agent = begun[task.call_id]
        at = utc(task.due_at)
        if at is None and start is not None and task.due_ms is not None:
            at = start + timedelta(milliseconds=task.due_ms)
        if (at, agent) != (utc(task.due_at), task.agent_id):
            rows.append({"task": task.task_id, "at": at, "whose": agent})
    if rows:
        settled = update(tasks).where(_FOUND).values(due_at=bindparam("at"), agent_id=bindparam("whose"))
        connection.execute(settled, rows)


def webhook_rows(message: Event | Assist, wanted: Wanted) -> list[Row]:
    """What receivers are to be told of a message, one row each; to one that is not known, a dead letter."""
    event, name = _event(message)
    if isinstance(message, Webhook):
        known = message.receiver in wanted.names
        receivers: Iterable[str] = [message.receiver] if not known or message.receiver in wanted.by_event[event] else ()
    else:
        receivers, known = wanted.by_event.get(event, ()), True
    now = datetime.now(UTC)
    return [
        {
            "message_id": _id(receiver, event, name),
            "call_id": message.call_id,
            "receiver": receiver,
            "event": event,
            "body": msgspec.json.encode({"type": event, "timestamp": now.isoformat(), "data": message}).decode(),
            "state": "waiting" if known else "dead",
            "due_at": now,
            "created_at": now,
            "error": "" if known else "no receiver of that name is set",
        }
        for receiver in receivers
    ]


def letter_rows(event: str, name: str, data: object, wanted: Wanted, *, customer_id: str, now: datetime) -> list[Row]:
    """
    What receivers are to be told of a customer and no call, one row each.

    Args:
        name: Makes it the same when it comes again.
    """
    return [
        {
            "message_id": _id(receiver, event, name),
            "customer_id": customer_id,
            "receiver": receiver,
            "event": event,
            "body": msgspec.json.encode({"type": event, "timestamp": now.isoformat(), "data": data}).decode(),
            "due_at": now,
            "created_at": now,
        }
        for receiver in wanted.by_event.get(event, ())
    ]


def _event(message: Event | Assist) -> tuple[str, str]:
    """What a message is to others, and what makes it the same when it comes again."""
    match message:
        case Webhook():
            return "rule.fired", message.id
        case Card(kind=CardKind.ALERT, provisional=False):
            return "alert.raised", message.id
        case Card(kind=CardKind.TASK, provisional=False):
            return "task.created", message.id
        case CallSynopsis(over=True):
            return "call.summarised", f"{message.call_id}:{message.rewritten}:{bool(message.rejected)}"
        case _:
            return "", ""


def _id(receiver: str, event: str, name: str) -> str:
    """The same for the same message, however often it is read; without the dot that parts what is signed."""
    return "msg_" + hashlib.sha256(f"{receiver}\0{event}\0{name}".encode()).hexdigest()[:32]


def plain(text: str) -> str:
    """PostgreSQL knows no NUL, and names of customers and products may hold one."""
    return text.replace("\0", "")
