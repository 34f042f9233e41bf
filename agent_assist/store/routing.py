"""The roster of agents, the hints that were given, and who took the calls, in SQL. Blocking, like the store."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.routing.types import Agent, RoutingHint
from agent_assist.store.tables import calls, roster, routing_hints

_ROW = routing_hints.c
_AT_ONCE: Final = 500


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """How often calls were taken by whom the last hint on each named."""

    calls: int
    """With a hint, and of which it is known who took them."""
    first: float | None
    """Taken by the agent who was named first; None without calls, as below."""
    named: float | None
    """Taken by one of those who were named."""
    needs_met: float | None
    """Taken by one who met all needs of the matter: language, certificate, skill, experience."""


class Given(NamedTuple):
    """A hint, and who of all agents met every need of the matter then, free or not."""

    hint: RoutingHint
    able: tuple[str, ...]


class Routing:
    """
    Roster and hints.

    Args:
        engine: Of a store whose tables are up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def agents(self) -> list[Agent]:
        """All of the roster, by id."""
        with self._engine.connect() as connection:
            bodies = connection.scalars(select(roster.c.body).order_by(roster.c.agent_id)).all()
        return [_agent(body) for body in bodies]

    def replace(self, agents: Iterable[Agent]) -> None:
        """Make these the whole roster."""
        rows = [_row(one) for one in agents]
        with self._engine.begin() as connection:
            connection.execute(delete(roster))
            if rows:
                self._keep(connection, rows)

    def put(self, agent: Agent) -> None:
        """Keep one agent as they are now."""
        with self._engine.begin() as connection:
            self._keep(connection, [_row(agent)])

    def _keep(self, connection: Connection, rows: list[dict[str, str]]) -> None:
        """Also where another does so at the same moment."""
        dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
        added = dialect.insert(roster)
        told = added.on_conflict_do_update(index_elements=["agent_id"], set_={"body": added.excluded.body})
        connection.execute(told, rows)

    def remove(self, agent_id: str) -> bool:
        """Take an agent from the roster; whether they were there."""
        with self._engine.begin() as connection:
            return connection.execute(delete(roster).where(roster.c.agent_id == agent_id)).rowcount > 0

    def keep(self, given: Given) -> None:
        """Keep a hint; it is to be sent."""
        hint = given.hint
        row: dict[str, Any] = {
            "hint_id": hint.id,
            "call_id": hint.call_id,
            "at": hint.at.astimezone(UTC),
            "body": msgspec.json.encode(hint).decode(),
            "able": msgspec.json.encode(given.able).decode(),
            "sent": False,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(routing_hints), row)

    def hint(self, call_id: str) -> RoutingHint | None:
        """The latest on a call."""
        asked = select(_ROW.body).where(_ROW.call_id == call_id).order_by(_ROW.at.desc()).limit(1)
        with self._engine.connect() as connection:
            body = connection.scalar(asked)
        return None if body is None else _hint(body)

    def unsent(self, limit: int = 100) -> list[RoutingHint]:
        """Hints that the topic may not have yet, the oldest first."""
        asked = select(_ROW.body).where(_ROW.sent.is_(False)).order_by(_ROW.at, _ROW.hint_id).limit(limit)
        with self._engine.connect() as connection:
            return [_hint(body) for body in connection.scalars(asked)]

    def sent(self, hint_ids: Sequence[str]) -> None:
        """Note that the topic has them."""
        with self._engine.begin() as connection:
            connection.execute(update(routing_hints).where(_ROW.hint_id.in_(hint_ids)).values(sent=True))

    def taken(self, call_id: str, agent_id: str) -> bool:
        """Note who took a call in the end; whether there was a hint on it."""
        with self._engine.begin() as connection:
            told = update(routing_hints).where(_ROW.call_id == call_id).values(taken_by=agent_id)
            return connection.execute(told).rowcount > 0

    def accuracy(self, since: datetime, until: datetime) -> Accuracy:
        """
        Of calls on which a hint was given in this time, by the last of those.

        Who took a call is what the telephone side told of it, or else the agent of the call as it came to us.
        """
        by = func.coalesce(_ROW.taken_by, calls.c.agent_id)
        asked = (
            select(_ROW.call_id, _ROW.body, _ROW.able, by.label("by"))
            .join(calls, calls.c.call_id == _ROW.call_id, isouter=True)
            .where(_ROW.at >= since.astimezone(UTC), _ROW.at < until.astimezone(UTC), by.is_not(None))
            .order_by(_ROW.at)
        )
        last: dict[str, tuple[bool, bool, bool]] = {}
        with self._engine.connect() as connection:
            # As a stream: the hints of a month may be more than the memory holds.
            for row in connection.execution_options(yield_per=_AT_ONCE).execute(asked):
                ids = [one.agent_id for one in _hint(row.body).agents]
                able = msgspec.json.decode(row.able, type=list[str])
                last[row.call_id] = (ids[:1] == [row.by], row.by in ids, row.by in able)
        n = len(last)
        if n == 0:
            return Accuracy(calls=0, first=None, named=None, needs_met=None)
        first, named, met = (round(sum(each) / n, 4) for each in zip(*last.values(), strict=True))
        return Accuracy(calls=n, first=first, named=named, needs_met=met)


def _row(agent: Agent) -> dict[str, str]:
    return {"agent_id": agent.id, "body": msgspec.json.encode(agent).decode()}


_agent = msgspec.json.Decoder(Agent).decode
_hint = msgspec.json.Decoder(RoutingHint).decode
