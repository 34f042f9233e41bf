"""
Terms of a vocabulary in the place of words that sound like them.

A recogniser writes a name that it does not know with common words of the same sound: 龙耀 becomes 龙药. Words that
sound like a term are candidates; whether one stands, the recogniser decides itself: it says how likely its audio makes
the text with the term and the text without, and a term is favoured by a bonus (shallow fusion by rescoring, after Hall
et al. 2015, "Composition-based on-the-fly rescoring for salient n-gram biasing").
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from models.sound import at_least, letter_distance, letters, syllable_distance
from models.types import Correction
from models.vocabulary import Term, Unit, Vocabulary, units

_CLAUSE: Final = re.compile(r"(?:[^。，？！；：、,.?!;:]|[,.?!;:](?=[^\s]))+")
"""No term reaches over a sign: 没到，订单 is not 到订."""
_FAR: Final = 0.34
"""Mean distance of the sounds from which on words are no candidate."""
_MOST: Final = 6
"""Candidates of an utterance that are asked about: each costs the recogniser a third of what the utterance did."""
_PER_SOUND: Final = 6.0
_PER_DISTANCE: Final = 12.0
"""
Nats, chosen on 225 training utterances of CASIA with 32 of their rarer words and 500 other names as terms: of 529
candidates 81 that were said and 4 that were not got in.
"""
_UNNAMED: Final = 0.5


class Candidate(NamedTuple):
    """A term where words sound like it."""

    start: int
    """Place in the text."""
    end: int
    term: Term
    size: int
    """Of the term in sounds: syllables, and letters by threes."""
    distance: float
    """Of the sounds, summed up: 0 where they are the same."""
    certain: bool
    """Whether the words are what the term is known to be heard as."""
    named: bool = True
    """Whether the operator has named the term."""

    @property
    def bonus(self) -> float:
        """Nats by which the text with the term may be less likely: it grows with what sounds the same."""
        return (1.0 if self.named else _UNNAMED) * (_PER_SOUND * self.size - _PER_DISTANCE * self.distance)


def candidates(text: str, vocabulary: Vocabulary) -> list[Candidate]:
    """
    Where words sound like a term that does not stand there.

    Args:
        text: Simplified Chinese, English or both.

    Returns:
        The certain ones, then the likeliest, so many as are worth asking about.
    """
    found: dict[tuple[int, int, str], Candidate] = {}
    standing: list[tuple[int, int]] = []
    for clause in _CLAUSE.finditer(text):
        said = _Said(units(clause[0]))
        for term, spelling, wanted, named in vocabulary.spellings:
            for start, end, distance in _near(said, wanted):
                first, last = clause.start() + said.units[start].start, clause.start() + said.units[end - 1].end
                heard = text[first:last]
                if heard.casefold() == term.text.casefold():
                    standing.append((first, last))
                    continue
                size = sum(1 if unit.han else max(1, len(unit.sound) // 3) for unit in wanted)
                certain = spelling != term.text and heard.casefold() == spelling.casefold()
                one = Candidate(first, last, term, size, distance, certain, named)
                key = (first, last, term.text)
                found[key] = max(one, found.get(key, one), key=lambda each: (each.certain, each.bonus))
    free = [one for one in found.values() if all(one.end <= start or one.start >= end for start, end in standing)]
    sure = [one for one in free if one.certain]
    unsure = [one for one in free if not one.certain]
    return sure + sorted(unsure, key=lambda one: (-one.bonus, one.start))[:_MOST]


class _Window(NamedTuple):
    """Words of letters beside each other."""

    start: int
    heard: str
    letters: int


class _Said:
    """A clause, and its windows of letters: the same for all terms."""

    def __init__(self, said: Sequence[Unit]) -> None:
        self.units = said
        self._windows: dict[int, list[_Window]] = {}

    def windows(self, size: int) -> list[_Window]:
        """Of so many units."""
        if (known := self._windows.get(size)) is not None:
            return known
        found = self._windows[size] = []
        for start in range(len(self.units) - size + 1):
            window = self.units[start : start + size]
            if not any(unit.han for unit in window):
                heard = "".join(unit.sound for unit in window)
                found.append(_Window(start, heard, letters(heard)))
        return found


def _near(said: _Said, wanted: Sequence[Unit]) -> Iterable[tuple[int, int, float]]:
    """First unit, the one behind the last, and the distance of what sounds like a spelling."""
    if not any(unit.han for unit in wanted):
        yield from _near_letters(said, wanted)
        return
    size, most = len(wanted), _FAR * len(wanted)
    for start in range(len(said.units) - size + 1):
        total = 0.0
        for unit, other in zip(said.units[start : start + size], wanted, strict=True):
            total += _apart(unit, other)
            if total > most:
                break
        else:
            yield start, start + size, total


def _apart(unit: Unit, other: Unit) -> float:
    if unit.han != other.han:
        return 1.0
    if unit.han:
        return syllable_distance(unit.sound, other.sound)
    return letter_distance(unit.sound, other.sound) / max(len(unit.sound), len(other.sound))


def _near_letters(said: _Said, wanted: Sequence[Unit]) -> Iterable[tuple[int, int, float]]:
    name = "".join(unit.sound for unit in wanted)
    most, mine = _FAR * len(name), letters(name)
    for size in range(max(1, len(wanted) - 1), len(wanted) + 2):
        for start, heard, theirs in said.windows(size):
            if abs(len(heard) - len(name)) > most or at_least(mine, theirs) > most:
                continue
            if (distance := letter_distance(heard, name, most)) <= most:
                yield start, start + size, distance / 3


def chosen(found: Sequence[Candidate], likelier: Sequence[float]) -> list[Candidate]:
    """
    The candidates that stand.

    Args:
        likelier: Nats by which the text with each is likelier than the text as heard; mostly below 0. Those that are
            certain stand whatever it says.

    Returns:
        In the order of the text, none over another.
    """
    gains = {one: float("inf") if one.certain else gain + one.bonus for one, gain in zip(found, likelier, strict=True)}
    standing: list[Candidate] = []
    for one in sorted(gains, key=lambda one: -gains[one]):
        if gains[one] > 0 and all(one.end <= other.start or one.start >= other.end for other in standing):
            standing.append(one)
    return sorted(standing)


def replaced(text: str, standing: Sequence[Candidate]) -> str:
    """The text with the terms in their places; candidates in the order of the text."""
    parts: list[str] = []
    at = 0
    for one in standing:
        parts += text[at : one.start], one.term.text
        at = one.end
    return "".join([*parts, text[at:]])


class Tokens(Protocol):
    """A tokenizer."""

    def encode(self, text: str) -> Sequence[int]: ...

    def decode(self, tokens: list[int]) -> str: ...


def rewritten(
    tokens: Sequence[int], standing: Sequence[Candidate], tokenizer: Tokens, script: Callable[[str], str]
) -> tuple[int, ...]:
    """
    The tokens with the terms in them; those beside the terms stay as the decoder chose them.

    Args:
        standing: In the order of the text that the tokens make up.
        script: What a term is put through first.
    """
    texts = [tokenizer.decode(list(tokens[:end])) for end in range(len(tokens) + 1)]
    text = texts[-1]
    # A character may lie in several tokens: only behind the last of them does the text go on.
    ends = [(len(before), at) for at, before in enumerate(texts) if text.startswith(before)]
    groups: list[tuple[tuple[int, int], tuple[int, int], list[Candidate]]] = []
    for one in standing:
        first, last = max(end for end in ends if end[0] <= one.start), min(end for end in ends if end[0] >= one.end)
        shared = groups.pop() if groups and first[1] < groups[-1][1][1] else (first, last, [])
        groups.append((shared[0], last, [*shared[2], one]))
    found: list[int] = []
    done = 0
    for first, last, group in groups:
        terms = [one._replace(term=Term(text=script(one.term.text))) for one in group]
        whole = replaced(text, terms)
        piece = whole[first[0] : len(whole) - (len(text) - last[0])]
        found += (*tokens[done : first[1]], *tokenizer.encode(piece))
        done = last[1]
    return (*found, *tokens[done:])


def corrections(text: str, standing: Iterable[Candidate]) -> tuple[Correction, ...]:
    """What was heard and what is written for it."""
    return tuple(Correction(heard=text[one.start : one.end], written=one.term.text) for one in standing)
