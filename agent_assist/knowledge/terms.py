"""
Words that a text is found by: of English the stems, of Chinese the characters alone and in pairs.

So chosen by a trial on the training file of ATEC, over words of a segmenter and over pairs alone; no benchmark of the
project repeats it yet.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

_RUN: Final = re.compile(r"[a-zà-ɏ]+|\d+(?:\.\d+)?|[㐀-鿿]+")
_LETTERS: Final = 40
"""Of a word; what comes after is left out."""
_STOP: Final = frozenset(
    word
    for line in (
        "a an and are as at be been but by can could did do does for from had has have how i if in is it its me my of",
        "on or please so that the their them they this to was we were what when where which who why will with would",
        "you your",
    )
    for word in line.split()
)


class Term(NamedTuple):
    text: str
    start: int
    """Place in the original."""
    end: int


@cache
def _stemmer() -> Any:
    import snowballstemmer  # noqa: PLC0415 - not every process searches

    return snowballstemmer.stemmer("english")


@lru_cache(50_000)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


def folded(text: str) -> str:
    """In compatibility forms and lower case, character for character as long as before."""
    return "".join(_fold(character) for character in text)


@lru_cache(20_000)
def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character).lower()
    return plain if len(plain) == 1 else character


def terms(text: str) -> Iterator[Term]:
    """The words of a text with their places; of Chinese every character, and every two beside each other."""
    for run in _RUN.finditer(folded(text)):
        word, start = run.group(), run.start()
        if not "㐀" <= word[0] <= "鿿":
            if word not in _STOP:
                yield Term(_stem(word[:_LETTERS]), start, run.end())
            continue
        for at, character in enumerate(word, start):
            yield Term(character, at, at + 1)
        for at, (one, other) in enumerate(pairwise(word), start):
            yield Term(one + other, at, at + 2)
