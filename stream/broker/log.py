"""The log of one partition: segments on disk, of which the last is written to."""

import asyncio
import contextlib
import shutil
from bisect import bisect_right
from pathlib import Path
from typing import Final

import structlog

from stream.broker.batch import place, read_header, records, split
from stream.broker.compaction import clean
from stream.broker.errors import ErrorCode, Refused
from stream.broker.policy import LogPolicy
from stream.broker.producers import Producers
from stream.broker.segment import Segment, segment_path

log = structlog.get_logger()

_FUTURE_MS: Final = 60 * 60 * 1_000
"""A later timestamp is refused, or it would keep its segment for ever (Kafka: timestamp.after.max.ms)."""


class PartitionLog:
    """
    Batches of one partition.

    Memory holds a sparse index alone (24 bytes for 8 KiB of batches); batches are read from the files, so from the
    page cache. Offsets never go back: the last segment's file is named after the offset that it begins with, and
    there always is one.
    """

    def __init__(self, directory: Path, policy: LogPolicy) -> None:
        self._directory = directory
        self._policy = policy
        self._closed = False
        directory.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._workshop, ignore_errors=True)
        self._segments, self._producers = _load(directory)
        self._clean_bytes = 0

    @property
    def _workshop(self) -> Path:
        return self._directory / "cleaned"

    @property
    def _active(self) -> Segment:
        return self._segments[-1]

    @property
    def start(self) -> int:
        """First offset that may still be read."""
        return self._segments[0].base

    @property
    def end(self) -> int:
        """Offset that the next record gets."""
        return self._active.last + 1

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.size for segment in self._segments)

    def append(self, sent: bytes, now_ms: int) -> int:
        """
        Write batches; they have left the process on return.

        Args:
            sent: One or more batches, as a producer sent them.
            now_ms: UTC.

        Returns:
            Offset of the first record; of its first writing, where an idempotent producer sent it again.

        Raises:
            Refused: If a batch cannot be taken; those before it stay.
            OSError: If the disk does not take it.
        """
        bases: list[int] = []
        for batch, raw in split(sent, self._policy.max_batch_bytes):
            if batch.max_timestamp_ms > now_ms + _FUTURE_MS:
                raise Refused(
                    ErrorCode.INVALID_TIMESTAMP, f"at most {now_ms + _FUTURE_MS}", f"{batch.max_timestamp_ms}"
                )
            if self._policy.compacts and not batch.compressed and any(r.key is None for r in records(batch, raw)):
                raise Refused(ErrorCode.INVALID_RECORD, "a key, as the topic is compacted", "none")
            duplicate = self._producers.find_duplicate(batch)
            if duplicate is not None:
                bases.append(duplicate)
                continue
            if not self._active.empty and self._active.size + batch.size > self._policy.segment_bytes:
                self._roll()
            bases.append(self.end)
            placed = place(raw, self.end)
            self._active.append(read_header(placed), placed, now_ms)
            self._producers.note(batch, bases[-1])
        return bases[0]

    def read(self, offset: int, most: int, *, at_least_one: bool) -> bytes:
        """
        Whole batches from an offset on, of one segment.

        Args:
            offset: Where to begin; the first batch may begin before it.
            most: Bytes.
            at_least_one: Give the first batch although it is larger.

        Raises:
            Refused: If the offset is no longer there, or not yet.
        """
        if not self.start <= offset <= self.end:
            raise Refused(ErrorCode.OFFSET_OUT_OF_RANGE, f"an offset of {self.start} to {self.end}", f"{offset}")
        at = bisect_right(self._segments, offset, key=lambda segment: segment.base) - 1
        for segment in self._segments[at:]:
            if segment.last >= offset and not segment.empty:
                return segment.read(offset, most, at_least_one=at_least_one)
        return b""

    def find_time(self, at_ms: int) -> tuple[int, int] | None:
        """Offset and time of the first batch with a record as late as ``at_ms``, UTC."""
        for segment in self._segments:
            if (batch := segment.find_time(at_ms)) is not None:
                return batch.base, batch.max_timestamp_ms
        return None

    def expire(self, now_ms: int) -> None:
        """Drop the segments that are over the limits of time and size."""
        if not self._policy.deletes:
            return
        roll_ms, retention_ms = self._policy.roll_ms, self._policy.retention_ms
        if roll_ms is not None and not self._active.empty and now_ms - self._active.first_ms > roll_ms:
            self._roll()
        while len(self._segments) > 1:
            oldest = self._segments[0]
            expired = retention_ms is not None and oldest.newest_ms < now_ms - retention_ms
            limit = self._policy.retention_bytes
            if not expired and (limit is None or self.size <= limit):
                return
            oldest.remove()
            del self._segments[0]
            self._clean_bytes = min(self._clean_bytes, self.size)

    @property
    def compaction_due(self) -> bool:
        """Whether enough was written since the last compaction to be worth another."""
        dirty = self.size - self._clean_bytes
        return self._policy.compacts and dirty >= max(
            self._policy.segment_bytes, int(self._policy.dirty_ratio * self.size)
        )

    async def compact(self, now_ms: int) -> None:
        """Compact all but what is written meanwhile; the work is done in a thread, the exchange here."""
        if not self._active.empty:
            self._roll()
        sources = self._segments[:-1]
        if not sources:
            return
        self._workshop.mkdir(exist_ok=True)
        cleaned = await asyncio.to_thread(
            clean,
            sources,
            self._workshop,
            Producers(self._producers.snapshot()),
            segment_bytes=self._policy.segment_bytes,
            tombstones_before_ms=now_ms - self._policy.tombstone_ms,
        )
        if self._closed:
            return
        bases = {segment.base for segment in cleaned}
        for segment in cleaned:
            segment.move(self._directory)
        for segment in sources:
            if segment.base not in bases:
                segment.remove()
        before = sum(segment.size for segment in sources)
        self._segments[: len(sources)] = cleaned
        self._clean_bytes = sum(segment.size for segment in cleaned)
        log.info("compacted", directory=self._directory.name, before_bytes=before, after_bytes=self._clean_bytes)

    def _roll(self) -> None:
        """Seal the last segment and begin the next, whose name is on disk before anything is dropped."""
        following = Segment(segment_path(self._directory, self.end))
        following.touch()
        self._active.seal(self._producers)
        self._segments.append(following)

    def close(self) -> None:
        self._closed = True
        for segment in self._segments:
            segment.close()

    def remove(self) -> None:
        """Close it and delete its files."""
        self.close()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._directory)


def _load(directory: Path) -> tuple[list[Segment], Producers]:
    """Segments in order; all but the last by their summaries, where these are whole."""
    paths = sorted(directory.glob("*.log"))
    segments: list[Segment] = []
    producers = Producers()
    for path in paths:
        if segments and int(path.stem) <= segments[-1].last:
            # A crash came between the exchange of compacted segments and the removal of those they replace.
            Segment(path).remove()
            continue
        restored = Segment.restore(path) if path != paths[-1] else None
        if restored is not None:
            segment, producers = restored
        else:
            segment = Segment.recover(path, producers, gapless=path == paths[-1])
        segments.append(segment)
    if not segments:
        segments.append(Segment(segment_path(directory, 0)))
        segments[0].touch()
    return segments, producers
