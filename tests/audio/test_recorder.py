"""Blocks of a recording: the same ones however the records come."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.codecs import encode
from audio.errors import PayloadError
from audio.recorder import BLOCK_S, Block, Recorder
from audio.types import AudioRecord, Encoding

RATE = 8_000
STEP = RATE // 5
RECORDS = BLOCK_S * 5
"""In a block."""


def record(seq: int, rate: int = RATE, *, agent: bool = True) -> AudioRecord:
    pcm = np.full(STEP, seq + 1, np.int16)
    return AudioRecord(
        call_id="c",
        seq=seq,
        offset=seq * STEP,
        rate=rate,
        encoding=Encoding.PCM16,
        customer=encode(Encoding.PCM16, pcm),
        agent=encode(Encoding.PCM16, -pcm) if agent else b"",
    )


def blocks(sequence: list[int]) -> dict[int, Block]:
    recorder = Recorder()
    found = [block for seq in sequence for block in recorder.push(record(seq))] + recorder.flush()
    assert all(a.number < b.number for a, b in pairwise(found))
    return {block.number: block for block in found}


def test_a_call_becomes_blocks_of_thirty_seconds_and_a_rest() -> None:
    found = blocks(list(range(RECORDS + 2)))
    assert [len(block.pcm) for block in found.values()] == [BLOCK_S * RATE, 2 * STEP]
    assert found[1].pcm[0].tolist() == [RECORDS + 1, -RECORDS - 1]


def test_a_hole_is_silence_and_a_block_of_which_nothing_came_is_left_out() -> None:
    found = blocks([0, 2, 2 * RECORDS])
    assert list(found) == [0, 2]
    assert not found[0].pcm[STEP : 2 * STEP].any()
    assert (found[0].pcm[2 * STEP :, 0] == 3).all()


def test_a_channel_that_is_not_there_is_silent() -> None:
    recorder = Recorder()
    recorder.push(record(0, agent=False))
    assert not recorder.flush()[0].pcm[:, 1].any()


def test_a_record_over_the_edge_of_a_block_is_cut_there() -> None:
    recorder = Recorder()
    odd = AudioRecord(
        call_id="c",
        seq=0,
        offset=BLOCK_S * RATE - 100,
        rate=RATE,
        encoding=Encoding.PCM16,
        customer=encode(Encoding.PCM16, np.arange(1, STEP + 1, dtype=np.int16)),
        agent=b"",
    )
    first, *_ = recorder.push(odd)
    (second,) = recorder.flush()
    assert first.pcm[-1, 0] == 100
    assert second.pcm[0, 0] == 101


@given(st.integers(0, 2 * RECORDS), st.integers(1, 40))
def test_who_reads_the_open_block_again_makes_the_same(cut: int, more: int) -> None:
    whole = blocks(list(range(cut + more)))
    recorder = Recorder()
    before = [block for seq in range(cut) for block in recorder.push(record(seq))]
    held = recorder.held_from
    again = blocks(list(range(cut if held is None else held // STEP, cut + more)))
    assert {
        **{block.number: block.pcm.tobytes() for block in before},
        **{n: b.pcm.tobytes() for n, b in again.items()},
    } == {n: b.pcm.tobytes() for n, b in whole.items()}


def test_another_rate_in_mid_call_is_refused() -> None:
    recorder = Recorder()
    recorder.push(record(0))
    with pytest.raises(PayloadError, match="expected 8000 Hz as before, got 16000 Hz"):
        recorder.push(record(1, rate=16_000))
