"""
Twilio Media Streams, as sans-I/O.

A fork (``<Start><Stream>``): we are told and say nothing. Numbers come as strings or as numbers. ``sequenceNumber`` is
the only order and ``timestamp`` the only clock.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

import base64
import binascii
import hashlib
import hmac
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from audio.errors import ProtocolError
from audio.telephony.types import Counts, Dtmf, Media, StreamEnded, StreamStarted, TelephonyEvent, Track
from audio.types import Encoding

_MAX_MALFORMED: Final = 10
_MAX_PARAMETERS: Final = 16_384
"""Bytes of all custom parameters together."""
_MAX_DEPTH: Final = 16
_REORDER: Final = 5
"""Messages held back for one that is late (100 ms at 20 ms each)."""
_MAX_AT_MS: Final = 24 * 3600 * 1000
_ENCODINGS: Final = {"audio/x-mulaw": Encoding.PCMU, "audio/x-alaw": Encoding.PCMA, "audio/x-l16": Encoding.PCM16}


class TwilioStream:
    """One connection."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._started: StreamStarted | None = None
        self._ended = False
        self._next: int | None = None
        self._early: dict[int, dict[str, Any]] = {}

    def receive(self, message: str | bytes) -> list[TelephonyEvent]:
        """See ``Adapter``."""
        self.counts.messages += 1
        parsed = self._parse(message)
        if parsed is None:
            return []
        if self._ended:
            self.counts.dropped += 1
            return []
        event = parsed.get("event")
        if event == "connected":
            return []
        if event == "start":
            return self._start(parsed)
        number = _number(parsed.get("sequenceNumber"))
        if number is None or self._next is None:
            return self._act(parsed)
        return self._in_order(number, parsed)

    def _parse(self, message: str | bytes) -> dict[str, Any] | None:
        try:
            text = message if isinstance(message, str) else message.decode()
            if text.count("{") + text.count("[") > 256 or _depth(text) > _MAX_DEPTH:
                raise ValueError("nested too deeply")
            parsed = msgspec.json.decode(text)
            if not isinstance(parsed, dict) or not isinstance(parsed.get("event"), str):
                raise ValueError("no event")
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            self._malformed(str(error))
            return None
        return parsed

    def _malformed(self, what: str) -> None:
        self.counts.malformed += 1
        if self.counts.malformed > _MAX_MALFORMED:
            raise ProtocolError("messages of Twilio Media Streams", f"more than {_MAX_MALFORMED} others", what[:80])

    def _start(self, parsed: dict[str, Any]) -> list[TelephonyEvent]:
        if self._started is not None:
            raise ProtocolError("one start in a connection", "a second", f"call={self._started.call_id}")
        try:
            start = parsed["start"]
            media = start.get("mediaFormat") or {}
            parameters = {str(key): str(value) for key, value in (start.get("customParameters") or {}).items()}
            encoding = _ENCODINGS[str(media.get("encoding", "audio/x-mulaw")).partition(";")[0]]
            rate = _number(media.get("sampleRate", 8000))
            tracks: tuple[Track, ...] = tuple(t for t in ("inbound", "outbound") if t in (start.get("tracks") or ()))
            call_id, stream_id = str(start["callSid"]), str(parsed.get("streamSid") or start.get("streamSid") or "")
        except (KeyError, AttributeError, TypeError) as error:
            what = "a start with callSid and a known media format"
            raise ProtocolError(what, f"one without ({type(error).__name__} {error})", "start") from error
        if rate not in (8_000, 16_000):
            raise ProtocolError("a sample rate of 8000 or 16000", str(rate), f"call={call_id[:80]!r}")
        if sum(len(key) + len(value) for key, value in parameters.items()) > _MAX_PARAMETERS:
            raise ProtocolError(f"at most {_MAX_PARAMETERS} bytes of parameters", "more", f"call={call_id[:80]!r}")
        if not 0 < len(call_id) <= 128 or not call_id.isascii() or not call_id.isprintable() or "/" in call_id:
            raise ProtocolError(
                "a call id of 1 to 128 printable ASCII characters without /", repr(call_id[:80]), "start"
            )
        self._started = StreamStarted(
            protocol="twilio",
            call_id=call_id,
            stream_id=stream_id,
            tracks=tracks or ("inbound",),
            encoding=encoding,
            rate=rate,
            parameters=parameters,
        )
        number = _number(parsed.get("sequenceNumber"))
        self._next = None if number is None else number + 1
        return [self._started]

    def _in_order(self, number: int, parsed: dict[str, Any]) -> list[TelephonyEvent]:
        assert self._next is not None
        if number < self._next:
            self.counts.dropped += 1
            return []
        if number > self._next:
            self.counts.reordered += 1
            self._early[number] = parsed
            if len(self._early) <= _REORDER:
                return []
            self._next = min(self._early)
        else:
            self._early[number] = parsed
        told: list[TelephonyEvent] = []
        while self._next in self._early:
            told += self._act(self._early.pop(self._next))
            self._next += 1
        return told

    def _act(self, parsed: dict[str, Any]) -> list[TelephonyEvent]:
        if self._started is None or self._ended:
            self.counts.dropped += 1
            return []
        match parsed["event"]:
            case "media":
                return self._media(parsed.get("media"))
            case "dtmf":
                dtmf = parsed.get("dtmf")
                digit = str(dtmf.get("digit", "")) if isinstance(dtmf, dict) else ""
                return [Dtmf("inbound", digit)] if len(digit) == 1 else []
            case "stop":
                self._ended = True
                return [StreamEnded(clean=True)]
            case _:
                return []

    def _media(self, media: Any) -> list[TelephonyEvent]:
        assert self._started is not None
        if not isinstance(media, dict) or media.get("track", "inbound") not in ("inbound", "outbound"):
            self._malformed("media without a known track")
            return []
        at_ms = _number(media.get("timestamp"))
        try:
            payload = base64.b64decode(str(media.get("payload", "")), validate=True)
        except (binascii.Error, ValueError):
            payload = b""
        if not payload or at_ms is None or len(payload) % self._started.encoding.sample_bytes:
            self.counts.dropped += 1
            return []
        if not 0 <= at_ms <= _MAX_AT_MS:
            self.counts.clamped += 1
            return []
        return [Media(media.get("track", "inbound"), payload, at_ms * self._started.rate // 1000)]

    def closed(self) -> list[TelephonyEvent]:
        """See ``Adapter``."""
        told: list[TelephonyEvent] = []
        for number in sorted(self._early):
            told += self._act(self._early.pop(number))
        if self._started is not None and not self._ended:
            self._ended = True
            told.append(StreamEnded(clean=False))
        return told


def _number(value: Any) -> int | None:
    """A whole number, as a string or as it is; None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 2**53 else None
    if isinstance(value, str) and len(value) <= 16 and value.isascii() and value.lstrip("-").isdigit():
        return int(value)
    return None


def _depth(text: str) -> int:
    """Upper bound of the nesting: brackets inside of strings count, too."""
    depth = deepest = 0
    for character in text if len(text) < 4096 else ():
        if character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


def signature_is_valid(
    *, secret: str, public_url: str, path: str, signature: str | None, settings: str | None = None
) -> bool:
    """
    Check ``X-Twilio-Signature`` of an upgrade request.

    Args:
        public_url: As Twilio was given it; never built from the Host header. Its path may be left out.
        path: Of the request, used where ``public_url`` has none.
        settings: The header ``X-Twilio-Webhooks-Signature-Settings``; ``algorithm=HMAC_SHA256`` is the newer scheme.

    Source: https://www.twilio.com/docs/usage/security#validating-requests
    """
    if not signature or not secret:
        return False
    digest = hashlib.sha256 if settings and "algorithm=HMAC_SHA256" in settings else hashlib.sha1
    valid = False
    for url in _variants(public_url, path):
        expected = base64.b64encode(hmac.new(secret.encode(), url.encode(), digest).digest()).decode()
        valid |= hmac.compare_digest(expected, signature)
    return valid


def _variants(public_url: str, path: str) -> list[str]:
    """The ways Twilio is known to write one URL: with and without the default port and the last slash."""
    parts = urlsplit(public_url)
    where = parts.path if parts.path not in ("", "/") else path
    hosts = {parts.netloc}
    if parts.port is None:
        hosts.add(f"{parts.netloc}:443")
    elif parts.port == 443:
        hosts.add(parts.netloc.removesuffix(":443"))
    return [f"{parts.scheme}://{host}{where.rstrip('/')}{slash}" for host in sorted(hosts) for slash in ("", "/")]
