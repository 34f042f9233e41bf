"""What callers say to a service and how it is meant: phrases as data, found with their negation."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

import msgspec

Cue = Literal["angry", "anxious", "disappointed", "satisfied"]
"""The emotion that a phrase speaks of."""

_REACH: Final = 24
"""Characters before a hit in which a negation or an intensifier is looked for."""
_TURNED: Final = -0.5
"""What a negation makes of a value: "not angry" is less than its contrary."""
_STRONGER: Final = 1.25
_BEFORE_BUT, _AFTER_BUT = 0.6, 1.2
"""Shares of what stands before and after the last "but"; VADER's 0.5 and 1.5, closer together."""


class Hit(NamedTuple):
    """A phrase in a text."""

    start: int
    end: int
    value: float
    """-1.5 ... 1.5, with negation and intensifier."""
    cue: Cue | None


class _Language(msgspec.Struct, frozen=True):
    negation: str
    not_negation: str
    intensifier: str
    contrast: str
    service: tuple[str, ...] = ()


class _Group(msgspec.Struct, frozen=True):
    value: float
    phrases: tuple[str, ...]
    cue: Cue | None = None
    negated: bool = True


class _File(msgspec.Struct, frozen=True):
    language: _Language
    group: tuple[_Group, ...]


class Phrases:
    """The phrases of one language, compiled."""

    def __init__(self, written: _File) -> None:
        language = written.language
        self.service: Final = language.service
        self._negation = re.compile(language.negation)
        self._not_negation = re.compile(language.not_negation)
        self._intensifier = re.compile(language.intensifier)
        self._contrast = re.compile(language.contrast)
        self._groups = [(group, re.compile("|".join(group.phrases))) for group in written.group]

    def find(self, text: str) -> list[Hit]:
        """
        Phrases of a text in order; where two overlap the longer counts, or else the stronger.

        Args:
            text: In lower case, with straight apostrophes.
        """
        raw = [
            Hit(found.start(), found.end(), self._meant(text, found.start(), group), group.cue)
            for group, pattern in self._groups
            for found in pattern.finditer(text)
        ]
        raw.sort(key=lambda hit: (hit.start - hit.end, -abs(hit.value), hit.start))
        kept: list[Hit] = []
        for hit in raw:
            if all(hit.end <= other.start or other.end <= hit.start for other in kept):
                kept.append(hit)
        return sorted(self._contrasted(text, hit) for hit in kept)

    def _meant(self, text: str, start: int, group: _Group) -> float:
        before = text[max(0, start - _REACH) : start]
        value = group.value
        if strong := self._intensifier.search(before):
            value *= _STRONGER
            before = before[: strong.start()]
        if group.negated and self._negation.search(before) and not self._not_negation.search(before):
            value *= _TURNED
        return value

    def _contrasted(self, text: str, hit: Hit) -> Hit:
        turns = list(self._contrast.finditer(text))
        if not turns:
            return hit
        share = _AFTER_BUT if hit.start >= turns[-1].end() else _BEFORE_BUT
        return hit._replace(value=hit.value * share)


@cache
def phrases(language: Literal["zh", "en"]) -> Phrases:
    """The phrases that the project brings."""
    written = files("models").joinpath("phrases", f"{language}.toml").read_text(encoding="utf-8")
    return Phrases(msgspec.convert(tomllib.loads(written), _File))
