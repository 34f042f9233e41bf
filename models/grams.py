"""
Texts as sets of numbers, one for each short run of characters, words and sounds: what a linear model of words sees.

Beside the runs of ``models.ngrams``, what stands behind a negation is counted a second time under the negation's name,
so that "not cancel" is not "cancel", and sounds beside characters, since recognisers write 推款 for 退款.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from models.ngrams import ngrams
from models.sound import pinyin

_BITS: Final = 17
SIZE: Final = 1 << _BITS
"""Numbers that a run can have."""
_TOKEN: Final = re.compile(r"[\u4e00-\u9fff]|[a-z]+(?:'[a-z]+)?|\d+|[,.!?;，。！？；、]")
_STOP: Final = frozenset(",.!?;，。！？；、")
_DIGITS: Final = re.compile(r"\d+")
_SIGNS: Final = re.compile(r"[^\w\s'’]")
"""Punctuation, which recognisers write or leave out."""
_REACH_HAN: Final = 8
_REACH_WORDS: Final = 6
"""Tokens behind a negation that it may speak of."""
_NEGATIONS: Final = {
    **dict.fromkeys(("不", "没", "别", "未", "甭", "勿", "无"), ""),
    **dict.fromkeys(("not", "never", "no", "nobody", "nothing", "without", "neither", "cannot"), "not"),
}
"""The name under which what follows is counted; empty for the character itself."""


def grams(text: str, language: Literal["zh", "en"]) -> npt.NDArray[np.int64]:
    """
    The runs of a text.

    Returns:
        Shape (n,), numbers below ``SIZE`` in order, each once; empty for a text without words.
    """
    tokens = tokenize(text)
    if all(token in _STOP for token in tokens):
        return np.array([], dtype=np.int64)
    bare = _DIGITS.sub("0", _SIGNS.sub(" ", text))
    more = [zlib.crc32(run.encode()) % SIZE for run in (*_words(tokens), *_negated(tokens), *_sounds(tokens))]
    return np.unique(np.concatenate([ngrams(bare, language, _BITS)[0], np.array(more, dtype=np.int64)]))


def tokenize(text: str) -> list[str]:
    """Chinese characters, English words in lower case, "0" for a number, punctuation."""
    plain = text.lower().replace("’", "'")
    return ["0" if _DIGITS.match(token) else token for token in _TOKEN.findall(plain)]


def _han(token: str) -> bool:
    return "\u4e00" <= token[0] <= "\u9fff"


def _runs(tokens: Sequence[str], longest: int) -> Iterator[str]:
    for size in range(1, longest + 1):
        for at in range(len(tokens) - size + 1):
            yield " ".join(tokens[at : at + size])


def _words(tokens: Sequence[str]) -> Iterator[str]:
    """Three in a row, from the beginning to the end, and pairs with one left out; without punctuation."""
    said = ["^", *(token for token in tokens if token not in _STOP), "$"]
    for one, two, three in zip(said, said[1:], said[2:], strict=False):
        yield f"{one} {two} {three}"
        yield f"{one} _ {three}"


def _negated(tokens: Sequence[str]) -> Iterator[str]:
    """Runs of one and two behind a negation, up to the end of the clause where punctuation tells it."""
    for at, token in enumerate(tokens):
        name = "not" if token.endswith("n't") else _NEGATIONS.get(token)
        if name is None:
            continue
        scope: list[str] = []
        for other in tokens[at + 1 : at + 1 + (_REACH_HAN if _han(token) else _REACH_WORDS)]:
            if other in _STOP:
                break
            scope.append(other)
        for run in _runs(scope, 2):
            yield f"!{name or token} {run}"


def _sounds(tokens: Sequence[str]) -> Iterator[str]:
    """Runs of two and three syllables."""
    syllables = pinyin("".join(token for token in tokens if _han(token)))
    for size in (2, 3):
        for at in range(len(syllables) - size + 1):
            yield "=" + " ".join(syllables[at : at + size])
