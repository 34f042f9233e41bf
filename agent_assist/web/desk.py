"""What supervisors, experts and agents do about a call while it runs."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody

from agent_assist.types import Acknowledged, Asked, CardKind, Whisper
from agent_assist.web.access import known, needs, needs_token
from agent_assist.web.api import find_call, tell_all
from agent_assist.web.passes import Role

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]

Posted = Request[Any, Any, State]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the agent wants to know."""

    question: Words


class Advice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words to the agent."""

    text: Words
    answers: str | None = None
    """Id of a question of theirs."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken."""

    id: str


@post("/v1/calls/{call_id:str}/cards/{card_id:str}/acknowledge", guards=[needs(Role.SUPERVISOR)], status_code=202)
async def acknowledge(request: Posted, call_id: FromPath[str], card_id: FromPath[str]) -> None:
    """Say that an alert has been seen, and is being taken care of."""
    record = await find_call(request, call_id)
    if all(card.id != card_id or card.kind is not CardKind.ALERT for card in record.cards):
        raise NotFoundException(f"expected an alert of the call {call_id[:128]!r}, got {card_id[:256]!r}")
    await tell_all(
        request, Acknowledged(call_id=call_id, card_id=card_id, by=known(request).name, at=datetime.now(UTC))
    )


@post("/v1/calls/{call_id:str}/questions", guards=[needs_token], status_code=202)
async def ask(request: Posted, call_id: FromPath[str], data: JSONBody[Question]) -> Said:
    """Ask an expert; the wallboard shows the call with its question."""
    await _running(request, call_id)
    asked = Asked(
        id=uuid.uuid4().hex,
        call_id=call_id,
        question=_plain(data.question),
        by=known(request).name,
        at=datetime.now(UTC),
    )
    await tell_all(request, asked)
    return Said(id=asked.id)


@post("/v1/calls/{call_id:str}/whispers", guards=[needs(Role.SUPERVISOR, Role.EXPERT)], status_code=202)
async def whisper(request: Posted, call_id: FromPath[str], data: JSONBody[Advice]) -> Said:
    """Say something to the agent, of one's own accord or in answer."""
    record = await _running(request, call_id)
    if data.answers is not None and all(asked.id != data.answers for asked in record.asked):
        raise NotFoundException(f"expected a question of the call {call_id[:128]!r}, got {data.answers[:128]!r}")
    said = Whisper(
        id=uuid.uuid4().hex,
        call_id=call_id,
        text=_plain(data.text),
        by=known(request).name,
        at=datetime.now(UTC),
        answers=data.answers,
    )
    await tell_all(request, said)
    return Said(id=said.id)


async def _running(request: Posted, call_id: str) -> Any:
    record = await find_call(request, call_id)
    if record.status != "live":
        raise HTTPException("the call is over; nobody would read it", status_code=409)
    return record


def _plain(text: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise HTTPException("expected words, got none", status_code=400)
    return said


HANDLERS: Final = (acknowledge, ask, whisper)
