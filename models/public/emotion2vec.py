"""emotion2vec+ (seed, base, large), fine-tuned to nine classes of emotion."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audio.types import Pcm
from models.emotion import Baseline, Sound, Voice, arousal
from models.errors import VoiceModelError
from models.public.description import Emotion2VecFile
from models.public.listening import classes, normalised, sounds
from models.public.network import BOOLEAN, FLOAT, Floats, Network, Port, filled

CLASSES: Final = ("angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown")
"""In the order of the model's tokens.txt."""
HEAD: Final = "head.npz"
_MASK: Final = "padding_mask"
_EPSILON: Final = 1e-5
"""Of PyTorch's layer_norm."""
_LEAST: Final = 1e-9
"""Of a probability, so that it has a logarithm."""


class _Layout(NamedTuple):
    """One way in which it is exported."""

    input: str
    output: str
    rank: int
    """3 for frames before the head, shape (rows, frames, d); 2 for classes, shape (rows, 9)."""
    normalise: bool
    """Whether the network wants the signal normalised, or does so itself."""
    logits: bool
    """Or probabilities."""


_LAYOUTS: Final = (
    _Layout("input", "output", 3, normalise=True, logits=True),
    _Layout("input", "logits", 2, normalise=True, logits=True),
    _Layout("audio", "scores", 2, normalise=False, logits=False),
)


class Emotion2Vec:
    """
    The network and, where FunASR's export left it out, its head. See ``VoiceModel``.

    The network has no input for lengths as it is usually exported: then utterances are heard one by one. Where it gives
    classes and takes ``padding_mask`` (true behind the end of an utterance, as in FunASR), they are heard together.
    Arousal is that of ``models.emotion``; valence is not said.

    Raises:
        VoiceModelError: If the files are not these.

    Source: Ma et al.: emotion2vec: Self-Supervised Pre-Training for Speech Emotion Representation, Findings of ACL
        2024; ``funasr/models/emotion2vec/model.py`` for what stands before and behind the network.
    """

    def __init__(self, directory: Path, description: Emotion2VecFile, network: Network) -> None:
        self._network, self._temperature = network, description.temperature
        self._layout = _layout(network)
        self._masked = _MASK in network.inputs and self._layout.rank == 2
        inputs = {self._layout.input: Port(FLOAT, 2)} | ({_MASK: Port(BOOLEAN, 2)} if self._masked else {})
        width = len(CLASSES) if self._layout.rank == 2 else None
        network.expect(inputs, {self._layout.output: Port(FLOAT, self._layout.rank, width)})
        self._head = _head(directory / HEAD) if self._layout.rank == 3 else None
        self.batch: Final = description.batch if self._masked and not network.one_by_one else 1

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        """See ``VoiceModel``; the vector holds the nine logits."""
        return sounds(batch, self.batch, self._logits)

    def judge(self, sound: Sound, baseline: Baseline) -> Voice:
        """See ``VoiceModel``."""
        aroused, confidence = arousal(sound.prosody, baseline)
        return Voice(
            classes=classes(sound.vector, CLASSES, sound.prosody, self._temperature),
            arousal=aroused,
            arousal_confidence=confidence,
            valence=None,
            valence_confidence=0.0,
        )

    def _logits(self, signals: list[Floats]) -> Floats:
        layout = self._layout
        signal, lengths = filled([normalised(one, _EPSILON) if layout.normalise else one for one in signals])
        feeds: dict[str, npt.NDArray[Any]] = {layout.input: signal}
        mask: dict[str, npt.NDArray[Any]] = (
            {_MASK: np.arange(signal.shape[1]) >= lengths[:, None]} if self._masked else {}
        )
        found = self._network.run(layout.output, feeds | mask)
        if self._head is not None:
            weight, bias = self._head
            if found.shape[-1] != weight.shape[1]:
                expected = f"frames as wide as the head, {weight.shape[1]}"
                raise VoiceModelError(str(self._network.path), expected, str(found.shape[-1]))
            logits: Floats = found.mean(axis=1) @ weight.T + bias
            return logits
        return found if layout.logits else np.log(np.maximum(found, _LEAST))


def _layout(network: Network) -> _Layout:
    for layout in _LAYOUTS:
        if layout.input in network.inputs and layout.output in network.outputs:
            return layout
    ways = "; ".join(f"{layout.input} to {layout.output}" for layout in _LAYOUTS)
    raise VoiceModelError(str(network.path), f"one of: {ways}", network.described)


def _head(path: Path) -> tuple[Floats, Floats]:
    """Weight, shape (9, d), and bias, shape (9,)."""
    expected = f"weight of shape ({len(CLASSES)}, d) and bias of shape ({len(CLASSES)},), as the export has no head"
    if not path.is_file():
        raise VoiceModelError(str(path), expected, "no such file")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
    except (ValueError, OSError) as error:
        raise VoiceModelError(str(path), expected, str(error)) from error
    shapes = {name: array.shape for name, array in found.items()}
    if set(found) != {"weight", "bias"} or len(shapes["weight"]) != 2:
        raise VoiceModelError(str(path), expected, str(shapes))
    if shapes["weight"][0] != len(CLASSES) or shapes["bias"] != (len(CLASSES),):
        raise VoiceModelError(str(path), expected, str(shapes))
    return found["weight"], found["bias"]
