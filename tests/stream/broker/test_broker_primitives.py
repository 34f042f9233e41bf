"""Reading requests, whole, cut short, and hostile."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.broker import wire
from stream.broker.errors import ProtocolError
from stream.broker.wire import Reader

Fields = list[tuple[str | None, bytes | None, list[int] | None]]
FIELDS = st.lists(
    st.tuples(
        st.none() | st.text(max_size=9),
        st.none() | st.binary(max_size=9),
        st.none() | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    ),
    max_size=4,
)


def write(fields: Fields) -> bytes:
    return wire.array(
        wire.string(text) + wire.blob(data) + (wire.int32(-1) if n is None else wire.array(map(wire.int64, n)))
        for text, data, n in fields
    )


def read(data: bytes) -> Fields:
    return Reader(data, "test").array(
        lambda r: (r.nullable_string(), r.nullable_blob(), r.nullable_array(Reader.int64))
    )


@given(FIELDS)
def test_what_is_written_is_read(fields: Fields) -> None:
    assert read(write(fields)) == fields


@given(FIELDS, st.data())
def test_a_request_cut_short_is_an_error_of_the_peer(fields: Fields, data: st.DataObject) -> None:
    whole = write(fields)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ProtocolError):
        read(whole[:cut])


@given(st.binary(max_size=200))
def test_garbage_is_read_or_is_an_error_of_the_peer(data: bytes) -> None:
    try:
        read(data)
    except ProtocolError as error:
        assert str(error).startswith("expected ")


@pytest.mark.parametrize(
    ("data", "method"),
    [
        (b"\x7f\xff\xff\xff" + bytes(8), lambda r: r.array(Reader.int8)),
        (b"\xff\xff\xff\xfe" + bytes(8), lambda r: r.array(Reader.int8)),
        (b"\x7f\xff" + bytes(8), Reader.string),
        (b"\xff\xfe" + bytes(8), Reader.string),
        (b"\xff\xff", Reader.string),
        (b"\x00\x01\xff", Reader.string),
        (b"\x7f\xff\xff\xff" + bytes(8), Reader.blob),
    ],
)
def test_a_hostile_length_is_an_error_of_the_peer(data: bytes, method: Callable[[Reader], object]) -> None:
    with pytest.raises(ProtocolError):
        method(Reader(data, "test"))
