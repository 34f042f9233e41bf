"""The models of voices that the benchmarks can be given."""

from typing import Final, NamedTuple

from benchmarks.weights import Weights, find, of
from models.acoustic import AcousticModel
from models.emotion import VoiceModel
from models.unsupervised import UnsupervisedVoice

DEFAULT: Final = "unsupervised"


class Chosen(NamedTuple):
    """A model that was asked for."""

    model: VoiceModel
    weights: Weights


def chosen(name: str) -> Chosen:
    """
    The model of a name.

    Args:
        name: "unsupervised", or weights as ``benchmarks.weights.find`` takes them.

    Raises:
        StreamError: If there is no such model.
    """
    if name == DEFAULT:
        return Chosen(UnsupervisedVoice(), Weights(name=DEFAULT, sha256=None))
    path = find(name, "voice", "onnx", DEFAULT)
    return Chosen(AcousticModel(path), of(path))
