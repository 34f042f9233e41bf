"""A segment: one file of batches, and where in it an offset or a time is found."""

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Final, Self

import msgspec
import structlog

from stream.broker.batch import HEADER_BYTES, Batch, intact, read_header
from stream.broker.journal import frame, unframe, write_all
from stream.broker.producers import Producer, Producers

log = structlog.get_logger()

_INDEX_EVERY: Final = 8 << 10
"""Bytes between entries of the index: 24 bytes of memory for each, 3 MiB for a full GiB."""
_READ_AHEAD: Final = 256 << 10
_HOP: Final = Struct(">qi11xi")
"""Base offset, length and last delta: all that is needed to go on to the next batch."""


class _Summary(msgspec.Struct, frozen=True, array_like=True):
    """A sealed segment's index, written beside it so that a restart need not read the segment."""

    size: int
    last: int
    first_ms: int
    newest_ms: int
    offsets: bytes
    positions: bytes
    times: bytes
    producers: list[Producer]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Summary)


def segment_path(directory: Path, base: int, suffix: str = ".log") -> Path:
    return directory / f"{base:020}{suffix}"


class Segment:
    """Batches in order of offset; appended to until it is sealed, never changed after."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.base = int(path.stem)
        self.size = 0
        """Bytes."""
        self.last = self.base - 1
        """Last offset; before ``base`` while it is empty."""
        self.first_ms = -1
        """Time of the first batch, UTC; -1 while it is empty."""
        self.newest_ms = -1
        """Largest time of any batch."""
        self._offsets = array("q")
        self._positions = array("q")
        self._times = array("q")
        """Largest time before the entry's position."""
        self._indexed = -_INDEX_EVERY
        self._descriptor: int | None = None

    @classmethod
    def restore(cls, path: Path) -> tuple[Self, Producers] | None:
        """A sealed segment by its summary; None if that is missing or of another file."""
        segment = cls(path)
        try:
            payload = unframe(path.with_suffix(".index").read_bytes())
            summary = None if payload is None else _decoder.decode(payload)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        if summary is None or summary.size != path.stat().st_size:
            return None
        segment.size, segment.last = summary.size, summary.last
        segment.first_ms, segment.newest_ms = summary.first_ms, summary.newest_ms
        segment._offsets.frombytes(summary.offsets)
        segment._positions.frombytes(summary.positions)
        segment._times.frombytes(summary.times)
        return segment, Producers(summary.producers)

    @classmethod
    def recover(cls, path: Path, producers: Producers, *, gapless: bool) -> Self:
        """
        Read a segment batch by batch, cut away a torn tail, and note who wrote.

        Args:
            gapless: Whether it was never compacted, so that each batch begins where the one before it ends.
        """
        segment = cls(path)
        length, written_ms = path.stat().st_size, int(path.stat().st_mtime * 1_000)
        with path.open("rb", buffering=_READ_AHEAD) as file:
            while len(header := file.read(HEADER_BYTES)) == HEADER_BYTES:
                batch = read_header(header)
                if not HEADER_BYTES <= batch.size <= length - segment.size:
                    break
                if batch.base <= segment.last or (gapless and batch.base != segment.last + 1):
                    break
                if not intact(batch, header + file.read(batch.size - HEADER_BYTES)):
                    break
                segment.note(batch, written_ms)
                producers.note(batch, batch.base)
        if segment.size < length:
            log.warning(
                "torn_tail_cut", file=str(path), kept_bytes=segment.size, cut_bytes=length - segment.size,
                next_offset=segment.last + 1,
            )  # fmt: skip
            os.truncate(path, segment.size)
        return segment

    @property
    def empty(self) -> bool:
        return self.size == 0

    def note(self, batch: Batch, now_ms: int) -> None:
        """Count a batch that stands at the end of the file."""
        if self.size - self._indexed >= _INDEX_EVERY:
            self._offsets.append(batch.base)
            self._positions.append(self.size)
            self._times.append(self.newest_ms)
            self._indexed = self.size
        # A producer may send no timestamps (-1): then the time of writing counts.
        at_ms = batch.max_timestamp_ms if batch.max_timestamp_ms >= 0 else now_ms
        if self.empty:
            self.first_ms = at_ms
        self.newest_ms = max(self.newest_ms, at_ms)
        self.size += batch.size
        self.last = batch.last

    def append(self, batch: Batch, raw: bytes, now_ms: int) -> None:
        """
        Write a batch; return when its bytes have left the process.

        Args:
            batch: Its header, with the offset that it stands at.
            raw: All of it, with the offset in.
            now_ms: UTC.

        Raises:
            OSError: If the disk does not take it. What was written is overwritten by the next batch.
        """
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        write_all(self._descriptor, raw, self.size)
        self.note(batch, now_ms)

    def touch(self) -> None:
        """Make the file, so that its name keeps the next offset."""
        self.path.touch(0o600)

    def _pread(self, length: int, at: int) -> bytes:
        if self._descriptor is not None:
            return os.pread(self._descriptor, length, at)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, length, at)
        finally:
            os.close(descriptor)

    def read(self, offset: int, most: int, *, at_least_one: bool) -> bytes:
        """
        Whole batches from the one that holds the offset, or the first after it.

        Args:
            offset: At most ``last``.
            most: Bytes.
            at_least_one: Give the first batch although it is larger than that.
        """
        entry = max(bisect_right(self._offsets, offset) - 1, 0)
        position = self._positions[entry]
        data = self._pread(min(_INDEX_EVERY + HEADER_BYTES + most, self.size - position), position)
        begin: int | None = None
        at = 0
        while at + HEADER_BYTES <= len(data):
            base, length, last_delta = _HOP.unpack_from(data, at)
            after = at + length + 12
            if begin is None and base + last_delta >= offset:
                begin = at
                if at_least_one and (after > len(data) or length + 12 > most):
                    return self._pread(length + 12, position + at)
            if begin is not None and (after > len(data) or after - begin > most):
                break
            at = after
        return b"" if begin is None else data[begin : min(at, len(data))]

    def find_time(self, at_ms: int) -> Batch | None:
        """First batch with a record as late as ``at_ms``, UTC."""
        if self.newest_ms < at_ms:
            return None
        entry = max(bisect_left(self._times, at_ms) - 1, 0)
        return next((b for b, _ in self.batches(self._positions[entry]) if b.max_timestamp_ms >= at_ms), None)

    def batches(self, position: int = 0) -> Iterator[tuple[Batch, bytes]]:
        """Every batch from a position on, as the file was when the reading began."""
        end = self.size
        if position >= end:
            return
        with self.path.open("rb", buffering=_READ_AHEAD) as file:
            file.seek(position)
            while position < end:
                header = file.read(HEADER_BYTES)
                batch = read_header(header)
                yield batch, header + file.read(batch.size - HEADER_BYTES)
                position += batch.size

    def seal(self, producers: Producers) -> None:
        """Close the file and write its summary beside it."""
        self.touch()
        self.close()
        summary = _Summary(
            self.size, self.last, self.first_ms, self.newest_ms,
            self._offsets.tobytes(), self._positions.tobytes(), self._times.tobytes(), producers.snapshot(),
        )  # fmt: skip
        self.path.with_suffix(".index").write_bytes(frame(_encoder.encode(summary)))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def move(self, directory: Path) -> None:
        """Put a sealed segment in the place of one with the same base, whose summary is of no use from then on."""
        target = directory / self.path.name
        target.with_suffix(".index").unlink(missing_ok=True)
        self.path.replace(target)
        self.path.with_suffix(".index").replace(target.with_suffix(".index"))
        self.path = target

    def remove(self) -> None:
        self.close()
        self.path.with_suffix(".index").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
