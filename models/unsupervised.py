"""A voice judged without trained weights: arousal alone, by rule."""

from collections.abc import Sequence

import numpy as np

from audio.types import Pcm
from models.emotion import Baseline, Sound, Voice, arousal
from models.prosody import measure


class UnsupervisedVoice:
    """The method of ``models.emotion.arousal`` as a ``VoiceModel``; what runs where no weights are wanted."""

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        """See ``models.emotion.VoiceModel``."""
        return [Sound(measure(pcm), np.zeros(0, np.float32)) for pcm in batch]

    def judge(self, sound: Sound, baseline: Baseline) -> Voice:
        """See ``models.emotion.VoiceModel``."""
        value, confidence = arousal(sound.prosody, baseline)
        return Voice(classes=None, arousal=value, arousal_confidence=confidence, valence=None, valence_confidence=0.0)
