import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.types import Final
from audio.types import AudioRecord, Channel, Encoding
from models.meaning import Clause, Meaning
from models.types import Utterance
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


@given(st.binary(max_size=400))
def test_a_final_brings_its_vectors_and_one_from_before_there_were_any_has_none(vector: bytes) -> None:
    said = Utterance(
        id="c:customer:0", channel=Channel.CUSTOMER, number=0, start_ms=0, end_ms=900, text="hello there",
        language="en", confidence=1, words=(), sentiment=None, emotion=None, loudness_dbfs=None,
        meaning=Meaning(space="s", clauses=(Clause(start=0, end=5, vector=vector),)),
    )  # fmt: skip
    final = Final(call_id="c", utterance=said)
    assert decode_event(msgspec.json.encode(final)) == final
    old = json.loads(msgspec.json.encode(final))
    del old["utterance"]["meaning"]
    found = decode_event(json.dumps(old).encode())
    assert isinstance(found, Final)
    assert found.utterance == msgspec.structs.replace(said, meaning=None)
