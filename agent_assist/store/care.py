"""How hard calls were for their agents, in SQL: when a break is due, the load of a team. Blocking, like the store."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select, update

from agent_assist.call.care import DEFAULT, CarePolicy, Shift, Strain, TeamLoad, break_text, exposure, team_load
from agent_assist.store.calls import CallStore
from agent_assist.store.instants import utc
from agent_assist.store.tables import calls
from agent_assist.types import Break, CallRecord
from audio.types import Channel

_SHIFT: Final = timedelta(hours=24)
"""Calls before that are of no shift that still goes on."""


_KNOWN: Final = (
    calls.c.status != "live",
    calls.c.agent_id.is_not(None),
    calls.c.started_at.is_not(None),
    calls.c.exposure_ms.is_not(None),
)


class Care:
    """Whatever is told follows from stored calls: twice asked, or after a restart, it is the same."""

    def __init__(self, store: CallStore, policy: CarePolicy = DEFAULT) -> None:
        self._store = store
        self._policy = policy

    def ended(self, call_id: str) -> Break | None:
        """Note how hard a call was that has ended and is stored; the break that is due after it, if one is."""
        record = self._store.call(call_id)
        if record is None or record.status == "live":
            return None
        found = exposure(record.utterances, self._policy)
        with self._store.engine.begin() as connection:
            connection.execute(
                update(calls).where(calls.c.call_id == call_id).values(exposure_ms=found.ms, hard=found.hard)
            )
            if not found.hard or record.agent_id is None or record.started_at is None:
                return None
            since = record.started_at - _SHIFT
            of_agent = _strains(connection, calls.c.agent_id == record.agent_id, calls.c.started_at >= since)
        return self._break(record, of_agent)

    def _break(self, record: CallRecord, of_agent: list[Strain]) -> Break | None:
        shift, is_due = Shift(), False
        for call in sorted(of_agent, key=lambda call: (call.end, call.call_id)):
            shift, is_due = shift.push(call, self._policy)
            if call.call_id == record.call_id:
                break
        if not is_due or record.agent_id is None:
            return None
        said = [one.language for one in record.utterances if one.channel is Channel.CUSTOMER]
        language = "zh" if said.count("zh") >= max(said.count("en"), 1) else "en"
        return Break(
            id=f"{record.call_id}:break",
            call_id=record.call_id,
            agent_id=record.agent_id,
            at=shift.prompts[-1],
            exposure_ms=shift.exposure_ms,
            text=break_text(language),
            language=language,
        )

    def load(self, since: datetime, until: datetime, queue: str | None = None) -> TeamLoad | None:
        """
        The load of all, or of a queue, in calls that began in this time.

        Returns:
            None where they are too few to hide who it was; of a queue also where another one has too few: the load of
            that one would be what all have and the others have not.
        """
        c = calls.c
        within = (c.started_at >= since.astimezone(UTC), c.started_at < until.astimezone(UTC))
        with self._store.engine.connect() as connection:
            if queue is None:
                return team_load(_strains(connection, *within), self._policy)
            agents = func.count(func.distinct(c.agent_id))
            sizes = select(agents).where(*_KNOWN, *within).group_by(c.queue)
            if any(size < self._policy.least_agents for size in connection.scalars(sizes)):
                return None
            return team_load(_strains(connection, *within, c.queue == queue), self._policy)


def _strains(connection: Connection, *which: ColumnElement[bool]) -> list[Strain]:
    """Of calls that are over, with an agent, and of which it is known how hard they were."""
    c = calls.c
    names = (c.call_id, c.agent_id, c.started_at, c.duration_ms, c.exposure_ms, c.hard)
    found: list[Strain] = []
    for row in connection.execute(select(*names).where(*_KNOWN, *which)):
        at = utc(row.started_at)
        assert at is not None
        found.append(Strain(row.call_id, row.agent_id, at, row.duration_ms, row.exposure_ms, bool(row.hard)))
    return found
