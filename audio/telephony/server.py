"""The sockets of the telephony doors; what is said on them is decided in the adapters."""

import asyncio
import hmac
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from audio.assemble import RecordAssembler
from audio.errors import AudioError, Busy, ProtocolError, Refused
from audio.telephony.twilio import TwilioStream, signature_is_valid
from audio.telephony.types import Adapter, Counts, Dtmf, Media, StreamEnded, StreamStarted, TelephonyEvent
from audio.types import AudioRecord, Channel, Encoding

log = structlog.get_logger()

_SUPERSEDED = 4001
_BUSY = 1013
_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class CallStart:
    """A call as the telephone side announces it."""

    call_id: str
    protocol: str
    encoding: Encoding
    rate: int
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    queue: str | None = None


class MediaSink(Protocol):
    """Where calls go."""

    async def started(self, call: CallStart) -> int:
        """
        A call begins, or comes back.

        Returns:
            Where this stream continues the call, in milliseconds; 0 for a new one.

        Raises:
            Busy: If no more calls are taken.
            Refused: If this one is not.
        """
        ...

    async def audio(self, record: AudioRecord) -> None:
        """The next audio; may take its time."""
        ...

    async def ended(self, call_id: str, duration_ms: int, clean: bool) -> None:
        """The stream is over; ``clean`` is False where it broke off."""
        ...


@dataclass(frozen=True, slots=True)
class MediaPolicy:
    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    """Wanted in the custom parameter ``token`` of each stream; None takes anybody."""
    twilio_auth_token: str | None = None
    """Wanted in the signature of each upgrade, where set."""
    public_url: str | None = None
    """As Twilio was given it."""
    max_message: int = 65_536
    first_message_s: float = 5.0
    """Until a stream has started."""
    idle_s: float = 15.0
    max_waiting: int = 200
    """Connections that have not started a stream yet."""


@dataclass(slots=True, eq=False)
class _Stream:
    """A call on a connection."""

    connection: ServerConnection
    call: CallStart
    assembler: RecordAssembler
    swapped: bool
    superseded: bool = False


@dataclass(slots=True)
class Totals:
    """All connections since the start."""

    connections: int = 0
    refused: int = 0
    streams: int = 0
    unclean: int = 0
    messages: Counts = field(default_factory=Counts)


class MediaServer:
    """All WebSocket doors on one port."""

    def __init__(self, sink: MediaSink, policy: MediaPolicy) -> None:
        self.totals = Totals()
        self._sink = sink
        self._policy = policy
        self._doors: dict[str, type[TwilioStream]] = {"/v1/twilio": TwilioStream}
        self._streams: dict[str, _Stream] = {}
        self._waiting = 0
        self._server: Server | None = None

    async def start(self) -> int:
        """
        Listen.

        Returns:
            The port.

        Raises:
            OSError: If it is taken.
        """
        policy = self._policy
        self._server = await serve(
            self._serve,
            policy.host,
            policy.port,
            process_request=self._admit,
            # An inflated bomb is refused before it is inflated.
            compression=None,
            max_size=policy.max_message,
            max_queue=64,
            open_timeout=policy.first_message_s,
            ping_interval=20,
            ping_timeout=20,
            server_header=None,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def close(self) -> None:
        """Close all connections; calls in progress end unclean."""
        if self._server is not None:
            self._server.close(code=1001)
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse before the upgrade what need not be let in."""
        policy = self._policy
        path = urlsplit(request.path).path
        self.totals.connections += 1
        if path.rstrip("/") not in self._doors:
            return self._turn_away(connection, HTTPStatus.NOT_FOUND, f"expected one of {', '.join(self._doors)}\n")
        if self._waiting >= policy.max_waiting:
            return self._turn_away(connection, HTTPStatus.SERVICE_UNAVAILABLE, "too many connections\n")
        if policy.twilio_auth_token is not None and not signature_is_valid(
            secret=policy.twilio_auth_token,
            public_url=policy.public_url or "",
            path=path,
            signature=request.headers.get("X-Twilio-Signature"),
            settings=request.headers.get("X-Twilio-Webhooks-Signature-Settings"),
        ):
            return self._turn_away(connection, HTTPStatus.FORBIDDEN, "expected a valid X-Twilio-Signature\n")
        return None

    def _turn_away(self, connection: ServerConnection, status: HTTPStatus, why: str) -> Response:
        self.totals.refused += 1
        return connection.respond(status, why)

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        adapter = self._doors[urlsplit(connection.request.path).path.rstrip("/")]()
        stream: _Stream | None = None
        clean = False
        try:
            stream = await self._wait_for_start(connection, adapter)
            if stream is not None:
                clean = await self._run(stream, adapter)
        except (ProtocolError, Refused) as error:
            self.totals.refused += stream is None
            log.warning("stream_refused", error=type(error).__name__, pii_detail=str(error))
            await connection.close(_VIOLATION, type(error).__name__)
        except Busy as error:
            self.totals.refused += 1
            await connection.close(_BUSY, str(error)[:100])
        except ConnectionClosed:
            pass
        except TimeoutError:
            await connection.close(_VIOLATION, "idle")
        finally:
            self._add(adapter.counts)
            if stream is not None:
                await self._end(stream, adapter, clean)

    def _add(self, counts: Counts) -> None:
        for name, value in asdict(counts).items():
            setattr(self.totals.messages, name, getattr(self.totals.messages, name) + value)

    async def _wait_for_start(self, connection: ServerConnection, adapter: Adapter) -> _Stream | None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._policy.first_message_s):
                while True:
                    for event in adapter.receive(await connection.recv()):
                        if isinstance(event, StreamStarted):
                            return await self._open(connection, event)
        finally:
            self._waiting -= 1

    async def _open(self, connection: ServerConnection, event: StreamStarted) -> _Stream:
        given = event.parameters
        wanted = self._policy.token
        if wanted is not None and not hmac.compare_digest(given.get("token", "").encode(), wanted.encode()):
            raise Refused("expected the parameter token to be right, got another or none")
        call = CallStart(
            call_id=event.call_id,
            protocol=event.protocol,
            encoding=event.encoding,
            rate=event.rate,
            customer_id=given.get("customer_id"),
            customer_name=given.get("customer_name"),
            agent_id=given.get("agent_id"),
            queue=given.get("queue"),
        )
        before = self._streams.pop(call.call_id, None)
        if before is not None:
            # The same call on a new connection that proved itself: the old one is dead or a ghost.
            before.superseded = True
            await self._send(before.assembler.flush())
            asyncio.get_running_loop().create_task(before.connection.close(_SUPERSEDED, "superseded"))
        position = await self._sink.started(call)
        if before is not None:
            position = max(position, before.assembler.end_ms)
        assembler = RecordAssembler(call.call_id, call.encoding, call.rate, first_ms=position)
        stream = _Stream(connection, call, assembler, swapped=given.get("direction") == "outbound")
        self._streams[call.call_id] = stream
        self.totals.streams += 1
        return stream

    async def _run(self, stream: _Stream, adapter: Adapter) -> bool:
        """Until the stream ends; returns whether it did so cleanly."""
        while True:
            async with asyncio.timeout(self._policy.idle_s):
                message = await stream.connection.recv()
            for event in adapter.receive(message):
                if isinstance(event, StreamEnded):
                    return event.clean
                await self._take(stream, event)

    async def _take(self, stream: _Stream, event: TelephonyEvent) -> None:
        match event:
            case Media():
                inbound = (event.track == "inbound") != stream.swapped
                channel = Channel.CUSTOMER if inbound else Channel.AGENT
                await self._send(stream.assembler.push(channel, event.at, event.payload))
            case Dtmf() | StreamStarted() | StreamEnded():
                pass

    async def _send(self, records: list[AudioRecord]) -> None:
        for record in records:
            await self._sink.audio(record)

    async def _end(self, stream: _Stream, adapter: Adapter, clean: bool) -> None:
        if stream.superseded:
            return
        try:
            for event in adapter.closed():
                await self._take(stream, event)
            await self._send(stream.assembler.flush())
        except AudioError as error:
            log.warning("stream_tail_lost", error=type(error).__name__)
        if self._streams.get(stream.call.call_id) is stream:
            del self._streams[stream.call.call_id]
        self.totals.unclean += not clean
        await self._sink.ended(stream.call.call_id, stream.assembler.end_ms, clean)
