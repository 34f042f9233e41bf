"""Compaction: of each key, only the last record is kept."""

from collections.abc import Sequence
from pathlib import Path

from stream.broker.batch import Batch, keep, read_header, records
from stream.broker.producers import Producers
from stream.broker.segment import Segment, segment_path


def clean(
    sources: Sequence[Segment], directory: Path, producers: Producers, *, segment_bytes: int, tombstones_before_ms: int
) -> list[Segment]:
    """
    Write what survives of sealed segments into new ones, elsewhere. Offsets stay as they are.

    Compressed batches are kept whole: their keys cannot be read without the codec. It touches nothing that
    another thread writes, and so may run beside the event loop.

    Args:
        sources: Sealed, in order, at least one.
        directory: Exists and is empty.
        producers: As they stood at the end of the sources.
        segment_bytes: Small sources are merged up to this size.
        tombstones_before_ms: Deletions older than this, UTC, are dropped too.

    Returns:
        Sealed segments; the first has the base of the first source.
    """
    newest = _newest_offsets(sources)
    end = max(source.last for source in sources)
    cleaned: list[Segment] = []
    for source in sources:
        # A new file begins only where a source begins: so a crash in the middle of the exchange leaves files of
        # which the later one is stale whenever two overlap.
        if not cleaned:
            cleaned.append(Segment(segment_path(directory, source.base)))
        elif not cleaned[-1].empty and cleaned[-1].size + source.size > segment_bytes:
            cleaned[-1].seal(producers)
            cleaned.append(Segment(segment_path(directory, source.base)))
        for batch, raw in source.batches():
            kept = raw if batch.compressed else _survivors(batch, raw, newest, tombstones_before_ms, end)
            if kept is not None:
                cleaned[-1].append(read_header(kept), kept, source.newest_ms)
    cleaned[-1].seal(producers)
    return cleaned


def _newest_offsets(sources: Sequence[Segment]) -> dict[bytes | None, int]:
    return {
        record.key: record.offset
        for source in sources
        for batch, raw in source.batches()
        if not batch.compressed
        for record in records(batch, raw)
    }


def _survivors(
    batch: Batch, raw: bytes, newest: dict[bytes | None, int], tombstones_before_ms: int, end: int
) -> bytes | None:
    dropping_tombstones = batch.max_timestamp_ms < tombstones_before_ms
    # The very last record stays in any case: a reader that has to reach the end needs something to reach it with.
    kept = [
        record
        for record in records(batch, raw)
        if record.offset == end
        or (newest[record.key] == record.offset and not (record.tombstone and dropping_tombstones))
    ]
    if not kept:
        return None
    return raw if len(kept) == batch.records else keep(batch, raw, kept)
