"""A recording as a live call: the caller's side of Twilio Media Streams."""

import asyncio
import base64
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import soxr
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from audio.codecs import encode
from audio.errors import ProtocolError
from audio.recording import Recording
from audio.types import Encoding, Pcm

log = structlog.get_logger()

_ACCOUNT = "AC" + 32 * "0"
_RATE = 8_000
_FRAME = 160
_FRAME_MS = 20
_RECONNECT_S = 30.0
_HANG_UP_S = 10.0
_FINAL_CODES = frozenset({1003, 1007, 1008, 1009, 1013, 4001})
"""Close codes after which another try would end the same way, or drive somebody else out."""


@dataclass(frozen=True, slots=True)
class Played:
    """How it went."""

    duration_ms: int
    reconnects: int
    lost_ms: int
    """Audio that fell into outages."""


async def play(
    recording: Recording,
    url: str,
    *,
    token: str,
    call_id: str,
    speed: float = 1.0,
    parameters: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    reconnect: bool = True,
) -> Played:
    """
    Play both tracks, paced by the wall clock.

    When the connection breaks, it calls again for up to 30 s and goes on where the call would be by then, as a line
    does; what was said meanwhile is lost.

    Args:
        token: Sent as the custom parameter ``token``.
        speed: 1 is as fast as people talk.
        parameters: Further custom parameters: ``customer_id``, ``customer_name``, ``agent_id``, ``queue``,
            ``direction``.
        progress: Told what has been sent and how much there is, in milliseconds.

    Raises:
        ProtocolError: If the door refuses the call, or breaks off and does not take it again.
        OSError: If it cannot be reached.
    """
    if speed <= 0:
        raise ValueError(f"expected a speed above 0, got {speed}")
    line = _Line(recording, call_id, {**(parameters or {}), "token": token}, speed, progress)
    broke: float | None = None
    while True:
        try:
            async with connect(url, compression=None, max_size=65_536, open_timeout=5) as socket:
                broke = None
                await line.speak(socket)
                await _hung_up(socket)
            return line.played()
        except (ConnectionClosed, InvalidHandshake, OSError) as error:
            now = time.monotonic()
            broke = broke or now
            if not reconnect or line.began is None or now - broke > _RECONNECT_S or _is_final(error):
                raise _refusal(error, call_id) from error
            log.warning("line_broke", call=call_id, at_ms=line.sent_ms, error=type(error).__name__)
            await asyncio.sleep(0.25)


async def _hung_up(socket: ClientConnection) -> None:
    """
    After the stop, it is the gateway that closes: then it has all audio.

    Raises:
        ConnectionClosed: If it says that it did not take the call.
    """
    try:
        async with asyncio.timeout(_HANG_UP_S):
            await socket.wait_closed()
    except TimeoutError:
        log.warning("line_still_open", seconds=_HANG_UP_S)
        return
    if socket.close_code in _FINAL_CODES:
        raise socket.protocol.close_exc


def _is_final(error: Exception) -> bool:
    if isinstance(error, ConnectionClosed):
        return error.rcvd is not None and error.rcvd.code in _FINAL_CODES
    if isinstance(error, InvalidStatus):
        # A proxy says 5xx while the gateway is away.
        return error.response.status_code < 500
    return False


def _refusal(error: ConnectionClosed | InvalidHandshake | OSError, call_id: str) -> Exception:
    match error:
        case OSError():
            return error
        case InvalidStatus():
            got = f"HTTP {error.response.status_code}"
        case ConnectionClosed(rcvd=close) if close is not None:
            got = f"{close.code} {close.reason}".rstrip()
        case _:
            got = type(error).__name__
    return ProtocolError("the door to take the call", got, f"call={call_id}")


class _Line:
    """A recording on its way."""

    def __init__(
        self,
        recording: Recording,
        call_id: str,
        parameters: Mapping[str, str],
        speed: float,
        progress: Callable[[int, int], None],
    ) -> None:
        self._tracks = {
            name: _telephone(pcm, recording.rate)
            for name, pcm in (("inbound", recording.customer), ("outbound", recording.agent))
            if pcm is not None
        }
        self._total = max(map(len, self._tracks.values()), default=0)
        self._call_id = call_id
        self._parameters = parameters
        self._speed = speed
        self._progress = progress
        self.began: float | None = None
        """Wall clock at the first sample."""
        self._sent = 0
        self._streams = 0
        self._lost = 0

    @property
    def sent_ms(self) -> int:
        return min(self._sent, self._total) * 1000 // _RATE

    def played(self) -> Played:
        return Played(self._total * 1000 // _RATE, self._streams - 1, self._lost * 1000 // _RATE)

    async def speak(self, socket: ClientConnection) -> None:
        """From where the call is now to its end, on a new connection."""
        await self._open(socket)
        now = time.monotonic()
        if self.began is None:
            self.began = now
        first = 0
        if self._streams:
            first = max(self._sent, int((now - self.began) * self._speed * _RATE) // _FRAME * _FRAME)
            first = min(first, self._total)
            self._lost += first - self._sent
            self._sent = first
        self._streams += 1
        number = 1
        for at, frames in _frames(self._tracks, first, self._total):
            # A frame leaves when its last sample has been spoken; each time is counted from the call's begin, so that
            # nothing adds up.
            await asyncio.sleep(max(0.0, self.began + (at + _FRAME) / _RATE / self._speed - time.monotonic()))
            for media in frames:
                number += 1
                await socket.send(_json(event="media", sequenceNumber=str(number), streamSid=self._stream, media=media))
            self._sent = min(at + _FRAME, self._total)
            self._progress(self.sent_ms, self._total * 1000 // _RATE)
        stop = {"accountSid": _ACCOUNT, "callSid": self._call_id}
        await socket.send(_json(event="stop", sequenceNumber=str(number + 1), streamSid=self._stream, stop=stop))

    @property
    def _stream(self) -> str:
        return f"MZ{self._call_id}"

    async def _open(self, socket: ClientConnection) -> None:
        await socket.send(_json(event="connected", protocol="Call", version="1.0.0"))
        start = {
            "streamSid": self._stream,
            "accountSid": _ACCOUNT,
            "callSid": self._call_id,
            "tracks": list(self._tracks),
            "customParameters": self._parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": _RATE, "channels": 1},
        }
        await socket.send(_json(event="start", sequenceNumber="1", streamSid=self._stream, start=start))


def _telephone(pcm: Pcm, rate: int) -> bytes:
    """As mu-law at 8 kHz; what came from mu-law is not changed."""
    if rate != _RATE:
        pcm = np.asarray(soxr.resample(pcm, rate, _RATE), dtype=np.int16)
    return encode(Encoding.PCMU, pcm)


def _frames(tracks: Mapping[str, bytes], first: int, total: int) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Position in samples, and the media of all tracks that begins there; the last frame may be short."""
    for index, at in enumerate(range(first, total, _FRAME)):
        yield (
            at,
            [
                {
                    "track": track,
                    "chunk": str(index + 1),
                    "timestamp": str(index * _FRAME_MS),
                    "payload": base64.b64encode(payload[at : at + _FRAME]).decode(),
                }
                for track, payload in tracks.items()
                if at < len(payload)
            ],
        )


def _json(**message: object) -> str:
    return msgspec.json.encode(message).decode()
