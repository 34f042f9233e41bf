"""What their classes are to us."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.types import SAMPLE_RATE, Pcm
from models.prosody import measure
from models.public.listening import OURS, classes, heard
from models.types import EmotionLabel

NINE = ("angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown")


def tone(hz: float, seconds: float = 1.0) -> Pcm:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(8_000 * np.sign(np.sin(2 * np.pi * hz * time)) * np.exp(-((200 * time) % 1))).astype(np.int16)


def test_what_is_none_of_ours_is_shared_out_evenly(pcm: Pcm) -> None:
    theirs = np.array([0.40, 0.10, 0.08, 0.06, 0.20, 0.03, 0.06, 0.05, 0.02])
    found = classes(np.log(theirs).astype(np.float32), NINE, measure(pcm), 1.0)
    assert found == pytest.approx(
        {
            EmotionLabel.ANGRY: 0.44,
            EmotionLabel.SATISFIED: 0.10,
            EmotionLabel.NEUTRAL: 0.24,
            EmotionLabel.DISAPPOINTED: 0.10,
            EmotionLabel.ANXIOUS: 0.12,
        }
    )


def test_a_model_that_is_sure_of_nothing_we_know_leaves_all_alike(pcm: Pcm) -> None:
    logits = np.array([1, 0, 0, 0, 0, 0, 0, 0, 20], np.float32)
    assert list(classes(logits, NINE, measure(pcm), 1.0).values()) == pytest.approx([0.2] * 5, abs=1e-6)


@given(logits=st.lists(st.floats(-50, 50, width=32), min_size=9, max_size=9), temperature=st.floats(0.1, 20))
def test_a_temperature_changes_how_sure_and_not_of_what(logits: list[float], temperature: float) -> None:
    voiced = measure(tone(200))
    assert heard(voiced)
    found = classes(np.array(logits, np.float32), NINE, voiced, temperature)
    assert sum(found.values()) == pytest.approx(1)
    best = max(OURS, key=lambda name: logits[NINE.index(name)])
    assert found[OURS[best]] == pytest.approx(max(found.values()))
    assert all(0 <= chance <= 1 for chance in found.values())


def test_a_higher_temperature_is_less_sure(pcm: Pcm) -> None:
    logits = np.array([3, 0, 0, 0, 0, 0, 0, 0, 0], np.float32)
    chances = [classes(logits, NINE, measure(pcm), each)[EmotionLabel.ANGRY] for each in (0.5, 1.0, 2.0)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.9 > 0.5 > chances[2]
