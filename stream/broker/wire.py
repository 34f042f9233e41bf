"""Kafka's primitive types: how a request is read and an answer is written (non-flexible versions)."""

import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple, TypeVar

from stream.broker.errors import ProtocolError

T = TypeVar("T")

_INT8: Final = Struct(">b")
_INT16: Final = Struct(">h")
_INT32: Final = Struct(">i")
_INT64: Final = Struct(">q")


class Reader:
    """Read a request field by field; every method raises ProtocolError where bytes are missing or make no sense."""

    __slots__ = ("_at", "_data", "_where")

    def __init__(self, data: bytes, where: str) -> None:
        self._data = data
        self._at = 0
        self._where = where

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def _number(self, layout: Struct) -> int:
        try:
            (value,) = layout.unpack_from(self._data, self._at)
        except struct.error:
            raise ProtocolError(f"{layout.size} bytes of a number", f"{self.left}", self._where) from None
        self._at += layout.size
        return int(value)

    def int8(self) -> int:
        return self._number(_INT8)

    def int16(self) -> int:
        return self._number(_INT16)

    def int32(self) -> int:
        return self._number(_INT32)

    def int64(self) -> int:
        return self._number(_INT64)

    def boolean(self) -> bool:
        return self._number(_INT8) != 0

    def _take(self, length: int) -> bytes | None:
        if length == -1:
            return None
        if not 0 <= length <= self.left:
            raise ProtocolError(f"a length of at most {self.left}", f"{length}", self._where)
        begin, self._at = self._at, self._at + length
        return self._data[begin : self._at]

    def nullable_string(self) -> str | None:
        taken = self._take(self.int16())
        try:
            return None if taken is None else taken.decode()
        except UnicodeDecodeError:
            raise ProtocolError("UTF-8", "other bytes", self._where) from None

    def string(self) -> str:
        value = self.nullable_string()
        if value is None:
            raise ProtocolError("a string", "null", self._where)
        return value

    def nullable_blob(self) -> bytes | None:
        return self._take(self.int32())

    def blob(self) -> bytes:
        return self.nullable_blob() or b""

    def nullable_array(self, read: Callable[["Reader"], T]) -> list[T] | None:
        count = self.int32()
        if count == -1:
            return None
        # An element has at least one byte: a hostile count must not make us build a long list of nothing.
        if not 0 <= count <= self.left:
            raise ProtocolError(f"at most {self.left} elements", f"{count}", self._where)
        return [read(self) for _ in range(count)]

    def array(self, read: Callable[["Reader"], T]) -> list[T]:
        return self.nullable_array(read) or []


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its header taken off."""

    version: int
    client_id: str
    body: Reader
    now_ms: int
    """When it arrived, UTC: stages below read no clock."""
    now_s: float
    """When it arrived, monotonic."""


class Api(NamedTuple):
    """One kind of request."""

    oldest: int
    """First version that is understood."""
    newest: int
    answer: Callable[[Request], Awaitable[bytes | None]]
    """Body of the answer; None where none is wanted."""


def int8(value: int) -> bytes:
    return _INT8.pack(value)


def int16(value: int) -> bytes:
    return _INT16.pack(value)


def int32(value: int) -> bytes:
    return _INT32.pack(value)


def int64(value: int) -> bytes:
    return _INT64.pack(value)


def boolean(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def string(value: str | None) -> bytes:
    if value is None:
        return int16(-1)
    encoded = value.encode()
    return int16(len(encoded)) + encoded


def blob(value: bytes | None) -> bytes:
    return int32(-1) if value is None else int32(len(value)) + value


def array(items: Iterable[bytes]) -> bytes:
    listed = list(items)
    return int32(len(listed)) + b"".join(listed)


def since(version: int, first: int, field: bytes) -> bytes:
    """A field that exists from the API's version ``first`` on."""
    return field if version >= first else b""
