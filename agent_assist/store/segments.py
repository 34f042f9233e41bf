"""Where each customer stood when all were counted, in SQL: segment, stage, and who moved since the time before."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

import msgspec
from sqlalchemy import Engine, and_, delete, func, insert, or_, select

from agent_assist.store.instants import micros
from agent_assist.store.tables import customer_counts, customer_standings

_AT_ONCE: Final = 500
_KEPT: Final = 2
"""Counts of which each customer is kept: the last, and what it is held against."""

By = Literal["segment", "stage"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One customer when all were counted."""

    customer_id: str
    segment: str
    stage: str
    value: float
    """Of what they bought, in the currency of the business."""
    segment_before: str | None = None
    """When they were counted the time before; None of those who were not there yet, or did not ask."""
    stage_before: str | None = None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Customers who were in one segment or stage and are in another, or in the same."""

    before: str | None
    """None: they were not counted then."""
    now: str | None
    """None: they are gone, or were merged into another."""
    customers: int


class Place(NamedTuple):
    """Of the last customer of a page."""

    value: float
    customer_id: str


class Standings:
    """Blocks as the store does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, as_of: datetime, standings: Iterable[Standing]) -> None:
        """
        Keep a count, of which nobody learns until ``CustomerStore.keep_counts`` says that it is whole.

        What a count that came to no end left, and what is older than the count before, goes.
        """
        s, c, us = customer_standings.c, customer_counts.c, micros(as_of)
        with self._engine.begin() as connection:
            whole = select(c.as_of_us).order_by(c.as_of_us.desc()).limit(_KEPT - 1)
            kept = list(connection.execute(whole).scalars())
            connection.execute(delete(customer_standings).where(or_(s.as_of_us.not_in(kept), s.as_of_us == us)))
        for batch in _batches(standings):
            rows = [
                {"as_of_us": us, "customer_id": x.customer_id, "segment": x.segment, "stage": x.stage, "value": x.value}
                for x in batch
            ]
            with self._engine.begin() as connection:
                connection.execute(insert(customer_standings), rows)

    def moves(self, by: By, before: datetime, now: datetime) -> tuple[Move, ...]:
        """Who went from where to where between two counts, those who stayed among them; the most first."""
        old, new = customer_standings.alias("old"), customer_standings.alias("new")
        first, last = micros(before), micros(now)
        came = (
            select(old.c[by].label("before"), new.c[by].label("now"), func.count().label("n"))
            .select_from(new.outerjoin(old, and_(old.c.customer_id == new.c.customer_id, old.c.as_of_us == first)))
            .where(new.c.as_of_us == last)
            .group_by(old.c[by], new.c[by])
        )
        gone = (
            select(old.c[by].label("before"), func.count().label("n"))
            .select_from(old.outerjoin(new, and_(old.c.customer_id == new.c.customer_id, new.c.as_of_us == last)))
            .where(old.c.as_of_us == first, new.c.customer_id.is_(None))
            .group_by(old.c[by])
        )
        with self._engine.connect() as connection:
            found = [Move(before=row.before, now=row.now, customers=row.n) for row in connection.execute(came)]
            found += [Move(before=row.before, now=None, customers=row.n) for row in connection.execute(gone)]
        return tuple(sorted(found, key=lambda one: (-one.customers, one.before or "", one.now or "")))

    def find(
        self, as_of: datetime, before: datetime | None, asked: "Query", limit: int, after: Place | None = None
    ) -> list[Standing]:
        """Customers of a count, those who bought most first; from after a place on."""
        new, old = customer_standings.alias("new"), customer_standings.alias("old")
        first = None if before is None else micros(before)
        query: Any = (
            select(new, old.c.segment.label("segment_before"), old.c.stage.label("stage_before"))
            .select_from(new.outerjoin(old, and_(old.c.customer_id == new.c.customer_id, old.c.as_of_us == first)))
            .where(new.c.as_of_us == micros(as_of))
        )
        for column, wanted in (
            (new.c.segment, asked.segment),
            (new.c.stage, asked.stage),
            (old.c.segment, asked.segment_before),
            (old.c.stage, asked.stage_before),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if after is not None:
            later = and_(new.c.value == after.value, new.c.customer_id > after.customer_id)
            query = query.where(or_(new.c.value < after.value, later))
        query = query.order_by(new.c.value.desc(), new.c.customer_id).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings()
            return [Standing(**{name: row[name] for name in Standing.__struct_fields__}) for row in rows]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Customers that are looked for; None is any."""

    segment: str | None = None
    stage: str | None = None
    segment_before: str | None = None
    stage_before: str | None = None


def _batches(some: Iterable[Standing]) -> Iterator[list[Standing]]:
    left = iter(some)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch
