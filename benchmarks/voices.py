"""The models of voices that the benchmarks can be given: by name, or as a directory."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from audio.types import Pcm
from benchmarks.weights import Weights
from models.emotion import Baseline, Sound, Voice, VoiceModel, arousal
from models.prosody import measure

DEFAULT: Final = "unsupervised"


class Chosen(NamedTuple):
    """A model that was asked for."""

    model: VoiceModel
    weights: Weights


class Unsupervised:
    """Arousal against the speaker's own baseline: a voice without training knows no classes."""

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        return [Sound(prosody=measure(pcm), vector=np.zeros(0, np.float32)) for pcm in batch]

    def judge(self, sound: Sound, baseline: Baseline) -> Voice:
        heard, confidence = arousal(sound.prosody, baseline)
        return Voice(classes=None, arousal=heard, arousal_confidence=confidence, valence=None, valence_confidence=0.0)


def chosen(name: str) -> Chosen:
    """
    The model of a name.

    Args:
        name: "unsupervised".

    Raises:
        ValueError: If there is no such model.
    """
    if name == DEFAULT:
        return Chosen(Unsupervised(), Weights(name=DEFAULT, sha256=None))
    raise ValueError(f"expected {DEFAULT}, got {name}")
