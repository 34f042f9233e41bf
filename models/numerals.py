"""Spoken numbers to digits, in Mandarin and English."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_DIGITS: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_UNITS: Final = {"十": 10, "百": 100, "千": 1_000}
_GROUPS: Final = {"万": 10_000, "亿": 100_000_000}
_SPOKEN: Final = "".join(_DIGITS) + "".join(_UNITS) + "".join(_GROUPS)
NUMERAL: Final = (
    rf"(?!(?:(?<=[百千万亿\d])|(?<=[百千万亿][二三四五六七八九]))一[个月年天晚次件张位台部单箱包斤盒瓶趟杯])[{_SPOKEN}]"
)
"""Pattern of one numeral of a run; the 一 of a measure ends it: 三百一个月 is 300 a month."""
DECIMAL: Final = rf"点[{''.join(_DIGITS)}]+(?![{_SPOKEN}分刻几])"
_RUN: Final = re.compile(rf"(百分之)?((?:{NUMERAL}|\d+(?:\.\d+)?)+(?:{DECIMAL})?)")
_DAYTIME: Final = re.compile(
    r"(?:早上|上午|中午|下午|傍晚|晚上|夜里|夜间|凌晨|清晨|半夜|今早|今晚|明早|明晚|昨晚|早晨)$"
)
_PIECE: Final = re.compile(r"\d+(?:\.\d+)?|.")

_SMALL: Final = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS: Final = {
    word: value * 10
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_IRREGULAR: Final = {
    "first": "one",
    "second": "two",
    "third": "three",
    "fifth": "five",
    "eighth": "eight",
    "ninth": "nine",
    "twelfth": "twelve",
}
_ORDINALS: Final = (
    {word + "th": word for word in (*list(_SMALL)[4:], "hundred", *_SCALES)}
    | {word[:-1] + "ieth": word for word in _TENS}
    | _IRREGULAR
)
_PLAIN: Final = re.compile(r"[1-9]\d*(?:\.\d+)?")
_REPEATS: Final = {"double": 2, "triple": 3}


def mandarin_numbers(text: str) -> str:
    """
    Write every run of Chinese numerals in digits: 二零二六 as 2026, 一百二十三 as 123, 三点五 as 3.5, 3万 as 30000.

    What is no number by the rules keeps its units and has its digits replaced; 一两 and 两三 are vague and stay.
    """
    return _RUN.sub(_mandarin, text)


def _mandarin(found: re.Match[str]) -> str:
    whole, _, fraction = found[2].partition("点")
    if is_vague(whole):
        return found[0]
    number = _read(_PIECE.findall(whole))
    if number is None:
        number = "".join(str(_DIGITS.get(character, character)) for character in whole)
    if fraction:
        clock = is_clock(found.string[: found.start()], fraction)
        number += ("点" if clock else ".") + "".join(str(_DIGITS[character]) for character in fraction)
    return f" {number}% " if found[1] else f" {number} "


def is_vague(run: str) -> bool:
    """Whether it counts loosely, or names things by the pair: 一两, 两三, 两两."""
    return "两" in run and len(run) > 1 and all(character in _DIGITS for character in run)


def is_clock(before: str, fraction: str) -> bool:
    """Whether what follows 点 are minutes: 早上八点零五."""
    return len(fraction) == 2 and fraction[0] in "零〇" and _DAYTIME.search(before) is not None


def mandarin_number(run: str) -> str | None:
    """
    A run of Chinese numerals in digits, by the rules of reading; None where they do not hold, as in 百 or 万 alone.

    Digits alone are read one by one: 二零二六 is 2026, 七八 is 78.
    """
    number = _read(_PIECE.findall(run))
    return number if number is not None and number[0].isdecimal() else None


def _read(pieces: Sequence[str]) -> str | None:
    if all(piece in _DIGITS or piece.isdecimal() for piece in pieces):
        return "".join(str(_DIGITS.get(piece, piece)) for piece in pieces)
    if len(pieces) == 1:
        # 百, 万 and the like alone are parts of words.
        return "10" if pieces[0] == "十" else pieces[0]
    reading = _Mandarin()
    return _plain(reading.total(pieces[-1])) if all(reading.take(piece) for piece in pieces) else None


@dataclass(slots=True)
class _Mandarin:
    """A number that grows piece by piece; units only fall, over the whole and inside each group of four."""

    above: Decimal = Decimal(0)
    """Groups that are complete."""
    group: Decimal = Decimal(0)
    digit: Decimal | None = None
    unit: Decimal = Decimal(1)
    """The last one."""
    zero: bool = False
    """Whether 零 stands after it."""
    outer: Decimal = Decimal(10**12)
    inner: Decimal = Decimal(10**4)

    def take(self, piece: str) -> bool:
        """Add a piece; False where it cannot stand here."""
        if piece in _UNITS:
            return self._unit(Decimal(_UNITS[piece]), bare=piece == "十")
        if piece in _GROUPS:
            return self._group(Decimal(_GROUPS[piece]))
        if self.digit is not None:
            return False
        if piece in ("零", "〇"):
            self.zero = True
        else:
            self.digit = Decimal(_DIGITS.get(piece, piece))
        return True

    def _unit(self, size: Decimal, *, bare: bool) -> bool:
        # 十 may do without a digit at the beginning of the number.
        if size >= self.inner or (self.digit is None and not (bare and not self.group)):
            return False
        self.group += (Decimal(1) if self.digit is None else self.digit) * size
        self.digit, self.unit, self.inner, self.zero = None, size, size, False
        return True

    def _group(self, size: Decimal) -> bool:
        self.group += self.digit or 0
        whole = size == _GROUPS["亿"]
        if (size >= self.outer and not whole) or not (self.group or self.above):
            return False
        self.above = (self.above + self.group) * size if whole else self.above + self.group * size
        self.group = Decimal(0)
        self.digit, self.unit, self.inner, self.outer, self.zero = None, size, Decimal(10**4), size, False
        return True

    def total(self, last: str) -> Decimal:
        """一百二 is 120, 一百零二 is 102."""
        digit = self.digit or Decimal(0)
        short = self.unit >= 100 and not self.zero and last in _DIGITS
        return self.above + self.group + (digit * self.unit / 10 if short else digit)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def english_numbers(tokens: Sequence[str]) -> list[str]:
    """
    Replace the words of numbers by digits; an ordinal gives its number and "th".

    Args:
        tokens: Lower-case words and numbers.
    """
    found: list[str] = []
    at = 0
    while at < len(tokens):
        number, used = english_number(tokens[at:])
        if not used:
            number, used = _beside(
                found[-1] if found else "", tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
            )
        found += number
        at += used
    return found


def _beside(before: str, word: str, after: str) -> tuple[list[str], int]:
    """A word that means a number only beside one, and how many words it takes."""
    if word in _REPEATS and 0 <= _SMALL.get(after, -1) < 10:
        return [str(_SMALL[after]) * _REPEATS[word]], 2
    if before[:1].isdigit():
        if word in ("st", "nd", "rd"):
            return ["th"], 1
        if word in ("oh", "o"):
            return ["0"], 1
        if word == "point" and (after.isdecimal() or _SMALL.get(after, 10) < 10):
            return ["."], 1
    return [word], 1


def english_number(tokens: Sequence[str]) -> tuple[list[str], int]:
    """
    The number that the tokens begin with, in digits, followed by "th" where it is an ordinal.

    Args:
        tokens: At least one, as for ``english_numbers``.

    Returns:
        How many tokens it takes besides: 0 where there is none.
    """
    first, second = tokens[0], tokens[1] if len(tokens) > 1 else ""
    reading, used = _English(), 0
    if first[0].isdigit():
        if not _PLAIN.fullmatch(first) or second not in ("hundred", *_SCALES):
            return [first], 1
        reading, used = _English(group=Decimal(first), last=Decimal(1)), 1
    elif first == "a" and (second == "hundred" or second in _SCALES):
        reading, used = _English(group=Decimal(1), last=Decimal(1)), 1
    for at, word in enumerate(tokens[used:], start=used + 1):
        after = tokens[at] if at < len(tokens) else ""
        # In "eight hundred five five five" the fives are read out.
        if reading.last == 100 and all(0 <= _SMALL.get(one, -1) < 10 for one in (word, after)):
            break
        if word == "and" and reading.last >= 100 and (after in _SMALL or after in _TENS or after in _ORDINALS):
            continue
        if not reading.take(_ORDINALS.get(word, word)):
            break
        used = at
        if word in _ORDINALS:
            return [_plain(reading.above + reading.group), "th"], used
    return [_plain(reading.above + reading.group)], used


@dataclass(slots=True)
class _English:
    """A number that grows word by word."""

    above: Decimal = Decimal(0)
    """Thousands and higher that are complete."""
    group: Decimal = Decimal(0)
    last: Decimal = Decimal(0)
    """What the last word added or multiplied with; 0 before the first."""
    scale: Decimal = Decimal(10**15)

    def take(self, word: str) -> bool:
        """Add a word; False where it does not go on with the number."""
        if word in _SMALL or word in _TENS:
            value = Decimal(_SMALL.get(word, 0) or _TENS.get(word, 0))
            room = 100 if self.last >= 100 else 10 if self.last >= 20 else 0
            if self.last and not 0 < value < room:
                return False
            # A zero is complete: nothing may follow it.
            self.group, self.last = self.group + value, value or Decimal(1)
        elif word == "hundred" and 0 < self.group < 100 and self.last < 100:
            self.group, self.last = self.group * 100, Decimal(100)
        elif word in _SCALES and self.group > 0 and _SCALES[word] < self.scale:
            self.scale = self.last = Decimal(_SCALES[word])
            self.above, self.group = self.above + self.group * self.scale, Decimal(0)
        else:
            return False
        return True
