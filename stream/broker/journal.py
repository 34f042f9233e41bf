"""What the broker knows besides the batches: topics, groups and their offsets, producer ids."""

import os
from collections.abc import Iterable
from pathlib import Path
from struct import Struct
from typing import Final

import msgspec
import structlog
from aiokafka.record.util import calc_crc32c

log = structlog.get_logger()

_FRAME: Final = Struct(">II")
_REWRITE_FROM: Final = 1 << 20
"""Bytes below which a journal is left as it is."""
_REWRITE_GROWTH: Final = 4
"""Growth since the last rewriting that asks for the next."""


class TopicCreated(msgspec.Struct, frozen=True, tag="topic", kw_only=True):
    number: int
    """Never given twice: it names the directory."""
    name: str
    partitions: int
    config: dict[str, str]


class TopicDeleted(msgspec.Struct, frozen=True, tag="deleted", kw_only=True):
    number: int
    """Stays known, so that it is not given again."""
    name: str


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """An offset that a group committed."""

    topic: str
    partition: int
    offset: int
    metadata: str | None


class Committed(msgspec.Struct, frozen=True, tag="commit", kw_only=True):
    group: str
    at_ms: int
    commits: list[Commit]


class GroupForgotten(msgspec.Struct, frozen=True, tag="forgotten", kw_only=True):
    group: str


class MemberKept(msgspec.Struct, frozen=True, array_like=True):
    """A member of a group, and what it was assigned."""

    member_id: str
    client_id: str
    session_s: float
    rebalance_s: float
    protocols: list[tuple[str, bytes]]
    assignment: bytes


class GroupSettled(msgspec.Struct, frozen=True, tag="group", kw_only=True):
    """
    A group whose members know their assignments; without members, it has become empty.

    A broker that is started again goes on with it: its members need not even notice.
    """

    group: str
    generation: int
    protocol_type: str
    protocol: str
    leader: str
    members: list[MemberKept]


class ProducerIdGiven(msgspec.Struct, frozen=True, tag="producer", kw_only=True):
    producer_id: int


Entry = TopicCreated | TopicDeleted | Committed | GroupForgotten | GroupSettled | ProducerIdGiven

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Entry)


def frame(payload: bytes) -> bytes:
    """Length and CRC-32C before the payload."""
    return _FRAME.pack(len(payload), calc_crc32c(payload)) + payload


def unframe(data: bytes, at: int = 0) -> bytes | None:
    """The payload of the frame at a position; None if it is torn or damaged."""
    if len(data) - at < _FRAME.size:
        return None
    length, checksum = _FRAME.unpack_from(data, at)
    payload = data[at + _FRAME.size : at + _FRAME.size + length]
    return payload if len(payload) == length and calc_crc32c(payload) == checksum else None


def write_all(descriptor: int, data: bytes, at: int) -> None:
    """
    Write at a position, until every byte has left the process.

    Raises:
        OSError: If the disk does not take it.
    """
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


class Journal:
    """An append-only file of entries that survives the death of the process, but not a power cut (no fsync)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._rewritten = 0

    def read(self) -> list[Entry]:
        """The entries so far; what was cut off by a crash at the end is cut away."""
        data = self._path.read_bytes()
        entries: list[Entry] = []
        at = 0
        while (payload := unframe(data, at)) is not None:
            try:
                entries.append(_decoder.decode(payload))
            except msgspec.DecodeError:
                break
            at += _FRAME.size + len(payload)
        if at < len(data):
            log.warning("torn_tail_cut", file=str(self._path), kept_bytes=at, cut_bytes=len(data) - at)
            os.ftruncate(self._descriptor, at)
        self._size = self._rewritten = at
        return entries

    def append(self, entry: Entry) -> None:
        """Return when the entry has left the process."""
        data = frame(_encoder.encode(entry))
        write_all(self._descriptor, data, self._size)
        self._size += len(data)

    @property
    def overgrown(self) -> bool:
        """Whether it holds far more than what is still true."""
        return self._size > max(_REWRITE_FROM, _REWRITE_GROWTH * self._rewritten)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace all entries by those that say the same in fewer words."""
        data = b"".join(frame(_encoder.encode(entry)) for entry in entries)
        beside = self._path.with_suffix(".new")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, data, 0)
            os.fsync(descriptor)
            beside.replace(self._path)
        except OSError:
            os.close(descriptor)
            raise
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._size = self._rewritten = len(data)

    def close(self) -> None:
        os.close(self._descriptor)
