"""The sockets of the telephony doors; what is said on them is decided in the adapters."""

import asyncio
import copy
import hmac
from contextlib import suppress
from http import HTTPStatus
from weakref import WeakValueDictionary

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from audio.assemble import RecordAssembler
from audio.errors import Busy, ProtocolError, Refused
from audio.telephony.doors import doors, path_of
from audio.telephony.sink import CallStart, MediaPolicy, MediaSink, Totals
from audio.telephony.stream import Stream, channels_of
from audio.telephony.types import Adapter, Counts, Dtmf, Media, StreamEnded, StreamStarted, TelephonyEvent
from audio.telephony.waiting import WaitingRoom
from audio.types import AudioRecord

__all__ = ["Busy", "CallStart", "MediaPolicy", "MediaServer", "MediaSink", "Refused", "Totals"]

log = structlog.get_logger()

_SUPERSEDED = 4001
_BUSY = 1013
_VIOLATION = 1008
_REMEMBERED = 1_000
"""Calls that broke off, of which the last position is kept."""


class MediaServer:
    """All WebSocket doors on one port."""

    def __init__(self, sink: MediaSink, policy: MediaPolicy) -> None:
        self._sink = sink
        self._policy = policy
        self._doors = doors(policy)
        self._totals = Totals()
        self._counts: set[Counts] = set()
        """Of open connections, not in the totals yet."""
        self._streams: dict[str, Stream] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Of a call's start and end."""
        self._broken: dict[str, int] = {}
        """Where calls that broke off had come to, in milliseconds."""
        self._waiting = WaitingRoom(policy)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: Server | None = None

    @property
    def totals(self) -> Totals:
        """Up to now, open connections included."""
        totals = copy.deepcopy(self._totals)
        for counts in self._counts:
            totals.messages.add(counts)
        return totals

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
            open_timeout=policy.first_message_s,
            close_timeout=policy.close_s,
            ping_interval=20,
            ping_timeout=20,
            server_header=None,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def close(self) -> None:
        """Close all connections; calls in progress end unclean. A sink that does not take them in time loses them."""
        if self._server is None:
            return
        self._server.close(code=1001)
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=self._policy.close_s)
            for task in stuck:
                task.cancel()
        await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse before the upgrade what need not be let in."""
        self._totals.connections += 1
        door = self._doors.get(path_of(request))
        if door is None:
            refusal = HTTPStatus.NOT_FOUND, f"expected one of {', '.join(self._doors)}\n"
        elif not self._waiting.has_room(_address(connection)):
            refusal = HTTPStatus.SERVICE_UNAVAILABLE, "expected fewer connections that have no stream\n"
        elif not door.admits(request):
            refusal = HTTPStatus.FORBIDDEN, "expected a valid signature\n"
        else:
            return None
        self._totals.refused += 1
        return connection.respond(*refusal)

    async def _serve(self, connection: ServerConnection) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert connection.request is not None
        adapter = self._doors[path_of(connection.request)].adapter()
        self._tasks.add(task)
        self._counts.add(adapter.counts)
        stream: Stream | None = None
        try:
            event = await self._wait_for_start(connection, adapter)
            stream = await self._open(connection, event)
            await self._run(stream, adapter)
            if stream.superseded:
                await _hang_up(connection, _SUPERSEDED, "superseded")
        except (ProtocolError, Refused) as error:
            log.warning("stream_refused", error=type(error).__name__, pii_detail=str(error))
            code = error.close_code if isinstance(error, ProtocolError) else _VIOLATION
            await _hang_up(connection, code, str(error))
        except Busy as error:
            await _hang_up(connection, _BUSY, str(error))
        except ConnectionClosed:
            # How calls end, too; whether this one did is known to the adapter.
            log.debug("stream_closed", code=connection.close_code)
        finally:
            self._totals.refused += stream is None
            self._tasks.discard(task)
            self._counts.discard(adapter.counts)
            self._totals.messages.add(adapter.counts)

    async def _wait_for_start(self, connection: ServerConnection, adapter: Adapter) -> StreamStarted:
        with self._waiting.seat(_address(connection)):
            try:
                async with asyncio.timeout(self._policy.first_message_s):
                    while True:
                        for event in adapter.receive(await connection.recv()):
                            if isinstance(event, StreamStarted):
                                return event
            except TimeoutError as error:
                what = f"a start within {self._policy.first_message_s:g} s"
                raise ProtocolError(what, "none", "new connection") from error

    async def _open(self, connection: ServerConnection, event: StreamStarted) -> Stream:
        given = event.parameters
        wanted = self._policy.token
        if wanted is not None and not hmac.compare_digest(given.get("token", "").encode(), wanted.encode()):
            raise Refused("expected the right token in the parameters, got another or none")
        call = CallStart.of(event)
        channels = channels_of(event)
        async with self._lock(call.call_id):
            position = await self._position(call)
            assembler = RecordAssembler(
                call.call_id,
                call.encoding,
                call.rate,
                channels=[channels[track] for track in event.tracks],
                # Rounded up: what comes next must not lie before what was told.
                first_sample=-(-position * call.rate // 1000),
            )
            stream = self._streams[call.call_id] = Stream(connection, call, channels, assembler)
            self._totals.streams += 1
            return stream

    def _lock(self, call_id: str) -> asyncio.Lock:
        return self._locks.setdefault(call_id, asyncio.Lock())

    async def _position(self, call: CallStart) -> int:
        """Where the new stream of a call begins, in milliseconds; an earlier one that is still open ends here."""
        before = self._streams.pop(call.call_id, None)
        if before is None:
            reached = self._broken.pop(call.call_id, 0)
            position = await self._sink.started(call)
            return max(position, reached) if position else 0
        self._totals.superseded += 1
        before.supersede()
        await before.drained.wait()
        reached = before.assembler.end_ms
        try:
            return max(await self._sink.started(call), reached)
        except (Busy, Refused):
            await self._sink.ended(call.call_id, reached, clean=False)
            raise

    async def _run(self, stream: Stream, adapter: Adapter) -> None:
        """Until the stream ends."""
        clean = False
        try:
            while not clean and not stream.superseded:
                message = await self._receive(stream)
                if message is not None:
                    clean = await self._take(stream, adapter.receive(message))
        finally:
            if not _is_cancelled():
                await self._end(stream, adapter, clean)

    async def _receive(self, stream: Stream) -> str | bytes | None:
        """The next message; None where another connection has taken over."""
        try:
            async with asyncio.timeout(self._policy.idle_s) as stream.idle:
                stream.receiving = True
                return await stream.connection.recv()
        except TimeoutError as error:
            if stream.superseded:
                return None
            what = f"a message within {self._policy.idle_s:g} s"
            raise ProtocolError(what, "none", f"call={stream.call.call_id}") from error
        finally:
            stream.receiving = False

    async def _take(self, stream: Stream, events: list[TelephonyEvent]) -> bool:
        """Returns whether the stream ended as it should."""
        for event in events:
            match event:
                case Media():
                    channel = stream.channels[event.track]
                    await self._send(stream.assembler.push(channel, event.at, event.payload))
                case StreamEnded():
                    return event.clean
                case Dtmf() | StreamStarted():
                    # Keys pressed are not analyzed.
                    pass
        return False

    async def _send(self, records: list[AudioRecord]) -> None:
        for record in records:
            await self._sink.audio(record)

    async def _end(self, stream: Stream, adapter: Adapter, clean: bool) -> None:
        assembler = stream.assembler
        try:
            clean |= await self._take(stream, adapter.closed())
            await self._send(assembler.flush())
        finally:
            stream.drained.set()
            self._totals.late += assembler.dropped
            self._totals.filled += assembler.filled
            if not _is_cancelled():
                async with self._lock(stream.call.call_id):
                    await self._over(stream, clean)

    async def _over(self, stream: Stream, clean: bool) -> None:
        if stream.superseded:
            return
        call_id, end_ms = stream.call.call_id, stream.assembler.end_ms
        del self._streams[call_id]
        if not clean:
            self._totals.unclean += 1
            self._broken[call_id] = end_ms
            if len(self._broken) > _REMEMBERED:
                del self._broken[next(iter(self._broken))]
        await self._sink.ended(call_id, end_ms, clean)


def _is_cancelled() -> bool:
    """Whether the doors have closed while the sink took nothing: there is nobody to tell any more."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _hang_up(connection: ServerConnection, code: int, reason: str) -> None:
    """Close, and read on meanwhile: else the peer's half of the closing handshake waits behind what it had sent."""
    # RFC 6455, section 5.5: a reason has at most 123 bytes.
    closing = asyncio.create_task(connection.close(code, reason.encode()[:120].decode(errors="ignore")))
    with suppress(ConnectionClosed):
        async for _ in connection:
            pass
    await closing


def _address(connection: ServerConnection) -> str:
    return str(connection.remote_address[0]) if connection.remote_address else ""
