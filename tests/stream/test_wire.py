from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.types import AudioRecord, Encoding
from stream.errors import WireError
from stream.wire import AudioEnd, AudioStart, decode_assist, decode_audio, decode_event, encode_audio

_record = st.builds(
    AudioRecord,
    call_id=st.just("c-1"),
    seq=st.integers(0, 2**32 - 1),
    offset=st.integers(0, 2**64 - 1),
    rate=st.sampled_from([8000, 16000, 48000]),
    encoding=st.sampled_from(Encoding),
    customer=st.binary(max_size=64),
    agent=st.binary(max_size=64),
)


def _fields(record: AudioRecord) -> tuple[object, ...]:
    return (
        record.call_id,
        record.seq,
        record.offset,
        record.rate,
        record.encoding,
        record.customer,
        record.agent,
    )


@given(_record)
def test_a_record_comes_back_as_it_was(record: AudioRecord) -> None:
    decoded = decode_audio("c-1", encode_audio(record))
    assert isinstance(decoded, AudioRecord)
    assert _fields(decoded) == _fields(record)


@given(_record, st.data())
def test_a_record_cut_short_is_told_or_loses_only_payload(record: AudioRecord, data: st.DataObject) -> None:
    value = encode_audio(record)
    cut = data.draw(st.integers(0, len(value) - 1))
    try:
        decoded = decode_audio("c-1", value[:cut])
    except WireError as error:
        assert "call=c-1" in str(error)
    else:
        assert isinstance(decoded, AudioRecord)
        assert decoded.customer == record.customer


@pytest.mark.parametrize(
    "message",
    [
        AudioStart(at=datetime(2026, 1, 2, tzinfo=UTC), protocol="twilio", customer_id="k-9"),
        AudioEnd(duration_ms=1234, reason="lost"),
    ],
)
def test_start_and_end_come_back_as_they_were(message: AudioStart | AudioEnd) -> None:
    assert decode_audio("c-1", encode_audio(message)) == message


@given(st.binary(max_size=200))
def test_garbage_in_call_audio_is_told_and_nothing_worse(value: bytes) -> None:
    try:
        decode_audio("c-1", value)
    except WireError as error:
        assert "expected" in str(error)


@given(st.binary(max_size=200))
def test_garbage_in_the_json_topics_is_told_and_nothing_worse(value: bytes) -> None:
    for decode in (decode_event, decode_assist):
        with pytest.raises(WireError):
            decode(value)
