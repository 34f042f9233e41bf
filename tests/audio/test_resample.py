"""Resampling to 16 kHz."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Pcm

RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def sine(rate: int, hertz: float, seconds: float = 0.5, peak: float = 16_000.0, phase: float = 0.3) -> Pcm:
    time = np.arange(round(rate * seconds)) / rate
    return np.rint(peak * np.sin(2 * np.pi * hertz * time + phase)).astype(np.int16)


def noise(samples: int) -> Pcm:
    return np.random.default_rng(7).integers(-32768, 32768, samples).astype(np.int16)


def resample(rate: int, pcm: Pcm, pieces: tuple[int, ...] = ()) -> Pcm:
    resampler, told, at = Resampler(rate), [np.zeros(0, np.int16)], 0
    for piece in pieces:
        told.append(resampler.push(pcm[at : at + piece]))
        at += piece
    told += [resampler.push(pcm[at:]), resampler.flush()]
    return np.concatenate(told)


def inner(pcm: Pcm) -> Pcm:
    """Without the edges, where the filter meets the silence before and behind."""
    return pcm[400:-400]


def db(pcm: Pcm) -> float:
    """Level re one step of 16 bits."""
    return 10 * float(np.log10(max(float(np.mean(pcm.astype(np.float64) ** 2)), 1e-9)))


@settings(max_examples=60)
@given(st.sampled_from(RATES), st.integers(0, 1_500), st.lists(st.integers(0, 400), max_size=8))
def test_the_size_of_the_pieces_changes_no_bit(rate: int, samples: int, pieces: list[int]) -> None:
    pcm = noise(samples)
    np.testing.assert_array_equal(resample(rate, pcm, tuple(pieces)), resample(rate, pcm))


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_sample_by_sample_gives_the_same_bits(rate: int) -> None:
    pcm = noise(300)
    np.testing.assert_array_equal(resample(rate, pcm, (1,) * 300), resample(rate, pcm))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("samples", [0, 1, 2, 441, 1_000])
def test_no_time_is_won_or_lost(rate: int, samples: int) -> None:
    assert len(resample(rate, noise(samples))) == -(-samples * SAMPLE_RATE // rate)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_keeps_its_pitch_phase_and_level(rate: int) -> None:
    told, expected = resample(rate, sine(rate, 1_000)), sine(SAMPLE_RATE, 1_000)
    assert len(told) == len(expected)
    difference = inner(told).astype(np.int32) - inner(expected)
    # Below 16000 * 0.05 %: an error of 0.004 dB, or of 0.03 degrees.
    assert int(np.abs(difference).max()) <= 8


@pytest.mark.parametrize("rate", RATES)
def test_a_constant_passes_unchanged(rate: int) -> None:
    told = inner(resample(rate, np.full(rate // 2, 12_345, np.int16)))
    assert set(told.tolist()) == {12_345}


@pytest.mark.parametrize("rate", [8_000, 11_025])
def test_the_band_of_a_slower_rate_leaves_no_image_above_it(rate: int) -> None:
    told = inner(resample(rate, sine(rate, 1_000))).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(told * np.blackman(len(told))))
    hertz = np.fft.rfftfreq(len(told), 1 / SAMPLE_RATE)
    rest = spectrum[np.abs(hertz - 1_000) > 50].max()
    assert 20 * np.log10(rest / spectrum.max()) < -70


@pytest.mark.parametrize("rate", [22_050, 24_000, 32_000, 44_100, 48_000])
def test_what_16_khz_cannot_hold_does_not_fold_back(rate: int) -> None:
    loud = sine(rate, 9_500)
    assert db(inner(resample(rate, loud))) < db(loud) - 70


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_the_speech_band_is_flat(rate: int) -> None:
    for hertz, margin in ((100, 0.05), (300, 0.05), (2_000, 0.05), (3_000, 0.05), (3_400, 0.5)):
        tone = sine(rate, hertz)
        assert db(inner(resample(rate, tone))) == pytest.approx(db(inner(tone)), abs=margin)


def test_what_overshoots_is_clipped_and_does_not_wrap() -> None:
    square = np.where(np.arange(4_000) // 20 % 2 == 0, 32767, -32768).astype(np.int16)
    told = resample(8_000, square).astype(np.int32)
    middle = told.reshape(-1, 40)[1:-1, 10:30].mean(axis=1)
    assert np.all(np.where(np.arange(1, len(middle) + 1) % 2 == 0, middle, -middle) > 31_000)


def test_two_channels_do_not_touch() -> None:
    left, right = noise(600), sine(8_000, 440, seconds=0.075)
    one, other = Resampler(8_000), Resampler(8_000)
    told: tuple[list[Pcm], list[Pcm]] = ([], [])
    for at in range(0, 600, 100):
        told[0].append(one.push(left[at : at + 100]))
        told[1].append(other.push(right[at : at + 100]))
    np.testing.assert_array_equal(np.concatenate([*told[0], one.flush()]), resample(8_000, left))
    np.testing.assert_array_equal(np.concatenate([*told[1], other.flush()]), resample(8_000, right))


def test_a_second_flush_gives_nothing() -> None:
    resampler = Resampler(8_000)
    resampler.push(noise(100))
    assert len(resampler.flush()) > 0
    assert len(resampler.flush()) == 0


@pytest.mark.parametrize("rate", [0, -8_000])
def test_a_rate_that_is_none_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match=f"expected a rate above 0 Hz, got {rate}"):
        Resampler(rate)
