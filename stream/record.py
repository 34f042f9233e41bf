"""From ``call.audio`` to recordings: a consumer of its own, which holds its offsets until a block is written."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from audio.errors import PayloadError
from audio.recorder import Block, Recorder
from audio.types import AudioRecord
from stream import metrics, topics
from stream.errors import WireError
from stream.wire import AudioEnd, AudioStart, decode_audio

log = structlog.get_logger()

GROUP: Final = "warmline-record"
_FORGET_S: Final = 120.0
"""A call whose audio has stopped for so long is written as far as it came: its end is lost, or will come."""


class Archive(Protocol):
    """Where blocks go; blocks the thread."""

    def write(self, call_id: str, block: Block) -> None: ...

    def finish(self, call_id: str) -> None: ...


@dataclass(slots=True, eq=False)
class _Call:
    partition: int
    recorder: Recorder = field(default_factory=Recorder)
    offset: int = 0
    """Of the message with which the open block begins."""
    touched: float = 0.0


class Recording:
    """
    The calls of the partitions that are ours.

    A block is written before the offset behind it is given out by ``positions``, so that one who takes over reads the
    whole block again, and writes the same.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, archive: Archive, clock: Callable[[], float] = time.monotonic) -> None:
        self._archive = archive
        self._clock = clock
        self._calls: dict[str, _Call] = {}
        self._next: dict[int, int] = {}
        """Partition to the offset after the last message taken."""

    def take(self, partition: int, offset: int, key: bytes, value: bytes) -> None:
        """
        Take a message in; blocks while a block is written.

        Raises:
            OSError: If a block could not be written; the message is to be taken again.
        """
        if value:
            try:
                call_id = key.decode()
                self._receive(call_id, partition, offset, decode_audio(call_id, value))
            except (WireError, PayloadError, UnicodeDecodeError) as error:
                # Said and put aside by the app that listens; the sound of the rest is still worth keeping.
                metrics.FAILED.labels("record").inc()
                log.warning("record_left_out", partition=partition, offset=offset, error=type(error).__name__)
        self._next[partition] = offset + 1

    def _receive(self, call_id: str, partition: int, offset: int, message: AudioStart | AudioRecord | AudioEnd) -> None:
        match message:
            case AudioStart():
                return
            case AudioRecord():
                call = self._calls.setdefault(call_id, _Call(partition))
                held = call.recorder.held_from
                for block in call.recorder.push(message):
                    self._archive.write(call_id, block)
                if call.recorder.held_from != held:
                    call.offset = offset
                call.touched = self._clock()
            case AudioEnd():
                call = self._calls.get(call_id, _Call(partition))
                self._close(call_id, call)

    def _close(self, call_id: str, call: _Call) -> None:
        for block in call.recorder.flush():
            self._archive.write(call_id, block)
        self._archive.finish(call_id)
        self._calls.pop(call_id, None)

    def sweep(self) -> None:
        """Write the calls that fell silent; blocks."""
        now = self._clock()
        for call_id, call in list(self._calls.items()):
            if now - call.touched > _FORGET_S:
                self._close(call_id, call)

    def positions(self) -> dict[int, int]:
        """For each partition, the offset from which one who takes over has to read."""
        found = dict(self._next)
        for call in self._calls.values():
            if call.recorder.held_from is not None and call.partition in found:
                found[call.partition] = min(found[call.partition], call.offset)
        return found

    def drop(self, partitions: Iterable[int]) -> None:
        """Others have these now."""
        gone = set(partitions)
        self._calls = {call_id: call for call_id, call in self._calls.items() if call.partition not in gone}
        self._next = {partition: offset for partition, offset in self._next.items() if partition not in gone}


class _Handover(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    def __init__(self, recording: Recording, commit: Callable[[], Any]) -> None:
        self._recording = recording
        self._commit = commit

    # aiokafka awaits what these return, if it can be awaited.
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        await self._commit()
        self._recording.drop(partition.partition for partition in revoked)

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        pass


def _take(recording: Recording, messages: Iterable[Any]) -> None:
    for message in messages:
        recording.take(message.partition, message.offset, message.key or b"", message.value)
    recording.sweep()


async def record(broker: str, archive: Archive, *, session_timeout_s: float) -> None:
    """Keep the sound of all calls, until cancelled; while the broker or the archive is away, wait."""
    recording = Recording(archive)
    while True:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker,
            group_id=GROUP,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(session_timeout_s * 1000),
            heartbeat_interval_ms=int(session_timeout_s * 250),
            max_poll_records=500,
        )

        async def commit(consumer: AIOKafkaConsumer = consumer) -> None:
            ours = consumer.assignment()
            places = {TopicPartition(topics.AUDIO.name, part): at for part, at in recording.positions().items()}
            if wanted := {place: at for place, at in places.items() if place in ours}:
                await consumer.commit(wanted)

        try:
            await consumer.start()
            consumer.subscribe([topics.AUDIO.name], listener=_Handover(recording, commit))
            while True:
                batches = await consumer.getmany(timeout_ms=1_000)
                messages = [message for batch in batches.values() for message in batch]
                await asyncio.to_thread(_take, recording, messages)
                await commit()
        except (KafkaError, OSError) as error:
            metrics.FAILED.labels("record").inc()
            log.warning("recording_waits", error=type(error).__name__, pii_detail=str(error))
            await asyncio.sleep(1.0)
        finally:
            # What was read and is not written is read again.
            recording.drop(set(recording.positions()))
            await consumer.stop()
