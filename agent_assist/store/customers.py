"""What is told of customers, in SQL. Blocking: run it in a thread beside an event loop."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby, islice
from typing import Any, Final, Literal, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, and_, delete, func, or_, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.customer.events import (
    CustomerEvent,
    Identified,
    IdentityKind,
    Interaction,
    Merged,
    Split,
)
from agent_assist.customer.facts import Facts, facts
from agent_assist.customer.reading import AHEAD
from agent_assist.customer.rfm import Population
from agent_assist.customer.tags import Fitted
from agent_assist.store.due import look_at
from agent_assist.store.instants import micros, moment
from agent_assist.store.segments import Move
from agent_assist.store.tables import (
    customer_counts,
    customer_due,
    customer_events,
    customer_identities,
    customer_links,
    customer_rejected,
    text_moods,
)

_T = TypeVar("_T")
_AT_ONCE: Final = 5_000
"""Of one transaction: fewer cost more for each, more hold up other writers; SQLite takes 32,766 parameters."""
# PostgreSQL takes them as one value, which costs less than as many statements or an array; SQLite has no round trips.
_ADD_JSON: Final = text(
    "INSERT INTO customer_events (event_id, customer_id, at_us, body)"
    " SELECT x->>0, x->>1, CAST(x->>2 AS bigint), x->>3 FROM json_array_elements(CAST(:rows AS json)) AS x"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
_ADD_ROWS: Final = (
    "INSERT INTO customer_events (event_id, customer_id, at_us, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_OTHER: Final = "expected the event that is known under this id, got another of "
_EARLY: Final = "expected a time that has come, got "


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events."""

    new: int = 0
    again: int = 0
    """Known already, the same in all."""
    conflicting: tuple[str, ...] = ()
    """Ids under which something else was told before: that stays, and these stand among the rejected."""
    early: tuple[str, ...] = ()
    """Ids of what is to come: it is not taken, and stands among the rejected; ``customer retake`` takes it in time."""

    def and_(self, other: "Taken") -> "Taken":
        return Taken(
            new=self.new + other.new,
            again=self.again + other.again,
            conflicting=self.conflicting + other.conflicting,
            early=self.early + other.early,
        )


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Customers of a segment, or in a stage."""

    id: str
    customers: int
    value: Decimal
    """Of what they bought."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What all customers are like at a time."""

    as_of: datetime
    customers: int
    order_values: tuple[Decimal, ...]
    """See ``agent_assist.customer.tags.Business``."""
    population: Population | None
    fitted: Fitted | None = None
    """How they buy, where trade is without contracts and the data tell it."""
    before: datetime | None = None
    """When they were counted the time before."""
    segments: tuple[Part, ...] = ()
    stages: tuple[Part, ...] = ()
    segment_moves: tuple[Move, ...] = ()
    """Since the time before; those who stayed are among them."""
    stage_moves: tuple[Move, ...] = ()


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be taken in."""

    source: str
    """A file, "topic", "api"."""
    place: str
    """Its row, or the id of its event and a sum of what it says."""
    reason: str
    body: str
    at: datetime
    kind: Literal["customers", "orders", "cases", "interactions", "event"] = "event"
    """Of a row; "event" of one that is not of a file."""


class CustomerStore:
    """
    Events of customers, idempotent by id, and their facts.

    Args:
        engine: Of a store that ``CallStore.upgrade`` has brought up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        dialect: Any = sqlite if engine.dialect.name == "sqlite" else postgresql
        self._insert = dialect.insert

    @property
    def engine(self) -> Engine:
        """Of the store, for what else is kept there of customers."""
        return self._engine

    def take(self, events: Iterable[CustomerEvent], source: str, now: datetime) -> Taken:
        """Take events in; of a batch all or nothing, and what came before once more changes nothing."""
        taken = Taken()
        for batch in _batches(events):
            with self._engine.begin() as connection:
                taken = taken.and_(self._take(connection, batch, source, now))
        return taken

    def reject(self, rejected: Iterable[Rejected]) -> None:
        """Keep what could not be taken in; of one place the latest."""
        with self._engine.begin() as connection:
            for batch in _batches(rejected):
                self._keep(connection, batch)

    def rejected(
        self, limit: int = 100, after: tuple[datetime, str, str] | None = None, source: str | None = None
    ) -> list[Rejected]:
        """The latest first, or those behind the time, source and place of one."""
        r = customer_rejected.c
        asked = select(customer_rejected).order_by(r.at_us.desc(), r.source.desc(), r.place.desc()).limit(limit)
        if source is not None:
            asked = asked.where(r.source == source)
        if after is not None:
            at, *place = after
            asked = asked.where(tuple_(r.at_us, r.source, r.place) < tuple_(micros(at), *place))
        with self._engine.connect() as connection:
            rows = connection.execute(asked).mappings()
            return [Rejected(**{k: v for k, v in row.items() if k != "at_us"}, at=moment(row["at_us"])) for row in rows]

    def discard(self, source: str, place: str | None = None) -> int:
        """Forget what was rejected of a source, all of it or at one place; how many."""
        r = customer_rejected.c
        where = [r.source == source, *([r.place == place] if place is not None else [])]
        with self._engine.begin() as connection:
            return int(connection.execute(delete(customer_rejected).where(*where)).rowcount)

    def facts(self, customer_id: str, at: datetime | None = None) -> Facts:
        """What is known of a customer, or was at a time: of all ids that are the same person by then."""
        with self._engine.connect() as connection:
            found = self._canonical(connection, customer_id, at)
            members = self._members(connection, found, at)
            e = customer_events.c
            asked = select(e.body).where(e.customer_id.in_(members))
            if at is not None:
                asked = asked.where(e.at_us <= micros(at))
            bodies = connection.execute(asked).scalars().all()
        return facts(found, map(_read, bodies), at)

    def events(self, customer_id: str, event_ids: Sequence[str]) -> list[CustomerEvent]:
        """Those of the events asked for that were told of a customer, by any of their ids now; the earliest first."""
        e = customer_events.c
        with self._engine.connect() as connection:
            theirs = e.customer_id.in_(self.ids(connection, customer_id))
            asked = select(e.body).where(theirs, e.event_id.in_(event_ids)).order_by(e.at_us, e.event_id)
            return [_read(body) for body in connection.execute(asked).scalars()]

    def all_of(self, until: Mapping[str, datetime | None]) -> dict[str, Facts]:
        """
        What is known of several customers now, or had become true by a time of each, by the ids asked for.

        Who is one person is as of now.
        """
        e, c = customer_events.c, customer_links.c
        with self._engine.connect() as connection:
            links = select(c.customer_id, c.into).where(or_(c.customer_id.in_(until), c.into.in_(until)))
            linked = {one for row in connection.execute(links) for one in row}
            canonical = {one: one for one in until} | {one: self._canonical(connection, one, None) for one in linked}
            members = {one: [one] for one in until}
            members |= {one: self._members(connection, canonical[one], None) for one in linked & set(until)}
            wanted = sorted({member for some in members.values() for member in some})
            rows = connection.execute(select(e.customer_id, e.body).where(e.customer_id.in_(wanted))).all()
        told: dict[str, list[CustomerEvent]] = {}
        for row in rows:
            told.setdefault(row.customer_id, []).append(_read(row.body))
        return {
            one: facts(canonical[one], [event for member in members[one] for event in told.get(member, ())], at)
            for one, at in until.items()
        }

    def whose(self, kind: IdentityKind, value: str) -> tuple[str, ...]:
        """The customers to whom an address belongs, by the ids under which they go on; several where it is shared."""
        i = customer_identities.c
        asked = select(i.customer_id).where(i.kind == kind, i.value == value, i.belongs == 1)
        with self._engine.connect() as connection:
            ids = connection.execute(asked).scalars().all()
            return tuple(sorted({self._canonical(connection, one, None) for one in ids}))

    def ids(self, connection: Connection, customer_id: str) -> list[str]:
        """All ids that are the same person now, this one too, as a transaction sees it."""
        return self._members(connection, self._canonical(connection, customer_id, None), None)

    def same(self, customer_id: str) -> tuple[str, ...]:
        """All ids that are the same person now, this one too."""
        with self._engine.connect() as connection:
            return tuple(self.ids(connection, customer_id))

    def all_facts(self, at: datetime | None = None) -> Iterator[Facts]:
        """Every customer once, now or at a time, those that were merged last; read as a stream of any length."""
        e, c = customer_events.c, customer_links.c
        joined: dict[str, list[CustomerEvent]] = {}
        with self._engine.connect() as connection:
            linked = set(connection.execute(select(c.customer_id)).scalars())
            linked |= {one for one in connection.execute(select(c.into)).scalars() if one is not None}
            canonical = {one: self._canonical(connection, one, at) for one in linked}
            asked = select(e.customer_id, e.body).order_by(e.customer_id)
            if at is not None:
                asked = asked.where(e.at_us <= micros(at))
            rows = connection.execution_options(yield_per=10_000).execute(asked)
            for customer_id, some in groupby(rows, key=lambda row: str(row.customer_id)):
                events = [_read(row.body) for row in some]
                if customer_id in canonical:
                    joined.setdefault(canonical[customer_id], []).extend(events)
                else:
                    yield facts(customer_id, events)
        for customer_id, events in joined.items():
            yield facts(customer_id, events)

    def keep_counts(self, counts: "Counts") -> None:
        """Keep what all customers were like at a time."""
        row = {"as_of_us": micros(counts.as_of), "body": msgspec.json.encode(counts).decode()}
        with self._engine.begin() as connection:
            connection.execute(self._insert(customer_counts).on_conflict_do_nothing(), [row])

    def counts(self) -> "Counts | None":
        """The latest; None before there was any."""
        return next(iter(self.counted(1)), None)

    def counted(self, limit: int) -> "list[Counts]":
        """The latest first."""
        asked = select(customer_counts.c.body).order_by(customer_counts.c.as_of_us.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [msgspec.json.decode(body, type=Counts) for body in connection.execute(asked).scalars()]

    def people(self) -> int:
        """Ids of whom something was told."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(customer_due)).scalar_one()

    def count(self) -> int:
        """Events."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(customer_events)).scalar_one()

    def _take(self, connection: Connection, batch: Sequence[CustomerEvent], source: str, now: datetime) -> Taken:
        told: dict[str, tuple[CustomerEvent, str]] = {}
        others: list[tuple[CustomerEvent, str]] = []
        for event in batch:
            # Whoever tells two things under one id in one breath told the first one first.
            each = event, msgspec.json.encode(event).decode()
            if told.setdefault(event.event_id, each)[1] != each[1]:
                others.append(each)
        early = [told.pop(one) for one in [one for one, (event, _) in told.items() if event.at > now + AHEAD]]
        added = self._add(connection, told)
        new = [event for event_id, (event, _) in told.items() if event_id in added]
        self._link(connection, [x for x in new if isinstance(x, Merged | Split)])
        self._identify(connection, [x for x in new if isinstance(x, Identified)])
        if new:
            look_at(connection, self._concerned(connection, new), now)
        written = [{"event_id": x.event_id} for x in new if isinstance(x, Interaction) and _is_written(x)]
        if written:
            connection.execute(self._insert(text_moods).on_conflict_do_nothing(), written)
        if len(new) < len(told):
            e = customer_events.c
            kept = select(e.event_id, e.body).where(e.event_id.in_(told.keys() - added))
            stored = {row.event_id: row.body for row in connection.execute(kept)}
            others += [told[one] for one, body in stored.items() if body != told[one][1]]
        self._keep(connection, [_refused(source, one, _EARLY, now) for one in early])
        self._keep(connection, [_refused(source, one, _OTHER, now) for one in others])
        return Taken(
            new=len(new),
            again=len(batch) - len(new) - len(others) - len(early),
            conflicting=tuple(sorted({event.event_id for event, _ in others})),
            early=tuple(event.event_id for event, _ in early),
        )

    def _add(self, connection: Connection, told: Mapping[str, tuple[CustomerEvent, str]]) -> set[str]:
        """The ids of those that were not known; of two that come at the same time under one id the first stays."""
        rows = [(x.event_id, x.customer_id, micros(x.at), body) for x, body in told.values()]
        if connection.dialect.name == "postgresql":
            return set(connection.execute(_ADD_JSON, {"rows": msgspec.json.encode(rows).decode()}).scalars())
        e = customer_events.c
        known = set(connection.execute(select(e.event_id).where(e.event_id.in_(told))).scalars())
        new = [row for row in rows if row[0] not in known]
        if new:
            connection.exec_driver_sql(_ADD_ROWS, new)
        return told.keys() - known

    def _concerned(self, connection: Connection, events: Sequence[CustomerEvent]) -> set[str]:
        """Ids of whom events tell something: also those under which they go on, or did before a split."""
        c = customer_links.c
        found = edge = {event.customer_id for event in events}
        while edge:
            into = connection.execute(select(c.into).where(c.customer_id.in_(edge), c.into.is_not(None))).scalars()
            edge = set(into) - found
            found = found | edge
        return found

    def _link(self, connection: Connection, events: Sequence[Merged | Split]) -> None:
        if events:
            connection.execute(
                self._insert(customer_links).on_conflict_do_nothing(),
                [
                    {"customer_id": x.customer_id, "at_us": micros(x.at), "event_id": x.event_id}
                    | {"into": x.into if isinstance(x, Merged) else None}
                    for x in events
                ],
            )

    def _identify(self, connection: Connection, events: Sequence[Identified]) -> None:
        if not events:
            return
        i = customer_identities.c
        added = self._insert(customer_identities)
        new = added.excluded
        connection.execute(
            added.on_conflict_do_update(
                index_elements=[i.kind, i.value, i.customer_id],
                set_={name: new[name] for name in ("at_us", "event_id", "belongs")},
                where=or_(new.at_us > i.at_us, and_(new.at_us == i.at_us, new.event_id > i.event_id)),
            ),
            [
                {"kind": x.kind, "value": x.value, "customer_id": x.customer_id}
                | {"at_us": micros(x.at), "event_id": x.event_id, "belongs": int(x.belongs)}
                for x in events
            ],
        )

    def _keep(self, connection: Connection, rejected: Sequence[Rejected]) -> None:
        if not rejected:
            return
        added = self._insert(customer_rejected)
        names = ("reason", "body", "at_us", "kind")
        connection.execute(
            added.on_conflict_do_update(
                index_elements=["source", "place"], set_={name: added.excluded[name] for name in names}
            ),
            [
                {"source": x.source, "place": x.place, "reason": x.reason, "body": x.body, "at_us": micros(x.at)}
                | {"kind": x.kind}
                for x in rejected
            ],
        )

    def _links(self, connection: Connection, ids: Iterable[str], at: datetime | None) -> dict[str, str | None]:
        """Of each the latest link."""
        c = customer_links.c
        asked = select(c.customer_id, c.into).where(c.customer_id.in_(list(ids)))
        if at is not None:
            asked = asked.where(c.at_us <= micros(at))
        return {row.customer_id: row.into for row in connection.execute(asked.order_by(c.at_us, c.event_id))}

    def _canonical(self, connection: Connection, customer_id: str, at: datetime | None) -> str:
        """Under which id a customer goes on; of those that were merged in a ring the least."""
        path = [customer_id]
        while True:
            into = self._links(connection, path[-1:], at).get(path[-1])
            if into is None:
                return path[-1]
            if into in path:
                return min(path[path.index(into) :])
            path.append(into)

    def _members(self, connection: Connection, canonical: str, at: datetime | None) -> list[str]:
        """All ids that go on under one."""
        c = customer_links.c
        found, edge = {canonical}, {canonical}
        while edge:
            near = set(connection.execute(select(c.customer_id).where(c.into.in_(edge))).scalars().all()) - found
            latest = self._links(connection, near, at) if near else {}
            edge = {one for one in near if latest.get(one) in found}
            found |= edge
        return sorted(found)


def _is_written(one: Interaction) -> bool:
    """Whether there are words of the customer whose mood nobody has told; of a call the text is ours."""
    return one.channel != "phone" and one.direction == "in" and one.valence is None and bool(one.text.strip())


def _refused(source: str, told: tuple[CustomerEvent, str], reason: str, now: datetime) -> Rejected:
    event, body = told
    # Each of several that contradict is kept.
    place = f"{event.event_id[:239]} {hashlib.sha256(body.encode()).hexdigest()[:16]}"
    return Rejected(source=source, place=place, reason=f"{reason}{event.at.isoformat()}", body=body, at=now)


def _batches(some: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(some)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch


_read = msgspec.json.Decoder(CustomerEvent).decode
