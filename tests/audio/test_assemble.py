"""Tracks to records."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.assemble import RecordAssembler
from audio.codecs import SILENCE
from audio.recording import read_recording, records
from audio.types import AudioRecord, Channel, Encoding

STEP = 1_600
CUSTOMER, AGENT = Channel.CUSTOMER, Channel.AGENT
BOTH = (CUSTOMER, AGENT)


def assembler(channels: tuple[Channel, ...] = BOTH, first_sample: int = 0) -> RecordAssembler:
    return RecordAssembler("c", Encoding.PCMU, 8_000, channels=channels, first_sample=first_sample)


def content(record: AudioRecord) -> tuple[str, int, int, int, Encoding, bytes, bytes]:
    return (
        record.call_id,
        record.seq,
        record.offset,
        record.rate,
        record.encoding,
        record.customer,
        record.agent,
    )


@pytest.mark.parametrize("name", ["zh_late_order", "en_cancel_plan"])
@pytest.mark.parametrize("frame", [160, 85, 1_000, 3_000])
def test_a_call_without_loss_gives_the_records_of_its_file(data: Path, name: str, frame: int) -> None:
    recording = read_recording([data / f"{name}.wav"])
    expected = list(records(recording, "c"))
    customer = b"".join(record.customer for record in expected)
    agent = b"".join(record.agent for record in expected)
    line = assembler()
    told: list[AudioRecord] = []
    for at in range(0, len(customer), frame):
        told += line.push(CUSTOMER, at, customer[at : at + frame])
        told += line.push(AGENT, at, agent[at : at + frame])
    told += line.flush()
    assert [content(record) for record in told] == [content(record) for record in expected]
    assert line.end_ms == recording.duration_ms
    assert (line.dropped, line.filled, line.jumps) == (0, 0, 0)


@given(
    st.lists(st.integers(1, 4_000), min_size=1, max_size=12),
    st.lists(st.integers(1, 4_000), min_size=1, max_size=12),
)
def test_the_size_of_the_pieces_does_not_matter(left: list[int], right: list[int]) -> None:
    length = 9_000
    voice = {CUSTOMER: bytes(n % 251 for n in range(length)), AGENT: bytes(n % 241 for n in range(length))}
    cuts = {CUSTOMER: left, AGENT: right}
    line = assembler()
    positions = dict.fromkeys(BOTH, 0)
    told: list[AudioRecord] = []
    turn = 0
    while min(positions.values()) < length:
        # The one that is behind speaks next: neither falls back by more than a piece.
        channel = min(BOTH, key=lambda each: positions[each])
        at = positions[channel]
        piece = voice[channel][at : at + cuts[channel][turn % len(cuts[channel])]]
        told += line.push(channel, at, piece)
        positions[channel] += len(piece)
        turn += 1
    told += line.flush()
    assert [record.seq for record in told] == list(range(6))
    assert b"".join(record.customer for record in told) == voice[CUSTOMER]
    assert b"".join(record.agent for record in told) == voice[AGENT]


def test_the_last_record_is_short_and_not_padded() -> None:
    line = assembler()
    assert line.push(CUSTOMER, 0, bytes(STEP + 33)) == []
    (first,) = line.push(AGENT, 0, bytes(STEP + 20))
    assert (len(first.customer), len(first.agent)) == (STEP, STEP)
    (last,) = line.flush()
    assert (last.seq, len(last.customer), len(last.agent)) == (1, 33, 20)
    assert line.flush() == []


def test_nothing_gives_nothing() -> None:
    assert assembler().flush() == []


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_hole_is_silence_of_the_encoding(encoding: Encoding) -> None:
    line = RecordAssembler("c", encoding, 8_000)
    frame = b"\x11" * 160 * encoding.sample_bytes
    told = line.push(CUSTOMER, 0, frame)
    told += line.push(CUSTOMER, STEP - 160, frame)
    (record,) = told
    assert record.customer == frame + SILENCE[encoding] * (STEP - 320) + frame
    assert record.agent == b""
    assert line.filled == STEP - 320


def test_a_channel_that_never_existed_stays_empty() -> None:
    line = assembler(channels=(CUSTOMER,))
    told = line.push(CUSTOMER, 0, bytes(3 * STEP))
    assert [(record.seq, record.agent) for record in told] == [(0, b""), (1, b""), (2, b"")]


def test_a_channel_that_was_announced_and_never_comes_stays_empty_and_is_waited_for_once() -> None:
    line = assembler()
    assert line.push(CUSTOMER, 0, bytes(STEP + 7_999)) == []
    told = line.push(CUSTOMER, STEP + 7_999, bytes(1))
    assert [record.seq for record in told] == list(range(6))
    assert all(record.agent == b"" for record in told)
    assert [record.seq for record in line.push(CUSTOMER, 6 * STEP, bytes(STEP))] == [6]


def test_the_first_frames_of_the_other_channel_are_not_late() -> None:
    line = assembler()
    assert line.push(CUSTOMER, 0, bytes(STEP)) == []
    (record,) = line.push(AGENT, 0, b"\x01" * STEP)
    assert record.agent == b"\x01" * STEP


def test_a_channel_late_by_more_than_a_second_goes_on_with_silence() -> None:
    line = assembler()
    assert line.push(AGENT, 0, b"\x01" * 800) == []
    told = line.push(CUSTOMER, 0, bytes(STEP + 8_000))
    assert [record.seq for record in told] == list(range(6))
    assert told[0].agent == b"\x01" * 800 + b"\xff" * 800
    assert all(record.agent == b"\xff" * STEP for record in told[1:])
    assert line.push(AGENT, 800, b"\x02" * 800) == []
    assert line.dropped == 800


def test_a_channel_that_comes_back_is_waited_for_again() -> None:
    line = assembler()
    line.push(AGENT, 0, bytes(160))
    line.push(CUSTOMER, 0, bytes(STEP + 8_000))
    at = 6 * STEP
    assert line.push(AGENT, at, b"\x03" * 160) == []
    assert line.push(CUSTOMER, at, bytes(STEP)) == []
    (record,) = line.push(AGENT, at + 160, b"\x03" * (STEP - 160))
    assert (record.seq, record.agent) == (6, b"\x03" * STEP)


def test_what_overlaps_is_cut() -> None:
    line = assembler(channels=(CUSTOMER,))
    line.push(CUSTOMER, 0, b"\x01" * 160)
    line.push(CUSTOMER, 80, b"\x02" * 160)
    (record,) = line.flush()
    assert record.customer == b"\x01" * 160 + b"\x02" * 80
    assert line.dropped == 80


def test_a_hole_of_30_s_is_filled_and_a_longer_one_is_left_out() -> None:
    line = assembler(channels=(CUSTOMER,))
    line.push(CUSTOMER, 0, bytes(160))
    told = line.push(CUSTOMER, 160 + 240_000, bytes(160))
    assert [record.seq for record in told] == list(range(150))
    end = line.end
    told = line.push(CUSTOMER, end + 240_001, bytes(160))
    assert [(record.seq, len(record.customer)) for record in told] == [(150, end - 150 * STEP)]
    (last,) = line.flush()
    at = end + 240_001
    assert last.seq == at // STEP
    assert last.offset == last.seq * STEP
    assert last.customer == b"\xff" * (at - last.offset) + bytes(160)
    assert line.jumps == 1


def test_a_jump_of_a_day_allocates_nothing_for_it() -> None:
    line = assembler()
    line.push(CUSTOMER, 0, bytes(160))
    told = line.push(CUSTOMER, 24 * 3600 * 8_000, bytes(160))
    assert len(told) == 1
    assert line.filled < STEP


@pytest.mark.parametrize(("first", "seq"), [(0, 0), (1, 1), (STEP, 1), (STEP + 1, 2)])
def test_a_stream_that_continues_a_call_begins_on_the_grid(first: int, seq: int) -> None:
    line = assembler(channels=(CUSTOMER,), first_sample=first)
    (record,) = line.push(CUSTOMER, 0, bytes(STEP))
    assert (record.seq, record.offset) == (seq, seq * STEP)
    assert line.end == (seq + 1) * STEP


def test_two_calls_do_not_touch() -> None:
    one, other = assembler(), assembler()
    one.push(CUSTOMER, 0, bytes(100))
    assert other.flush() == []
    assert one.flush() != []
