"""What stands in a text, by the letter: hashed n-grams of characters and words."""

import re
from typing import Final, Literal
from zlib import crc32

import numpy as np
import numpy.typing as npt

CHARACTERS: Final = 1_000
"""Of a text; what comes after is left out."""
_SIZES: Final = {"zh": (1, 2, 3, 4), "en": (3, 4, 5)}
"""Characters of an n-gram. English letters say little alone; its words come besides, alone and in pairs."""
_WORD: Final = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+|[^\s\w]")
_SPACES: Final = re.compile(r"\s+")
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: its products spread well over the upper bits (Knuth, TAOCP 3, 6.4)."""


def ngrams(
    text: str, language: Literal["zh", "en"], bits: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """
    Which n-grams a text has, and how often.

    Args:
        bits: There are ``2 ** bits`` buckets.

    Returns:
        Buckets, in order and without repeats, and ``1 + log(count)`` of each.

    Source: Weinberger et al.: Feature Hashing for Large Scale Multitask Learning, ICML 2009, without the sign.
    """
    written = _SPACES.sub(" ", text[:CHARACTERS].lower().replace("’", "'")).strip()
    hashes = [_characters(f" {written} ", size) for size in _SIZES[language]]
    if language == "en":
        hashes += _words(written)
    buckets, counts = np.unique(np.concatenate(hashes) >> np.uint64(64 - bits), return_counts=True)
    return buckets.astype(np.int64), (1 + np.log(counts)).astype(np.float32)


def _characters(text: str, size: int) -> npt.NDArray[np.uint64]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    count = max(0, len(codes) - size + 1)
    return _mixed([codes[at : at + count] for at in range(size)], size)


def _words(text: str) -> list[npt.NDArray[np.uint64]]:
    words = np.array([crc32(word.encode()) for word in _WORD.findall(text)], dtype=np.uint64)
    return [_mixed([words], 64), _mixed([words[:-1], words[1:]], 65)]


def _mixed(parts: list[npt.NDArray[np.uint64]], kind: int) -> npt.NDArray[np.uint64]:
    mixed = np.full(len(parts[0]), kind, dtype=np.uint64)
    for part in parts:
        mixed = ((mixed ^ (mixed >> np.uint64(29))) + part + np.uint64(1)) * _PRIME
    return mixed ^ (mixed >> np.uint64(32))
