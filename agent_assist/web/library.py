"""Calls to be found again, and clips of them, over HTTP."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from agent_assist.errors import ClipError
from agent_assist.quality.replay import Replayed
from agent_assist.store.library import Clip, FoundCall, Library, NewClip, Query
from agent_assist.web.access import known, needs, needs_token, office
from agent_assist.web.api import cursor_of, find_call, next_page
from agent_assist.web.passes import Role
from agent_assist.web.times import asked
from audio.types import Channel

Asked = Request[Any, Any, State]
Text = Annotated[str, QueryParameter(max_length=256)]
Maybe = Annotated[str | None, QueryParameter(max_length=256)]


class FoundCalls(msgspec.Struct, frozen=True, kw_only=True):
    """The newest calls first."""

    found: Sequence[FoundCall]
    next: str | None
    """For ``before``, where there may be more."""


class Clips(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    clips: Sequence[Clip]


@get("/v1/search", guards=[needs_token])
async def search(  # noqa: PLR0913 - one for each thing that calls are looked for by
    request: Asked,
    *,
    words: Text = "",
    speaker: FromQuery[Channel | None] = None,
    emotion: Maybe = None,
    rule: Maybe = None,
    shift: Annotated[float | None, QueryParameter(ge=-10, le=10)] = None,
    silence_ms: Annotated[int | None, QueryParameter(ge=0)] = None,
    agent: Maybe = None,
    customer: Maybe = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    before: Maybe = None,
) -> FoundCalls:
    """Stored calls by words, speaker, emotion, rule, shift of the mood, silence, people and time."""
    who = known(request)
    query = Query(
        words=words,
        speaker=speaker,
        emotion=emotion,
        rule=rule,
        shift=shift,
        silence_ms=silence_ms,
        agent_id=who.name if who.of_agent else agent,
        customer=customer,
        since=asked(since, "since"),
        until=asked(until, "until"),
    )
    library = Library(office(request.app).store)
    found = await asyncio.to_thread(library.find, query, limit, cursor_of(before))
    return FoundCalls(found=found, next=next_page([one.call for one in found], limit))


@get("/v1/calls/{call_id:str}/replay", guards=[needs_token])
async def run_again(request: Asked, call_id: FromPath[str]) -> Replayed:
    """What the rules as they are now say of a stored call, beside what was shown."""
    us = office(request.app)
    record = await find_call(request, call_id)
    if us.replay is None or record.status == "live":
        raise HTTPException("the call is still going on; it can be run again when it has ended", status_code=409)
    events = await asyncio.to_thread(us.store.events, call_id)
    return await asyncio.to_thread(us.replay, record, events)


@post("/v1/clips", guards=[needs(Role.QA, Role.SUPERVISOR)], status_code=201)
async def keep_clip(request: Asked, data: JSONBody[NewClip]) -> Clip:
    """Keep part of a call for the case library."""
    library = Library(office(request.app).store)
    try:
        return await asyncio.to_thread(library.keep, data, known(request).name)
    except ClipError as error:
        raise HTTPException(str(error), status_code=400) from error


@get("/v1/clips", guards=[needs(Role.QA, Role.SUPERVISOR, Role.EXPERT)])
async def list_clips(request: Asked, tag: Maybe = None, words: Text = "", call: Maybe = None) -> Clips:
    """The case library, the newest clip first."""
    library = Library(office(request.app).store)
    return Clips(clips=await asyncio.to_thread(library.clips, tag, words, call))


@delete("/v1/clips/{clip_id:str}", guards=[needs(Role.QA, Role.SUPERVISOR)])
async def drop_clip(request: Asked, clip_id: FromPath[str]) -> None:
    """Take a clip out of the library; its call stays."""
    if not await asyncio.to_thread(Library(office(request.app).store).drop, clip_id):
        raise NotFoundException(f"expected the id of a clip, got {clip_id[:64]!r}")


@get("/v1/clips/{clip_id:str}/recording", guards=[needs(Role.QA, Role.SUPERVISOR, Role.EXPERT)])
async def get_clip_sound(request: Asked, clip_id: FromPath[str]) -> Response[bytes]:
    """The sound of a clip in stereo FLAC, the customer on the left."""
    us = office(request.app)
    clip = await asyncio.to_thread(Library(us.store).clip, clip_id)
    if clip is None or us.recordings is None:
        raise NotFoundException(f"expected the id of a clip with sound, got {clip_id[:64]!r}")
    try:
        sound = await asyncio.to_thread(us.recordings.cut, clip.call_id, clip.start_ms, clip.end_ms)
    except FileNotFoundError as error:
        raise NotFoundException("the recording of its call is not there, or not whole yet") from error
    return Response(sound, media_type="audio/flac")


HANDLERS: Final = (search, run_again, keep_clip, list_clips, drop_clip, get_clip_sound)
