"""Twilio Media Streams: messages in, events out."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.errors import ProtocolError
from audio.telephony.twilio import TwilioStream
from audio.telephony.types import Dtmf, Media, StreamEnded, StreamStarted, TelephonyEvent
from audio.types import Encoding

FRAME = 160


@pytest.fixture
def stream(caller: Any) -> TwilioStream:
    """One that has started."""
    stream = TwilioStream()
    stream.receive(caller.connected())
    stream.receive(caller.start())
    return stream


def positions(events: list[TelephonyEvent]) -> list[int]:
    return [event.at for event in events if isinstance(event, Media)]


def test_a_call_from_start_to_stop(caller: Any) -> None:
    stream = TwilioStream()
    assert stream.receive(caller.connected()) == []
    assert stream.receive(caller.start({"token": "t", "queue": "sales"})) == [
        StreamStarted(
            protocol="twilio",
            call_id="CA1",
            stream_id="MZ1",
            tracks=("inbound", "outbound"),
            encoding=Encoding.PCMU,
            rate=8_000,
            parameters={"token": "t", "queue": "sales"},
        )
    ]
    assert stream.receive(caller.media(0, b"\x01" * FRAME)) == [Media("inbound", b"\x01" * FRAME, 0)]
    assert stream.receive(caller.media(0, b"\x02" * 33, "outbound")) == [Media("outbound", b"\x02" * 33, 0)]
    assert stream.receive(caller.media(20)) == [Media("inbound", bytes(FRAME), FRAME)]
    assert stream.receive(caller.stop()) == [StreamEnded(clean=True)]
    assert stream.closed() == []
    assert (stream.counts.messages, stream.counts.dropped, stream.counts.malformed) == (6, 0, 0)


def test_numbers_may_be_numbers(caller: Any, stream: TwilioStream) -> None:
    message = json.loads(caller.media(0, timestamp=40))
    message["sequenceNumber"] = 2
    assert positions(stream.receive(json.dumps(message))) == [320]
    message["sequenceNumber"], message["media"]["timestamp"] = 3.0, 60.0
    assert positions(stream.receive(json.dumps(message).encode())) == [480]


def test_a_line_that_goes_dead_ends_unclean_and_once(caller: Any, stream: TwilioStream) -> None:
    stream.receive(caller.media(0))
    assert stream.closed() == [StreamEnded(clean=False)]
    assert stream.closed() == []


def test_a_line_that_never_spoke_ends_without_a_word() -> None:
    assert TwilioStream().closed() == []


def test_keys_pressed_are_told(caller: Any, stream: TwilioStream) -> None:
    caller.number += 1
    assert stream.receive(caller.event("dtmf", dtmf={"track": "inbound_track", "digit": "5"})) == [Dtmf("inbound", "5")]


@pytest.mark.parametrize("event", ["mark", "clear", "something-new"])
def test_events_that_we_do_not_need_are_no_fault(caller: Any, stream: TwilioStream, event: str) -> None:
    caller.number += 1
    assert stream.receive(caller.event(event)) == []
    assert stream.counts.malformed == stream.counts.dropped == 0


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "{",
        "[]",
        "null",
        "7",
        '"media"',
        "{}",
        '{"event": 5}',
        '{"event": null}',
        '{"event": "media"}',
        '{"event": "media", "media": "x"}',
        '{"event": "media", "media": [1]}',
        '{"event": "media", "media": {"timestamp": NaN}}',
        '{"event": "media", "media": {"timestamp": 1e999}}',
        '{"event": "\\ud800"}',
        '{"event": "mark"}{"event": "mark"}',
        b"\xff\xfe\x00",
        '{"event": "mark", "mark": ' + "[" * 17 + "]" * 17 + "}",
        '{"event": "mark", "mark": ' + "[" * 30_000 + "]" * 30_000 + "}",
        json.dumps({"event": "mark", "mark": {str(n): n for n in range(300)}}),
    ],
    ids=repr,
)
def test_what_is_no_message_is_counted_and_the_eleventh_ends_the_connection(
    caller: Any, stream: TwilioStream, message: str | bytes
) -> None:
    for _ in range(10):
        assert stream.receive(message) == []
    assert stream.counts.malformed == 10
    assert positions(stream.receive(caller.media(0))) == [0]
    with pytest.raises(ProtocolError) as error:
        stream.receive(message)
    assert error.value.close_code == 1008
    assert stream.closed() == [StreamEnded(clean=False)]


def test_the_last_of_two_equal_keys_counts(stream: TwilioStream) -> None:
    media = '{"track": "inbound", "timestamp": "0", "timestamp": "20", "payload": "AAAA"}'
    assert positions(stream.receive(f'{{"event": "media", "media": {media}}}')) == [160]


def test_media_before_the_start_is_dropped(caller: Any) -> None:
    stream = TwilioStream()
    assert stream.receive(caller.media(0)) == []
    assert stream.receive(caller.stop()) == []
    assert stream.counts.dropped == 2
    assert stream.closed() == []


def test_a_second_start_ends_the_connection(caller: Any, stream: TwilioStream) -> None:
    with pytest.raises(ProtocolError, match="expected one start in a connection, got a second"):
        stream.receive(caller.start())


def test_media_after_the_stop_is_dropped(caller: Any, stream: TwilioStream) -> None:
    stream.receive(caller.stop())
    assert stream.receive(caller.media(0)) == []
    assert stream.receive(caller.start()) == []
    assert stream.counts.dropped == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": "AAA"},
        {"payload": "AA=A"},
        {"payload": "*&^%"},
        {"payload": "AA\nAA"},
        {"payload": "ÄÖÜß"},
        {"payload": ""},
        {"payload": None},
        {"payload": 1234},
        {"payload": ["AAAA"]},
        {"track": "sideways"},
        {"track": None},
        {"track": ["inbound"]},
        {"timestamp": None},
        {"timestamp": "soon"},
        {"timestamp": "--5"},
        {"timestamp": "٣"},
        {"timestamp": "1" * 400},
        {"timestamp": 10**40},
        {"timestamp": True},
        {"timestamp": 0.5},
    ],
    ids=repr,
)
def test_media_that_cannot_be_used_is_dropped_alone(
    caller: Any, stream: TwilioStream, changes: dict[str, object]
) -> None:
    assert stream.receive(caller.media(0, **changes)) == []
    assert (stream.counts.dropped, stream.counts.malformed) == (1, 0)
    assert positions(stream.receive(caller.media(20))) == [160]


def test_half_a_sample_is_dropped(caller: Any) -> None:
    stream = TwilioStream()
    stream.receive(caller.start(mediaFormat={"encoding": "audio/x-l16;rate=8000", "sampleRate": "8000"}))
    assert stream.receive(caller.media(0, bytes(161))) == []
    assert stream.receive(caller.media(0, bytes(320))) == [Media("inbound", bytes(320), 0)]


@pytest.mark.parametrize(
    "changes",
    [
        {"callSid": None},
        {"callSid": 5},
        {"callSid": {"a": 1}},
        {"callSid": ""},
        {"callSid": "."},
        {"callSid": ".."},
        {"callSid": "a/b"},
        {"callSid": "../../etc/passwd"},
        {"callSid": "a\nb"},
        {"callSid": "a\x1b[31m"},
        {"callSid": "a\x00"},
        {"callSid": "呼叫"},
        {"callSid": "x" * 129},
        {"mediaFormat": "mulaw"},
        {"mediaFormat": {"encoding": "audio/opus"}},
        {"mediaFormat": {"encoding": ["audio/x-mulaw"]}},
        {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 0}},
        {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": -8000}},
        {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 10**30}},
        {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 2}},
        {"customParameters": ["token"]},
        {"customParameters": {"token": {"a": "b"}}},
        {"customParameters": {"a": "x" * 16_384}},
    ],
    ids=lambda changes: repr(changes)[:60],
)
def test_a_start_that_cannot_be_used_ends_the_connection(caller: Any, changes: dict[str, object]) -> None:
    stream = TwilioStream()
    with pytest.raises(ProtocolError) as error:
        stream.receive(caller.start(**changes))
    assert error.value.close_code == 1008
    assert "\x1b" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("start", ["x", None, []])
def test_a_start_without_an_object_ends_the_connection(start: object) -> None:
    with pytest.raises(ProtocolError):
        TwilioStream().receive(json.dumps({"event": "start", "start": start}))


def test_parameters_are_told_as_they_came(caller: Any) -> None:
    name = "=HYPERLINK(1)\x1b[31m<b>李\u202e"
    (started,) = TwilioStream().receive(caller.start({"customer_name": name}))
    assert isinstance(started, StreamStarted)
    assert started.parameters == {"customer_name": name}


@pytest.mark.parametrize("tracks", [None, 5, "inbound", [], ["other"], [["inbound"]]])
def test_without_tracks_there_is_the_inbound_one(caller: Any, tracks: object) -> None:
    (started,) = TwilioStream().receive(caller.start(tracks=tracks))
    assert isinstance(started, StreamStarted)
    assert started.tracks == ("inbound",)


def test_messages_out_of_order_are_put_in_order(caller: Any, stream: TwilioStream) -> None:
    messages = [caller.media(at) for at in (0, 20, 40, 60, 80)]
    told = [positions(stream.receive(messages[n])) for n in (0, 2, 1, 4, 3)]
    assert told == [[0], [], [160, 320], [], [480, 640]]
    assert stream.counts.reordered == 2


def test_a_message_that_does_not_come_is_waited_for_100_ms(caller: Any) -> None:
    stream = TwilioStream()
    stream.receive(caller.start(tracks=["inbound"]))
    messages = [caller.media(n * 20) for n in range(8)]
    told = [positions(stream.receive(message)) for message in messages[1:]]
    assert told[:5] == [[]] * 5
    assert told[5] == [n * FRAME for n in range(1, 7)]
    assert told[6] == [7 * FRAME]
    assert stream.receive(messages[0]) == []
    assert stream.counts.dropped == 1


def test_a_message_that_comes_twice_counts_once(caller: Any, stream: TwilioStream) -> None:
    first, second, third = (caller.media(at) for at in (0, 20, 40))
    assert positions(stream.receive(first)) == [0]
    assert stream.receive(first) == []
    assert stream.receive(third) == []
    assert stream.receive(third) == []
    assert positions(stream.receive(second)) == [160, 320]
    assert stream.counts.dropped == 2


def test_the_stop_waits_for_nobody_and_loses_nothing(caller: Any, stream: TwilioStream) -> None:
    caller.media(0)
    later = caller.media(20)
    assert stream.receive(later) == []
    assert stream.receive(caller.stop()) == [Media("inbound", bytes(FRAME), FRAME), StreamEnded(clean=True)]


def test_what_is_held_back_is_told_when_the_line_goes_dead(caller: Any, stream: TwilioStream) -> None:
    caller.media(0)
    stream.receive(caller.media(20))
    assert stream.closed() == [Media("inbound", bytes(FRAME), FRAME), StreamEnded(clean=False)]


@pytest.mark.parametrize("rogue", [2**53 - 1, -(2**40), 0, 1_000_000])
def test_a_sequence_number_from_nowhere_does_not_make_the_call_deaf(
    caller: Any, stream: TwilioStream, rogue: int
) -> None:
    told = positions(stream.receive(caller.media(0)))
    caller.number, before = rogue - 1, caller.number
    for _ in range(12):
        told += positions(stream.receive(caller.media(20)))
    caller.number = before
    for n in range(1, 200):
        told += positions(stream.receive(caller.media(20 + n * 20)))
    assert told[-1] == 200 * FRAME


def test_without_sequence_numbers_the_order_is_that_of_arrival(stream: TwilioStream) -> None:
    payload = base64.b64encode(bytes(FRAME)).decode()
    media = [{"track": "inbound", "timestamp": at, "payload": payload} for at in (0, 20)]
    messages = [json.dumps({"event": "media", "media": each}) for each in media]
    assert [positions(stream.receive(message)) for message in messages] == [[0], [FRAME]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from(["event", "sequenceNumber", "start", "media", "stop", "dtmf"])
EVENTS = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop"])
MEDIA = st.fixed_dictionaries(
    {"track": st.sampled_from(["inbound", "outbound"]) | JSON, "timestamp": JSON, "payload": st.just("AAAA") | JSON}
)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(EVENTS, st.dictionaries(KEYS, JSON, max_size=4), MEDIA | JSON, st.integers(-10, 40) | JSON),
        max_size=25,
    )
)
@pytest.mark.slow
def test_no_message_does_more_than_end_its_own_connection(messages: list[tuple[str, dict[str, Any], Any, Any]]) -> None:
    stream = TwilioStream()
    started = {"event": "start", "sequenceNumber": 1, "start": {"callSid": "c"}}
    stream.receive(json.dumps(started))
    told: list[TelephonyEvent] = []
    try:
        for event, parts, media, number in messages:
            told += stream.receive(json.dumps(parts | {"event": event, "media": media, "sequenceNumber": number}))
    except ProtocolError as error:
        assert error.close_code == 1008
    told += stream.closed()
    assert sum(isinstance(event, StreamEnded) for event in told) == 1
    assert isinstance(told[-1], StreamEnded)


def test_a_message_cut_short_anywhere_is_malformed(caller: Any, stream: TwilioStream) -> None:
    message = caller.media(0)
    for end in range(len(message)):
        fresh = TwilioStream()
        assert fresh.receive(message[:end]) == []
        assert fresh.counts.malformed == 1
