"""What was said as tokens: one for a Chinese character, a word, a number or the end of a sentence."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Final, NamedTuple

from models.sound import pinyin, word_sound

STOP: Final = "。"
"""The token that ends a sentence, in any language."""
NAME: Final = "{name}"
"""The token that stands for a name of the lexicon."""
_LATELY: Final = 64
"""Texts whose tokens are kept: several look at an utterance, and the next one of its speaker at its end."""

_HAN = r"㐀-鿿"
_TOKEN: Final = re.compile(rf"[{_HAN}]|\d+(?:\.\d+)?(?:st|nd|rd|th)?|[a-zà-ɏ]+(?:'[a-z]+)?|[.!?。]")
_IRREGULAR: Final = {
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "cannot": ("can", "not"),
    "let's": ("let", "us"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "dont": ("do", "not"),
    "cant": ("can", "not"),
    "wont": ("will", "not"),
    "didnt": ("did", "not"),
    "doesnt": ("does", "not"),
    "isnt": ("is", "not"),
    "im": ("i", "am"),
    "ive": ("i", "have"),
    "thats": ("that", "is"),
}
_ENDINGS: Final = {"n't": "not", "'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would", "'s": "is"}


class Token(NamedTuple):
    text: str
    """Lower case, without contractions."""
    sound: str
    """Pinyin without tone for a character, the code of a longer word, else the text."""
    start: int
    """Place in the original."""
    end: int

    @property
    def is_han(self) -> bool:
        return len(self.text) == 1 and "㐀" <= self.text <= "鿿"


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """Words in which phrases are looked for."""

    original: str
    tokens: tuple[Token, ...]
    fresh_from: int = 0
    """First token that is new; what lies before was said in the utterance before."""

    def joined(self, *, sound: bool) -> "Joined":
        return Joined.of([token.sound if sound else token.text for token in self.tokens])

    def heard(self, start: int, end: int) -> str:
        """The original of the tokens from ``start`` up to ``end``."""
        return self.original[self.tokens[start].start : self.tokens[end - 1].end] if start < end else ""

    def named(self, spans: Sequence[tuple[int, int]]) -> "Spoken":
        """The same words with each span of tokens replaced by one that stands for a name."""
        tokens: list[Token] = []
        fresh_from, at = self.fresh_from, 0
        for start, end in spans:
            tokens += self.tokens[at:start]
            tokens.append(Token(NAME, NAME, self.tokens[start].start, self.tokens[end - 1].end))
            if end <= self.fresh_from:
                fresh_from -= end - start - 1
            elif start < self.fresh_from:
                fresh_from = len(tokens) - 1
            at = end
        return Spoken(self.original, (*tokens, *self.tokens[at:]), fresh_from)


class Joined(NamedTuple):
    """Tokens as one string, each followed by a space."""

    text: str
    offsets: list[int]
    """Of each token, and the length at the end."""

    @classmethod
    def of(cls, tokens: Sequence[str]) -> "Joined":
        return cls("".join(f"{token} " for token in tokens), [0, *accumulate(len(token) + 1 for token in tokens)])


def spoken(text: str, before: str = "") -> Spoken:
    """
    Split what was said into tokens.

    Args:
        text: As recognised.
        before: What the same speaker said directly before, for phrases that a pause cuts in two.
    """
    new = _tokens(text)
    if not before:
        return Spoken(text, new, 0)
    old, shift = list(_tokens(before)), len(before) + 1
    while old and old[-1].text == STOP:
        old.pop()
    moved = (Token(one.text, one.sound, one.start + shift, one.end + shift) for one in new)
    return Spoken(f"{before} {text}", (*old, *moved), len(old))


def words(text: str) -> list[str]:
    """The tokens of a text, without ends of sentences."""
    return [token.text for token in _tokens(text) if token.text != STOP]


def sounds(text: str) -> list[str]:
    """The sounds of a text's tokens, without ends of sentences."""
    return [token.sound for token in _tokens(text) if token.text != STOP]


@lru_cache(maxsize=_LATELY)
def _tokens(text: str) -> tuple[Token, ...]:
    folded, places = _fold(text)
    found: list[Token] = []
    for match in _TOKEN.finditer(folded):
        start, end = places[match.start()], places[match.end() - 1] + 1
        found += [Token(part, part, start, end) for part in _parts(match.group())]
    return tuple(_with_sounds(found))


def _fold(text: str) -> tuple[str, Sequence[int]]:
    """Lower case and compatibility forms, and where each character comes from."""
    if text.isascii():
        return text.lower(), range(len(text))
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFKC", character).lower().replace("’", "'"):
            folded.append(part)
            places.append(place)
    return "".join(folded), places


def _parts(word: str) -> tuple[str, ...]:
    if word in ".!?。":
        return (STOP,)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, full in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return word.removesuffix(ending), full
    return (word,)


def _with_sounds(tokens: list[Token]) -> list[Token]:
    found: list[Token] = []
    for is_han, run in groupby(tokens, key=lambda token: token.is_han):
        group = list(run)
        if is_han:
            read = pinyin("".join(token.text for token in group))
            group = [token._replace(sound=sound) for token, sound in zip(group, read, strict=True)]
        else:
            group = [token._replace(sound=word_sound(token.text)) for token in group]
        found += group
    return found
