"""The features are Whisper's."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Pcm
from models.features import LogMel


def theirs(extractor: FeatureExtractor, pcm: Pcm, window_s: int) -> object:
    padded = np.zeros(window_s * SAMPLE_RATE, np.float32)
    padded[: len(pcm)] = pcm / np.float32(32768)
    return extractor(padded)[:, : window_s * 100]


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize("seconds", [0.05, 1.0, 4.321, 11.0, 12.0])
def test_speech_has_the_features_of_the_published_program(data: Path, mels: int, seconds: float) -> None:
    extractor = FeatureExtractor(feature_size=mels)
    samples, rate = soundfile.read(data / "zh_late_order.wav", dtype="int16", always_2d=True)
    resampler = Resampler(rate)
    speech = resampler.push(np.ascontiguousarray(samples[rate * 30 :, 0]))[: int(seconds * SAMPLE_RATE)]
    found = LogMel(extractor.mel_filters)(speech, 12)
    assert found.shape == (mels, 1200)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, theirs(extractor, speech, 12), atol=1e-3)


@settings(max_examples=25)
@given(
    length=st.integers(0, 3 * SAMPLE_RATE),
    level=st.sampled_from([0, 1, 300, 32_000]),
    window_s=st.sampled_from([5, 12]),
)
def test_any_sound_of_any_length_has_them(length: int, level: int, window_s: int) -> None:
    extractor = FeatureExtractor()
    pcm = np.random.default_rng(length).integers(-level, level + 1, length).astype(np.int16)
    np.testing.assert_allclose(
        LogMel(extractor.mel_filters)(pcm, window_s), theirs(extractor, pcm, window_s), atol=2e-3
    )
