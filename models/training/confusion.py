"""Texts as a telephone and a recogniser leave them: for training that does not trust every word."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from random import Random
from typing import Final

from models.sound import pinyin, syllable_distance

RATE: Final = 0.15
"""Characters or words that come out wrong: what a small recogniser leaves on the telephone."""
_REPLACED, _DELETED = 0.70, 0.20
"""Shares of the errors; the rest are insertions. Of most recognisers' errors two in three are substitutions."""
_NEAR: Final = 0.25
"""Distance up to which syllables are mistaken for each other: one initial for another that sounds like it."""
_NEAR_SHARE: Final = 0.25
"""How often, beside those that sound the same."""
_TOKEN: Final = re.compile(r"[\u4e00-\u9fff]|[A-Za-z]+(?:'[A-Za-z]+)*|.", re.DOTALL)
_CJK: Final = re.compile(r"[\u4e00-\u9fff]")
_WORD: Final = re.compile(r"[A-Za-z]")
_FILLERS: Final = {"zh": ("嗯", "啊", "那", "就", "的"), "en": ("uh", "um", "the", "and", "a")}
_SPACES: Final = re.compile(r"\s+")


def plain(text: str) -> str:
    """Without punctuation and capitals, as many recognisers write; an apostrophe within a word stays."""
    kept = "".join(
        sign if unicodedata.category(sign)[0] in "LNM" or sign in "'’" else " " for sign in text.lower()
    ).replace("’", "'")
    return _SPACES.sub(" ", re.sub(r"(?<!\w)'|'(?!\w)", " ", kept)).strip()


class Confusion:
    """
    Errors like a recogniser's: what sounds alike is taken for each other, the more often the more it is said.

    A Chinese character becomes one of the same or nearly the same syllable, an English word one with the same
    consonants; some are left out, and some fillers come in.
    """

    def __init__(self, texts: Iterable[str], *, rate: float = RATE) -> None:
        """
        Learn what is said.

        Args:
            texts: Characters and words are put in only if they stand here, by how often they do.
            rate: Errors a character or word, 0 ... 1.
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"expected a rate of 0 ... 1, got {rate}")
        self._rate = rate
        counts = Counter(token.lower() for text in texts for token in _TOKEN.findall(text) if _sounds(token))
        self._alike: dict[str, list[tuple[str, int]]] = {}
        for token, count in counts.items():
            self._alike.setdefault(_key(token), []).append((token, count))
        self._syllables = sorted(key for key, found in self._alike.items() if _CJK.match(found[0][0]))
        self._choices: dict[str, tuple[list[str], list[float]]] = {}

    def __call__(self, text: str, random: Random) -> str:
        """A text with errors; the same for the same state of ``random``."""
        tokens: list[str] = _TOKEN.findall(text)
        readings = iter(pinyin("".join(token for token in tokens if _CJK.match(token))))
        written: list[str] = []
        for token in tokens:
            key = next(readings) if _CJK.match(token) else _key(token) if _sounds(token) else None
            if key is None or random.random() >= self._rate:
                written.append(token)
            else:
                written.append(self._wrong(token, key, random))
        return _SPACES.sub(" ", "".join(written)).strip()

    def _wrong(self, token: str, key: str, random: Random) -> str:
        at = random.random()
        chinese = _CJK.match(token) is not None
        if at >= _REPLACED + _DELETED:
            filler = random.choice(_FILLERS["zh" if chinese else "en"])
            return f"{filler}{token}" if chinese else f"{filler} {token}"
        tokens, weights = self._heard_as(key, chinese=chinese)
        if at >= _REPLACED or not any(other != token.lower() for other in tokens):
            return ""
        return random.choices(
            tokens, [0.0 if other == token.lower() else w for other, w in zip(tokens, weights, strict=True)]
        )[0]

    def _heard_as(self, key: str, *, chinese: bool) -> tuple[list[str], list[float]]:
        found = self._choices.get(key)
        if found is None:
            weighed = {token: float(count) for token, count in self._alike.get(key, ())}
            for other in self._syllables if chinese else ():
                if other != key and syllable_distance(key, other) <= _NEAR:
                    weighed |= {token: _NEAR_SHARE * count for token, count in self._alike[other]}
            found = self._choices[key] = list(weighed), list(weighed.values())
        return found


def _sounds(token: str) -> bool:
    return _CJK.match(token) is not None or _WORD.match(token) is not None


@cache
def _key(token: str) -> str:
    """What the token sounds like: the syllable, or the consonants by their kind and whether a vowel comes first."""
    if _CJK.match(token):
        return pinyin(token)[0]
    return "*" + _skeleton(token.lower())


_KINDS: Final = {letter: letters[0] for letters in ("bpvf", "dt", "gkczsjqx", "mn", "l", "r") for letter in letters}


def _skeleton(word: str) -> str:
    """Soundex's idea, for the whole of the word: letters of a kind are one, vowels count only at the beginning."""
    kinds = [_KINDS.get(letter, "") for letter in word]
    runs = [kind for at, kind in enumerate(kinds) if kind and (at == 0 or kinds[at - 1] != kind)]
    return ("a" if not kinds[0] else "") + "".join(runs)
