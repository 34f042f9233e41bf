"""Who is on the calls that run, from what is told of customers. Blocking: run it in a thread beside an event loop."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, Select, and_, or_, select

from agent_assist.call.before import OFFERS, written
from agent_assist.customer.caller import Caller, Running, given_of, several
from agent_assist.store.instants import utc
from agent_assist.store.offered import offered
from agent_assist.store.profiles import Profiles
from agent_assist.store.tables import callers, calls, customer_links
from agent_assist.types import CallStarted, CustomerKnown

_MOST_NAMED: Final = 5
_LONGEST: Final = timedelta(hours=24)
"""A call that is told to run for longer has lost its end."""
_AT_ONCE: Final = 500
"""Customers of one statement: databases take so many parameters, and an import tells of more."""
_NEXT: Final = timedelta(microseconds=1)
_RUNS: Final = and_(calls.c.status == "live", calls.c.started_at.is_not(None))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A call that runs, as far as who calls is concerned."""

    call_id: str
    started_at: datetime
    customer_id: str | None
    given: dict[str, str]
    """What the telephone side told."""
    known: Caller | None
    """As it was told last."""


class Callers:
    """
    Looks at who is on a call, at ring and again.

    Args:
        engine: Of the calls.
    """

    def __init__(self, profiles: Profiles, engine: Engine) -> None:
        self._profiles = profiles
        self._engine = engine

    def at_ring(self, customer_id: str | None, given: dict[str, str], at: datetime) -> Caller | None:
        """By the customer's id, or by the attribute ``phone`` where it belongs to one customer; None of strangers."""
        phone = given.get("phone", "")
        if customer_id is None and phone:
            found = self._profiles.store.whose("phone", phone)
            if len(found) > 1:
                return several(found[:_MOST_NAMED], at)
            customer_id = found[0] if found else None
        return None if customer_id is None else self._look(customer_id, given, at, at)

    def again(self, line: Line, now: datetime, said: tuple[str, ...] | None = None, *, by: str = "") -> Caller | None:
        """
        Who is on a call, by now.

        Args:
            said: Signals that its customer has given; None for those that are known to be counted.
            by: Of who picked them.
        """
        picked = by or ("" if line.known is None else line.known.by)
        if line.known is not None:
            # The clock by which a call began may be ahead of ours, and of two looks the later by its time holds.
            now = max(now, line.known.at + _NEXT)
        if line.customer_id is None:
            return self.at_ring(None, line.given, now)
        running = Running(
            call_id=line.call_id,
            direction="out" if line.given.get("direction") == "out" else "in",
            issue=line.given.get("issue", ""),
            said=said if said is not None else () if line.known is None else line.known.said,
        )
        found = self._look(line.customer_id, line.given, now, line.started_at, running)
        return None if found is None else msgspec.structs.replace(found, by=picked)

    def same(self, customer_id: str) -> tuple[str, ...]:
        """All ids that are the same person now, this one too."""
        return self._profiles.store.same(customer_id)

    def line(self, call_id: str) -> Line | None:
        """A call that runs; None where it does not."""
        with self._engine.connect() as connection:
            query = select(calls).where(calls.c.call_id == call_id, _RUNS)
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            k = callers.c
            last = select(k.body).where(k.call_id == call_id).order_by(k.at_us.desc()).limit(1)
            return _line(row, connection.execute(last).scalar_one_or_none())

    def running(self, now: datetime) -> list[str]:
        """Ids of all calls that run."""
        with self._engine.connect() as connection:
            return [row.call_id for row in connection.execute(_running(now))]

    def concerned(self, customers: Collection[str], now: datetime) -> list[str]:
        """Ids of the calls that run with one of these customers, under whichever of their ids."""
        with self._engine.connect() as connection:
            known = _running(now).where(calls.c.customer_id.is_not(None))
            if connection.execute(known.limit(1)).first() is None:
                return []
            told, found = list(customers), dict[str, None]()
            for begin in range(0, len(told), _AT_ONCE):
                ids = sorted(self._persons(connection, told[begin : begin + _AT_ONCE]))
                theirs = _running(now).where(calls.c.customer_id.in_(ids))
                found |= {row.call_id: None for row in connection.execute(theirs)}
            return list(found)

    def _persons(self, connection: Connection, customers: Collection[str]) -> set[str]:
        """These ids and all that are, or were, the same person; of most there is no link, and that is one query."""
        c = customer_links.c
        linked = select(c.customer_id, c.into).where(or_(c.customer_id.in_(customers), c.into.in_(customers)))
        near = {one for row in connection.execute(linked) for one in row if one is not None}
        return {*customers, *near, *(one for each in near for one in self._profiles.store.ids(connection, each))}

    def _look(
        self,
        customer_id: str,
        given: dict[str, str],
        now: datetime,
        started_at: datetime,
        running: Running | None = None,
    ) -> Caller | None:
        spoken = given.get("language")
        language: Literal["zh", "en"] | None = None if not spoken else "en" if spoken.startswith("en") else "zh"
        found = self._profiles.caller(customer_id, now, language, running)
        if found is None:
            return None
        ids = self.same(customer_id)
        offers = [] if OFFERS in given else offered(self._engine, ids, given.get("tenant"), started_at)
        ours = found.attributes | ({OFFERS: written(offers)} if offers else {})
        return msgspec.structs.replace(
            found, attributes={name: text for name, text in ours.items() if name not in given}
        )


def _running(now: datetime) -> Select[tuple[str]]:
    return select(calls.c.call_id).where(_RUNS, calls.c.started_at > (now - _LONGEST).astimezone(UTC))


def _line(row: RowMapping, last: str | None) -> Line:
    started_at = utc(row["started_at"])
    assert started_at is not None, "it was asked for"
    start = None if row["start"] is None else msgspec.json.decode(row["start"], type=CallStarted)
    attributes = {} if start is None else start.attributes
    at_ring = None if start is None else start.caller
    return Line(
        call_id=row["call_id"],
        started_at=started_at,
        customer_id=row["customer_id"],
        given=given_of(attributes, at_ring),
        known=at_ring if last is None else msgspec.json.decode(last, type=CustomerKnown).caller,
    )
