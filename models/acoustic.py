"""
Emotion of a voice by a trained model: classes, valence and arousal against the speaker's own baseline.

A file of weights is one ONNX graph from a sound and a baseline to scores, with a card in its metadata that says how
sounds are scaled, what the scores stand for and how far they are to be believed.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime

from audio.types import SAMPLE_RATE, Pcm
from models.emotion import Baseline, Sound, Voice, arousal
from models.errors import WeightsDamaged
from models.functionals import describe
from models.prosody import Prosody, summarise, trace
from models.types import EmotionLabel

_Array = npt.NDArray[np.float32]

CARD: Final = "warmline"
"""Key of the card in a graph's metadata."""
_LONGEST: Final = 15 * SAMPLE_RATE
_LIMIT: Final = 8.0
_SINCE: Final = 4.0
"""Utterances at which half of what a baseline gives is had."""
_VOICED_HALF_MS: Final = 400.0


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """How scores become what is said; fitted on speakers that the scores were not trained on."""

    sharpness: float
    """Inverse temperature with no baseline."""
    sharpness_known: float
    """What a full baseline adds to it."""
    biases: tuple[float, ...]
    """Of the classes, before the softmax."""
    arousal: tuple[float, float]
    """Factor and constant."""
    valence: tuple[float, float]
    arousal_share: float
    """Of the trained arousal in the whole; the rest is that of ``models.emotion.arousal``."""
    arousal_confidence: tuple[float, float]
    """With no baseline and with a full one."""
    valence_confidence: tuple[float, float]


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of weights says of itself."""

    name: str
    data: str
    licence: str
    labels: tuple[EmotionLabel, ...] | None
    """Of the first scores; the two that follow are arousal and valence. None where classes are not to be believed."""
    outputs: int
    """Scores of classes in the graph, said or not."""
    centre: bytes
    """Float32, little-endian, as the next: where sounds lie."""
    width: bytes
    scores: Scores


class AcousticModel:
    """
    One file of weights; implements ``models.emotion.VoiceModel``.

    Args:
        path: Of the ONNX file.
        threads: Of onnxruntime; the graph is too small for more than one to help.

    Raises:
        WeightsDamaged: If the file has no card, or is none of this program's.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        text = self._session.get_modelmeta().custom_metadata_map.get(CARD)
        try:
            self.card = msgspec.json.decode(text or "", type=Card)
        except msgspec.DecodeError as error:
            raise WeightsDamaged(str(path), f"a card under {CARD}", str(error)) from error
        self._centre, self._width = (np.frombuffer(x, "<f4") for x in (self.card.centre, self.card.width))

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        """
        Measure utterances, each for itself.

        Args:
            batch: Each of shape (n,), 16 kHz; what comes after 15 s is left out.
        """
        return [self._heard(pcm[:_LONGEST]) for pcm in batch]

    def _heard(self, pcm: Pcm) -> Sound:
        contour = trace(pcm)
        return self.sound(summarise(contour), describe(contour))

    def sound(self, prosody: Prosody, vector: _Array | None) -> Sound:
        """What ``hear`` gives, from its measures; ``vector`` as ``models.functionals.describe`` gives it."""
        if vector is None:
            return Sound(prosody, np.zeros(0, np.float32))
        return Sound(prosody, np.clip((vector - self._centre) / self._width, -_LIMIT, _LIMIT).astype(np.float32))

    def scores(self, sound: _Array, mean: _Array, variance: _Array, weight: _Array) -> _Array:
        """
        What the graph gives, many at once.

        Args:
            sound: Shape (n, d), in standard units, as the next two.
            mean: Of the baseline.
            variance: Of the baseline.
            weight: Shape (n, 1), utterances in the baseline.

        Returns:
            Shape (n, classes + 2).
        """
        inputs = {"sound": sound, "mean": mean, "variance": variance, "weight": weight}
        return np.asarray(self._session.run(None, inputs)[0], np.float32)

    def judge(self, sound: Sound, baseline: Baseline) -> Voice:
        """What the voice says, for a speaker of this baseline."""
        ruled, sure = arousal(sound.prosody, baseline)
        size = len(sound.vector)
        if not size:
            return Voice(classes=None, arousal=ruled, arousal_confidence=sure, valence=None, valence_confidence=0.0)
        mean, variance, weight = baseline.timbre.moments(size)
        raw = self.scores(sound.vector[None], mean[None], variance[None], np.full((1, 1), weight, np.float32))[0]
        known = weight / (weight + _SINCE)
        said = self.card.scores
        heard = sound.prosody.voiced_ms / (sound.prosody.voiced_ms + _VOICED_HALF_MS)
        felt, liked = (float(x) for x in raw[self.card.outputs :])
        excited = _bounded(said.arousal[0] * felt + said.arousal[1])
        if ruled is not None:
            excited = said.arousal_share * excited + (1 - said.arousal_share) * ruled
        return Voice(
            classes=self._classes(raw, known),
            arousal=excited,
            arousal_confidence=heard * _between(said.arousal_confidence, known),
            # What does not know the classes of strangers does not know whether they are glad.
            valence=None if self.card.labels is None else _bounded(said.valence[0] * liked + said.valence[1]),
            valence_confidence=heard * _between(said.valence_confidence, known),
        )

    def _classes(self, raw: _Array, known: float) -> dict[EmotionLabel, float] | None:
        labels, said = self.card.labels, self.card.scores
        if labels is None:
            return None
        sharp = said.sharpness + said.sharpness_known * known
        logits = [sharp * float(x) + bias for x, bias in zip(raw, said.biases, strict=False)]
        most = max(logits)
        weights = [math.exp(x - most) for x in logits]
        total = math.fsum(weights)
        return {label: weight / total for label, weight in zip(labels, weights, strict=True)}


def _bounded(x: float) -> float:
    return max(-1.0, min(1.0, x))


def _between(ends: tuple[float, float], known: float) -> float:
    return max(0.0, min(1.0, ends[0] + (ends[1] - ends[0]) * known))
