"""Sentences as vectors: near in meaning, near in direction; Chinese or English."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.e5 import Vocabulary

WIDTH: Final = 384
_PIECES: Final = 256
"""Of a text; what comes after is left out."""
_CHARACTERS: Final = 8 * _PIECES
"""A piece is seldom longer: no more is cut into pieces."""
_PREFIX: Final = "query: "
"""As E5 was trained for texts that are compared with each other or sorted into classes."""
_SPACES: Final = re.compile(r"\s+")

Floats = npt.NDArray[np.float32]


class Top:
    """The upper layers. Keeps nothing between calls and may be used from any thread."""

    def __init__(self, model: Path | bytes) -> None:
        """
        Load them.

        Args:
            model: A graph as ``models.e5.top`` and ``models.e5.tuned`` make it, or where it is.
        """
        self._source = model
        self._session = _session(model)

    def __call__(self, lower: Sequence[Floats]) -> Floats:
        """
        Vectors of texts.

        Args:
            lower: As ``Embedding.lower`` gives it.

        Returns:
            Shape (n, 384), each of length 1.
        """
        vectors = np.empty((len(lower), WIDTH), dtype=np.float32)
        for row, one in enumerate(lower):
            vectors[row] = self._session.run(None, {"lower": one})[0][0]
        return vectors

    def model(self) -> Any:
        """The graph itself, to be tuned."""
        import onnx  # noqa: PLC0415 - only where weights are made

        return onnx.load_from_string(self._source if isinstance(self._source, bytes) else self._source.read_bytes())


class Embedding:
    """
    multilingual-e5-small, its lower six layers or all. Keeps nothing between calls and may be used from any thread.

    Source: Wang et al.: Multilingual E5 Text Embeddings: A Technical Report, arXiv:2402.05672, 2024.
    """

    def __init__(self, path: Path, *, deep: bool = False) -> None:
        """
        Load the model.

        Args:
            path: Directory with what ``models.e5.build`` wrote, as ``weights.locate`` gives it.
            deep: All twelve layers, at twice the time: for search, where six find little.
        """
        from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: PLC0415 - as below

        vocabulary = msgspec.json.decode((path / "vocabulary.json").read_bytes(), type=Vocabulary)
        self._cutter: Any = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=vocabulary.unknown))
        self._cutter.pre_tokenizer = pre_tokenizers.Metaspace()
        self._normal = {ord(one): other for one, other in vocabulary.normal.items()}
        self._bos, self._eos = vocabulary.bos, vocabulary.eos
        self._trunk = _session(path / "trunk.onnx")
        self.top = Top(path / ("deep.onnx" if deep else "top.onnx"))

    def __call__(self, texts: Sequence[str]) -> Floats:
        """
        Vectors of texts, the same for each as if it came alone.

        Args:
            texts: Of any length; what comes after 256 pieces, some 350 Chinese characters or 200 English words, is left
                out. A text without words has a vector too, and it says nothing.

        Returns:
            Shape (n, 384), each of length 1: the product of two is their cosine. All lie in a narrow cone: sentences
            that have nothing to do with each other come to 0.75, those that mean the same to 0.8 ... 0.95. The two
            languages lie apart: of a sentence and its translation it says little.
        """
        return self.top(self.lower(texts))

    def lower(self, texts: Sequence[str]) -> list[Floats]:
        """What the trunk makes of texts, each of shape (1, pieces, 384): a top turns it into a vector."""
        return [self._trunk.run(None, {"ids": self._ids(text)})[0] for text in texts]

    def _ids(self, text: str) -> npt.NDArray[np.int64]:
        plain = _SPACES.sub(" ", (_PREFIX + text[:_CHARACTERS]).translate(self._normal)).rstrip()
        pieces = self._cutter.encode(plain, add_special_tokens=False).ids[:_PIECES]
        return np.array([[self._bos, *pieces, self._eos]], dtype=np.int64)


def _session(model: Path | bytes) -> Any:
    import onnxruntime  # noqa: PLC0415 - loads its libraries, which not every process needs

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
    )
