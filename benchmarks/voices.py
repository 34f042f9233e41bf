"""The models of voices that the benchmarks can be given."""

from importlib.util import find_spec
from typing import Final, NamedTuple

from benchmarks.weights import Weights, find, of
from models.emotion import VoiceModel
from models.unsupervised import UnsupervisedVoice
from stream.errors import StreamError

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
    if find_spec("models.acoustic") is None:
        raise StreamError(f"expected {DEFAULT}, as this checkout has no trained model of voices, got {name}")
    from models.acoustic import AcousticModel

    return Chosen(AcousticModel(path), of(path))
