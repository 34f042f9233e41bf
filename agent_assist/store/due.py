"""Which customers are to be looked at, and when, in SQL: an index over the next time of each. Blocking."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.store.instants import micros, moment
from agent_assist.store.tables import customer_due
from models.types import RiskLevel


class Look(NamedTuple):
    """A customer whose time has come, for as long as the transaction lasts ours alone."""

    customer_id: str
    looked_at: datetime | None
    """The last time; None before the first."""
    level: RiskLevel | None
    """Of their risk by the profile then; None where none was told."""


def look_at(connection: Connection, customers: Collection[str], now: datetime) -> None:
    """Have customers looked at, of whom something was told; before those who wait for longer."""
    if not customers:
        return
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(customer_due)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["customer_id"],
            set_={"due_us": insert.excluded.due_us, "revision": customer_due.c.revision + 1},
        ),
        # In one order, so that two who tell of the same customers wait for each other and do not block each other.
        [{"customer_id": one, "due_us": micros(now)} for one in sorted(customers)],
    )


def claim(connection: Connection, now: datetime) -> Look | None:
    """
    Of the customers whose time has come, the one for whom it came last; None where there is none that is free.

    Who tells something of the customer meanwhile waits for our transaction, and then has them looked at once more.
    """
    c = customer_due.c
    asked = select(customer_due).where(c.due_us <= micros(now)).order_by(c.due_us.desc(), c.customer_id).limit(1)
    row = connection.execute(asked.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    # SQLite locks nothing for a reader: another process may have been quicker.
    mine = update(customer_due).where(c.customer_id == row.customer_id, c.revision == row.revision)
    if connection.execute(mine.values(revision=row.revision + 1)).rowcount != 1:
        return None
    looked_at = None if row.looked_us is None else moment(row.looked_us)
    return Look(row.customer_id, looked_at, None if row.level is None else RiskLevel(row.level))


def settle(
    connection: Connection, look: Look, now: datetime, again: datetime | None, level: RiskLevel | None = None
) -> None:
    """
    Say that a customer was looked at, and when they are to be looked at next.

    Args:
        again: None: not before something is told of them.
        level: Of their risk by the profile.
    """
    values = {
        "due_us": None if again is None else micros(again),
        "looked_us": micros(now),
        "level": None if level is None else level.value,
    }
    connection.execute(update(customer_due).where(customer_due.c.customer_id == look.customer_id).values(values))


def put_off(connection: Connection, look: Look, again: datetime) -> None:
    """Say that a customer could not be looked at."""
    put = update(customer_due).where(customer_due.c.customer_id == look.customer_id)
    connection.execute(put.values(due_us=micros(again)))


def waiting(connection: Connection, now: datetime) -> int:
    """How many customers' time has come."""
    asked = select(func.count()).select_from(customer_due).where(customer_due.c.due_us <= micros(now))
    return connection.execute(asked).scalar_one()
