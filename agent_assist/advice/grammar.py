"""How phrases are written: their parts, the pattern that finds them, and the words without which they cannot stand."""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from agent_assist.advice.spoken import NAME, STOP

_GAP_HAN: Final = 8
_GAP_WORDS: Final = 4
_MOST_GAPS: Final = 4
"""Each multiplies the ways in which a phrase may stand in a text."""
_PIECE: Final = re.compile(r"\*|\{[a-z]+\}|[()\[\]|]|[^*{}()\[\]|]+")
_NUMBER: Final = (
    "[一二三四五六七八九十两几0-9]+|好 几|好 多|(?:yi|er|san|si|wu|liu|qi|ba|jiu|shi|liang|ji)|hao ji|hao duo"
    "|(?:one|two|three|four|five|six|seven|eight|nine|ten|twice|several|many)"
)
_ORDINAL: Final = (
    r"(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|umpteenth|hundredth|\d+(?:st|nd|rd|th))"
)
_COMMON: Final = frozenset("的了我你是不有这那就都也在要个们么没说给到去还会能再好一")
_COMMON_WORDS: Final = frozenset(
    {"i", "you", "the", "a", "to", "my", "is", "it", "and", "of", "not", "this", "that", "have", "me", "in", "for"}
    | {"will", "do", "be", "are", "was", "can", "your", "we", "with", "on"}
)

Split = Callable[[str], list[str]]
"""Text to the tokens that stand for it: words, or sounds."""


class Literal(NamedTuple):
    """Words one after the other."""

    text: str


class Slot(NamedTuple):
    """Something of a kind: ``*``, ``{n}``, ``{ordinal}`` or ``{name}``."""

    kind: str


class Choice(NamedTuple):
    """One of several, or, of optional ones, none."""

    options: tuple[tuple["Part", ...], ...]
    optional: bool


Part = Literal | Slot | Choice
_SLOTS: Final = frozenset({"*", "{n}", "{ordinal}", NAME})
_CLOSING: Final = {"(": ")", "[": "]"}


def parse(source: str) -> tuple[Part, ...]:
    """
    The parts of a phrase.

    Raises:
        ValueError: If brackets do not match, a placeholder is unknown, or there are too many gaps.
    """
    pieces = _PIECE.findall(source)
    if "".join(pieces) != source:
        raise ValueError("a brace without its other half")
    if pieces.count("*") > _MOST_GAPS:
        raise ValueError(f"more than {_MOST_GAPS} gaps")
    options, at = _options(pieces, 0, "")
    if at != len(pieces):
        raise ValueError(f"{pieces[at]} without its other half")
    return options[0] if len(options) == 1 else (Choice(options, optional=False),)


def _options(pieces: Sequence[str], at: int, closing: str) -> tuple[tuple[tuple[Part, ...], ...], int]:
    """The alternatives up to ``closing``, and where that stands."""
    options: list[list[Part]] = [[]]
    while at < len(pieces) and pieces[at] != closing:
        piece = pieces[at]
        if piece in _CLOSING:
            inner, end = _options(pieces, at + 1, _CLOSING[piece])
            if end == len(pieces) or pieces[end] != _CLOSING[piece]:
                raise ValueError(f"{piece} without its other half")
            options[-1].append(Choice(inner, optional=piece == "["))
            at = end + 1
            continue
        if piece in {")", "]"}:
            break
        if piece == "|":
            options.append([])
        elif piece in _SLOTS:
            options[-1].append(Slot(piece))
        elif piece.startswith("{"):
            raise ValueError(f"the unknown placeholder {piece}")
        elif piece.strip():
            options[-1].append(Literal(piece))
        at += 1
    return tuple(tuple(option) for option in options), at


def literals(parts: Sequence[Part]) -> list[str]:
    """All words of a phrase, of every choice."""
    found: list[str] = []
    for part in parts:
        match part:
            case Literal(text):
                found.append(text)
            case Slot():
                pass
            case Choice(options):
                found += [text for option in options for text in literals(option)]
    return found


def pattern(parts: Sequence[Part], split: Split, *, han: bool) -> re.Pattern[str]:
    """What finds a phrase in tokens that are each followed by a space."""
    return re.compile(r"(?<!\S)(?:" + _expression(parts, split, _GAP_HAN if han else _GAP_WORDS) + ")")


def _expression(parts: Sequence[Part], split: Split, gap: int) -> str:
    found: list[str] = []
    for part in parts:
        match part:
            case Literal(text):
                found += [f"{re.escape(word)} " for word in split(text)]
            case Slot("*"):
                found.append(rf"(?:[^ {STOP}]+ ){{0,{gap}}}?")
            case Slot("{n}"):
                found.append(rf"(?:(?:{_NUMBER}) )+")
            case Slot("{ordinal}"):
                found.append(rf"{_ORDINAL} ")
            case Slot():
                found.append(r"\{name\} ")
            case Choice(options, optional):
                inner = "|".join(_expression(option, split, gap) for option in options)
                found.append(f"(?:{inner})" + ("?" if optional else ""))
    return "".join(found)


MOST_NEEDED: Final = 3
"""Groups of tokens that are looked for before a phrase is."""


def needed(parts: Sequence[Part], split: Split) -> tuple[frozenset[str], ...]:
    """Groups of tokens: of each one at least stands wherever the phrase does; the rarest first, at most three."""
    found: list[frozenset[str]] = []
    for part in parts:
        match part:
            case Literal(text):
                candidates = [frozenset({word}) for word in split(text)]
            case Slot(kind) if kind == NAME:
                candidates = [frozenset({NAME})]
            case Choice(options, optional=False):
                each = [needed(option, split) for option in options]
                candidates = [frozenset().union(*(one[0] for one in each))] if all(each) else []
            case _:
                candidates = []
        found += candidates
    return tuple(sorted(dict.fromkeys(found), key=_cost)[:MOST_NEEDED])


def _cost(tokens: frozenset[str]) -> int:
    """How often one of them may be expected; a common word says little."""
    return sum(20 if token in _COMMON or token in _COMMON_WORDS else 1 for token in tokens)


def least(parts: Sequence[Part], split: Split, counts: Callable[[str], bool]) -> int:
    """The smallest number of tokens of a kind with which the phrase may be said."""
    total = 0
    for part in parts:
        match part:
            case Literal(text):
                total += sum(map(counts, split(text)))
            case Choice(options, optional=False):
                total += min(least(option, split, counts) for option in options)
            case _:
                pass
    return total
