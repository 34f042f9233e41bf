"""The data of customers over the API: how good they are, who may be one person, and what a supervisor says of it."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import uuid4

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromQuery, JSONBody, QueryParameter

from agent_assist.customer.events import Id, Merged
from agent_assist.customer.health import TARGET, Health
from agent_assist.customer.profile import Profile
from agent_assist.store.customers import Rejected
from agent_assist.store.health import Candidate, HealthStore, place
from agent_assist.store.profiles import Profiles
from agent_assist.web import cursors
from agent_assist.web.access import known, needs, office
from agent_assist.web.passes import Role

_PAGE: Final = 50

Asked = Request[Any, Any, State]


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A month's score."""

    month: str
    score: float | None
    checked: int
    passed: int


class DataHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The latest month that was looked at, or the one asked for, and those before it."""

    target: float
    score: float | None
    """None where nothing was checked."""
    report: Health
    trend: tuple[Scored, ...]
    """The latest first."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate, and what is known of both."""

    candidate: Candidate
    first: Profile | None
    second: Profile | None


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest first."""

    pairs: tuple[Pair, ...]
    next: str | None
    """For ``after``; None at the end."""


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first."""

    rejected: tuple[Rejected, ...]
    next: str | None
    """For ``after``; None at the end."""


class Merging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two ids of one person."""

    customer_id: Id
    into: Id
    """Under which both go on."""


class Parting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two customers who are two."""

    first: Id
    second: Id


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event was told; it is stored when the topic has come to it."""

    event_id: str


@get("/v1/data-health", guards=[needs(Role.SUPERVISOR)])
async def data_health(
    request: Asked, month: Annotated[str | None, QueryParameter(pattern=r"^\d{4}-\d{2}$")] = None
) -> DataHealth:
    """Score, target, trend, errors by rule with ids of some, of the last month that was looked at or of another."""
    months = await asyncio.to_thread(_store(request).months, month)
    if not months or (month is not None and months[0].month != month):
        raise NotFoundException(f"expected a month that was looked at, got {month or 'none yet'}")
    trend = tuple(
        Scored(month=one.month, score=one.total.score, checked=one.total.checked, passed=one.total.passed)
        for one in months
    )
    return DataHealth(target=TARGET, score=months[0].total.score, report=months[0], trend=trend)


@get("/v1/data-health/duplicates", guards=[needs(Role.SUPERVISOR)])
async def duplicates(
    request: Asked,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE)] = 20,
    after: FromQuery[str | None] = None,
) -> Duplicates:
    """Pairs of customers that may be one person, of which nobody said yet whether they are."""
    begin = None if after is None else cursors.read(after, tuple[int, str, str], "after")
    profiles, store = _profiles(request), _store(request)

    def read() -> list[Pair]:
        now = datetime.now(UTC)
        return [
            Pair(candidate=one, first=profiles.of(one.first, now), second=profiles.of(one.second, now))
            for one in store.candidates(limit + 1, begin)
        ]

    found = await asyncio.to_thread(read)
    more = len(found) > limit
    return Duplicates(
        pairs=tuple(found[:limit]), next=cursors.written(place(found[limit - 1].candidate)) if more else None
    )


@get("/v1/data-health/rejected", guards=[needs()])
async def rejected(
    request: Asked,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE)] = _PAGE,
    after: FromQuery[str | None] = None,
) -> Refusals:
    """What could not be taken in, as it came, with its reason, the latest first."""
    begin = None if after is None else cursors.read(after, tuple[datetime, str, str], "after")
    store = _profiles(request).store
    found = await asyncio.to_thread(store.rejected, limit + 1, begin)
    last = found[limit - 1] if len(found) > limit else None
    return Refusals(
        rejected=tuple(found[:limit]),
        next=None if last is None else cursors.written((last.at, last.source, last.place)),
    )


@post("/v1/customers/merge", guards=[needs(Role.SUPERVISOR)], status_code=202)
async def merge(request: Asked, data: JSONBody[Merging]) -> Told:
    """Tell that two ids are one person; it is an event as any other, and a ``split`` undoes it."""
    if data.customer_id == data.into:
        raise HTTPException("expected two customers, got one", status_code=400)
    await _must_be_known(request, data.customer_id, data.into)
    who, now = known(request).name, datetime.now(UTC)
    event = Merged(event_id=f"merge:{uuid4().hex}", customer_id=data.customer_id, at=now, into=data.into, by=who)
    await office(request.app).tell(event)
    # Only when it was told: a decision that nobody heard of would hide the pair.
    await asyncio.to_thread(_store(request).decide, data.customer_id, data.into, "merged", who, now)
    return Told(event_id=event.event_id)


@post("/v1/data-health/duplicates/reject", guards=[needs(Role.SUPERVISOR)], status_code=204)
async def reject(request: Asked, data: JSONBody[Parting]) -> None:
    """Say that a candidate is two persons: it is not proposed again."""
    who, now = known(request).name, datetime.now(UTC)
    if not await asyncio.to_thread(_store(request).decide, data.first, data.second, "rejected", who, now):
        raise NotFoundException("expected a candidate on which nobody has decided, got none")


async def _must_be_known(request: Asked, *ids: str) -> None:
    profiles = _profiles(request)
    for one in ids:
        if (await asyncio.to_thread(profiles.store.facts, one)).version is None:
            raise NotFoundException(f"expected a customer of whom something was told, got {one[:128]!r}")


def _store(request: Asked) -> HealthStore:
    return HealthStore(office(request.app).store.engine)


def _profiles(request: Asked) -> Profiles:
    found = office(request.app).profiles
    if found is None:
        raise NotFoundException("expected a gateway that knows customers, got one without a store of them")
    return found


HANDLERS: Final = (data_health, duplicates, rejected, merge, reject)
