"""Requests about records: produce, fetch, offsets by time, producer ids."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

import structlog

from stream.broker.errors import ErrorCode, Refused
from stream.broker.policy import BrokerPolicy
from stream.broker.store import Store
from stream.broker.wire import Api, Reader, Request, array, blob, int16, int32, int64, since, string

log = structlog.get_logger()

_LATEST: Final = -1
_EARLIEST: Final = -2


class Position(NamedTuple):
    """Where a fetch goes on in one partition."""

    partition: int
    offset: int
    most: int
    """Bytes."""


class Fetched(NamedTuple):
    """What one look at all positions gave."""

    topics: bytes
    size: int
    """Bytes of records."""
    failed: bool
    """Whether there is an error to tell at once."""


class Arrivals:
    """Fetches that wait for records, by partition."""

    def __init__(self) -> None:
        self._waiting: defaultdict[tuple[str, int], set[asyncio.Event]] = defaultdict(set)

    def announce(self, topic: str, partition: int) -> None:
        """Wake whoever waits for this partition."""
        for event in self._waiting.get((topic, partition), ()):
            event.set()

    async def wait(self, partitions: Iterable[tuple[str, int]], event: asyncio.Event, until_s: float) -> None:
        """Return when a record came, or when the loop's clock reaches ``until_s``."""
        keys = list(partitions)
        for key in keys:
            self._waiting[key].add(event)
        try:
            async with asyncio.timeout_at(until_s):
                await event.wait()
        except TimeoutError:
            return
        finally:
            for key in keys:
                self._waiting[key].discard(event)
                if not self._waiting[key]:
                    del self._waiting[key]


class DataApi:
    """Answers to producers and readers."""

    def __init__(self, store: Store, policy: BrokerPolicy) -> None:
        self._store = store
        self._policy = policy
        self._arrivals = Arrivals()

    def apis(self) -> dict[int, Api]:
        return {
            0: Api(3, 7, self.produce),
            1: Api(4, 6, self.fetch),
            2: Api(1, 3, self.list_offsets),
            22: Api(0, 1, self.init_producer_id),
        }

    async def produce(self, request: Request) -> bytes | None:
        """Write batches; the answer means that they have left the process."""
        body = request.body
        transactional_id, acks, _timeout_ms = body.nullable_string(), body.int16(), body.int32()
        sent = body.array(lambda r: (r.string(), r.array(lambda p: (p.int32(), p.blob()))))
        topics: list[bytes] = []
        for topic, partitions in sent:
            answers: list[bytes] = []
            for partition, batches in partitions:
                code, base, start = ErrorCode.NONE, -1, -1
                try:
                    if transactional_id is not None:
                        raise Refused(
                            ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "no transaction", repr(transactional_id)
                        )
                    if acks not in {-1, 0, 1}:
                        raise Refused(ErrorCode.INVALID_REQUIRED_ACKS, "acks of -1, 0 or 1", f"{acks}")
                    base, start = self._append(topic, partition, batches, request.now_ms)
                except Refused as refused:
                    code = refused.code
                    log.info("produce_refused", topic=topic, partition=partition, reason=str(refused))
                answer = int32(partition) + int16(code) + int64(base) + int64(-1)
                answers.append(answer + since(request.version, 5, int64(start)))
            topics.append(string(topic) + array(answers))
        return None if acks == 0 else array(topics) + int32(0)

    def _append(self, topic: str, partition: int, batches: bytes, now_ms: int) -> tuple[int, int]:
        partition_log = self._store.find(topic, partition)
        end = partition_log.end
        try:
            return partition_log.append(batches, now_ms), partition_log.start
        except OSError as error:
            log.error("disk_refused", topic=topic, partition=partition, error=str(error))
            raise Refused(ErrorCode.STORAGE_ERROR, "a disk that takes the batch", str(error)) from error
        finally:
            if partition_log.end > end:
                self._arrivals.announce(topic, partition)

    async def fetch(self, request: Request) -> bytes:
        """Read batches, and wait for them where there are none yet."""
        body = request.body
        _replica, wait_ms, least, most, _isolation = (
            body.int32(), body.int32(), body.int32(), body.int32(), body.int8()
        )  # fmt: skip

        def position(r: Reader) -> Position:
            partition, offset = r.int32(), r.int64()
            if request.version >= 5:
                r.int64()
            return Position(partition, offset, r.int32())

        wanted = body.array(lambda r: (r.string(), r.array(position)))
        partitions = [(topic, p.partition) for topic, positions in wanted for p in positions]
        loop = asyncio.get_running_loop()
        until_s = loop.time() + min(max(wait_ms / 1_000, 0), self._policy.max_wait_s)
        while True:
            fetched = self._read(wanted, min(most, self._policy.max_fetch_bytes), request.version)
            if fetched.failed or fetched.size >= max(least, 1) or loop.time() >= until_s:
                return int32(0) + fetched.topics
            await self._arrivals.wait(partitions, asyncio.Event(), until_s)

    def _read(self, wanted: list[tuple[str, list[Position]]], most: int, version: int) -> Fetched:
        size = 0
        failed = False
        topics: list[bytes] = []
        for topic, positions in wanted:
            answers: list[bytes] = []
            for position in positions:
                code, end, start, batches = ErrorCode.NONE, -1, -1, b""
                try:
                    partition_log = self._store.find(topic, position.partition)
                    end, start = partition_log.end, partition_log.start
                    allowed = min(position.most, most - size)
                    if allowed > 0 or size == 0:
                        batches = partition_log.read(position.offset, max(allowed, 0), at_least_one=size == 0)
                except Refused as refused:
                    code, failed = refused.code, True
                except OSError as error:
                    code, failed = ErrorCode.STORAGE_ERROR, True
                    log.error("disk_refused", topic=topic, partition=position.partition, error=str(error))
                size += len(batches)
                head = int32(position.partition) + int16(code) + int64(end) + int64(end)
                # No transactions, so none were aborted (-1).
                answers.append(head + since(version, 5, int64(start)) + int32(-1) + blob(batches))
            topics.append(string(topic) + array(answers))
        return Fetched(array(topics), size, failed)

    async def list_offsets(self, request: Request) -> bytes:
        """First, next or first offset since a time."""
        body = request.body
        body.int32()
        if request.version >= 2:
            body.int8()
        wanted = body.array(lambda r: (r.string(), r.array(lambda p: (p.int32(), p.int64()))))
        topics = [
            string(topic) + array(self._list_offset(topic, partition, at_ms) for partition, at_ms in partitions)
            for topic, partitions in wanted
        ]
        return since(request.version, 2, int32(0)) + array(topics)

    def _list_offset(self, topic: str, partition: int, at_ms: int) -> bytes:
        code, offset, found_ms = ErrorCode.NONE, -1, -1
        try:
            partition_log = self._store.find(topic, partition)
            if at_ms == _LATEST:
                offset = partition_log.end
            elif at_ms == _EARLIEST:
                offset = partition_log.start
            else:
                offset, found_ms = partition_log.find_time(at_ms) or (-1, -1)
        except Refused as refused:
            code = refused.code
        return int32(partition) + int16(code) + int64(found_ms) + int64(offset)

    async def init_producer_id(self, request: Request) -> bytes:
        """An id for an idempotent producer; transactions are not offered."""
        if request.body.nullable_string() is not None:
            return int32(0) + int16(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED) + int64(-1) + int16(-1)
        return int32(0) + int16(ErrorCode.NONE) + int64(self._store.next_producer_id()) + int16(0)
