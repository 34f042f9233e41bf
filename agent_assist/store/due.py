"""Which customers are to be looked at, and when, in SQL: an index over the next time of each. Blocking."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, false, func, select, update
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


class Looked(NamedTuple):
    """What a look came to."""

    customer_id: str
    again: datetime | None = None
    """None: not before something is told of them."""
    level: RiskLevel | None = None
    """Of their risk by the profile."""


def look_at(connection: Connection, customers: Collection[str], now: datetime) -> None:
    """Have customers looked at, of whom something was told; before those who wait for longer."""
    if not customers:
        return
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(customer_due)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["customer_id"],
            set_={"due_us": insert.excluded.due_us},
            # An import tells of most customers in many batches: that they are due is written once.
            where=customer_due.c.due_us.is_distinct_from(insert.excluded.due_us),
        ),
        # In one order, so that two who tell of the same customers wait for each other and do not block each other.
        [{"customer_id": one, "due_us": micros(now)} for one in sorted(customers)],
    )


def claim(connection: Connection, now: datetime, most: int) -> list[Look]:
    """
    Customers whose time has come and who are free, those for whom it came last first.

    Who tells something of one of them meanwhile waits for our transaction, and then has them looked at once more.
    """
    c = customer_due.c
    # SQLite locks nothing for a reader: this takes the lock of the writer, and changes nothing.
    connection.execute(update(customer_due).where(false()).values(due_us=None))
    asked = select(customer_due).where(c.due_us <= micros(now)).order_by(c.due_us.desc(), c.customer_id).limit(most)
    return [
        Look(
            row.customer_id,
            None if row.looked_us is None else moment(row.looked_us),
            None if row.level is None else RiskLevel(row.level),
        )
        for row in connection.execute(asked.with_for_update(skip_locked=True))
    ]


def settle(connection: Connection, looked: Sequence[Looked], now: datetime) -> None:
    """Say that customers were looked at, and when they are to be looked at next."""
    if looked:
        c = customer_due.c
        settled = update(customer_due).where(c.customer_id == bindparam("whom"))
        connection.execute(
            settled.values(due_us=bindparam("again"), looked_us=bindparam("now"), level=bindparam("now_level")),
            [
                {
                    "whom": one.customer_id,
                    "again": None if one.again is None else micros(one.again),
                    "now": micros(now),
                    "now_level": None if one.level is None else one.level.value,
                }
                for one in looked
            ],
        )


def put_off(connection: Connection, look: Look, again: datetime) -> None:
    """Say that a customer could not be looked at."""
    put = update(customer_due).where(customer_due.c.customer_id == look.customer_id)
    connection.execute(put.values(due_us=micros(again)))


def waiting(connection: Connection, now: datetime) -> int:
    """How many customers' time has come."""
    asked = select(func.count()).select_from(customer_due).where(customer_due.c.due_us <= micros(now))
    return connection.execute(asked).scalar_one()
