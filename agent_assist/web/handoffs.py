"""What a bot hands over, over HTTP: taken in once, and shown to the agent of the call."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody

from agent_assist.call.handoff import Handoff, HandoffGiven
from agent_assist.errors import HandoffConflict
from agent_assist.store.handoffs import AHEAD, Handoffs
from agent_assist.web.access import needs, needs_token, office
from agent_assist.web.api import find_call
from agent_assist.web.passes import Role

Asked = Request[Any, Any, State]


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken in."""

    id: str
    expires_at: datetime


@post("/v1/handoffs", guards=[needs(Role.SWITCH)], status_code=201, request_max_body_size=524_288)
async def hand_over(request: Asked, data: JSONBody[HandoffGiven]) -> Response[HandedOver]:
    """Hand over to an agent; the same again is answered with 200 and changes nothing."""
    now = datetime.now(UTC)
    if data.at > now + AHEAD:
        raise HTTPException(f"expected at of no more than now, got {data.at.isoformat()}", status_code=400)
    if now - data.at > timedelta(seconds=data.expires_in_s):
        raise HTTPException(
            f"expected at of no more than expires_in_s ago, got {data.at.isoformat()}, which has expired",
            status_code=400,
        )
    try:
        found, new = await asyncio.to_thread(Handoffs(office(request.app).store.engine).take, data, now)
    except HandoffConflict as error:
        raise HTTPException(str(error), status_code=409) from error
    return Response(HandedOver(id=found.id, expires_at=found.expires_at), status_code=201 if new else 200)


@get("/v1/calls/{call_id:str}/handoff", guards=[needs_token])
async def get_handoff(request: Asked, call_id: FromPath[str]) -> Handoff:
    """What was handed over before a call, whole: for its agent, until it expires."""
    record = await find_call(request, call_id)
    handoffs = Handoffs(office(request.app).store.engine)
    found = await asyncio.to_thread(handoffs.of_call, record.call_id, datetime.now(UTC))
    if found is None:
        raise NotFoundException(f"expected a call that a bot handed over, got {call_id[:128]!r}")
    return found


HANDLERS: Final = (hand_over, get_handoff)
