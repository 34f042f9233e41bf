"""
Phrases to be looked for, as playbooks write them.

``第 {n} 次 * 打电话``: tokens in order. ``*`` stands for a few tokens of the same sentence, ``{n}`` for a number,
``{ordinal}`` for an ordinal, ``{name}`` for a name of the lexicon; ``(a|b c)`` is a choice, ``[a]`` may be missing.
``re:`` begins a regular expression over the text as recognised, of RE2's syntax. Chinese phrases of three characters
and more, and English ones of two longer words and more, are found by sound as well: recognisers confuse homophones.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import re2

from agent_assist.advice.grammar import least, literals, needed, parse
from agent_assist.advice.grammar import pattern as pattern_of
from agent_assist.advice.spoken import STOP, Joined, Spoken, sounds, words

_BY_SOUND: Final = 3
"""Characters, in any way the phrase can be said, from which it is long enough to be told by its sound."""
_LONG: Final = 4
"""Letters from which a word's sound tells it from others."""
_LONG_WORDS: Final = 2
"""So many of them, in any way the phrase can be said, let it be told by its sound."""

# A negation right before the words, with nothing between but what belongs to the verb. "能不能", "要不要" ask;
# "再不" threatens, "还不" presses; "不得不" is no negation.
_NEGATED: Final = re.compile(
    r"(?:"
    r"(?:(?<![能要是可想会再还得] )不|(?<!有 )没|别|未|并 非)"
    r"(?: (?:想|要|会|打|算|准|备|是|需|用|必|有|说|过|考|虑|再|去|敢|愿|意|急|着))*"
    r"|(?<!\S)(?:(?<!can )(?<!could )(?<!why )not|never|no|without|nobody)"
    r"(?: (?:want|wanting|wanted|going|planning|trying|looking|need|wish|here|calling|to|say|said|saying|really|"
    r"actually|even|think|thinking|about|of|yet|be|have|been|ever|necessarily|i|am|a|my|the|for|asking|asked|ask|you|them))*"
    r") $"
)


class Found(NamedTuple):
    """Tokens from ``start`` up to ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """A phrase, ready to be looked for."""

    source: str
    han: bool
    """Whether it has Chinese characters: then it cannot stand in a text without, nor the other way round."""
    exact: re.Pattern[str] | None
    sound: re.Pattern[str] | None
    free: Any
    """A regular expression of RE2, which takes a time that grows with the text alone."""
    words: tuple[frozenset[str], ...]
    """One of each of these stands wherever the phrase does; none where nothing is certain."""
    sounds: tuple[frozenset[str], ...]
    """The same of sounds, wherever it is heard by its sound."""

    def may_stand(self, said: "Text") -> bool:
        """A quick look; false only where it certainly does not."""
        return all(not each.isdisjoint(said.words) for each in self.words) or (
            self.sound is not None and all(not each.isdisjoint(said.sounds) for each in self.sounds)
        )

    def find(self, said: "Text") -> list[Found]:
        """Where the phrase stands, if some of it is new."""
        return self.found(said) if self.may_stand(said) else []

    def found(self, said: "Text") -> list[Found]:
        """The same of one that may stand there."""
        found: list[Found] = []
        if self.free is None and not (said.has_han if self.han else said.has_words):
            return found
        if self.free is not None:
            found = [_covered(said.spoken, *match.span()) for match in self.free.finditer(said.spoken.original)]
        for pattern, joined in ((self.exact, said.exact), (self.sound, said.sound)):
            if pattern is not None:
                found += _all(pattern, joined)
        return [each for each in dict.fromkeys(found) if each.end > said.spoken.fresh_from and each.start < each.end]


class Text(NamedTuple):
    """An utterance in the forms in which phrases look at it."""

    spoken: Spoken
    exact: Joined
    sound: Joined
    has_han: bool
    has_words: bool
    words: frozenset[str]
    sounds: frozenset[str]

    @classmethod
    def of(cls, said: Spoken) -> "Text":
        han = [token.is_han for token in said.tokens if token.text != STOP]
        return cls(
            said,
            said.joined(sound=False),
            said.joined(sound=True),
            any(han),
            not all(han),
            frozenset(token.text for token in said.tokens),
            frozenset(token.sound for token in said.tokens),
        )


def negated(said: Text, found: Found) -> bool:
    """Whether what was found is denied."""
    return _NEGATED.search(said.exact.text, 0, said.exact.offsets[found.start]) is not None


@lru_cache(maxsize=65_536)
def compile_phrase(source: str) -> Phrase:
    """
    Make a phrase ready.

    Raises:
        ValueError: If it is not written as the module says.
    """
    if source.startswith("re:"):
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        try:
            free = re2.compile(source.removeprefix("re:").strip(), options)
        except re2.error as error:
            raise ValueError(f"a regular expression that RE2 does not take: {_told(error)}") from error
        return Phrase(source, False, None, None, free, (), ())
    parts = parse(source)
    said = [word for text in literals(parts) for word in words(text)]
    if not least(parts, words, lambda _: True):
        raise ValueError("no words that have to be said")
    han = any(map(_is_han, said))
    letters = least(parts, words, _is_han)
    long_words = least(parts, words, lambda word: len(word) >= _LONG)
    by_sound = letters >= _BY_SOUND if han else long_words >= _LONG_WORDS
    return Phrase(
        source,
        han,
        pattern_of(parts, words, han=han),
        pattern_of(parts, sounds, han=han) if by_sound else None,
        None,
        needed(parts, words),
        needed(parts, sounds),
    )


def _is_han(word: str) -> bool:
    return "㐀" <= word <= "鿿"


def _told(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


class Index:
    """
    Tells quickly which of many phrases may stand in a text.

    Args:
        sources: Phrases in any language.
    """

    def __init__(self, sources: Iterable[str] = ()) -> None:
        self.sources: Final = frozenset(sources)
        self._always: set[str] = set()
        self._words: dict[str, list[Phrase]] = {}
        self._sounds: dict[str, list[Phrase]] = {}
        for phrase in map(compile_phrase, self.sources):
            self._add(phrase)

    def _add(self, phrase: Phrase) -> None:
        for groups, known in ((phrase.words, self._words), (phrase.sounds, self._sounds)):
            if known is self._sounds and phrase.sound is None:
                continue
            if not groups:
                self._always.add(phrase.source)
                continue
            for token in groups[0]:
                known.setdefault(token, []).append(phrase)

    def standing(self, said: Text) -> set[str]:
        """Phrases that may stand there; the others certainly do not."""
        found = set(self._always)
        for tokens, known in ((said.words, self._words), (said.sounds, self._sounds)):
            for token in tokens & known.keys():
                found |= {phrase.source for phrase in known[token] if phrase.may_stand(said)}
        return found


def _all(pattern: re.Pattern[str], joined: Joined) -> list[Found]:
    """All places, those that overlap included: the first may be denied where the second is not."""
    found: list[Found] = []
    match = pattern.search(joined.text)
    while match is not None:
        found.append(Found(joined.offsets.index(match.start()), joined.offsets.index(match.end())))
        match = pattern.search(joined.text, match.start() + 1)
    return found


def _covered(said: Spoken, start: int, end: int) -> Found:
    inside = [i for i, token in enumerate(said.tokens) if token.start < end and token.end > start]
    return Found(inside[0], inside[-1] + 1) if inside else Found(0, 0)
