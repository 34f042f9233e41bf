"""A recording as a live call: the caller's side of Twilio Media Streams."""

import asyncio
import base64
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np
import soxr
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from audio.codecs import encode
from audio.errors import ProtocolError
from audio.recording import Recording
from audio.types import Encoding, Pcm

log = structlog.get_logger()

_RATE = 8_000
_FRAME = 160
_RECONNECT_S = 30.0
_FINAL_CODES = frozenset({1003, 1007, 1008, 1009, 1013})
"""Close codes after which another try would end the same way."""


async def play(
    recording: Recording,
    url: str,
    *,
    token: str,
    call_id: str,
    speed: float = 1.0,
    parameters: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """
    Play both tracks, paced by the wall clock.

    When the connection breaks, it calls again for up to 30 s and goes on where the call would be by then, as a line
    does; what was said meanwhile is lost.

    Args:
        progress: Told what has been sent and how much there is, in milliseconds.

    Raises:
        ProtocolError: If the door refuses the call.
        OSError: If it cannot be reached.
    """
    tracks = {
        name: _telephone(pcm, recording.rate)
        for name, pcm in (("inbound", recording.customer), ("outbound", recording.agent))
        if pcm is not None
    }
    total = max(len(payload) for payload in tracks.values())
    began = time.monotonic()
    broke: float | None = None
    sent = 0
    while True:
        try:
            async with connect(url, compression=None, max_size=65_536, open_timeout=5) as socket:
                broke = None
                await _open(socket, call_id, list(tracks), {"token": token, **(parameters or {})})
                first = sent and min(total, int((time.monotonic() - began) * speed * _RATE) // _FRAME * _FRAME)
                for at, frames in _frames(tracks, first, total):
                    await asyncio.sleep(max(0.0, began + (at + _FRAME) / _RATE / speed - time.monotonic()))
                    for frame in frames:
                        await socket.send(frame)
                    sent = at + _FRAME
                    progress(min(sent, total) * 1000 // _RATE, total * 1000 // _RATE)
                await socket.send(_json(event="stop", stop={"callSid": call_id}))
            return
        except (ConnectionClosed, OSError, InvalidStatus, TimeoutError) as error:
            if isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code in _FINAL_CODES:
                got = f"{error.rcvd.code} {error.rcvd.reason}"
                raise ProtocolError("the door to take the call", got, f"call={call_id}") from error
            if isinstance(error, InvalidStatus):
                got = f"HTTP {error.response.status_code}"
                raise ProtocolError("the door to take the call", got, f"call={call_id}, url={url}") from error
            if not sent:
                raise
            broke = broke or time.monotonic()
            if time.monotonic() - broke > _RECONNECT_S:
                raise
            log.warning("line_broke", call=call_id, error=type(error).__name__)
            await asyncio.sleep(0.25)


def _telephone(pcm: Pcm, rate: int) -> bytes:
    """As mu-law at 8 kHz; what came from mu-law is not changed."""
    if rate != _RATE:
        pcm = np.asarray(soxr.resample(pcm, rate, _RATE), dtype=np.int16)
    return encode(Encoding.PCMU, pcm)


async def _open(socket: ClientConnection, call_id: str, tracks: list[str], parameters: dict[str, str]) -> None:
    await socket.send(_json(event="connected", protocol="Call", version="1.0.0"))
    start = {
        "streamSid": f"MZ{call_id}",
        "accountSid": "AC0",
        "callSid": call_id,
        "tracks": tracks,
        "customParameters": parameters,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": _RATE, "channels": 1},
    }
    await socket.send(_json(event="start", sequenceNumber="1", streamSid=start["streamSid"], start=start))


def _frames(tracks: Mapping[str, bytes], first: int, total: int) -> Iterator[tuple[int, list[str]]]:
    """Position in samples and the messages of all tracks that begin there."""
    number = 1
    for at in range(first, total, _FRAME):
        frames: list[str] = []
        for track, payload in tracks.items():
            part = payload[at : at + _FRAME]
            if part:
                number += 1
                media = {
                    "track": track,
                    "chunk": str((at - first) // _FRAME + 1),
                    "timestamp": str((at - first) * 1000 // _RATE),
                    "payload": base64.b64encode(part).decode(),
                }
                frames.append(_json(event="media", sequenceNumber=str(number), media=media))
        yield at, frames


def _json(**message: object) -> str:
    return msgspec.json.encode(message).decode()
