"""The space in which texts are compared: the embedding's, evened out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.tensors import read_tensors

Floats = npt.NDArray[np.float32]

_PATH: Final = Path(__file__).parent / "space.safetensors"
_NAME: Final = "multilingual-e5-small, space 1"
"""Raised with the file: vectors in SQL that another one made are not compared with those of this one."""


class Vectors(NamedTuple):
    """An embedding and its name: vectors of another are not compared with its own."""

    name: str
    embed: Callable[[Sequence[str]], Floats]
    """Texts to vectors of length 1, shape (n, d)."""


def vectors(embedding: Callable[[Sequence[str]], Floats], path: Path = _PATH) -> Vectors:
    """
    The embedding of the knowledge base.

    Args:
        embedding: multilingual-e5-small: texts to shape (n, 384).
        path: What ``python -m models.training.space`` wrote.
    """
    arrays: dict[str, npt.NDArray[Any]] = read_tensors(path)[0]
    mean, matrix = (np.asarray(arrays[name], dtype=np.float32) for name in ("mean", "matrix"))

    def embed(texts: Sequence[str]) -> Floats:
        found = (embedding(texts) - mean) @ matrix
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(lengths, 1e-9), dtype=np.float32)

    return Vectors(_NAME, embed)
