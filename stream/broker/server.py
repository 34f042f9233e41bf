"""The broker's only sockets: connections, dispatch, and what has to be done from time to time."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Generator
from struct import Struct
from typing import Final

import structlog

from stream.broker.data_api import DataApi
from stream.broker.errors import ErrorCode, ProtocolError
from stream.broker.group_api import GroupApi
from stream.broker.policy import BrokerPolicy
from stream.broker.store import Store
from stream.broker.topic_api import TopicApi
from stream.broker.wire import Api, Reader, Request, array, int16, int32, since

__all__ = ["BrokerPolicy", "serve"]

log = structlog.get_logger()

_API_VERSIONS: Final = 18
_NEWEST_API_VERSIONS: Final = 2
_LENGTH: Final = Struct(">i")
_LEAST_REQUEST: Final = 10
"""Bytes: kind, version, correlation id and the length of the client's name."""
_TICK_S: Final = 0.05
_CLOSE_S: Final = 2.0


async def serve(policy: BrokerPolicy, ready: Callable[[int], None] | None = None) -> None:
    """
    Serve until SIGTERM, SIGINT or cancellation. It runs in the main thread, as signals are taken there.

    Args:
        ready: Called with the port when clients may come.

    Raises:
        DirectoryTaken: If another broker writes into the directory.
        OSError: If the port is taken or the directory cannot be written to.
    """
    began = time.monotonic()
    with Store(policy) as store:
        broker = Broker(store, policy)
        server = await asyncio.start_server(broker.converse, policy.host, policy.port)
        port = int(server.sockets[0].getsockname()[1])
        broker.open(port)
        restored_ms = round((time.monotonic() - began) * 1_000)
        log.info("broker_ready", host=policy.host, port=port, topics=len(store.topics), restored_ms=restored_ms)
        stop = asyncio.Event()
        maintenance = [asyncio.create_task(broker.tick_forever()), asyncio.create_task(broker.maintain_forever())]
        for task in maintenance:
            # If one of them dies, so does the broker, with its error: without them nothing bounds its disk.
            task.add_done_callback(lambda _: stop.set())
        try:
            with _stop_on_signals(stop):
                if ready is not None:
                    ready(port)
                await stop.wait()
            for task in maintenance:
                if task.done():
                    task.result()
        finally:
            server.close()
            await broker.close(maintenance)
            log.info("broker_stopped", port=port)


@contextlib.contextmanager
def _stop_on_signals(stop: asyncio.Event) -> Generator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class Broker:
    """
    Connections of one broker.

    A connection is served request by request, as Kafka does: so it holds one request at most, and a client that
    does not read its answers is not read from.
    """

    def __init__(self, store: Store, policy: BrokerPolicy) -> None:
        self._store = store
        self._policy = policy
        self._groups = GroupApi(store, policy)
        self._apis: dict[int, Api] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()

    def open(self, port: int) -> None:
        """Begin to answer; the port is told to clients."""
        parts = (DataApi(self._store, self._policy), TopicApi(self._store, self._policy, port), self._groups)
        self._groups.restore(time.monotonic())
        self._apis = {key: api for part in parts for key, api in part.apis().items()}
        self._open.set()

    async def close(self, others: list[asyncio.Task[None]]) -> None:
        """End all connections and the other tasks."""
        tasks = [*self._connections, *others]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        peer = str(writer.get_extra_info("peername"))
        if len(self._connections) >= self._policy.max_connections:
            log.warning("connection_refused", peer=peer, open=len(self._connections))
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._open.wait()
            while (answer := await self._exchange(reader)) is not None:
                if answer:
                    writer.write(answer)
                    await writer.drain()
        except ProtocolError as error:
            log.warning("connection_closed", peer=peer, reason=str(error))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client has gone.
        except asyncio.CancelledError:
            pass  # The broker stops; the stream's own callback would report this as an error.
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader) -> bytes | None:
        """Read a request and answer it; empty where no answer is wanted."""
        length = int(_LENGTH.unpack(await reader.readexactly(_LENGTH.size))[0])
        if not _LEAST_REQUEST <= length <= self._policy.max_request_bytes:
            allowed = f"a request of {_LEAST_REQUEST} to {self._policy.max_request_bytes} bytes"
            raise ProtocolError(allowed, f"{length}", "length")
        body = Reader(await reader.readexactly(length), "request")
        key, version, correlation = body.int16(), body.int16(), body.int32()
        if key == _API_VERSIONS:
            answer: bytes | None = self._versions(version)
        else:
            api = self._apis.get(key)
            if api is None or not api.oldest <= version <= api.newest:
                raise ProtocolError("a kind of request that was offered", f"kind {key}, version {version}", "request")
            client_id = body.nullable_string() or ""
            answer = await api.answer(Request(version, client_id, body, round(time.time() * 1_000), time.monotonic()))
        return b"" if answer is None else _LENGTH.pack(len(answer) + 4) + int32(correlation) + answer

    def _versions(self, version: int) -> bytes:
        """What is understood; also told to clients that ask in a version which is not (KIP-511)."""
        code = ErrorCode.NONE if 0 <= version <= _NEWEST_API_VERSIONS else ErrorCode.UNSUPPORTED_VERSION
        known = {key: (api.oldest, api.newest) for key, api in self._apis.items()}
        known[_API_VERSIONS] = (0, _NEWEST_API_VERSIONS)
        listed = array(int16(key) + int16(oldest) + int16(newest) for key, (oldest, newest) in sorted(known.items()))
        throttle = b"" if code else since(version, 1, int32(0))
        return int16(code) + listed + throttle

    async def tick_forever(self) -> None:
        """Let the groups' time pass."""
        while True:
            self._groups.tick(time.monotonic(), round(time.time() * 1_000))
            await asyncio.sleep(_TICK_S)

    async def maintain_forever(self) -> None:
        """Keep memory and disk bounded."""
        while True:
            await asyncio.sleep(self._policy.maintain_every_s)
            await self._maintain()

    async def _maintain(self) -> None:
        for topic, partition, partition_log in self._store.logs():
            try:
                partition_log.expire(round(time.time() * 1_000))
                if partition_log.compaction_due:
                    await partition_log.compact(round(time.time() * 1_000))
            except OSError as error:
                # A full disk, or a topic deleted meanwhile: the others are still to be kept in bounds.
                log.error("maintenance_failed", topic=topic, partition=partition, error=str(error))
            await asyncio.sleep(0)
        try:
            self._store.shrink_journal()
        except OSError as error:
            log.error("maintenance_failed", file="journal", error=str(error))
