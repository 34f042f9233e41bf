"""
Twilio Media Streams, as sans-I/O.

A fork (``<Start><Stream>``): we are told and say nothing. Numbers come as strings or as numbers. ``sequenceNumber`` is
the only order and ``timestamp`` the only clock.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

import base64
import binascii
from typing import Any, Final

import msgspec

from audio.errors import ProtocolError
from audio.telephony.clock import MediaClock
from audio.telephony.types import Counts, Dtmf, Media, StreamEnded, StreamStarted, TelephonyEvent, Track
from audio.types import Encoding

_MAX_MALFORMED: Final = 10
_MAX_PARAMETERS: Final = 16_384
"""Bytes of all custom parameters together."""
_MAX_DEPTH: Final = 16
_MAX_KEYS: Final = 256
_LATE: Final = 5
"""Messages of a track held back for one that is late: 100 ms at 20 ms each."""
_FAR: Final = 1_000
"""A sequence number farther away than this is no order: the peer counts anew, or lies."""
_TRACKS: Final[tuple[Track, ...]] = ("inbound", "outbound")
_ENCODINGS: Final = {"audio/x-mulaw": Encoding.PCMU, "audio/x-alaw": Encoding.PCMA, "audio/x-l16": Encoding.PCM16}


class TwilioStream:
    """One connection."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._started: StreamStarted | None = None
        self._ended = False
        self._clock: MediaClock | None = None
        self._next: int | None = None
        """Sequence number that is due; None before any was seen."""
        self._early: dict[int, dict[str, Any]] = {}

    def receive(self, message: str | bytes) -> list[TelephonyEvent]:
        """See ``Adapter``."""
        self.counts.messages += 1
        try:
            parsed = _parse(message)
        except (ValueError, RecursionError, msgspec.MsgspecError):
            return self._malformed()
        if self._ended:
            self.counts.dropped += 1
            return []
        match parsed["event"]:
            case "connected":
                return []
            case "start":
                return self._start(parsed)
            case _:
                return self._ordered(parsed)

    def closed(self) -> list[TelephonyEvent]:
        """See ``Adapter``."""
        told = self._release()
        if self._started is not None and not self._ended:
            self._ended = True
            told.append(StreamEnded(clean=False))
        return told

    def _malformed(self) -> list[TelephonyEvent]:
        self.counts.malformed += 1
        if self.counts.malformed > _MAX_MALFORMED:
            where = "before the start" if self._started is None else f"call={self._started.call_id}"
            raise ProtocolError("messages of Twilio Media Streams", f"more than {_MAX_MALFORMED} others", where)
        return []

    def _start(self, parsed: dict[str, Any]) -> list[TelephonyEvent]:
        if self._started is not None:
            raise ProtocolError("one start in a connection", "a second", f"call={self._started.call_id}")
        self._started = started = _stream(parsed)
        self._clock = MediaClock(started.rate, self.counts)
        number = _number(parsed.get("sequenceNumber"))
        self._next = None if number is None else number + 1
        return [started]

    def _ordered(self, parsed: dict[str, Any]) -> list[TelephonyEvent]:
        """What can be told once the order is known."""
        number = _number(parsed.get("sequenceNumber"))
        if number is None or self._next is None or self._started is None:
            return self._act(parsed)
        if abs(number - self._next) > _FAR:
            told = self._release()
            self._next = number + 1
            return told + self._act(parsed)
        if number < self._next or number in self._early:
            self.counts.dropped += 1
            return []
        self.counts.reordered += number != self._next
        self._early[number] = parsed
        if len(self._early) > _LATE * len(self._started.tracks):
            self._next = min(self._early)
        told = []
        while self._next in self._early:
            told += self._act(self._early.pop(self._next))
            self._next += 1
        return told + (self._release() if parsed["event"] == "stop" else [])

    def _release(self) -> list[TelephonyEvent]:
        """All that was held back, in order."""
        told: list[TelephonyEvent] = []
        for number in sorted(self._early):
            told += self._act(self._early.pop(number))
        return told

    def _act(self, parsed: dict[str, Any]) -> list[TelephonyEvent]:
        if self._started is None or self._clock is None or self._ended:
            self.counts.dropped += 1
            return []
        match parsed["event"]:
            case "media":
                return self._media(parsed["media"], self._started, self._clock)
            case "dtmf":
                dtmf = parsed.get("dtmf")
                digit = dtmf.get("digit") if isinstance(dtmf, dict) else None
                return [Dtmf("inbound", digit)] if isinstance(digit, str) and len(digit) == 1 else []
            case "stop":
                self._ended = True
                return [StreamEnded(clean=True)]
            case _:
                # Marks, and whatever Twilio comes to send: nothing that we need.
                return []

    def _media(self, media: dict[str, Any], started: StreamStarted, clock: MediaClock) -> list[TelephonyEvent]:
        track: Track | None = next((track for track in _TRACKS if track == media.get("track", "inbound")), None)
        at_ms = _number(media.get("timestamp"))
        payload = _decoded(media.get("payload"))
        width = started.encoding.sample_bytes
        if track is None or not payload or at_ms is None or len(payload) % width:
            self.counts.dropped += 1
            return []
        return [Media(track, payload, clock.place(track, at_ms, len(payload) // width))]


def _parse(message: str | bytes) -> dict[str, Any]:
    """
    A message as a JSON object with an event.

    Raises:
        ValueError, RecursionError, msgspec.MsgspecError: If it is none.
    """
    text = message if isinstance(message, str) else message.decode()
    parsed = msgspec.json.decode(text)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("event"), str):
        raise ValueError("expected an object with an event")
    if parsed["event"] == "media" and not isinstance(parsed.get("media"), dict):
        raise ValueError("expected an object in media")
    # Media, of which there are a hundred a second, has two braces.
    if text.count("{") + text.count("[") > _MAX_DEPTH or text.count(":") > _MAX_KEYS:
        _check_size(parsed, 1)
    return parsed


def _check_size(value: Any, depth: int) -> int:
    """Number of keys; ValueError where there are too many, or too many levels."""
    if not isinstance(value, dict | list):
        return 0
    if depth > _MAX_DEPTH:
        raise ValueError(f"expected at most {_MAX_DEPTH} levels")
    items = list(value.values()) if isinstance(value, dict) else value
    keys = len(items) + sum(_check_size(item, depth + 1) for item in items)
    if keys > _MAX_KEYS:
        raise ValueError(f"expected at most {_MAX_KEYS} keys")
    return keys


def _stream(parsed: dict[str, Any]) -> StreamStarted:
    """
    The stream that a start announces.

    Raises:
        ProtocolError: If it lacks what we need.
    """
    start = parsed.get("start")
    if not isinstance(start, dict):
        raise ProtocolError("an object in start", type(start).__name__, "start")
    call_id = start.get("callSid")
    if not isinstance(call_id, str) or not _is_call_id(call_id):
        got = repr(call_id)[:80]
        raise ProtocolError("a callSid of 1 to 128 printable ASCII characters without /", got, "start")
    where = f"call={call_id}"
    media = start.get("mediaFormat", {})
    if not isinstance(media, dict):
        raise ProtocolError("an object in mediaFormat", type(media).__name__, where)
    encoding = _ENCODINGS.get(str(media.get("encoding", "audio/x-mulaw")).partition(";")[0])
    rate = _number(media.get("sampleRate", 8_000))
    if encoding is None or rate not in {8_000, 16_000}:
        got = f"{media.get('encoding')!r} at {media.get('sampleRate')!r}"[:80]
        raise ProtocolError(f"one of {', '.join(_ENCODINGS)} at 8000 or 16000 Hz", got, where)
    if _number(media.get("channels", 1)) != 1:
        raise ProtocolError("1 channel a track", repr(media.get("channels"))[:80], where)
    parameters = start.get("customParameters") or {}
    if not isinstance(parameters, dict) or not all(isinstance(value, str) for value in parameters.values()):
        raise ProtocolError("strings in customParameters", "others", where)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items())
    if size > _MAX_PARAMETERS:
        raise ProtocolError(f"at most {_MAX_PARAMETERS} bytes of customParameters", str(size), where)
    tracks = start.get("tracks")
    return StreamStarted(
        protocol="twilio",
        call_id=call_id,
        stream_id=str(parsed.get("streamSid") or start.get("streamSid") or "")[:128],
        tracks=tuple(track for track in _TRACKS if isinstance(tracks, list) and track in tracks) or ("inbound",),
        encoding=encoding,
        rate=rate,
        parameters=parameters,
    )


def _is_call_id(text: str) -> bool:
    """Ids go into logs, file names, addresses and record keys."""
    return 0 < len(text) <= 128 and text.isascii() and text.isprintable() and "/" not in text and text.strip(" .") != ""


def _decoded(payload: Any) -> bytes:
    """Nothing where it is no base64."""
    if not isinstance(payload, str):
        return b""
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _number(value: Any) -> int | None:
    """A whole number, as a string or as it is; None for all else."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not 0 < len(digits) <= 15 or not digits.isascii() or not digits.isdigit():
            return None
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    return None
