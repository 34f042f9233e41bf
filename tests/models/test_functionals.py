"""Statistics of how an utterance sounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.types import SAMPLE_RATE, Pcm
from models.functionals import BANDS, describe, log_mel
from models.prosody import trace


def voice(seconds: float = 1.5, amplitude: float = 3_000.0) -> Pcm:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    turning = 150 * time + 20 * np.sin(2 * np.pi * 3 * time) / (2 * np.pi)
    wave = sum(np.sin(2 * np.pi * n * turning + n) / n for n in range(1, 20))
    return (np.asarray(wave) * amplitude * (1.2 + np.sin(2 * np.pi * 4 * time))).astype(np.int16)


def test_silence_and_noise_are_not_described() -> None:
    assert describe(trace(np.zeros(16_000, np.int16))) is None
    assert describe(trace(np.zeros(10, np.int16))) is None


@given(st.floats(0.5, 4), st.floats(200, 6_000), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_a_voice_in_noise_of_any_length_has_as_many_finite_numbers(seconds: float, amplitude: float, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-100, 100, int(seconds * SAMPLE_RATE))
    found = describe(trace((voice(seconds, amplitude) + noise[: len(voice(seconds))]).astype(np.int16)))
    assert found is not None
    assert found.shape == (271,)
    assert np.isfinite(found).all()


def test_what_lies_above_the_telephone_is_not_heard() -> None:
    time = np.arange(len(voice())) / SAMPLE_RATE
    wide_pcm = voice() + (300 * np.sin(2 * np.pi * 6_000 * time)).astype(np.int16)
    narrow_contour, wide_contour = trace(voice()), trace(wide_pcm.astype(np.int16))
    assert narrow_contour is not None
    assert wide_contour is not None
    narrow, wide = log_mel(narrow_contour), log_mel(wide_contour)
    assert np.abs(wide - narrow)[narrow > -40].max() < 0.6


def test_twice_the_amplitude_moves_levels_only() -> None:
    pcm = voice(amplitude=1_000) + np.random.default_rng(0).integers(-30, 30, len(voice())).astype(np.int16)
    soft, loud = describe(trace(pcm)), describe(trace(2 * pcm))
    assert soft is not None
    assert loud is not None
    moved = np.flatnonzero(np.abs(loud - soft) > 0.3)
    assert loud[moved] - soft[moved] == pytest.approx(6.02, abs=0.3)
    assert 0 < len(moved) < 10
    assert np.abs(loud - soft)[:BANDS].max() < 0.3
