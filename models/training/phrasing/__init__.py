"""
Texts made from our own sentences, in files beside this one that say how they are written.

``zh.toml`` and ``en.toml`` hold the slots and patterns with many choices, ``*_said.toml`` whole sentences of many
trades, ``*_denied.toml`` and ``*_nothing.toml`` those that are close to an intent without meaning it, ``*_calls.toml``
longer ones, ``*_wishes.toml`` wishes said by the way.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from random import Random
from typing import Final, Literal, NamedTuple

import msgspec

PARTS: Final = ("said", "denied", "calls", "nothing", "wishes")
"""Files of a language beside that of its patterns."""
_CHOICE: Final = re.compile(r"\(([^()]*)\)")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_SPACES: Final = re.compile(r"\s+")
_OPENED, _CLOSED, _FILLED = 0.30, 0.15, 0.15
"""How often a sentence gets words before it, after it, within it."""
_JOINED: Final = 0.35
"""Pairs of sentences in one text, for every text of one."""
_TRIES: Final = 3


class Made(NamedTuple):
    """A text and what it wants."""

    text: str
    intents: frozenset[str]
    origin: int
    """The sentence that it was made from, or the first of them: texts of one origin are alike."""


class _Group(msgspec.Struct, frozen=True):
    intents: tuple[str, ...]
    sentences: str
    near: str = ""


class _Mix(msgspec.Struct, frozen=True):
    openers: str
    closers: str
    fillers: str


class _More(msgspec.Struct, frozen=True):
    group: tuple[_Group, ...]


class _File(_More, frozen=True):
    slots: dict[str, str]
    mix: _Mix


class _Pattern(NamedTuple):
    source: str
    intents: frozenset[str]
    near: str
    origin: int


def _lines(block: str) -> list[str]:
    return [line for line in block.splitlines() if line.strip() and not line.startswith("#")]


def _read(name: str) -> object:
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


def expand(pattern: str, slots: Mapping[str, Sequence[str]], random: Random) -> str:
    """One text of a pattern: choices made from the innermost on, slots filled as they come up."""
    text = pattern
    while True:
        if (choice := _CHOICE.search(text)) is not None:
            found, put = choice, random.choice(choice.group(1).split("|"))
        elif (slot := _SLOT.search(text)) is not None:
            found, put = slot, random.choice(slots[slot.group(1)])
        else:
            return text
        text = text[: found.start()] + put + text[found.end() :]


class Phrasing:
    """The sentences of one language."""

    def __init__(self, language: Literal["zh", "en"]) -> None:
        written = msgspec.convert(_read(language), _File)
        more = [msgspec.convert(_read(f"{language}_{part}"), _More) for part in PARTS]
        self._language: Final = language
        self._slots = {name: _lines(block) for name, block in written.slots.items()}
        self._openers, self._closers = _lines(written.mix.openers), _lines(written.mix.closers)
        self._fillers = _lines(written.mix.fillers)
        sources = [
            (line, group) for part in (written, *more) for group in part.group for line in _lines(group.sentences)
        ]
        self._patterns = [
            _Pattern(line, frozenset(group.intents), group.near, origin) for origin, (line, group) in enumerate(sources)
        ]

    def make(self, each: int, random: Random) -> list[Made]:
        """
        Texts of one sentence and of two, no text twice.

        Args:
            each: Texts of every sentence at most; those with few choices give fewer.
        """
        made: dict[str, Made] = {}
        singles: list[tuple[_Pattern, str]] = []
        for pattern in self._patterns:
            seen: set[str] = set()
            for _ in range(each * _TRIES):
                text = self._tidy(expand(pattern.source, self._slots, random))
                spoken = self._spoken(text, random)
                if len(seen) < each and text and spoken not in seen:
                    seen.add(spoken)
                    singles.append((pattern, text))
                    self._add(made, spoken, pattern.intents, pattern.origin)
        for _ in range(int(len(singles) * _JOINED)):
            (one, first), (other, second) = random.sample(singles, 2)
            if one.near in other.intents or other.near in one.intents:
                continue  # "I don't want to cancel" beside "cancel it" wants both.
            self._add(made, self._join(first, second), one.intents | other.intents, one.origin)
        return list(made.values())

    def _add(self, made: dict[str, Made], text: str, intents: frozenset[str], origin: int) -> None:
        made.setdefault(text, Made(text, intents, origin))

    def _spoken(self, text: str, random: Random) -> str:
        """With the words that come with speech."""
        if random.random() < _FILLED:
            text = self._fill(text, random)
        if random.random() < _OPENED:
            text = self._glue(random.choice(self._openers), text)
        if random.random() < _CLOSED:
            text += random.choice(self._closers)
        question = text.endswith(("吗", "呢", "么")) or text.startswith(
            ("how", "what", "where", "can ", "could", "when", "why", "who", "is ", "do ", "does ", "will ", "are ")
        )
        full = ("？", "。") if self._language == "zh" else ("?", ".")
        return self._tidy(self._capital(text) + full[not question])

    def _fill(self, text: str, random: Random) -> str:
        filler = random.choice(self._fillers)
        if self._language == "zh":
            at = random.randrange(len(text) + 1)
            return text[:at] + filler + text[at:]
        words = text.split(" ")
        words.insert(random.randrange(len(words) + 1), filler)
        return " ".join(words)

    def _glue(self, one: str, other: str) -> str:
        return one + other if self._language == "zh" else f"{one} {other}"

    def _join(self, first: str, second: str) -> str:
        if self._language == "zh":
            return f"{first}，{second}。"
        return f"{self._capital(first)}, {second}."

    def _capital(self, text: str) -> str:
        return text[:1].upper() + text[1:]

    def _tidy(self, text: str) -> str:
        return _SPACES.sub(" ", text).replace(" ,", ",").replace(" .", ".").replace(" '", "'").strip(" ,，")
