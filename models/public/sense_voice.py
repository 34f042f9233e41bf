"""SenseVoiceSmall, of which only the emotion is used; the words come from our recogniser."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audio.types import Pcm
from models.emotion import Baseline, Sound, Voice, arousal
from models.errors import VoiceModelError
from models.public.description import SenseVoiceFile
from models.public.fbank import WIDTH, Fbank, scale_of
from models.public.listening import classes, sounds
from models.public.network import FLOAT, INTEGER, Floats, Network, Port, filled

_TAGS: Final = {
    "angry": "<|ANGRY|>",
    "disgusted": "<|DISGUSTED|>",
    "fearful": "<|FEARFUL|>",
    "happy": "<|HAPPY|>",
    "neutral": "<|NEUTRAL|>",
    "sad": "<|SAD|>",
    "surprised": "<|SURPRISED|>",
    "unknown": "<|EMO_UNKNOWN|>",
}
CLASSES: Final = tuple(_TAGS)
_EMOTION: Final = 1
"""Place of the emotion in the output: language, emotion, event, spelling, then the words."""
_LANGUAGES: Final = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12}
_PLAIN: Final = 15
"""Words without figures and punctuation ("woitn"): we do not read them."""


class _Layout(NamedTuple):
    """Names in one way of exporting it."""

    speech: str
    lengths: str
    language: str
    spelling: str
    output: str


_LAYOUTS: Final = (
    _Layout("speech", "speech_lengths", "language", "textnorm", "ctc_logits"),
    _Layout("x", "x_length", "language", "text_norm", "logits"),
)
"""FunASR's and sherpa-onnx's."""


class SenseVoice:
    """
    The network. See ``VoiceModel``.

    Utterances of different lengths are heard together: the network takes the lengths and leaves the padding out.
    Arousal is that of ``models.emotion``; valence is not said. Of the vocabulary only the eight tags of emotion count,
    as probabilities that add up to 1 among themselves; the model often says "unknown", which is none of ours.

    Raises:
        VoiceModelError: If the files are not these, or kaldi-native-fbank is not installed.

    Source: An et al.: FunAudioLLM: Voice Understanding and Generation Foundation Models for Natural Interaction Between
        Humans and LLMs, arXiv:2407.04051; ``export_meta.py`` of FunAudioLLM/SenseVoice and ``scripts/sense-voice`` of
        k2-fsa/sherpa-onnx for the inputs and outputs.
    """

    def __init__(self, directory: Path, description: SenseVoiceFile, network: Network) -> None:
        self._network, self._temperature = network, description.temperature
        self._language = _LANGUAGES[description.language]
        self._layout = layout = _layout(network)
        one = Port(INTEGER, 1)
        inputs = {layout.speech: Port(FLOAT, 3, WIDTH), layout.lengths: one, layout.language: one, layout.spelling: one}
        network.expect(inputs, {layout.output: Port(FLOAT, 3)})
        self._places = _places(directory)
        self._fbank = Fbank(scale_of(network.metadata, directory / "am.mvn"))
        self.batch: Final = 1 if network.one_by_one else description.batch

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        """See ``VoiceModel``; the vector holds the logits of the eight tags."""
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
        speech, lengths = filled([self._fbank(signal) for signal in signals])
        rows = np.ones(len(signals), np.int64)
        feeds: dict[str, npt.NDArray[Any]] = {
            layout.speech: speech,
            layout.lengths: lengths,
            layout.language: rows * self._language,
            layout.spelling: rows * _PLAIN,
        }
        found = self._network.run(layout.output, feeds)
        if max(self._places) >= found.shape[-1]:
            expected = f"as many tokens as in the list, {max(self._places) + 1} at least"
            raise VoiceModelError(str(self._network.path), expected, str(found.shape[-1]))
        return found[:, _EMOTION, self._places]


def _layout(network: Network) -> _Layout:
    for layout in _LAYOUTS:
        if set(layout[:4]) == set(network.inputs) and layout.output in network.outputs:
            return layout
    ways = "; or ".join(f"{', '.join(layout[:4])} to {layout.output}" for layout in _LAYOUTS)
    raise VoiceModelError(str(network.path), ways, network.described)


def _places(directory: Path) -> list[int]:
    """Where the tags stand in the vocabulary: tokens.json of FunASR, or tokens.txt of sherpa-onnx."""
    listed, lines = directory / "tokens.json", directory / "tokens.txt"
    if listed.is_file():
        known = {token: n for n, token in enumerate(json.loads(listed.read_bytes()))}
    elif lines.is_file():
        pairs = (line.rpartition(" ") for line in lines.read_text(encoding="utf-8").splitlines())
        known = {token: int(place) for token, _, place in pairs if place.isdecimal()}
    else:
        raise VoiceModelError(str(directory), "tokens.json or tokens.txt", "neither")
    missing = [tag for tag in _TAGS.values() if tag not in known]
    if missing:
        raise VoiceModelError(str(directory), f"{', '.join(missing)} among the tokens", f"{len(known)} others")
    return [known[tag] for tag in _TAGS.values()]
