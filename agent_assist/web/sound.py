"""Recordings over HTTP: a link that a browser's player can follow, and the sound itself, piece by piece."""

import asyncio
import hmac
import re
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from agent_assist.store.recordings import Peaks, Recordings
from agent_assist.web.access import known, needs_token, office, whose
from agent_assist.web.api import find_call
from agent_assist.web.passes import Pass, Role
from agent_assist.web.problem import problem

_LINK_S: Final = 12 * 3_600
"""A shift: who has a replay open all day need not fetch the page anew."""
_PIECE: Final = 1 << 18
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")

Asked = Request[Any, Any, State]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Where a player finds the sound of a call, which cannot send a header."""

    url: str
    """Relative to the server; holds no more than the right to this one recording."""
    expires_at: int
    """Seconds since the epoch."""


def _signature(token: str, call_id: str, expires_at: int) -> str:
    return hmac.new(token.encode(), f"recording\0{call_id}\0{expires_at}".encode(), sha256).hexdigest()


async def _recorded(request: Asked, call_id: str, who: Pass | None) -> tuple[Recordings, int]:
    """Where it is kept, and its bytes; ``who`` is None where a link tells that they may hear it."""
    us = office(request.app)
    if who is not None and who.role is Role.SWITCH:
        raise PermissionDeniedException(f"expected the pass of a person, got that of a {who.role}")
    if who is not None and who.of_agent:
        await find_call(request, call_id)
    if us.recordings is None:
        raise NotFoundException("no recordings are kept: the setting recordings is off")
    size = await asyncio.to_thread(us.recordings.size, call_id)
    if size is None:
        record = us.live.record(call_id)
        if record is not None and record.status == "live":
            raise HTTPException("the call is still going on; its recording is there when it has ended", status_code=409)
        raise NotFoundException(f"expected a call with a recording, got {call_id[:128]!r}, which has none")
    return us.recordings, size


@get("/v1/calls/{call_id:str}/recording-link", guards=[needs_token])
async def get_link(request: Asked, call_id: FromPath[str]) -> Link:
    """A link to the recording of a call, good for twelve hours."""
    await _recorded(request, call_id, known(request))
    expires_at = int(time.time()) + _LINK_S
    signature = _signature(office(request.app).token, call_id, expires_at)
    url = f"/v1/calls/{quote(call_id, safe='')}/recording?expires={expires_at}&signature={signature}"
    return Link(url=url, expires_at=expires_at)


@get("/v1/calls/{call_id:str}/peaks", guards=[needs_token])
async def get_peaks(request: Asked, call_id: FromPath[str]) -> Peaks:
    """How loud each channel is, every 100 ms: the recording drawn before it is heard."""
    recordings, _ = await _recorded(request, call_id, known(request))
    peaks = await asyncio.to_thread(recordings.peaks, call_id)
    if peaks is None:
        raise NotFoundException(f"expected a call whose recording is whole, got {call_id[:128]!r}")
    return peaks


@get("/v1/calls/{call_id:str}/recording", media_type="audio/flac")
async def get_recording(
    request: Asked,
    call_id: FromPath[str],
    expires: Annotated[int, QueryParameter(ge=0, le=1 << 40)] = 0,
    signature: Annotated[str, QueryParameter(max_length=64)] = "",
) -> Response[Any]:
    """The sound of a call in stereo FLAC, the customer on the left; whole, or a range of its bytes."""
    expected = _signature(office(request.app).token, call_id, expires)
    who = whose(request)
    if who is None and not (hmac.compare_digest(signature, expected) and expires > time.time()):
        raise NotAuthorizedException("expected the right token, or a link that is still good")
    recordings, size = await _recorded(request, call_id, who)
    headers = {"accept-ranges": "bytes", "cache-control": "private, max-age=3600"}
    asked = request.headers.get("range")
    if asked is None:
        return Stream(
            _pieces(recordings, call_id, 0, size),
            media_type="audio/flac",
            headers=headers | {"content-length": str(size)},
        )
    span = _span(asked, size)
    if span is None:
        answer = problem(416, f"expected a range within {size} bytes, got {asked[:80]!r}")
        answer.headers["content-range"] = f"bytes */{size}"
        return answer
    start, end = span
    headers |= {"content-range": f"bytes {start}-{end - 1}/{size}", "content-length": str(end - start)}
    return Stream(_pieces(recordings, call_id, start, end), status_code=206, media_type="audio/flac", headers=headers)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """The one range that is asked for, from its start up to its end; None where there is none such."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


async def _pieces(recordings: Recordings, call_id: str, start: int, end: int) -> AsyncIterator[bytes]:
    while start < end:
        piece = await asyncio.to_thread(recordings.read, call_id, start, min(start + _PIECE, end))
        start += len(piece)
        yield piece


HANDLERS: Final = (get_link, get_peaks, get_recording)
