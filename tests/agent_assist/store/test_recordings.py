"""Recordings at rest."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent_assist.store.recordings import Recordings
from audio.recorder import BLOCK_S, Block

RATE = 8_000


def block(number: int, samples: int = BLOCK_S * RATE, level: int = 1_000) -> Block:
    pcm = np.full((samples, 2), level, np.int16)
    pcm[:, 1] //= 2
    return Block(number, RATE, pcm)


def sound(kept: Recordings, call_id: str = "c") -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    size = kept.size(call_id)
    assert size is not None
    pcm, rate = soundfile.read(io.BytesIO(kept.read(call_id, 0, size)), dtype="int16", always_2d=True)
    assert rate == RATE
    found: np.ndarray[tuple[int, int], np.dtype[np.int16]] = pcm
    return found


@pytest.fixture
def kept(tmp_path: Path) -> Recordings:
    return Recordings(str(tmp_path))


def test_blocks_become_one_file_with_silence_where_one_is_missing(kept: Recordings) -> None:
    kept.write("c", block(0))
    kept.write("c", block(2, RATE))
    assert kept.is_there("c")
    assert kept.size("c") is None
    kept.finish("c")
    pcm = sound(kept)
    assert len(pcm) == (2 * BLOCK_S + 1) * RATE
    assert (pcm[: BLOCK_S * RATE] == [1_000, 500]).all()
    assert not pcm[BLOCK_S * RATE : 2 * BLOCK_S * RATE].any()


def test_finishing_twice_or_after_the_same_blocks_came_again_changes_nothing(kept: Recordings) -> None:
    for _ in range(2):
        kept.write("c", block(0))
        kept.write("c", block(1, RATE))
        kept.finish("c")
        kept.finish("c")
        assert len(sound(kept)) == (BLOCK_S + 1) * RATE


def test_what_comes_after_the_end_is_added(kept: Recordings) -> None:
    kept.write("c", block(0, RATE))
    kept.finish("c")
    kept.write("c", block(0, 3 * RATE, level=2_000))
    kept.finish("c")
    pcm = sound(kept)
    assert len(pcm) == 3 * RATE
    assert (pcm[:RATE, 0] == 1_000).all()
    assert (pcm[RATE:, 0] == 2_000).all()


def test_peaks_tell_how_loud_each_tenth_of_a_second_is(kept: Recordings) -> None:
    kept.write("c", block(0, RATE // 2))
    kept.write("c", block(1, RATE // 10 + 7, level=-32_768))
    kept.finish("c")
    peaks = kept.peaks("c")
    assert peaks is not None
    assert peaks.duration_ms == BLOCK_S * 1_000 + 100
    assert peaks.customer[:6] == (3, 3, 3, 3, 3, 0)
    assert peaks.agent[:6] == (1, 1, 1, 1, 1, 0)
    # 7 samples are a stretch of their own, and the loudest there is stays within 127.
    assert peaks.customer[-3:] == (0, 127, 127)
    assert len(peaks.customer) == BLOCK_S * 10 + 2


@pytest.mark.parametrize("call_id", ["../../etc/passwd", "..", ".", "a/b", "c:1/客户", "x" * 60])
def test_no_id_leaves_the_directory(tmp_path: Path, call_id: str) -> None:
    inside = tmp_path / "inside"
    kept = Recordings(str(inside))
    kept.write(call_id, block(0, 100))
    kept.finish(call_id)
    assert len(sound(kept, call_id)) == 100
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert len(list(inside.iterdir())) == 1
    kept.delete(call_id)
    assert not kept.is_there(call_id)


def test_a_call_without_sound_has_no_file(kept: Recordings) -> None:
    kept.finish("c")
    assert not kept.is_there("c")
    assert kept.size("c") is None
    assert kept.peaks("c") is None
