"""How all customers stand, over HTTP: segments and stages when they were counted last, and who moved."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromQuery, QueryParameter

from agent_assist.customer.rfm import NO_ORDERS, read_segments
from agent_assist.store.customers import Counts, Part
from agent_assist.store.instants import micros, moment
from agent_assist.store.profiles import Profiles
from agent_assist.store.segments import Move, Place, Query, Standing, Standings
from agent_assist.web.access import needs, office
from agent_assist.web.passes import Role

_PAST: Final = 24
"""Counts of which the trend is made."""

Asked = Request[Any, Any, State]


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Customers of each segment and stage at a count."""

    as_of: datetime
    customers: int
    segments: Mapping[str, int]
    stages: Mapping[str, int]


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """How all customers stood when they were counted last."""

    as_of: datetime | None
    """None before they ever were: `warmline customer count` does it."""
    before: datetime | None = None
    """The count against which the moves are."""
    customers: int = 0
    currency: str = ""
    value: Decimal = Decimal(0)
    """Of what all of them bought."""
    names: Mapping[str, Mapping[Literal["zh", "en"], str]] = {}
    """Of the segments of the table that is in force; one of a table before it may have none."""
    segments: Sequence[Part] = ()
    """In the order of the table; stages by their names."""
    stages: Sequence[Part] = ()
    segment_moves: Sequence[Move] = ()
    stage_moves: Sequence[Move] = ()
    past: Sequence[Past] = ()
    """The earliest first, the last count the last of them."""


class Held(Standing, frozen=True, kw_only=True):
    """A customer of a segment."""

    name: str


class HeldList(msgspec.Struct, frozen=True, kw_only=True):
    """Those who bought most first."""

    customers: Sequence[Held]
    next: str | None
    """For ``cursor``, where there are more."""


@get("/v1/segments", guards=[needs(Role.SUPERVISOR)])
async def segments(request: Asked) -> Board:
    """How many customers are in each segment and stage, what they bought for, and who moved since the count before."""
    profiles = _profiles(request)
    counted = await asyncio.to_thread(profiles.store.counted, _PAST)
    if not counted:
        return Board(as_of=None)
    last = counted[0]
    table = [one.id for one in read_segments().segments] + [NO_ORDERS]
    return Board(
        as_of=last.as_of,
        before=last.before,
        customers=last.customers,
        currency=profiles.business.currency,
        value=sum((part.value for part in last.segments), Decimal(0)),
        names={one.id: one.names for one in read_segments().segments},
        segments=sorted(last.segments, key=lambda part: table.index(part.id) if part.id in table else len(table)),
        stages=last.stages,
        segment_moves=last.segment_moves,
        stage_moves=last.stage_moves,
        past=[_past(one) for one in reversed(counted)],
    )


@get("/v1/segments/customers", guards=[needs(Role.SUPERVISOR)])
async def held(
    request: Asked,
    *,
    segment: FromQuery[str | None] = None,
    stage: FromQuery[str | None] = None,
    segment_before: FromQuery[str | None] = None,
    stage_before: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> HeldList:
    """
    Customers as they stood at the last count, by segment, stage, and where they were the time before.

    A page after the first is of the same count, whatever was counted since.
    """
    profiles = _profiles(request)
    counted = await asyncio.to_thread(profiles.store.counted, _PAST)
    as_of, after = _place(cursor)
    of = next((one for one in counted if as_of in {None, one.as_of}), None)
    if of is None:
        if as_of is not None:
            raise NotFoundException("expected a cursor of the last counts, got one of a count that is gone")
        return HeldList(customers=[], next=None)
    query = Query(segment=segment, stage=stage, segment_before=segment_before, stage_before=stage_before)

    def found() -> list[Held]:
        page = Standings(profiles.store.engine).find(of.as_of, of.before, query, limit, after)
        # The name is of today: it is kept with what was told of the customer, and nowhere else.
        return [Held(**msgspec.structs.asdict(one), name=profiles.store.facts(one.customer_id).name) for one in page]

    page = await asyncio.to_thread(found)
    more = len(page) == limit
    return HeldList(customers=page, next=_cursor(of.as_of, page[-1]) if more else None)


def _past(one: Counts) -> Past:
    return Past(
        as_of=one.as_of,
        customers=one.customers,
        segments={part.id: part.customers for part in one.segments},
        stages={part.id: part.customers for part in one.stages},
    )


def _cursor(as_of: datetime, last: Standing) -> str:
    return f"{micros(as_of)}~{last.value!r}~{last.customer_id}"


def _place(cursor: str | None) -> tuple[datetime | None, Place | None]:
    """
    Of the last customer of the page before, and its count.

    Raises:
        HTTPException: If it is not as ``next`` gave it.
    """
    if cursor is None:
        return None, None
    try:
        us, value, customer_id = cursor.split("~", 2)
        return moment(int(us)), Place(float(value), customer_id)
    except (ValueError, OverflowError) as error:
        raise HTTPException(f"expected cursor as `next` gave it, got {cursor[:80]!r}", status_code=400) from error


def _profiles(request: Asked) -> Profiles:
    found = office(request.app).profiles
    if found is None:
        raise NotFoundException("expected a gateway that knows customers, got one without a store of them")
    return found


HANDLERS: Final = (segments, held)
