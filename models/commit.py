"""
What of a growing utterance will not change any more.

Local agreement (Macháček, Dabre, Bojar 2023, "Turning Whisper into Real-Time Transcription System"): what two passes
over the same speech agree on is committed and shown as it is from then on, whatever later passes say. Where much is
committed, the speech before it need not be decoded again.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from models.types import Word

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:['’.\-][^\W\u3400-\u9fff]+)*")


class _Unit(NamedTuple):
    """A word, or for Chinese an ideograph, with what stands before it."""

    lead: str
    word: str

    @property
    def key(self) -> str:
        return self.word.casefold()


class Shown(NamedTuple):
    """A partial as it is told."""

    text: str
    committed: int
    """Characters of ``text``, from its beginning, that later partials begin with as well."""


class Commitment(msgspec.Struct, frozen=True, kw_only=True):
    """What is committed of one utterance; made anew by each pass."""

    text: str = ""
    before: int = 0
    """Characters of ``text`` whose speech is cut off: later passes do not hear it."""
    last: str = ""
    """What the last pass said behind ``text``."""

    def add(self, heard: str) -> tuple["Commitment", Shown]:
        """
        Take in what a pass heard in the speech that is not cut off.

        Returns:
            What is committed now, and what is to be shown: what is committed, and what this pass says behind it.
        """
        known, (units, tail) = _units(self.text[self.before :])[0], _units(heard)
        rest = units[_behind(known, units) :]
        agreed = _agreed(_units(self.last)[0], rest)
        text = self.text + _joined(self.text, rest[:agreed])
        left = _joined(text, rest[agreed:]) + (tail if rest or not text else "")
        return msgspec.structs.replace(self, text=text, last=left), Shown(text + left, len(text))

    def cut(self, heard: str, words: Sequence[Word]) -> tuple["Commitment", int] | None:
        """
        Cut off the speech of what is committed.

        Args:
            heard: What the pass heard that ``add`` took in last.
            words: Its words, with times from the start of the speech that the pass heard.

        Returns:
            What is committed, and where to cut, in milliseconds; None where nothing new is committed.
        """
        known, units = _units(self.text[self.before :])[0], _units(heard)[0]
        if not known:
            return None
        wanted = sum(len(unit.word) for unit in units[: _behind(known, units)])
        for word in words:
            wanted -= sum(len(unit.word) for unit in _units(word.text)[0])
            if wanted <= 0:
                # A word that reaches over the committed text would be heard in halves.
                return (msgspec.structs.replace(self, before=len(self.text)), word.end_ms) if wanted == 0 else None
        return None


def _units(text: str) -> tuple[list[_Unit], str]:
    """The units of a text, and what stands behind the last."""
    units, end = [], 0
    for found in _WORD.finditer(text):
        units.append(_Unit(text[end : found.start()], found[0]))
        end = found.end()
    return units, text[end:]


def _joined(before: str, units: Sequence[_Unit]) -> str:
    """What the units add to a text; two Latin words of two passes need a space between them."""
    text = "".join(unit.lead + unit.word for unit in units)
    return f" {text}" if _is_latin(before[-1:]) and _is_latin(text[:1]) else text


def _is_latin(sign: str) -> bool:
    return sign.isascii() and sign.isalnum()


def _agreed(one: Sequence[_Unit], other: Sequence[_Unit]) -> int:
    """How many units both begin with."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a.key != b.key), min(len(one), len(other)))


def _behind(known: Sequence[_Unit], units: Sequence[_Unit]) -> int:
    """Where ``units`` go on behind what is known: behind the prefix nearest to it in edits, the longest such."""
    costs = list(range(len(units) + 1))
    for n, unit in enumerate(known, 1):
        row = [n]
        for m, other in enumerate(units, 1):
            row.append(min(costs[m] + 1, row[-1] + 1, costs[m - 1] + (unit.key != other.key)))
        costs = row
    return max(range(len(costs)), key=lambda m: (-costs[m], -abs(m - len(known)), m))
