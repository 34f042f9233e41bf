"""wav2vec 2.0 large, robust, twelve layers, fine-tuned to arousal, dominance and valence: for research only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audio.types import Pcm
from models.emotion import Baseline, Sound, Voice
from models.public.description import DimensionalFile
from models.public.listening import heard, normalised, sounds
from models.public.network import FLOAT, INTEGER, Floats, Network, Port, filled

_DIMENSIONS: Final = 3
_AROUSAL, _VALENCE = 0, 2
"""Places in the output; dominance between them is not used."""
_MASK: Final = "attention_mask"
_EPSILON: Final = 1e-7
"""Of the Wav2Vec2FeatureExtractor in transformers."""


class Wav2Vec2Dimensional:
    """
    The network. See ``VoiceModel``; it knows no classes, and judges without the speaker's baseline.

    The published network has no input for lengths: utterances are heard one by one. Where an export takes
    ``attention_mask`` (1 within an utterance) and leaves the padding out of its mean as well, they are heard together.

    Raises:
        VoiceModelError: If the file is not this one.

    Source: Wagner et al.: Dawn of the Transformer Era in Speech Emotion Recognition: Closing the Valence Gap, IEEE
        TPAMI 45(9), 2023; the network: doi:10.5281/zenodo.6221127, CC BY-NC-SA 4.0.
    """

    def __init__(self, directory: Path, description: DimensionalFile, network: Network) -> None:  # noqa: ARG002 - alike
        self._network, self._description = network, description
        self._masked = _MASK in network.inputs
        mask = {_MASK: Port(INTEGER, 2)} if self._masked else {}
        network.expect({"signal": Port(FLOAT, 2)} | mask, {"logits": Port(FLOAT, 2, _DIMENSIONS)})
        self.batch: Final = description.batch if self._masked and not network.one_by_one else 1

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        """See ``VoiceModel``; the vector holds arousal, dominance and valence, about 0 ... 1."""
        return sounds(batch, self.batch, self._dimensions)

    def judge(self, sound: Sound, baseline: Baseline) -> Voice:  # noqa: ARG002 - absolute, not against the speaker's norm
        """See ``VoiceModel``."""
        voiced = heard(sound.prosody)
        aroused, pleasant = (_signed(float(sound.vector[n])) if voiced else None for n in (_AROUSAL, _VALENCE))
        return Voice(
            classes=None,
            arousal=aroused,
            arousal_confidence=self._description.arousal_confidence * voiced,
            valence=pleasant,
            valence_confidence=self._description.valence_confidence * voiced,
        )

    def _dimensions(self, signals: list[Floats]) -> Floats:
        signal, lengths = filled([normalised(one, _EPSILON) for one in signals])
        mask: dict[str, npt.NDArray[Any]] = (
            {_MASK: np.arange(signal.shape[1]) < lengths[:, None]} if self._masked else {}
        )
        return self._network.run("logits", mask | {"signal": signal})


def _signed(value: float) -> float:
    """From 0 ... 1, which the network may leave a little, to -1 ... 1."""
    return max(-1.0, min(1.0, 2 * value - 1))
