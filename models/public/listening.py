"""What the public models share: the length of an utterance, batches, and what their classes are to us."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from audio.types import SAMPLE_RATE, Pcm
from models.emotion import Sound
from models.prosody import Prosody, measure
from models.public.network import Floats
from models.types import EmotionLabel

LONGEST: Final = 15 * SAMPLE_RATE
"""Samples of an utterance that a model is given, the first ones."""
SHORTEST: Final = SAMPLE_RATE // 2
"""A shorter utterance is followed by silence up to here: the networks cannot take less than one frame."""
_VOICED_FROM_MS: Final = 200
"""With less voice nothing is said of an utterance, as in ``models.emotion``."""
_VOICED_HALF_MS: Final = 400.0
"""Voice at which an utterance counts half, as there."""

OURS: Final = {
    "angry": EmotionLabel.ANGRY,
    "happy": EmotionLabel.SATISFIED,
    "neutral": EmotionLabel.NEUTRAL,
    "sad": EmotionLabel.DISAPPOINTED,
    "fearful": EmotionLabel.ANXIOUS,
}
"""What of their classes is one of ours. The others are not: "surprised", "disgusted", "other", unknown."""


def sounds(batch: Sequence[Pcm], most: int, vectors: Callable[[list[Floats]], Floats]) -> list[Sound]:
    """
    Take in utterances, those of like length together.

    Args:
        batch: Each of shape (n,), 16 kHz.
        most: Utterances at once.
        vectors: From utterances of shape (n,), -1 ... 1, ``SHORTEST`` to ``LONGEST`` samples, to shape (rows, d).
    """
    found: dict[int, Floats] = {}
    order = sorted(range(len(batch)), key=lambda n: len(batch[n]))
    for begin in range(0, len(order), most):
        chosen = order[begin : begin + most]
        found.update(zip(chosen, vectors([_signal(batch[n]) for n in chosen]), strict=True))
    return [Sound(measure(pcm), found[n]) for n, pcm in enumerate(batch)]


def _signal(pcm: Pcm) -> Floats:
    signal = np.zeros(min(max(len(pcm), SHORTEST), LONGEST), np.float32)
    signal[: len(pcm)] = pcm[:LONGEST] / np.float32(32_768)
    return signal


def normalised(signal: Floats, epsilon: float) -> Floats:
    """Without mean, of variance 1: what wav2vec 2.0 and its kin were trained on."""
    centred = signal - signal.mean()
    return np.asarray(centred / np.sqrt(centred.var() + epsilon), np.float32)


def heard(prosody: Prosody) -> float:
    """How much voice there is, 0 ... 1; 0 where there is too little to say anything."""
    return prosody.voiced_ms / (prosody.voiced_ms + _VOICED_HALF_MS) if prosody.voiced_ms >= _VOICED_FROM_MS else 0.0


def classes(logits: Floats, names: Sequence[str], prosody: Prosody, temperature: float) -> dict[EmotionLabel, float]:
    """
    Our classes from theirs.

    What they give to a class that is none of ours is shared out evenly. To leave it out and scale the rest up would
    make a model that is sure of "unknown" sure of whichever of ours came second. Where there is too little voice, all
    of ours are alike.

    Args:
        logits: Shape (len(names),).
        names: Of their classes.
        temperature: Theirs was fitted to other data than telephone calls, if at all, and ours is 1 until somebody
            fits it: the probabilities are not calibrated.

    Returns:
        Probabilities of all labels but "unknown", adding up to 1.
    """
    if not heard(prosody):
        return {label: 1 / len(OURS) for label in OURS.values()}
    scaled = logits.astype(np.float64) / temperature
    raw = np.exp(scaled - scaled.max())
    theirs = dict(zip(names, (raw / raw.sum()).tolist(), strict=True))
    left = sum(chance for name, chance in theirs.items() if name not in OURS) / len(OURS)
    return {label: theirs[name] + left for name, label in OURS.items()}
