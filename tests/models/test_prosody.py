"""Prosody of made signals, whose truth is known."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.types import SAMPLE_RATE, Pcm
from models.prosody import measure


def telephone_voice(pitch_hz: float, seconds: float = 1.0, amplitude: float = 3_000.0) -> Pcm:
    """Harmonics between 300 Hz and 3.4 kHz only: the telephone takes a low voice's fundamental away."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics = [n for n in range(1, 60) if 300 <= n * pitch_hz <= 3_400]
    wave = sum(np.sin(2 * np.pi * n * pitch_hz * time + n) / n for n in harmonics)
    scaled: npt.NDArray[np.float64] = np.asarray(wave) * amplitude
    return np.clip(scaled, -32_768, 32_767).astype(np.int16)


@pytest.mark.parametrize("pitch_hz", [80, 100, 137, 180, 233, 300, 377])
def test_pitch_is_found_without_its_fundamental(pitch_hz: float) -> None:
    prosody = measure(telephone_voice(pitch_hz))
    assert prosody.pitch_hz == pytest.approx(pitch_hz, rel=0.01)
    assert prosody.voiced_share > 0.95
    assert prosody.pitch_range_st is not None
    assert prosody.pitch_range_st < 0.5


def test_a_glide_of_an_octave_has_a_range_of_about_an_octave() -> None:
    steps = [telephone_voice(120 * 2 ** (n / 24), 0.1) for n in range(25)]
    prosody = measure(np.concatenate(steps))
    assert prosody.pitch_range_st == pytest.approx(12 * 0.9, abs=1.2)


def test_twice_the_amplitude_is_six_decibels_and_nothing_else() -> None:
    soft, loud = measure(telephone_voice(150, amplitude=2_000)), measure(telephone_voice(150, amplitude=4_000))
    assert loud.loudness_dbfs - soft.loudness_dbfs == pytest.approx(6.02, abs=0.05)
    assert soft.hf500_db is not None
    assert loud.hf500_db == pytest.approx(soft.hf500_db, abs=0.05)
    assert loud.pitch_hz == pytest.approx(soft.pitch_hz, rel=0.001)


def test_more_energy_above_500_hz_raises_hf500() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    dull = sum(np.sin(2 * np.pi * n * 150 * time) / n**2 for n in range(1, 20)) * 4_000
    bright = sum(np.sin(2 * np.pi * n * 150 * time) / n for n in range(1, 20)) * 4_000
    low, high = (measure(np.asarray(wave).astype(np.int16)).hf500_db for wave in (dull, bright))
    assert low is not None
    assert high is not None
    assert high > low + 3


def test_bursts_of_voice_are_counted_as_syllables() -> None:
    burst, pause = telephone_voice(140, 0.15), telephone_voice(140, 0.1, amplitude=300.0)
    prosody = measure(np.concatenate([burst, pause] * 8))
    assert prosody.syllables_per_s == pytest.approx(4.0, abs=0.5)


def test_noise_has_no_pitch() -> None:
    noise = (np.random.default_rng(1).normal(size=2 * SAMPLE_RATE) * 2_000).astype(np.int16)
    prosody = measure(noise)
    assert prosody.pitch_hz is None
    assert prosody.hf500_db is None
    assert prosody.voiced_share < 0.1


@pytest.mark.parametrize("samples", [0, 1, 100, 639, 640, 641, 5_000])
def test_silence_and_snippets_measure_nothing_and_do_not_fail(samples: int) -> None:
    prosody = measure(np.zeros(samples, np.int16))
    assert prosody.pitch_hz is None
    assert prosody.loudness_dbfs == -96.0
    assert measure(telephone_voice(120)[:samples]).speech_ms <= samples / 16


def test_a_square_wave_at_full_scale_is_measured() -> None:
    square = np.where(np.arange(SAMPLE_RATE) % 100 < 50, 32_767, -32_768).astype(np.int16)
    prosody = measure(square)
    assert prosody.pitch_hz == pytest.approx(160, rel=0.01)
    assert prosody.loudness_dbfs <= 0.0


@settings(max_examples=30)
@given(st.lists(st.integers(-32_768, 32_767), max_size=3_000))
def test_any_samples_give_measures_in_their_ranges(samples: list[int]) -> None:
    prosody = measure(np.array(samples, np.int16))
    assert -96.0 <= prosody.loudness_dbfs <= 0.0
    assert 0.0 <= prosody.voiced_share <= 1.0
    assert prosody.pitch_hz is None or 70 <= prosody.pitch_hz <= 520
    assert prosody.voiced_ms <= prosody.speech_ms
