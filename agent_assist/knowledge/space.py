"""The space in which texts are compared."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_NAME: Final = "multilingual-e5-small, 12 layers"
"""Vectors in SQL that another embedding made are not compared with those of this one."""
_APART: Final = 0.75


class Strangers(NamedTuple):
    """Cosines of texts of one trade with each other, where a base has too few to tell."""

    mean: float
    spread: float


_STRANGERS: Final = Strangers(mean=0.82, spread=0.028)


class Vectors(NamedTuple):
    """An embedding and its name: vectors of another are not compared with its own."""

    name: str
    embed: Callable[[Sequence[str]], Floats]
    """Texts to vectors of length 1, shape (n, d)."""
    apart: float = 0.0
    """Cosine of texts that have nothing to do with each other."""
    strangers: Strangers = Strangers(mean=0.0, spread=0.2)

    def nearness(self, cosines: Floats) -> Floats:
        """Cosines, as 1 for the same and 0 for what has nothing to do with it or has no vector."""
        near: Floats = np.maximum((cosines - np.float32(self.apart)) / np.float32(1 - self.apart), np.float32(0))
        return near


def vectors(embedding: Callable[[Sequence[str]], Floats]) -> Vectors:
    """
    The embedding of the knowledge base.

    Args:
        embedding: multilingual-e5-small, all layers: texts to shape (n, 384).
    """
    return Vectors(_NAME, embedding, _APART, _STRANGERS)
