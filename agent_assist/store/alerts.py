"""
Alerts of customers in SQL, one each: what follows from a risk, from time, and from what people do. Blocking.

With a change, in one transaction, go the task that follows from it and what other programs are told.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.customer.alerts import PROFILE, Alert, AlertChange, Step, acknowledged, closed, joined, judged, passed
from agent_assist.customer.facts import Facts
from agent_assist.customer.interventions import BRANCHES, allowed, words
from agent_assist.customer.outlook import is_core, segment_of
from agent_assist.customer.outreach import Outreach
from agent_assist.customer.tags import Business
from agent_assist.customer.triggers import awake
from agent_assist.errors import AlertContested
from agent_assist.store.acquainted import acquainted
from agent_assist.store.following import Wanted, letter_rows
from agent_assist.store.instants import utc
from agent_assist.store.profiles import Profiles
from agent_assist.store.tables import alert_changes, alerts, webhooks
from agent_assist.store.tasks import NewTask, add, cancel, made, undone
from agent_assist.store.trials import deal
from models.types import ChurnRisk, RiskLevel

MERGED = "merged"
"""Who closes the alert of an id that goes on under another."""
_TRIES = 5


class AlertQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What alerts are looked for by."""

    state: Literal["open", "acknowledged", "closed"] | None = None
    team: str | None = None
    customers: tuple[str, ...] = ()
    """Ids of the same customer."""
    agent_id: str | None = None
    """Of customers with whom this agent had a call."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A risk from a call."""

    customer_id: str
    call_id: str
    at_ms: int
    at: datetime
    risk: ChurnRisk


class Alerts:
    """
    One row a customer; of two who change it at once the second looks again.

    Args:
        engine: Of a store that ``CallStore.upgrade`` has brought up to date.
        profiles: Who the customers are.
        outreach: How alerts are kept.
        wanted: What other programs are told; None where there are no receivers.
    """

    def __init__(self, engine: Engine, profiles: Profiles, outreach: Outreach, wanted: Wanted | None = None) -> None:
        self._engine = engine
        self._profiles = profiles
        self._outreach = outreach
        self._wanted = wanted

    def hear(self, heard: Heard) -> AlertChange | None:
        """After a risk from a call; one that was heard before, or is older than what is known, changes nothing."""
        known = self._profiles.store.facts(heard.customer_id)
        business = self._profiles.counted()
        return self._changed(lambda connection: self._hear(connection, heard, known, business))

    def _hear(self, connection: Connection, heard: Heard, known: Facts, business: Business) -> AlertChange | None:
        row = _row(connection, known.customer_id)
        if row is not None:
            last = utc(row["heard_at"])
            if last is not None and heard.at < last:
                return None
            # What becomes known of the customer changes their risk between two words: of one place both count.
            place, before = (heard.at_ms, heard.at), (row["call_ms"], last or heard.at)
            if row["call_id"] == heard.call_id and place <= before:
                return None
        step = self._judged(row, known, heard.risk, heard.at, business, source=heard.call_id)
        said = {"call_id": heard.call_id, "call_ms": heard.at_ms, "heard_at": heard.at.astimezone(UTC)}
        return self._keep(connection, row, step, known, heard.at, said)

    def judge(
        self, connection: Connection, known: Facts, risk: ChurnRisk, at: datetime, business: Business
    ) -> AlertChange | None:
        """After a look at a customer's profile, within a transaction."""
        row = _row(connection, known.customer_id)
        step = self._judged(row, known, risk, at, business, source=PROFILE)
        return self._keep(connection, row, step, known, at, {})

    def _judged(
        self, row: RowMapping | None, known: Facts, risk: ChurnRisk, at: datetime, business: Business, *, source: str
    ) -> Step:
        core = is_core(known, at, business, self._outreach.core)
        before = None if row is None else _alert(row)
        return judged(before, known.customer_id, risk, at, self._outreach.alerts, core=core, source=source)

    def gather(self, connection: Connection, known: Facts, at: datetime) -> list[AlertChange]:
        """Of ids that go on under another, close the alerts, and have one for it that is as severe as theirs."""
        others = [one for one in known.ids if one != known.customer_id]
        if not others:
            return []
        asked = select(alerts).where(alerts.c.customer_id.in_(others), alerts.c.state != "closed")
        changes: list[AlertChange | None] = []
        for row in connection.execute(asked.with_for_update()).mappings().all():
            theirs, own = _alert(row), _row(connection, known.customer_id)
            changes.append(self._keep(connection, row, closed(theirs, MERGED, at), known, at, {}))
            step = joined(None if own is None else _alert(own), theirs, known.customer_id, at)
            changes.append(self._keep(connection, own, step, known, at, {}))
        return [one for one in changes if one is not None]

    def pass_by(self, now: datetime, most: int = 100) -> list[AlertChange]:
        """Escalate what nobody took on in time."""
        late = select(alerts.c.customer_id).where(alerts.c.state == "open", alerts.c.due_at <= now.astimezone(UTC))
        with self._engine.connect() as connection:
            ids = connection.execute(late.order_by(alerts.c.due_at).limit(most)).scalars().all()
        found: list[AlertChange] = []
        for customer_id in ids:
            step = self._step(customer_id, now, lambda alert: passed(alert, now, self._outreach.alerts))
            if step is not None:
                found.append(step)
        return found

    def acknowledge(self, customer_id: str, by: str, at: datetime) -> AlertChange | None:
        """A person takes an alert on; None where there is none that is open."""
        return self._step(customer_id, at, lambda alert: acknowledged(alert, by, at))

    def close(self, customer_id: str, by: str, at: datetime) -> AlertChange | None:
        """A person closes an alert; None where there is none."""
        return self._step(customer_id, at, lambda alert: closed(alert, by, at))

    def find(self, wanted: AlertQuery, limit: int = 100) -> list[Alert]:
        """The latest first."""
        a = alerts.c
        query = select(alerts).order_by(a.opened_at.desc(), a.customer_id).limit(limit)
        if wanted.state is not None:
            query = query.where(a.state == wanted.state)
        if wanted.team is not None:
            query = query.where(a.team == wanted.team)
        if wanted.customers:
            query = query.where(a.customer_id.in_(wanted.customers))
        if wanted.agent_id is not None:
            query = query.where(a.customer_id.in_(acquainted(wanted.agent_id)))
        with self._engine.connect() as connection:
            return [_alert(row) for row in connection.execute(query).mappings()]

    def untold(self, limit: int = 200) -> list[AlertChange]:
        """Changes that the topic has not yet, in their order."""
        c = alert_changes.c
        asked = select(c.body).where(c.told.is_(False)).order_by(c.seq).limit(limit)
        with self._engine.connect() as connection:
            return [msgspec.json.decode(body, type=AlertChange) for body in connection.execute(asked).scalars()]

    def told(self, ids: Collection[str]) -> None:
        """The topic has these."""
        if ids:
            with self._engine.begin() as connection:
                connection.execute(update(alert_changes).where(alert_changes.c.change_id.in_(ids)).values(told=True))

    def _step(self, customer_id: str, at: datetime, after: Callable[[Alert | None], Step]) -> AlertChange | None:
        known = self._profiles.store.facts(customer_id)

        def change(connection: Connection) -> AlertChange | None:
            row = _row(connection, known.customer_id)
            return self._keep(connection, row, after(None if row is None else _alert(row)), known, at, {})

        return self._changed(change)

    def _changed(self, change: Callable[[Connection], AlertChange | None]) -> AlertChange | None:
        """Change in a transaction, and once more where somebody else was quicker."""
        contested = AlertContested("")
        for _ in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    return change(connection)
            except AlertContested as error:
                contested = error
        raise contested

    def _keep(
        self,
        connection: Connection,
        row: RowMapping | None,
        step: Step,
        known: Facts,
        at: datetime,
        said: dict[str, Any],
    ) -> AlertChange | None:
        alert, change = step
        if alert is None and change is not None:
            # The risk has gone: what is left is the alert as it was closed.
            alert = change.alert
        elif alert is None and row is not None:
            # It was closed before; that it has gone is kept, so that it may come again.
            alert = msgspec.structs.replace(_alert(row), level=RiskLevel.NONE)
        if alert is None or (row is not None and change is None and alert == _alert(row)):
            return None
        version = 1 if row is None else row["version"] + 1
        values = said | {
            "state": alert.state,
            "team": alert.team,
            "opened_at": alert.opened_at.astimezone(UTC),
            "due_at": None if alert.due_at is None else alert.due_at.astimezone(UTC),
            "version": version,
            "body": msgspec.json.encode(alert).decode(),
        }
        insert = _insert(connection, alerts)
        if row is None:
            write = insert.values(customer_id=alert.customer_id, **values).on_conflict_do_nothing()
        else:
            mine = (alerts.c.customer_id == alert.customer_id, alerts.c.version == row["version"])
            write = update(alerts).where(*mine).values(values)
        if connection.execute(write.returning(alerts.c.customer_id)).first() is None:
            raise AlertContested(alert.customer_id)
        if change is None:
            return None
        change = msgspec.structs.replace(change, id=f"{alert.customer_id}:{version}")
        self._tell(connection, change, at)
        self._follow(connection, change, known, at)
        return change

    def _tell(self, connection: Connection, change: AlertChange, at: datetime) -> None:
        customer_id = change.alert.customer_id
        body = msgspec.json.encode(change).decode()
        kept = _insert(connection, alert_changes).values(change_id=change.id, customer_id=customer_id, body=body)
        connection.execute(kept)
        if self._wanted is not None:
            rows = letter_rows("alert.changed", change.id, change, self._wanted, customer_id=customer_id, now=at)
            if rows:
                connection.execute(_insert(connection, webhooks).on_conflict_do_nothing(), rows)

    def _follow(self, connection: Connection, change: AlertChange, known: Facts, at: datetime) -> None:
        """The call-back of an alert: made once, and cancelled with it."""
        alert = change.alert
        if change.kind == "closed":
            ids = [one.task_id for one in undone(connection, [alert.customer_id]) if one.rule in BRANCHES]
            cancel(connection, ids, at, f"alert closed {alert.by}".rstrip())
        if change.kind not in {"opened", "raised"} or alert.branch is None:
            return
        level, way = self._outreach.alerts.levels[alert.level], allowed(alert.branch, known)
        if not level.task or way is None:
            return
        task_id = f"{alert.customer_id}:retention:{alert.opened_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}"
        segment = lambda: segment_of(known, at, self._profiles.counted())  # noqa: E731
        if made(connection, [task_id]) or deal(connection, self._outreach, "call_back", known, segment, at).held:
            return
        titles, texts = words(way)
        task = NewTask(
            id=task_id,
            customer_id=alert.customer_id,
            customer_name=known.name,
            language=known.language,
            rule=way,
            titles=titles,
            texts=texts,
            team=alert.team,
            evidence=(),
            due_at=awake(alert.due_at or at, self._outreach.triggers),
        )
        add(connection, task, at, self._wanted)


def _row(connection: Connection, customer_id: str) -> RowMapping | None:
    asked = select(alerts).where(alerts.c.customer_id == customer_id).with_for_update()
    return connection.execute(asked).mappings().first()


def _alert(row: RowMapping) -> Alert:
    return msgspec.json.decode(row["body"], type=Alert)


def _insert(connection: Connection, table: Any) -> Any:
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def levels(connection: Connection) -> dict[RiskLevel, int]:
    """How many alerts of each level are not closed."""
    asked = select(alerts.c.body).where(or_(alerts.c.state == "open", alerts.c.state == "acknowledged"))
    found = Counter(msgspec.json.decode(body, type=Alert).level for body in connection.execute(asked).scalars())
    return {level: found[level] for level in (RiskLevel.WATCH, RiskLevel.ELEVATED, RiskLevel.CRITICAL)}
