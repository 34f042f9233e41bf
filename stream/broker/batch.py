"""Record batches, format 2: what the broker must know of the bytes that it keeps."""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final, NamedTuple

from aiokafka.record.util import calc_crc32c

from stream.broker.errors import ErrorCode, Refused

HEADER_BYTES: Final = 61
_HEADER: Final = Struct(">qiibIhiqqqhii")
_CRC: Final = Struct(">I")
_OFFSET_AND_LENGTH: Final = Struct(">qi")
_COUNT: Final = Struct(">i")
_BEFORE_LENGTH: Final = 12
"""The length counts what comes after itself."""
_CHECKED_FROM: Final = 21
"""The checksum covers everything from the attributes on: the base offset can be set without it."""
_COMPRESSION: Final = 0x07
_TRANSACTIONAL: Final = 0x10
_CONTROL: Final = 0x20


class Batch(NamedTuple):
    """
    Header of a batch.

    Source: Kafka documentation, "Record Batch" (message format, magic 2).
    """

    base: int
    """Offset of its first record."""
    length: int
    leader_epoch: int
    magic: int
    checksum: int
    attributes: int
    last_delta: int
    """Offset of the last record, from ``base``; compaction leaves it as it was."""
    first_timestamp_ms: int
    max_timestamp_ms: int
    producer_id: int
    producer_epoch: int
    sequence: int
    records: int
    """How many."""

    @property
    def size(self) -> int:
        """Bytes, header included."""
        return self.length + _BEFORE_LENGTH

    @property
    def last(self) -> int:
        """Offset of its last record."""
        return self.base + self.last_delta

    @property
    def compressed(self) -> bool:
        return self.attributes & _COMPRESSION != 0


class Record(NamedTuple):
    """What compaction asks of a record."""

    offset: int
    key: bytes | None
    tombstone: bool
    raw: bytes
    """With its length in front."""


def read_header(data: bytes, at: int = 0) -> Batch:
    """Header at a position of which at least HEADER_BYTES follow."""
    return Batch._make(_HEADER.unpack_from(data, at))


def intact(batch: Batch, raw: bytes) -> bool:
    """Whether the bytes are the whole batch and what was written."""
    return batch.magic == 2 and len(raw) == batch.size and calc_crc32c(raw[_CHECKED_FROM:]) == batch.checksum


def split(records: bytes, largest: int) -> list[tuple[Batch, bytes]]:
    """
    The batches of a produce request, each checked.

    Args:
        records: What was sent for one partition.
        largest: Bytes that a batch may have.

    Raises:
        Refused: If a batch is cut short, damaged, too large, of an old format or part of a transaction.
    """
    batches: list[tuple[Batch, bytes]] = []
    at = 0
    while at < len(records):
        left = len(records) - at
        if left < HEADER_BYTES:
            raise Refused(ErrorCode.CORRUPT_MESSAGE, f"{HEADER_BYTES} bytes of a batch's header", f"{left}")
        batch = read_header(records, at)
        if batch.magic != 2:
            raise Refused(ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, "message format 2", f"{batch.magic}")
        if not HEADER_BYTES <= batch.size <= left:
            raise Refused(ErrorCode.CORRUPT_MESSAGE, f"a batch of {HEADER_BYTES} to {left} bytes", f"{batch.size}")
        if batch.size > largest:
            raise Refused(ErrorCode.MESSAGE_TOO_LARGE, f"a batch of at most {largest} bytes", f"{batch.size}")
        raw = records[at : at + batch.size]
        if not intact(batch, raw):
            raise Refused(ErrorCode.CORRUPT_MESSAGE, f"checksum {batch.checksum}", "another")
        if batch.records < 1 or batch.last_delta != batch.records - 1:
            raise Refused(ErrorCode.INVALID_RECORD, f"{batch.records} records", f"last delta {batch.last_delta}")
        if batch.attributes & (_TRANSACTIONAL | _CONTROL):
            raise Refused(ErrorCode.INVALID_RECORD, "a batch outside transactions", "one inside")
        batches.append((batch, raw))
        at += batch.size
    if not batches:
        raise Refused(ErrorCode.INVALID_RECORD, "at least one batch", "none")
    return batches


def place(raw: bytes, base: int) -> bytes:
    """The batch at its offset, with leader epoch 0; the checksum does not cover either."""
    return _OFFSET_AND_LENGTH.pack(base, len(raw) - _BEFORE_LENGTH) + bytes(4) + raw[16:]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


def records(batch: Batch, raw: bytes) -> Iterator[Record]:
    """
    Records of a batch that is not compressed.

    Raises:
        Refused: If the records do not fill the batch as their lengths say.
    """
    assert not batch.compressed
    at = HEADER_BYTES
    try:
        for _ in range(batch.records):
            begin = at
            length, at = _varint(raw, at)
            end = at + length
            _, at = _varint(raw, at + 1)  # attributes, timestamp delta
            delta, at = _varint(raw, at)
            key_length, at = _varint(raw, at)
            key = None if key_length < 0 else raw[at : at + key_length]
            value_length, at = _varint(raw, at + max(key_length, 0))
            if not at + max(value_length, 0) <= end <= len(raw):
                raise Refused(ErrorCode.INVALID_RECORD, f"a record that ends at {end}", f"{len(raw)} bytes")
            yield Record(batch.base + delta, key, value_length < 0, raw[begin:end])
            at = end
    except IndexError:
        raise Refused(ErrorCode.INVALID_RECORD, f"{batch.records} records", "fewer") from None


def keep(batch: Batch, raw: bytes, survivors: Iterable[Record]) -> bytes:
    """The batch with some of its records; offsets, sequence and timestamps stay."""
    kept = [record.raw for record in survivors]
    body = raw[_CHECKED_FROM : HEADER_BYTES - 4] + _COUNT.pack(len(kept)) + b"".join(kept)
    length = _CHECKED_FROM - _BEFORE_LENGTH + len(body)
    return _OFFSET_AND_LENGTH.pack(batch.base, length) + raw[12:17] + _CRC.pack(calc_crc32c(body)) + body
