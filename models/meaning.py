"""What the clauses of an utterance mean, as vectors small enough to travel with it."""

import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

SPACE: Final = "multilingual-e5-small 3, 12 layers"
"""Vectors that another embedding made, or another revision of its weights, are not compared with those of this one."""
MOST_CLAUSES: Final = 16
"""Of an utterance; what comes after them has no vector."""
_CLAUSE: Final = re.compile(r"(?:[^，,。！？!?；;.\n]|[,.](?=\d))+[。！？!?；;]?")
_WORD: Final = re.compile(r"[㐀-鿿]|[A-Za-z']+")
_LEAST_WORDS: Final = 2
"""Words, or twice as many Chinese characters, of a clause: shorter ones mean little by themselves."""
_STEPS: Final = 127

Floats = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]
"""Texts to vectors of length 1, shape (n, 384): multilingual-e5-small, all its layers."""


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a text between commas or ends of sentences."""

    start: int
    """In characters of the text."""
    end: int
    vector: bytes
    """384 signed bytes, the largest of them 127 or -127: only the direction means something."""


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a text means; of text from which something was taken out, what is left of it means."""

    space: str
    """Which embedding made the vectors."""
    clauses: tuple[Clause, ...]


def cut(text: str) -> list[tuple[int, int]]:
    """Where the clauses of a text are that say something by themselves; of a text without, the whole."""
    found = [(part.start(), part.end()) for part in _CLAUSE.finditer(text)]
    worded = [(start, end) for start, end in found if _weight(text[start:end]) >= _LEAST_WORDS]
    if not worded and _weight(text):
        worded = [(0, len(text))]
    return [_trimmed(text, *one) for one in worded[:MOST_CLAUSES]]


def _weight(text: str) -> float:
    return sum(1.0 if word[0].isascii() else 0.5 for word in _WORD.findall(text))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())


def packed(vectors: Floats) -> npt.NDArray[np.int8]:
    """
    Vectors in bytes.

    Args:
        vectors: Shape (n, d), none of them zero.

    Returns:
        Shape (n, d), each with 127 steps to its largest component. Their cosines are those of the vectors, to 0.002.
    """
    found: npt.NDArray[np.int8] = np.rint(vectors * (_STEPS / np.abs(vectors).max(axis=1, keepdims=True))).astype(
        np.int8
    )
    return found


def meanings(texts: Sequence[str], embed: Embed) -> list[Meaning]:
    """What texts mean, each as if it came alone."""
    places = [cut(text) for text in texts]
    parts = [text[start:end] for text, found in zip(texts, places, strict=True) for start, end in found]
    vectors = iter([one.tobytes() for one in packed(embed(parts))] if parts else [])
    return [
        Meaning(
            space=SPACE,
            clauses=tuple(
                Clause(start=start, end=end, vector=vector)
                # Of all the vectors, as many as the text has clauses.
                for (start, end), vector in zip(found, vectors, strict=False)
            ),
        )
        for found in places
    ]
