"""
Arousal of a voice against its own baseline, without training.

Three features that are known to rise with arousal (level, log pitch, energy above 500 Hz) are each scored by where
they lie in the speaker's own distribution, ``2 P(baseline < x) - 1``, and the scores are averaged. After Bone, Lee,
Narayanan: Robust Unsupervised Arousal Rating: A Rule-Based Framework with Knowledge-Inspired Vocal Features, IEEE
Transactions on Affective Computing 5(2), 2014. Differences: the distribution is a normal one that is estimated while
the call runs, from a population prior on; the weights are fixed.

For the customer's channel only: no baseline is ever kept of an agent's voice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from audio.types import Pcm
from models.prosody import Prosody
from models.types import EmotionLabel


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """What a model keeps of how one utterance sounds, whoever speaks; it takes the time."""

    prosody: Prosody
    vector: npt.NDArray[np.float32]
    """Shape (d,), the model's own, in standard deviations within a speaker; (0,) where it has none."""


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """What the voice of one utterance says, for this speaker."""

    classes: dict[EmotionLabel, float] | None
    """
    Calibrated probabilities of all labels but "unknown", adding up to 1; None where there is too little voice, or the
    model knows no classes.
    """
    arousal: float | None
    """-1 ... 1; None where there is too little voice, or the model does not say, as for valence."""
    arousal_confidence: float
    """0 ... 1."""
    valence: float | None
    valence_confidence: float


class VoiceModel(Protocol):
    """How a customer sounds; keeps nothing between calls and may be used from any thread."""

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        """
        Take in utterances, the same for each as if it came alone.

        Args:
            batch: Each of shape (n,), 16 kHz, one utterance; what comes after 15 s may be left out.
        """
        ...

    def judge(self, sound: Sound, baseline: "Baseline") -> Voice:
        """What it says of a speaker whose utterances before it are the baseline; costs next to nothing."""
        ...


class Moments(msgspec.Struct, frozen=True, array_like=True):
    """Weighted mean and squared deviations of a feature."""

    weight: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def observe(self, value: float, weight: float) -> "Moments":
        """With one more value; the oldest fade in the end."""
        kept = min(self.weight, _FADES_AFTER)
        share = kept / self.weight if self.weight > 0 else 0.0
        total = kept + weight
        step = value - self.mean
        mean = self.mean + step * weight / total
        return Moments(total, mean, self.squares * share + weight * step * (value - mean))


class _Prior(NamedTuple):
    """What is believed of a voice that was never heard."""

    mean: float
    between: float
    """Standard deviation of speakers' means."""
    within: float
    """Standard deviation of one speaker's calm utterances."""
    weight: float
    """Of the feature's score in the whole; they add up to 1."""


# Means and deviations of calm utterances, rounded from the training speakers of CASIA and RAVDESS and made wider:
# real telephones differ more in level, and people who do not act vary more from one sentence to the next.
_LEVEL: Final = _Prior(-26.0, 8.0, 3.0, 0.30)
_PITCH: Final = _Prior(8.0, 6.0, 1.8, 0.40)
_HF500: Final = _Prior(-3.0, 4.0, 3.0, 0.30)
MEMORY: Final = 40.0
"""Utterances that a timbre counts as at most: models are trained on no more."""
_FADES_AFTER: Final = 100.0
"""
Utterances after which the oldest fade: with 40 an outburst of some minutes becomes the norm even of a voice that was
well known (see docs/decisions/0008-voice-and-words.md), and beyond 100 steps are lost in half precision.
"""
_DEVIATION_WEIGHT: Final = 8.0
"""Utterances that the prior of a deviation counts as."""
_VOICED_FROM_MS: Final = 200
"""With less voice nothing is said of it."""
_VOICED_HALF_MS: Final = 400.0
"""Voice at which an utterance counts half."""


_CALM_LEAST: Final = 0.2
"""What an utterance that is surely not calm counts in a baseline."""


class Timbre(msgspec.Struct, frozen=True, array_like=True):
    """Weighted mean and variance of a model's vectors, in half precision: about 1.5 kB in a checkpoint."""

    weight: float = 0.0
    mean: bytes = b""
    """Float16, little-endian, as the next."""
    variance: bytes = b""

    def moments(self, size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], float]:
        """Mean and variance, of shape (size,), and weight; nothing known where another model's vectors were kept."""
        if len(self.mean) != 2 * size:
            return np.zeros(size, np.float32), np.zeros(size, np.float32), 0.0
        mean, variance = (np.frombuffer(x, "<f2").astype(np.float32) for x in (self.mean, self.variance))
        return mean, variance, min(self.weight, MEMORY)

    def observe(self, vector: npt.NDArray[np.float32], weight: float) -> "Timbre":
        """With one more vector, of shape (d,); the oldest fade in the end."""
        mean, variance, known = self.moments(len(vector))
        kept = min(self.weight, _FADES_AFTER) if known else 0.0
        share = weight / (kept + weight)
        step = vector - mean
        spread = (1 - share) * (variance + share * step**2)
        # Halves of what was kept are rounded again at each step: that stays below a twentieth of a deviation.
        return Timbre(kept + weight, (mean + share * step).astype("<f2").tobytes(), spread.astype("<f2").tobytes())


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer sounds when calm, as far as known."""

    level: Moments = Moments()
    pitch: Moments = Moments()
    hf500: Moments = Moments()
    timbre: Timbre = Timbre()

    def learn(self, sound: Sound, voice: Voice) -> "Baseline":
        """The baseline after one more utterance and what a model made of it: the calmer, the more it counts."""
        known = self.observe(sound.prosody)
        if not len(sound.vector):
            return known
        return msgspec.structs.replace(known, timbre=self.timbre.observe(sound.vector, calmness(voice)))

    def observe(self, prosody: Prosody) -> "Baseline":
        """
        The baseline after one more utterance.

        What lies far above the baseline counts less, down to a fifth, so that an outburst does not become the norm.
        """
        features = _features(prosody)
        if features is None:
            return self
        value, confidence = arousal(prosody, self)
        excited = max(0.0, value or 0.0) * min(1.0, 1.5 * confidence)
        weight = _heard(prosody) * max(0.2, 1 - excited)
        level, pitch, hf500 = features
        return Baseline(
            level=self.level.observe(level, weight),
            pitch=self.pitch.observe(pitch, weight),
            hf500=self.hf500.observe(hf500, weight),
            timbre=self.timbre,
        )


def calmness(voice: Voice) -> float:
    """What an utterance counts in a baseline, 0.2 ... 1: by its chance of being neutral, else by its arousal."""
    calm = 1 - max(0.0, voice.arousal or 0.0) if voice.classes is None else voice.classes[EmotionLabel.NEUTRAL]
    return _CALM_LEAST + (1 - _CALM_LEAST) * calm


def arousal(prosody: Prosody, baseline: Baseline) -> tuple[float | None, float]:
    """
    How aroused an utterance is for this speaker.

    Args:
        prosody: Of the utterance.
        baseline: From the speaker's utterances before it.

    Returns:
        Arousal, -1 ... 1, or None where there is too little voice; and the confidence in it, 0 ... 1, which grows
        with the voice heard now and before.
    """
    features = _features(prosody)
    if features is None:
        return None, 0.0
    value, known = 0.0, 0.0
    moments = (baseline.level, baseline.pitch, baseline.hf500)
    for x, seen, prior in zip(features, moments, (_LEVEL, _PITCH, _HF500), strict=True):
        score, sure = _score(x, seen, prior)
        value += prior.weight * score
        known += prior.weight * sure
    return max(-1.0, min(1.0, value)), known * _heard(prosody)


def _features(prosody: Prosody) -> tuple[float, float, float] | None:
    """Level in dBFS, pitch in semitones over 100 Hz, HF500 in dB."""
    if prosody.pitch_hz is None or prosody.hf500_db is None or prosody.voiced_ms < _VOICED_FROM_MS:
        return None
    return prosody.loudness_dbfs, 12 * math.log2(prosody.pitch_hz / 100), prosody.hf500_db


def _heard(prosody: Prosody) -> float:
    return prosody.voiced_ms / (prosody.voiced_ms + _VOICED_HALF_MS)


def _score(x: float, seen: Moments, prior: _Prior) -> tuple[float, float]:
    """
    Where a value lies in the predictive distribution of a normal one with a normal prior on its mean.

    Returns:
        ``2 P(baseline < x) - 1``, and the share of the value's variance that is not doubt about the mean.
    """
    within = (_DEVIATION_WEIGHT * prior.within**2 + seen.squares) / (_DEVIATION_WEIGHT + seen.weight)
    doubt = 1 / (1 / prior.between**2 + seen.weight / within)
    mean = doubt * (prior.mean / prior.between**2 + seen.weight * seen.mean / within)
    return math.erf((x - mean) / math.sqrt(2 * (within + doubt))), within / (within + doubt)
