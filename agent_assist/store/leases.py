"""Which of several processes does what one alone is to do, in SQL. Blocking."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, or_
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.store.tables import leases


def hold(engine: Engine, name: str, holder: str, now: datetime, lease: timedelta) -> bool:
    """
    Whether this process is the one, for so long; who holds it goes on holding it, and who dies loses it.

    Clocks of machines differ, so for a moment two may hold it: what they do must bear that.
    """
    dialect: Any = sqlite if engine.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(leases).values(name=name, holder=holder, until=now + lease)
    taken = insert.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
        where=or_(leases.c.holder == holder, leases.c.until < now),
    ).returning(leases.c.name)
    with engine.begin() as connection:
        return connection.execute(taken).first() is not None


def release(engine: Engine, name: str, holder: str) -> None:
    """Give it back, where it is ours."""
    with engine.begin() as connection:
        connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
