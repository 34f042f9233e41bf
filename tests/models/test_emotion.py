"""Arousal against a speaker's own baseline."""

import csv
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.recording import read_recording
from audio.resample import Resampler
from models.emotion import Baseline, arousal
from models.prosody import Prosody, measure


def prosody(
    level: float = -26.0, pitch: float = 160.0, hf500: float = -3.0, voiced_ms: int = 1_500, speech_ms: int = 2_000
) -> Prosody:
    return Prosody(
        speech_ms=speech_ms,
        loudness_dbfs=level,
        voiced_share=voiced_ms / speech_ms,
        pitch_hz=pitch,
        pitch_p95_hz=1.2 * pitch,
        pitch_range_st=8.0,
        hf500_db=hf500,
        hf1000_db=hf500 - 6,
        syllables_per_s=4.0,
    )


def calm(level: float, pitch: float, hf500: float, utterances: int = 8) -> Baseline:
    baseline = Baseline()
    for n in range(utterances):
        sway = (-1) ** n
        baseline = baseline.observe(prosody(level + sway, pitch * (1 + 0.03 * sway), hf500 + sway))
    return baseline


levels, pitches, tilts = st.floats(-80, 0), st.floats(75, 500), st.floats(-30, 30)
voices = st.builds(prosody, levels, pitches, tilts)


@given(voices, st.lists(voices, max_size=12))
def test_arousal_and_confidence_stay_in_their_ranges(now: Prosody, before: list[Prosody]) -> None:
    baseline = Baseline()
    for one in before:
        baseline = baseline.observe(one)
    value, confidence = arousal(now, baseline)
    assert value is not None
    assert -1 <= value <= 1
    assert 0 <= confidence <= 1


@given(levels, pitches, tilts, st.floats(0, 20), st.floats(1, 2), st.floats(0, 10), st.lists(voices, max_size=6))
def test_arousal_never_falls_where_level_pitch_or_brightness_rises(
    level: float, pitch: float, tilt: float, louder: float, higher: float, brighter: float, before: list[Prosody]
) -> None:
    baseline = Baseline()
    for one in before:
        baseline = baseline.observe(one)
    low, _ = arousal(prosody(level, pitch, tilt), baseline)
    high, _ = arousal(prosody(level + louder, pitch * higher, tilt + brighter), baseline)
    assert low is not None
    assert high is not None
    assert high >= low - 1e-12


def test_the_same_voice_is_calm_in_one_speaker_and_aroused_in_another() -> None:
    voice = prosody(-22.0, 190.0, 0.0)
    loud_speaker, _ = arousal(voice, calm(-21.0, 195.0, 1.0))
    soft_speaker, _ = arousal(voice, calm(-34.0, 150.0, -6.0))
    assert loud_speaker is not None
    assert soft_speaker is not None
    assert loud_speaker < 0.1
    assert soft_speaker > 0.8


def test_the_first_utterance_is_judged_with_little_confidence_and_it_grows() -> None:
    voice = prosody(-15.0, 220.0, 2.0)
    confidences = [arousal(voice, calm(-26.0, 160.0, -3.0, n))[1] for n in (0, 1, 3, 8)]
    assert confidences == sorted(confidences)
    assert confidences[0] < 0.35
    assert confidences[-1] > 0.6


def test_an_outburst_does_not_become_the_norm_at_once() -> None:
    outburst = prosody(-14.0, 230.0, 4.0)
    baseline = calm(-26.0, 160.0, -3.0)
    for _ in range(4):
        baseline = baseline.observe(outburst)
    value, _ = arousal(outburst, baseline)
    assert value is not None
    assert value > 0.7


def test_without_voice_nothing_is_said_and_nothing_is_learnt() -> None:
    baseline = calm(-26.0, 160.0, -3.0)
    for silent in (measure(np.zeros(16_000, np.int16)), prosody(voiced_ms=150)):
        assert arousal(silent, baseline) == (None, 0.0)
        assert baseline.observe(silent) == baseline


@given(st.lists(voices, max_size=60))
def test_a_baseline_survives_a_checkpoint_exactly(before: list[Prosody]) -> None:
    baseline = Baseline()
    for one in before:
        baseline = baseline.observe(one)
    encoded = msgspec.json.encode(baseline)
    assert len(encoded) < 600
    assert msgspec.json.decode(encoded, type=Baseline) == baseline


@pytest.mark.corpus
def test_angry_actors_have_more_arousal_than_sad_ones(corpus: Path) -> None:
    root = corpus / "emo_emodb_de2s"
    with (root / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    baselines: dict[str, Baseline] = {}
    heard: dict[str, list[float]] = {"angry": [], "sad": []}
    for row in rows:
        recording = read_recording([root / row["path"]])
        resampler = Resampler(recording.rate)
        assert recording.customer is not None
        now = measure(np.concatenate([resampler.push(recording.customer), resampler.flush()]))
        baseline = baselines.get(row["speaker"], Baseline())
        value, _ = arousal(now, baseline)
        if value is not None and row["emotion"] in heard:
            heard[row["emotion"]].append(value)
        baselines[row["speaker"]] = baseline.observe(now)
    angry, sad = np.array(heard["angry"]), np.array(heard["sad"])
    assert len(angry) > 120
    assert len(sad) > 55
    # Measured 0.999 with the baseline as it is live.
    assert float(np.mean(angry[:, None] > sad)) >= 0.97
