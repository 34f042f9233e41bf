"""The histories of customers: what was had with one, and each risk that was told. Blocking."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, and_, or_, select

from agent_assist.customer.timeline import CallThen, Entry, RiskThen, timeline
from agent_assist.store.customers import CustomerStore
from agent_assist.store.instants import utc
from agent_assist.store.tables import calls, risks, text_moods
from models.types import ChurnRisk

_AT_ONCE: Final = 500
_MS: Final = timedelta(milliseconds=1)


class Place(NamedTuple):
    """Where an entry stands."""

    at: datetime
    kind: str
    id: str


class RiskPlace(NamedTuple):
    """Where a risk stands."""

    began: datetime
    """Its call."""
    call_id: str
    at_ms: int


class RiskTold(msgspec.Struct, frozen=True, kw_only=True):
    """A risk that was told in a call."""

    call_id: str
    at: datetime
    at_ms: int
    """Since the call began."""
    risk: ChurnRisk


class Histories:
    """
    Args:
        engine: Of the calls.
    """

    def __init__(self, customers: CustomerStore, engine: Engine) -> None:
        self._customers = customers
        self._engine = engine

    def timeline(self, customer_id: str, limit: int, before: Place | None = None) -> list[Entry]:
        """
        What was had with a customer, the latest first; all of one customer is read for it.

        Args:
            before: Where the last of the page before stands.
        """
        known = self._customers.facts(customer_id)
        texts = [one.event_id for one in known.interactions]
        with self._engine.connect() as connection:
            query = select(calls).where(calls.c.customer_id.in_(known.ids), calls.c.started_at.is_not(None))
            had = [_call(row) for row in connection.execute(query).mappings()]
            moods = _moods(connection, texts)
        entries = timeline(known, had, moods)
        later = (entry for entry in entries if before is None or (entry.at, entry.kind, entry.id) < before)
        return [entry for entry, _ in zip(later, range(limit), strict=False)]

    def risks(self, customer_id: str, limit: int, before: RiskPlace | None = None) -> list[tuple[RiskTold, RiskPlace]]:
        """Each risk that was told of a customer, the latest first, with its place."""
        c, r = calls.c, risks.c
        with self._engine.connect() as connection:
            ids = self._customers.ids(connection, customer_id)
            query = (
                select(c.call_id, c.started_at, r.at_ms, r.body)
                .join(risks, r.call_id == c.call_id)
                .where(c.customer_id.in_(ids), c.started_at.is_not(None))
                .order_by(c.started_at.desc(), c.call_id.desc(), r.at_ms.desc())
                .limit(limit)
            )
            if before is not None:
                at = before.began.astimezone(UTC)
                earlier = and_(c.call_id == before.call_id, r.at_ms < before.at_ms)
                same = and_(c.started_at == at, or_(c.call_id < before.call_id, earlier))
                query = query.where(or_(c.started_at < at, same))
            return [_risk(row) for row in connection.execute(query).mappings()]


def _moods(connection: Connection, events: list[str]) -> dict[str, float]:
    t, found = text_moods.c, dict[str, float]()
    for begin in range(0, len(events), _AT_ONCE):
        some = events[begin : begin + _AT_ONCE]
        query = select(t.event_id, t.value).where(t.event_id.in_(some), t.value.is_not(None))
        found |= {row.event_id: row.value for row in connection.execute(query)}
    return found


def _call(row: RowMapping) -> CallThen:
    at = utc(row["started_at"])
    assert at is not None, "it was asked for"
    risk = None if row["risk"] is None else msgspec.json.decode(row["risk"], type=ChurnRisk)
    given = {} if row["attributes"] is None else msgspec.json.decode(row["attributes"], type=dict[str, str])
    direction: Literal["in", "out"] = "out" if given.get("direction") == "out" else "in"
    return CallThen(
        call_id=row["call_id"],
        at=at,
        status=row["status"],
        agent_id=row["agent_id"],
        direction=direction,
        risk=None if risk is None or risk.score is None else RiskThen(score=risk.score, level=risk.level),
    )


def _risk(row: RowMapping) -> tuple[RiskTold, RiskPlace]:
    began, call_id, at_ms = utc(row["started_at"]), str(row["call_id"]), int(row["at_ms"])
    assert began is not None, "it was asked for"
    risk = msgspec.json.decode(row["body"], type=ChurnRisk)
    return RiskTold(call_id=call_id, at=began + at_ms * _MS, at_ms=at_ms, risk=risk), RiskPlace(began, call_id, at_ms)
