"""The log of a partition, without sockets."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.broker.batch import HEADER_BYTES, read_header, records
from stream.broker.errors import ErrorCode, Refused
from stream.broker.log import PartitionLog
from stream.broker.policy import LogPolicy

MakeBatch = Callable[..., bytes]
SMALL = LogPolicy(segment_bytes=2_000)
COMPACT = LogPolicy(segment_bytes=2_000, deletes=False, compacts=True, tombstone_ms=0)


def read_all(log: PartitionLog, most: int = 1 << 20) -> list[tuple[int, bytes | None, bool]]:
    """Offset, key, tombstone of every record, read in pieces from the start."""
    found: list[tuple[int, bytes | None, bool]] = []
    offset = log.start
    while offset < log.end:
        data = log.read(offset, most, at_least_one=True)
        if not data:
            break
        at = 0
        while at < len(data):
            batch = read_header(data, at)
            found += [(r.offset, r.key, r.tombstone) for r in records(batch, data[at : at + batch.size])]
            offset, at = batch.last + 1, at + batch.size
    return found


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=60), most=st.integers(1, 5_000))
@settings(max_examples=40)
def test_what_is_written_is_read_whatever_the_pieces_and_a_restart(
    make_batch: MakeBatch, sizes: list[int], most: int
) -> None:
    with TemporaryDirectory() as directory:
        log = PartitionLog(Path(directory), SMALL)
        bases = [log.append(make_batch([(b"k%d" % n, b"v" * 20) for n in range(size)]), 2_000) for size in sizes]
        assert bases == [sum(sizes[:n]) for n in range(len(sizes))]
        before = read_all(log, most)
        assert [offset for offset, _, _ in before] == list(range(sum(sizes)))
        log.close()
        again = PartitionLog(Path(directory), SMALL)
        assert read_all(again, most) == before
        assert (again.start, again.end, again.size) == (log.start, log.end, log.size)
        again.close()


@given(cut=st.integers(1, 400), data=st.data())
@settings(max_examples=40)
def test_a_torn_tail_is_cut_and_the_whole_batches_before_it_stay(
    make_batch: MakeBatch, cut: int, data: st.DataObject
) -> None:
    with TemporaryDirectory() as directory:
        log = PartitionLog(Path(directory), LogPolicy())
        for number in range(5):
            log.append(make_batch([(b"k", b"%d" % number)] * 3), 2_000)
        size = log.size
        log.close()
        path = next(Path(directory).glob("*.log"))
        written = path.read_bytes()
        if data.draw(st.booleans(), "cut rather than damaged"):
            path.write_bytes(written[: max(len(written) - cut, 0)])
        else:
            at = max(size - cut, 0)
            path.write_bytes(written[:at] + bytes([written[at] ^ 0xFF]) + written[at + 1 :])
        one = size // 5
        again = PartitionLog(Path(directory), LogPolicy())
        whole = (size - min(cut, size)) // one
        # Damage of the leader epoch alone, which no checksum covers, does no harm.
        assert again.end in {3 * whole, 15}
        assert [offset for offset, _, _ in read_all(again)] == list(range(again.end))
        assert again.append(make_batch([(b"k", b"new")]), 2_000) == again.end - 1
        again.close()


def test_a_log_of_which_everything_expired_goes_on_at_its_offset_after_a_restart(
    tmp_path: Path, make_batch: MakeBatch
) -> None:
    policy = LogPolicy(segment_bytes=2_000, retention_ms=1_000)
    log = PartitionLog(tmp_path, policy)
    for _ in range(50):
        log.append(make_batch([(b"k", b"v" * 100)] * 2, at_ms=1_000), 1_000)
    log.expire(10_000)
    assert (log.start, log.end, log.size) == (100, 100, 0)
    log.close()
    again = PartitionLog(tmp_path, policy)
    assert (again.start, again.end) == (100, 100)
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(Refused) as refused:
        again.read(99, 1_000, at_least_one=True)
    assert refused.value.code is ErrorCode.OFFSET_OUT_OF_RANGE
    assert again.append(make_batch([(b"k", b"v")]), 10_000) == 100
    again.close()


def test_the_limit_of_bytes_bounds_memory_and_disk(tmp_path: Path, make_batch: MakeBatch) -> None:
    log = PartitionLog(tmp_path, LogPolicy(segment_bytes=64 << 10, retention_bytes=512 << 10))
    for _ in range(1_000):
        log.append(make_batch([(b"k", b"v" * 3_000)]), 2_000)
        log.expire(2_000)
    assert 400 << 10 < log.size <= 512 << 10
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 540 << 10
    assert log.end == 1_000
    log.close()


def test_an_offset_is_found_by_time_across_segments(tmp_path: Path, make_batch: MakeBatch) -> None:
    log = PartitionLog(tmp_path, SMALL)
    for number in range(100):
        log.append(make_batch([(b"k", b"v" * 100)], at_ms=1_000 + 10 * number), 5_000)
    assert log.find_time(0) == (0, 1_000)
    assert log.find_time(1_501) == (51, 1_510)
    assert log.find_time(1_990) == (99, 1_990)
    assert log.find_time(1_991) is None
    log.close()


def test_an_offset_is_found_by_time_within_a_long_segment(tmp_path: Path, make_batch: MakeBatch) -> None:
    log = PartitionLog(tmp_path, LogPolicy())
    for number in range(1_000):
        log.append(make_batch([(b"k", b"v" * 100)], at_ms=1_000 + number), 5_000)
    assert all(log.find_time(1_000 + number) == (number, 1_000 + number) for number in range(0, 1_000, 37))
    log.close()


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda raw: raw[:-1], ErrorCode.CORRUPT_MESSAGE),
        (lambda raw: raw[:40], ErrorCode.CORRUPT_MESSAGE),
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), ErrorCode.CORRUPT_MESSAGE),
        (lambda raw: raw[:16] + b"\x01" + raw[17:], ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT),
        (lambda raw: raw[:8] + b"\x7f\xff\xff\xff" + raw[12:], ErrorCode.CORRUPT_MESSAGE),
        (lambda _: b"", ErrorCode.INVALID_RECORD),
    ],
)
def test_a_damaged_batch_is_refused_and_not_written(
    tmp_path: Path, make_batch: MakeBatch, damage: Callable[[bytes], bytes], code: ErrorCode
) -> None:
    log = PartitionLog(tmp_path, LogPolicy())
    with pytest.raises(Refused) as refused:
        log.append(damage(make_batch([(b"k", b"v")])), 2_000)
    assert refused.value.code is code
    assert (log.end, log.size) == (0, 0)
    log.close()


def test_a_batch_sent_again_is_not_written_again_even_after_a_restart(tmp_path: Path, make_batch: MakeBatch) -> None:
    sent = [make_batch([(b"k", b"v")] * 4, producer=7, epoch=0, sequence=4 * n) for n in range(5)]
    log = PartitionLog(tmp_path, LogPolicy())
    assert [log.append(raw, 2_000) for raw in sent] == [0, 4, 8, 12, 16]
    assert log.append(sent[2], 2_000) == 8
    log.close()
    again = PartitionLog(tmp_path, LogPolicy())
    assert [again.append(raw, 2_000) for raw in sent] == [0, 4, 8, 12, 16]
    assert again.end == 20
    with pytest.raises(Refused) as refused:
        again.append(make_batch([(b"k", b"v")], producer=7, epoch=0, sequence=24), 2_000)
    assert refused.value.code is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    again.append(make_batch([(b"k", b"v")], producer=7, epoch=1, sequence=0), 2_000)
    with pytest.raises(Refused) as refused:
        again.append(make_batch([(b"k", b"v")], producer=7, epoch=0, sequence=20), 2_000)
    assert refused.value.code is ErrorCode.INVALID_PRODUCER_EPOCH
    again.close()


def test_producers_are_remembered_when_their_batches_lie_in_sealed_segments(
    tmp_path: Path, make_batch: MakeBatch
) -> None:
    log = PartitionLog(tmp_path, SMALL)
    raw = make_batch([(b"k", b"v")], producer=7, epoch=0, sequence=0)
    log.append(raw, 2_000)
    for _ in range(100):
        log.append(make_batch([(b"k", b"v" * 200)]), 2_000)
    log.close()
    again = PartitionLog(tmp_path, SMALL)
    assert again.append(raw, 2_000) == 0
    again.close()


@given(
    writes=st.lists(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=8), max_size=60),
    restart=st.booleans(),
)
@settings(max_examples=40)
@pytest.mark.slow
def test_compaction_keeps_exactly_the_last_record_of_each_key_and_of_the_log(
    make_batch: MakeBatch, writes: list[list[tuple[int, bool]]], restart: bool
) -> None:
    with TemporaryDirectory() as directory:
        log = PartitionLog(Path(directory), COMPACT)
        for write in writes:
            log.append(make_batch([(b"%d" % key, None if gone else b"v" * 50) for key, gone in write]), 2_000)
        flat = [pair for write in writes for pair in write]
        newest = {key: (offset, gone) for offset, (key, gone) in enumerate(flat)}
        end = log.end
        asyncio.run(log.compact(5_000))
        if restart:
            log.close()
            log = PartitionLog(Path(directory), COMPACT)
        last = len(flat) - 1
        expected = sorted((o, b"%d" % key, gone) for key, (o, gone) in newest.items() if not gone or o == last)
        assert read_all(log) == expected
        assert (log.start, log.end) == (0, end)
        assert log.append(make_batch([(b"k", b"v")]), 2_000) == end
        log.close()


def test_a_tombstone_stays_until_lagging_readers_have_had_time_for_it(tmp_path: Path, make_batch: MakeBatch) -> None:
    log = PartitionLog(tmp_path, LogPolicy(deletes=False, compacts=True, tombstone_ms=10_000))
    log.append(make_batch([(b"a", b"v"), (b"b", b"v"), (b"a", None), (b"d", b"v")], at_ms=1_000), 1_000)
    asyncio.run(log.compact(5_000))
    assert read_all(log) == [(1, b"b", False), (2, b"a", True), (3, b"d", False)]
    log.append(make_batch([(b"c", b"v")], at_ms=12_000), 12_000)
    asyncio.run(log.compact(12_000))
    assert read_all(log) == [(1, b"b", False), (3, b"d", False), (4, b"c", False)]
    log.close()


def test_compaction_leaves_compressed_batches_whole(tmp_path: Path, make_batch: MakeBatch) -> None:
    log = PartitionLog(tmp_path, COMPACT)
    zipped = make_batch([(b"a", b"v" * 100)] * 5, codec=1)
    log.append(zipped, 2_000)
    log.append(make_batch([(b"a", b"v")]), 2_000)
    asyncio.run(log.compact(5_000))
    kept = log.read(0, 1 << 20, at_least_one=True)
    assert kept[HEADER_BYTES : len(zipped)] == zipped[HEADER_BYTES:]
    assert read_header(kept, len(zipped)).base == 5
    log.close()


@pytest.mark.parametrize("restored", [0, 1, 2, 3])
def test_a_crash_in_the_exchange_of_compacted_segments_loses_no_last_record(
    tmp_path: Path, make_batch: MakeBatch, restored: int
) -> None:
    log = PartitionLog(tmp_path, COMPACT)
    order = random.Random(1)
    for number in range(200):
        log.append(make_batch([(b"%d" % order.randrange(20), b"%d" % number)]), 2_000)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.log")}
    asyncio.run(log.compact(5_000))
    wanted = {key: offset for offset, key, _ in read_all(log)}
    end = log.end
    log.close()
    # The first of the new files are in place, and the old ones not yet gone.
    gone = [name for name in sorted(before) if not (tmp_path / name).exists()]
    assert len(gone) >= 3
    for name in gone[: restored + 1]:
        (tmp_path / name).write_bytes(before[name])
    again = PartitionLog(tmp_path, COMPACT)
    read = read_all(again)
    assert [offset for offset, _, _ in read] == sorted({offset for offset, _, _ in read})
    assert {key: offset for offset, key, _ in read} == wanted
    assert again.end == end
    again.close()


def test_a_record_without_a_key_is_refused_where_the_topic_is_compacted(tmp_path: Path, make_batch: MakeBatch) -> None:
    log = PartitionLog(tmp_path, COMPACT)
    with pytest.raises(Refused) as refused:
        log.append(make_batch([(b"k", b"v"), (None, b"v")]), 2_000)
    assert refused.value.code is ErrorCode.INVALID_RECORD
    log.close()


def test_a_timestamp_far_ahead_is_refused_as_it_would_never_expire(tmp_path: Path, make_batch: MakeBatch) -> None:
    log = PartitionLog(tmp_path, LogPolicy())
    with pytest.raises(Refused) as refused:
        log.append(make_batch([(b"k", b"v")], at_ms=10_000_000), 2_000)
    assert refused.value.code is ErrorCode.INVALID_TIMESTAMP
    log.close()
