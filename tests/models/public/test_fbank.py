"""The features of SenseVoice are Kaldi's, stacked and scaled as FunASR does."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.types import SAMPLE_RATE, Pcm
from models.public.fbank import WIDTH, Fbank, Scale, scale_of, stacked

Floats = npt.NDArray[np.float32]


def kaldi(pcm: Pcm) -> Floats:
    """Log mel energies as Kaldi's documentation and feature-window.cc, mel-computations.cc define them."""
    starts = np.arange((len(pcm) - 400) // 160 + 1) * 160
    frames = pcm.astype(np.float64)[starts[:, None] + np.arange(400)]
    frames -= frames.mean(axis=1, keepdims=True)
    frames -= 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(frames * np.hamming(400), 512)) ** 2
    mels = 1127 * np.log1p(np.arange(256) * SAMPLE_RATE / 512 / 700)
    low, high = 1127 * np.log1p(np.array([20, SAMPLE_RATE / 2]) / 700)
    edges = low + np.arange(82) * (high - low) / 81
    rise = (mels[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - mels[:, None]) / (edges[2:] - edges[1:-1])
    energies = power[:, :256] @ np.maximum(0, np.minimum(rise, fall))
    return np.log(np.maximum(energies, np.finfo(np.float32).eps)).astype(np.float32)


@pytest.fixture(scope="module")
def fbank() -> Fbank:
    pytest.importorskip("kaldi_native_fbank")
    return Fbank(Scale(np.zeros(WIDTH, np.float32), np.ones(WIDTH, np.float32)))


def test_speech_has_the_mel_energies_of_kaldi(fbank: Fbank, pcm: Pcm) -> None:
    found = fbank.energies(pcm / np.float32(32_768))
    assert found.shape == (398, 80)
    np.testing.assert_allclose(found, kaldi(pcm), atol=5e-3)
    # Silence is the floor, a tone stands where it belongs: 1 kHz in the 28th of 80.
    np.testing.assert_allclose(fbank.energies(np.zeros(800, np.float32)), np.log(np.float32(2**-23)), atol=1e-5)
    sine = np.sin(2 * np.pi * 1_000 / SAMPLE_RATE * np.arange(SAMPLE_RATE)).astype(np.float32)
    edges = 1127 * np.log1p(np.array([20, 1_000, 8_000]) / 700)
    assert set(fbank.energies(sine).argmax(axis=1)) == {round(81 * (edges[1] - edges[0]) / (edges[2] - edges[0])) - 1}


def test_frames_are_stacked_by_seven_every_six() -> None:
    frames = np.arange(14, dtype=np.float32)[:, None]
    assert stacked(frames).tolist() == [
        [0, 0, 0, 0, 1, 2, 3],
        [3, 4, 5, 6, 7, 8, 9],
        [9, 10, 11, 12, 13, 13, 13],
    ]
    assert stacked(frames[:1]).tolist() == [[0] * 7]


@given(st.integers(1, 200))
def test_stacking_agrees_with_the_published_loop(count: int) -> None:
    frames = np.random.default_rng(count).standard_normal((count, 3)).astype(np.float32)
    padded = [frames[0]] * 3 + list(frames)
    steps = [padded[n * 6 : n * 6 + 7] for n in range(-(-count // 6))]
    expected = [np.concatenate(step + [padded[-1]] * (7 - len(step))) for step in steps]
    np.testing.assert_array_equal(stacked(frames), np.array(expected))


def test_the_scale_is_added_and_then_multiplied(pcm: Pcm, fbank: Fbank, tmp_path: Path) -> None:
    rows = [[str(n / 100 - 3) for n in range(WIDTH)], ["0.5"] * WIDTH]
    lines = [f"<LearnRateCoef> 0 [ {' '.join(row)} ]" for row in rows]
    (tmp_path / "am.mvn").write_text("\n".join(["<Nnet>", "<AddShift> 560 560", lines[0], "<Rescale>", lines[1]]))
    written = scale_of({}, tmp_path / "am.mvn")
    kept = scale_of({"neg_mean": ",".join(rows[0]), "inv_stddev": ",".join(rows[1])}, tmp_path / "none")
    signal = pcm / np.float32(32_768)
    expected = (fbank(signal) + np.array(rows[0], np.float32)) * np.float32(0.5)
    for scale in (written, kept):
        np.testing.assert_allclose(Fbank(scale)(signal), expected, rtol=1e-6)
