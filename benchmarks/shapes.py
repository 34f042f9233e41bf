"""
Whisper models of the true shape with random weights, for machines that the real ones cannot be brought to.

They cost what the real ones cost, and say nothing: how long a batch takes does not depend on the numbers in it, but on
the shapes and on how many tokens come out, and those are forced (``benchmarks.device``).
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from ctranslate2.specs import WhisperSpec

_SEED: Final = 1
_POSITIONS: Final = (1500, 448)
"""Of the encoder and the decoder."""
_SPREAD: Final = 0.02


class Shape(NamedTuple):
    """Dimensions of a model. Source: ``ModelDimensions`` of openai/whisper."""

    mels: int
    width: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    vocabulary: int


SHAPES: Final = {
    "toy": Shape(80, 64, 2, 2, 2, 51_865),
    "tiny": Shape(80, 384, 4, 4, 6, 51_865),
    "base": Shape(80, 512, 6, 6, 8, 51_865),
    "small": Shape(80, 768, 12, 12, 12, 51_865),
    "medium": Shape(80, 1024, 24, 24, 16, 51_865),
    "large-v3": Shape(128, 1280, 32, 32, 20, 51_866),
    "large-v3-turbo": Shape(128, 1280, 32, 4, 20, 51_866),
}
"""The toy is for tests."""


class _Random:
    def __init__(self) -> None:
        self._rng = np.random.default_rng(_SEED)

    def __call__(self, *shape: int) -> npt.NDArray[np.float16]:
        return (_SPREAD * self._rng.standard_normal(shape, np.float32)).astype(np.float16)

    def linear(self, spec: Any, out: int, into: int) -> None:
        spec.weight, spec.bias = self(out, into), np.zeros(out, np.float16)

    def norm(self, spec: Any, width: int) -> None:
        spec.gamma, spec.beta = np.ones(width, np.float16), np.zeros(width, np.float16)


def _attention(random: _Random, spec: Any, width: int, *parts: int) -> None:
    random.norm(spec.layer_norm, width)
    for linear, part in zip(spec.linear, parts, strict=True):
        random.linear(linear, part * width, width)


def _feed_forward(random: _Random, spec: Any, width: int) -> None:
    random.norm(spec.layer_norm, width)
    random.linear(spec.linear_0, 4 * width, width)
    random.linear(spec.linear_1, width, 4 * width)


def _fill(spec: Any, shape: Shape) -> None:
    random, width = _Random(), shape.width
    for convolution, channels in ((spec.encoder.conv1, shape.mels), (spec.encoder.conv2, width)):
        convolution.weight, convolution.bias = random(width, channels, 3), np.zeros(width, np.float16)
    for part, positions in zip((spec.encoder, spec.decoder), _POSITIONS, strict=True):
        part.position_encodings.encodings = random(positions, width)
        random.norm(part.layer_norm, width)
        for layer in part.layer:
            _attention(random, layer.self_attention, width, 3, 1)
            _feed_forward(random, layer.ffn, width)
    for layer in spec.decoder.layer:
        _attention(random, layer.attention, width, 1, 2, 1)
    spec.decoder.embeddings.weight = random(shape.vocabulary, width)
    spec.decoder.projection.weight = spec.decoder.embeddings.weight


def write(name: str, directory: Path, like: Path) -> Path:
    """
    Write a model as CTranslate2 has it, with 16-bit weights.

    Args:
        name: Of ``SHAPES``.
        like: Directory of a real model, whose tokens are taken.

    Returns:
        Its directory, in ``directory``; one that is there is left as it is.
    """
    shape, path = SHAPES[name], directory / f"random-{name}"
    if (path / "config.json").exists():
        return path
    path.mkdir(parents=True, exist_ok=True)
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    _fill(spec, shape)
    tokens = (like / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[: shape.vocabulary]
    spec.register_vocabulary([*tokens, *(f"<|more{n}|>" for n in range(shape.vocabulary - len(tokens)))])
    config = json.loads((like / "config.json").read_bytes())
    for key in ("suppress_ids", "suppress_ids_begin", "lang_ids"):
        setattr(spec.config, key, config[key])
    spec.config.alignment_heads = [(shape.decoder_layers - 1, head) for head in range(min(6, shape.heads))]
    spec.validate()
    spec.optimize("float16")
    spec.save(str(path))
    shutil.copy(like / "tokenizer.json", path / "tokenizer.json")
    (path / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape.mels}))
    return path
