"""Level, clipping, and channels on which nothing is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.codecs import SILENCE, decode, encode
from audio.quality import clipped_share, is_dead, rms_dbfs
from audio.types import Encoding, Pcm


def sine(peak: float, length: int = 8_000) -> Pcm:
    wave = peak * np.sin(2 * np.pi * 200 * np.arange(length) / 8_000)
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(("peak", "level"), [(32767, -3.01), (3276.7, -23.01), (327.67, -43.01)])
def test_the_level_of_a_sine_is_3_db_below_its_peak(peak: float, level: float) -> None:
    assert rms_dbfs(sine(peak)) == pytest.approx(level, abs=0.01)


def test_the_level_ends_at_full_scale_and_at_digital_silence() -> None:
    assert rms_dbfs(np.full(100, -32768, np.int16)) == 0.0
    assert rms_dbfs(np.zeros(100, np.int16)) == -96.0


def test_nothing_has_no_level() -> None:
    with pytest.raises(ValueError, match="at least 1 sample, got 0"):
        rms_dbfs(np.zeros(0, np.int16))


@pytest.mark.parametrize("encoding", list(Encoding))
def test_what_is_too_loud_for_the_line_is_clipped_in_every_encoding(encoding: Encoding) -> None:
    # A sine of twice full scale is beyond it for two thirds of its time.
    loud = decode(encoding, encode(encoding, sine(65_536)))
    assert clipped_share(loud) == pytest.approx(2 / 3, abs=0.02)
    assert clipped_share(decode(encoding, encode(encoding, sine(26_000)))) == 0.0


def test_the_lowest_sample_counts_as_clipped_and_nothing_is_not() -> None:
    assert clipped_share(np.array([-32768, 0, 0, 32767], np.int16)) == 0.5
    assert clipped_share(np.zeros(0, np.int16)) == 0.0


@pytest.mark.parametrize("encoding", list(Encoding))
def test_an_idle_line_is_dead_in_every_encoding(encoding: Encoding) -> None:
    assert is_dead(decode(encoding, SILENCE[encoding] * 800))
    assert is_dead(np.zeros(0, np.int16))


@given(st.integers(9, 32_768), st.integers(0, 99), st.sampled_from([-1, 1]))
def test_one_audible_sample_is_life(magnitude: int, at: int, sign: int) -> None:
    pcm = np.zeros(100, np.int16)
    pcm[at] = max(-32768, min(32767, sign * magnitude))
    assert not is_dead(pcm)
