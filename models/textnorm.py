"""
One form for words, so that recognisers are compared by what was said and not by how it is written.

Case, punctuation, width of characters, traditional and simplified characters, contractions, fillers and numbers are
brought to one form, for Chinese and English alike and within one text. Every digit becomes a token of its own: "five
five five, zero one four two", "555-0142" and "五五五零一四二" are then the same seven tokens, and one wrong digit is
one error. The error rates are not comparable with those of other normalisers.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.numerals import english_numbers, mandarin_numbers
from models.script import simplified

_IDEOGRAPHS: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

_CURRENCIES: Final = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "元"}
_IS: Final = "it|he|she|that|what|who|there|here|where|how|this"
_CONTRACTIONS: Final = tuple(
    (re.compile(rf"\b{pattern}\b"), full)
    for pattern, full in (
        ("let's", "let us"),
        ("won't", "will not"),
        ("can't", "can not"),
        ("cannot", "can not"),
        ("shan't", "shall not"),
        ("ain't", "is not"),
        (rf"({_IS})'s", r"\1 is"),
        ("n't", " not"),
        (r"(\w+)n't", r"\1 not"),
        ("i'm", "i am"),
        (r"(\w+)'re", r"\1 are"),
        (r"(\w+)'ll", r"\1 will"),
        (r"(\w+)'ve", r"\1 have"),
        (r"(\w+)'d", r"\1 would"),
        ("gonna", "going to"),
        ("wanna", "want to"),
        ("gotta", "got to"),
        ("ok", "okay"),
        ("mr", "mister"),
        ("mrs", "missus"),
        ("dr", "doctor"),
        ("e-mail", "email"),
        ("per ?cent", "%"),
    )
)
_FILLERS: Final = re.compile(r"\b(?:u+h+|u+m+|h+m+|m+h+m+|m{2,}|erm*)\b")


@dataclass(frozen=True, slots=True)
class Errors:
    """The cheapest way from the reference to the hypothesis."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    n: int = 0
    """Length of the reference."""

    @property
    def total(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per token of the reference; may pass 1. An empty reference counts as one token."""
        return self.total / max(self.n, 1)

    def __add__(self, other: "Errors") -> "Errors":
        return Errors(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.n + other.n,
        )


def normalise(text: str) -> str:
    """
    Bring a text to the one form.

    Returns:
        Tokens with one space between them: lower-case words, single ideographs, single digits, "." within a number,
        "%".
    """
    text = unicodedata.normalize("NFKC", simplified(text)).casefold()
    text = text.replace("’", "'").replace("‘", "'")
    text = re.sub(r"\b(?:[a-z]\.){2,}", lambda found: found[0].replace(".", "") + " ", text)
    for pattern, full in _CONTRACTIONS:
        text = pattern.sub(full, text)
    text = _FILLERS.sub(" ", text).replace("&", " and ")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"([$€£¥])\s*(\d+(?:\.\d+)?)", lambda found: f"{found[2]} {_CURRENCIES[found[1]]} ", text)
    text = mandarin_numbers(text)
    # A point stays where it stands within a number; an apostrophe vanishes, other signs part words.
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", " ", text).replace("'", "")
    text = re.sub(r"[^\w.%]|_", " ", text)
    text = re.sub(rf"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])|(?=[{_IDEOGRAPHS}%])|(?<=[{_IDEOGRAPHS}%])", " ", text)
    tokens = english_numbers(text.split())
    spread = (" ".join(token) if token[0].isdigit() else token for token in tokens)
    return " ".join(spread)


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> Errors:
    """
    Count the errors on the cheapest path.

    Source: Levenshtein 1966, by the table of Wagner and Fischer 1974; of equal paths the one with most substitutions.
    """
    above = [Errors(insertions=column) for column in range(len(hypothesis) + 1)]
    for row, wanted in enumerate(reference, start=1):
        line = [Errors(deletions=row)]
        for column, got in enumerate(hypothesis, start=1):
            best = above[column - 1]
            if wanted != got:
                best = best + Errors(substitutions=1)
            if above[column].total + 1 < best.total:
                best = above[column] + Errors(deletions=1)
            if line[-1].total + 1 < best.total:
                best = line[-1] + Errors(insertions=1)
            line.append(best)
        above = line
    return above[-1] + Errors(n=len(reference))


def wer(reference: str, hypothesis: str) -> Errors:
    """Word errors after ``normalise``; an ideograph counts as a word, as Chinese writes none."""
    return align(normalise(reference).split(), normalise(hypothesis).split())


def cer(reference: str, hypothesis: str) -> Errors:
    """Character errors after ``normalise``, spaces left out."""
    return align(normalise(reference).replace(" ", ""), normalise(hypothesis).replace(" ", ""))
