"""Calls in SQL. Blocking: run it in a thread beside an event loop."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from alembic import command
from alembic.config import Config
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Table,
    and_,
    func,
    or_,
    select,
)

from agent_assist.call.mood import curve_of
from agent_assist.call.record import NO_MEASURES, NO_RISK, Attention, add, attention
from agent_assist.call.review import reviewed
from agent_assist.store import tables
from agent_assist.store.engine import open_engine
from agent_assist.store.following import Wanted
from agent_assist.store.instants import utc
from agent_assist.store.ledger import of_call
from agent_assist.store.rows import Rows
from agent_assist.types import (
    Acknowledged,
    Article,
    Asked,
    Assist,
    CallEnded,
    CallFlow,
    CallRecord,
    CallStarted,
    CallSummary,
    CallSynopsis,
    Card,
    CardFeedback,
    CardKind,
    CustomerKnown,
    Degraded,
    Event,
    Hint,
    Keys,
    Measures,
    SynopsisEdit,
    Whisper,
)
from agent_assist.types import Final as FinalEvent
from models.turning import Turn
from models.types import ChurnRisk, EmotionLabel, Utterance, shown

Note = Acknowledged | Asked | Whisper

Positions = Mapping[tuple[str, int], int]
"""Topic and partition to the next offset that is not in the store."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x5741524D
"""Advisory lock of PostgreSQL: two processes that start at once do not migrate at once."""


class CallStore:
    """
    Events and help, idempotent by id: what comes twice, or in another order, leaves the same rows.

    Args:
        url: SQLAlchemy's, of SQLite or PostgreSQL.
        wanted: What is put into the outbox of webhooks; None where there are no receivers.
    """

    def __init__(self, url: str, wanted: Wanted | None = None) -> None:
        self._wanted = wanted
        self.engine: Engine = open_engine(url)
        self._sqlite = self.engine.dialect.name == "sqlite"

    def upgrade(self) -> None:
        """Bring the tables up to date."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self.engine.connect() as connection:
            if self._sqlite:
                # The write lock first: two processes that start at once migrate one after the other.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()

    def close(self) -> None:
        self.engine.dispose()

    def write(
        self, messages: Iterable[Event | Assist], positions: Positions, arrivals: Iterable[int] | None = None
    ) -> None:
        """
        Take messages in, and up to where the topics have been read, in one transaction.

        Args:
            arrivals: The offset of each message; without them they came in this order.
        """
        rows = Rows(messages, count() if arrivals is None else arrivals, self._wanted)
        with self.engine.begin() as connection:
            rows.write(connection, ((topic, part, offset) for (topic, part), offset in positions.items()))

    def calls(
        self,
        *,
        status: str | None = None,
        agent_id: str | None = None,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
        where: Sequence[ColumnElement[bool]] = (),
    ) -> list[CallSummary]:
        """
        The newest calls first.

        Args:
            before: Start and id of the last call of the page before.
            where: What else must hold of them.
        """
        c = tables.calls.c
        alerts = (
            select(func.count())
            .where(tables.cards.c.call_id == c.call_id, tables.cards.c.kind == CardKind.ALERT.value)
            .scalar_subquery()
        )
        said = select(func.count()).where(tables.utterances.c.call_id == c.call_id).scalar_subquery()
        emotion = (
            select(tables.utterances.c.emotion)
            .where(
                tables.utterances.c.call_id == c.call_id,
                tables.utterances.c.emotion.is_not(None),
                tables.utterances.c.emotion != EmotionLabel.UNKNOWN.value,
            )
            .order_by(tables.utterances.c.start_ms.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(tables.calls, alerts.label("alerts"), said.label("utterances"), emotion.label("emotion"))
            .where(c.started_at.is_not(None), *where)
            .order_by(c.started_at.desc(), c.call_id.desc())
            .limit(limit)
        )
        if status is not None:
            query = query.where(c.status == status)
        if agent_id is not None:
            query = query.where(c.agent_id == agent_id)
        if before is not None:
            at, call_id = before[0].astimezone(UTC), before[1]
            query = query.where(or_(c.started_at < at, and_(c.started_at == at, c.call_id < call_id)))
        with self.engine.connect() as connection:
            rows = list(connection.execute(query).mappings())
            ids = [row["call_id"] for row in rows]
            raised = _by_call(connection, tables.cards, ids, Card, tables.cards.c.at_ms)
            desk = _by_call(connection, tables.desk, ids, Note, tables.desk.c.desk_id)
        return [_summary(row, attention(raised[row["call_id"]], desk[row["call_id"]])) for row in rows]

    def call(self, call_id: str) -> CallRecord | None:
        """One call, whole; None where it is not known."""
        with self.engine.connect() as connection:
            return self._call(connection, call_id)

    def _call(self, connection: Connection, call_id: str) -> CallRecord | None:
        c = tables.calls.c
        row = connection.execute(select(tables.calls).where(c.call_id == call_id)).mappings().first()
        if row is None:
            return None

        def bodies(table: Table, kind: Any, *order: Any) -> tuple[Any, ...]:
            query = select(table.c.body).where(table.c.call_id == call_id).order_by(*order)
            return tuple(msgspec.json.decode(body, type=kind) for body in connection.scalars(query))

        u, k = tables.utterances.c, tables.cards.c
        cards: Sequence[Card] = bodies(tables.cards, Card, k.at_ms)
        stored: tuple[Utterance, ...] = bodies(tables.utterances, Utterance, u.start_ms, u.utterance_id)
        said = tuple(map(shown, stored))
        notes: tuple[Note, ...] = bodies(tables.desk, Note)
        desk = sorted(notes, key=lambda note: (note.at, "" if isinstance(note, Acknowledged) else note.id))
        helped: tuple[Article | Hint, ...] = bodies(
            tables.help_given, Article | Hint, tables.help_given.c.at_ms, tables.help_given.c.help_id
        )
        came: tuple[CustomerKnown, ...] = bodies(tables.callers, CustomerKnown, tables.callers.c.at_us)
        # They follow from what was said, so calls from before there was a curve have one.
        curve, swings = curve_of(said)
        record = CallRecord(
            call_id=call_id,
            duration_ms=row["duration_ms"],
            utterances=said,
            cards=tuple(sorted(cards, key=lambda card: (card.at_ms, -card.priority, card.id))),
            risk=_risk(row),
            measures=NO_MEASURES if row["measures"] is None else msgspec.json.decode(row["measures"], type=Measures),
            status=row["status"],
            started_at=utc(row["started_at"]),
            protocol=row["protocol"],
            customer_id=row["customer_id"],
            customer_name=row["customer_name"],
            agent_id=row["agent_id"],
            queue=row["queue"],
            attributes={} if row["attributes"] is None else msgspec.json.decode(row["attributes"]),
            caller=next((one.caller for one in _start(row)), None),
            articles=tuple(one for one in helped if isinstance(one, Article)),
            hints=tuple(one for one in helped if isinstance(one, Hint)),
            feedback=bodies(tables.feedback, CardFeedback, tables.feedback.c.card_id),
            degraded=bodies(tables.degraded, Degraded, tables.degraded.c.at_ms),
            keys=bodies(tables.keys, Keys, tables.keys.c.start_ms, tables.keys.c.keys_id),
            curve=curve,
            swings=swings,
            turns=() if row["turns"] is None else msgspec.json.decode(row["turns"], type=tuple[Turn, ...]),
            acknowledged=tuple(note for note in desk if isinstance(note, Acknowledged)),
            asked=tuple(note for note in desk if isinstance(note, Asked)),
            whispers=tuple(note for note in desk if isinstance(note, Whisper)),
            compensations=of_call(connection, call_id),
            flow=None if row["flow"] is None else msgspec.json.decode(row["flow"], type=CallFlow),
            synopsis=None if row["synopsis"] is None else msgspec.json.decode(row["synopsis"], type=CallSynopsis),
            synopsis_edits=bodies(tables.synopsis_edits, SynopsisEdit, tables.synopsis_edits.c.at),
        )
        for known in came:
            record = add(record, known)
        return reviewed(record)

    def articles_shown(self, call_id: str) -> dict[str, int]:
        """Id of each article that a call was shown, and when, in ms of the call."""
        h = tables.help_given.c
        query = select(h.help_id, h.at_ms).where(h.call_id == call_id, h.kind == "article")
        with self.engine.connect() as connection:
            return {row.help_id: row.at_ms for row in connection.execute(query)}

    def events(self, call_id: str) -> list[Event]:
        """The events of a call from which advice follows, as the rules saw them; none of a call that is not known."""
        c, u, k = tables.calls.c, tables.utterances.c, tables.callers.c
        said = select(u.arrival, u.start_ms, u.utterance_id, u.body).where(u.call_id == call_id)
        known = select(k.arrival, k.at_us, k.body).where(k.call_id == call_id)
        with self.engine.connect() as connection:
            row = connection.execute(select(tables.calls).where(c.call_id == call_id)).mappings().first()
            came: list[tuple[tuple[int, int, str], Event]] = []
            for arrival, start_ms, name, body in connection.execute(said):
                utterance = msgspec.json.decode(body, type=Utterance)
                came.append(((arrival, start_ms, name), FinalEvent(call_id=call_id, utterance=utterance)))
            for arrival, at_us, body in connection.execute(known):
                came.append(((arrival, at_us, ""), msgspec.json.decode(body, type=CustomerKnown)))
        between = [event for _, event in sorted(came, key=lambda one: one[0])]
        return [] if row is None else [*_start(row), *between, *_end(row)]

    def snapshot(self) -> tuple[list[CallRecord], dict[tuple[str, int], int]]:
        """The calls in progress, and up to where the topics are in them: all as of one moment."""
        with self.engine.connect() as connection:
            if self._sqlite:
                # sqlite3 begins no transaction for reading alone.
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            rows = connection.execute(select(tables.positions)).mappings()
            positions = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            ids = list(connection.scalars(select(tables.calls.c.call_id).where(tables.calls.c.status == "live")))
            records = [self._call(connection, call_id) for call_id in ids]
        return [record for record in records if record is not None], positions


def _by_call(
    connection: Connection, table: Table, ids: Sequence[str], kind: Any, order: ColumnElement[Any]
) -> dict[str, list[Any]]:
    """What is decoded from the bodies of a table, for each of the calls; of cards the alerts alone."""
    found: dict[str, list[Any]] = {call_id: [] for call_id in ids}
    query = select(table.c.call_id, table.c.body).where(table.c.call_id.in_(ids)).order_by(order)
    if table is tables.cards:
        query = query.where(table.c.kind == CardKind.ALERT.value)
    for call_id, body in connection.execute(query):
        found[call_id].append(msgspec.json.decode(body, type=kind))
    return found


def _start(row: RowMapping) -> list[CallStarted]:
    """The event with which a call began; of calls from before it was kept, what of it was."""
    if row["start"] is not None:
        return [msgspec.json.decode(row["start"], type=CallStarted)]
    at = utc(row["started_at"])
    if at is None:
        return []
    names = ("call_id", "protocol", "customer_id", "customer_name", "agent_id", "queue")
    given = {} if row["attributes"] is None else msgspec.json.decode(row["attributes"], type=dict[str, str])
    return [CallStarted(at=at, attributes=given, **{name: row[name] for name in names})]


def _end(row: RowMapping) -> list[CallEnded]:
    if row["status"] == "live":
        return []
    reason: Literal["lost", "hangup"] = "lost" if row["status"] == "lost" else "hangup"
    return [CallEnded(call_id=row["call_id"], duration_ms=row["duration_ms"], reason=reason)]


def _risk(row: RowMapping) -> ChurnRisk:
    return NO_RISK if row["risk"] is None else msgspec.json.decode(row["risk"], type=ChurnRisk)


def _summary(row: RowMapping, wanted: Attention) -> CallSummary:
    started_at = utc(row["started_at"])
    assert started_at is not None
    return CallSummary(
        call_id=row["call_id"],
        started_at=started_at,
        status=row["status"],
        duration_ms=row["duration_ms"],
        customer_id=row["customer_id"],
        customer_name=row["customer_name"],
        agent_id=row["agent_id"],
        queue=row["queue"],
        utterances=row["utterances"],
        alerts=row["alerts"],
        risk=_risk(row),
        emotion=row["emotion"] or EmotionLabel.UNKNOWN.value,
        open_alerts=wanted.open_alerts,
        alert=wanted.alert,
        questions=wanted.questions,
    )
