"""
Words that a recogniser cannot know: products, competitors, people, as the operator writes them.

A YAML file holds those of one installation; whoever serves several tenants gives each an installation and a file of
its own. See docs/recognition.md.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import yaml

from models.errors import VocabularyError
from models.sound import pinyin

MOST: Final = 1_000
"""Terms of a file."""
_LONGEST: Final = 40
_HAN: Final = "\u3400-\u9fff"
_UNIT: Final = re.compile(rf"[{_HAN}]|[^\W\d_{_HAN}]+(?:['’][^\W\d_{_HAN}]+)?|\d+")
_TITLES: Final = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof)\b\.?|先生|女士|小姐|太太|老师|经理", re.IGNORECASE)


class Unit(NamedTuple):
    """A Chinese character, a word of letters or a run of digits."""

    sound: str
    """Pinyin of a character, else the lower case."""
    han: bool
    start: int
    """Place in the text."""
    end: int


def units(text: str) -> list[Unit]:
    """Split a text; signs and spaces belong to no unit."""
    found: list[Unit] = []
    plain = [Unit(m[0].casefold().replace("’", "'"), "㐀" <= m[0] <= "鿿", *m.span()) for m in _UNIT.finditer(text)]
    for han, run in groupby(plain, key=lambda unit: unit.han):
        group = list(run)
        if han:
            read = pinyin("".join(unit.sound for unit in group))
            group = [unit._replace(sound=sound) for unit, sound in zip(group, read, strict=True)]
        found += group
    return found


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word or name."""

    text: str
    """As it is to be written."""
    sounds_like: tuple[str, ...] = ()
    """As the recogniser writes it when it does not know it, or as it is said where the letters do not tell."""

    def __post_init__(self) -> None:
        for text in (self.text, *self.sounds_like):
            if len(text) > _LONGEST:
                raise ValueError(f"expected at most {_LONGEST} characters, got {len(text)} in {text!r}")
            # One character or two letters sound like too much else.
            if not is_distinct(text):
                raise ValueError(f"expected at least two characters or three letters, got {text!r}")


def is_distinct(text: str) -> bool:
    """Whether a text is long enough to be found by its sound."""
    said = units(text)
    return (any(unit.han for unit in said) and len(said) > 1) or sum(len(u.sound) for u in said if not u.han) > 2


@dataclass(frozen=True)
class Vocabulary:
    """The terms of one call."""

    terms: tuple[Term, ...] = ()
    people: tuple[Term, ...] = ()
    """Names of those on the call, which nobody has chosen for being unlike other words."""

    @cached_property
    def spellings(self) -> tuple["Spelling", ...]:
        """Each text that stands for a term: computed once for all utterances, of named terms once for all calls."""
        people = [Spelling(term, term.text, tuple(units(term.text)), named=False) for term in self.people]
        return (*_spelt(self.terms), *people)


class Spelling(NamedTuple):
    """A text that stands for a term."""

    term: Term
    text: str
    units: tuple[Unit, ...]
    named: bool
    """Whether the operator has named the term; else the line has brought it."""


@lru_cache(maxsize=256)
def _spelt(terms: tuple[Term, ...]) -> tuple[Spelling, ...]:
    return tuple(
        Spelling(term, text, tuple(units(text)), named=True)
        for term in terms
        for text in (term.text, *term.sounds_like)
    )


NO_TERMS: Final = Vocabulary()


class Vocabularies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms of an installation."""

    terms: tuple[Term | str, ...] = ()
    """For every call."""
    queues: dict[str, tuple[Term | str, ...]] = {}
    """For the calls of a queue, besides."""

    def __post_init__(self) -> None:
        count = len(self.terms) + sum(map(len, self.queues.values()))
        if count > MOST:
            raise ValueError(f"expected at most {MOST} terms, got {count}")
        everywhere = {term.text for term in _terms(self.terms)}
        for queue, terms in {"": self.terms, **self.queues}.items():
            seen = everywhere if queue else set[str]()
            for term in _terms(terms):
                if term.text in seen:
                    raise ValueError(f"expected each term once, got {term.text!r} twice")
                seen = seen | {term.text}

    def extended(self, names: Iterable[str]) -> "Vocabularies":
        """These, and names for every call that come from elsewhere; those that are too short are left out."""
        known = {term.text for terms in (self.terms, *self.queues.values()) for term in _terms(terms)}
        new = [name for name in dict.fromkeys(names) if name not in known and _is_term(name)]
        return Vocabularies(terms=(*self.terms, *new), queues=self.queues)

    def of(self, queue: str | None = None, names: Sequence[str] = ()) -> Vocabulary:
        """
        The terms of a call.

        Args:
            queue: Where it came in; one that is not named has no terms of its own.
            names: Of the people on it; titles are left out, and each part of a name in letters is a term as well.
        """
        bare = [_TITLES.sub(" ", name).strip() for name in names]
        parts = [part for name in bare for part in (name, *re.findall(rf"[^\W\d_{_HAN}]+", name))]
        people = [Term(text=part) for part in parts if _is_term(part)]
        given = _terms((*self.terms, *self.queues.get(queue or "", ())))
        known = {term.text for term in given}
        others = {term.text: term for term in people if term.text not in known}
        return Vocabulary(given, tuple(others.values()))


@lru_cache(maxsize=256)
def _terms(terms: tuple[Term | str, ...]) -> tuple[Term, ...]:
    """The same object for the same terms, so that what is computed of them is found again quickly."""
    return tuple(Term(text=term) if isinstance(term, str) else term for term in terms)


def _is_term(text: str) -> bool:
    return len(text) <= _LONGEST and is_distinct(text)


def load(path: Path) -> Vocabularies:
    """
    Read a vocabulary.

    Raises:
        VocabularyError: Names the file, the place in it, what was expected and what stands there.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise VocabularyError(str(path), "readable YAML in UTF-8", str(error).replace("\n", " ")) from error
    try:
        return msgspec.convert(content, Vocabularies)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        expected, _, got = (message[:1].lower() + message[1:]).removeprefix("expected ").partition(", got ")
        where = f" at {place.rstrip('`')}" if place else ""
        raise VocabularyError(str(path), expected if got else "a vocabulary", (got or expected) + where) from error
