"""Error codes in a sentence, written or spoken: E-1234, ERR_05, 0x80070005, "E 一二三", "error five oh three"."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from models.numerals import english_number, mandarin_number

LONGEST: Final = 32
"""Characters of a code in its normal form."""
_WRITTEN: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]{1,8}[-_]?\d[A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*|0[xX][0-9A-Fa-f]+"
    r"|[A-Za-z]+(?:[-_][A-Za-z0-9]*\d[A-Za-z0-9]*)+|[A-Za-z]+(?:_[A-Za-z0-9]+)+|\d+(?:[-_][A-Za-z0-9]+)+|\d+)(?![A-Za-z0-9])"
)
_CUE: Final = re.compile(
    r"(?:error|err|code|fault|alarm|status|stop|exception|报错|错误|代码|代碼|故障|錯誤|報錯|异常|提示|显示)"
    r"(?:\s*(?:code|number|no\.?|message|is|says|shows|代码|编号|码|号|是|为|了|：|:|#))*[\s，,：:]*$",
    re.IGNORECASE,
)
_CUE_WORDS: Final = frozenset({"error", "code", "fault", "alarm", "status", "number", "stop", "exception"})
_SAID: Final = re.compile(r"[A-Za-z]+|\d+|[零〇一二三四五六七八九十百千两幺洞拐]+|[-_]|横杠|中杠|下划线|杠|减号|[^\s]")
_DASHES: Final = frozenset({"-", "_", "dash", "hyphen", "minus", "underscore", "横杠", "中杠", "下划线", "杠", "减号"})
_RADIO: Final = str.maketrans("幺洞拐", "一零七")
_TIMES: Final = {"double": 2, "triple": 3}
_HAN: Final = frozenset("零〇一二三四五六七八九十百千两幺洞拐")
_VAGUE: Final = frozenset({"a", "i", "o"})
"""Letters that are words or digits as well: a code begins with them only after "error" and its like."""


class Code(NamedTuple):
    """What may be an error code."""

    forms: tuple[str, ...]
    """Normal forms that it may mean, the likeliest first."""
    start: int
    end: int
    certain: bool
    """Whether it is one even if nobody knows it."""


class _Piece(NamedTuple):
    text: str
    start: int
    end: int


def normal(code: str) -> str:
    """A code without what separates its parts, in capitals."""
    return re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKC", code).upper())[:LONGEST]


def codes(text: str) -> list[Code]:
    """What may be a code in a sentence, by its place; of two readings, one in the other, the longer."""
    plain = _plain(text)
    found = [*_written(plain), *_spoken(plain)]
    spans = {(code.start, code.end) for code in found}
    whole = [code for code in found if not any(_holds(span, (code.start, code.end)) for span in spans)]
    unlike = {(code.start, code.end, code.forms): code for code in reversed(whole)}
    return sorted(unlike.values(), key=lambda code: code.start)


def _plain(text: str) -> str:
    """Full-width letters and digits as others, each in its place."""
    return "".join(n if len(n := unicodedata.normalize("NFKC", c)) == 1 else c for c in text)


def _holds(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and one[0] <= other[0] and other[1] <= one[1]


def _written(text: str) -> list[Code]:
    found: list[Code] = []
    for match in _WRITTEN.finditer(text):
        form = normal(match.group())
        if not form or len(normal(match.group())) != len(re.sub(r"[-_]", "", match.group())):
            continue
        cued = _is_cued(text, match.start(), match.end())
        digits = form.isdecimal()
        if digits and not cued:
            continue
        certain = cued or (any(c in "-_" for c in match.group()) and not digits) or form.startswith("0X")
        found.append(Code(_forms(form), match.start(), match.end(), certain))
    return found


def _is_cued(text: str, start: int, end: int) -> bool:
    """Whether "error" or its like stands before it, or nothing stands beside it."""
    return _CUE.search(text[max(0, start - 40) : start]) is not None or text.strip() == text[start:end]


def _forms(form: str) -> tuple[str, ...]:
    """A bare number after "error" may be written with a prefix."""
    prefixes = ("", "E", "ERR", "ERROR") if form.isdecimal() else ("",)
    return tuple(f"{prefix}{form}"[:LONGEST] for prefix in prefixes)


def _spoken(text: str) -> list[Code]:
    """Letters said one by one or as a word, then digits in words, in either language."""
    pieces = [_Piece(m.group(), m.start(), m.end()) for m in _SAID.finditer(text)]
    found: list[Code] = []
    at = 0
    while at < len(pieces):
        code, used = _said(text, pieces, at)
        if code is not None:
            found.append(code)
        at += used
    return found


def _said(text: str, pieces: Sequence[_Piece], at: int) -> tuple[Code | None, int]:
    prefix, next_at = _prefix(pieces, at)
    digits, end_at = _digits(pieces, next_at)
    if not digits:
        return None, 1
    start, end = pieces[at].start, pieces[end_at - 1].end
    hexadecimal = digits.startswith("0X") and len(digits) > 2
    cued = hexadecimal or _is_cued(text, start, end)
    if (prefix.lower() in _VAGUE or not prefix) and not cued:
        return None, 1
    if not prefix and len(digits) < 2:
        return None, 1
    spoken = any(not piece.text.isdecimal() for piece in pieces[next_at:end_at])
    certain = cued or (spoken and len(digits) > 2)
    return Code(_forms(normal(prefix + digits)), start, end, certain), end_at - at


def _prefix(pieces: Sequence[_Piece], at: int) -> tuple[str, int]:
    """Letters that a code begins with, and where the digits would begin."""
    prefix = ""
    here = at
    while here < len(pieces):
        piece = pieces[here].text
        is_letter = piece.isascii() and piece.isalpha() and len(piece) == 1
        if is_letter and not (piece in "oO" and prefix and _digits(pieces, here)[0]):
            prefix += piece
        elif not prefix and piece.isascii() and piece.isalpha() and len(piece) <= 6 and not _is_word(piece):
            prefix = piece
        else:
            break
        here += 1
    while prefix and here < len(pieces) and pieces[here].text.lower() in _DASHES:
        here += 1
    return prefix, here


def _is_word(piece: str) -> bool:
    """Abbreviations are spoken as words, ERR, HTTP: they stand in capitals, or the recogniser knows them not."""
    return piece.lower() in _CUE_WORDS or not piece.isupper()


def _digits(pieces: Sequence[_Piece], at: int) -> tuple[str, int]:
    """Digits from here on, and where they end."""
    found = ""
    here = at
    while here < len(pieces):
        got, used = _number([piece.text for piece in pieces[here : here + 6]])
        if not used and found and pieces[here].text.lower() in _DASHES:
            got, used = "", 1
        elif found[:1] == "0" and len(found) == 1 and pieces[here].text in "xX":
            got, used = "X", 1
        if not used:
            break
        found += got
        here += used
    while here > at and pieces[here - 1].text.lower() in _DASHES:
        here -= 1
    return found, here


def _number(words: Sequence[str]) -> tuple[str, int]:
    """The number that words begin with, digit by digit, and how many words it takes."""
    first = words[0].lower()
    if first.isdecimal():
        return first, 1
    if first[0] in _HAN:
        read = mandarin_number(first.translate(_RADIO))
        return ("", 0) if read is None else (read, 1)
    if first in ("oh", "o"):
        return "0", 1
    if first in _TIMES and len(words) > 1:
        digit, used = _number(words[1:2])
        return (digit * _TIMES[first], 1 + used) if used and len(digit) == 1 else ("", 0)
    lowered = [word.lower() for word in words]
    if first == "a" or not first.isascii() or not first.isalpha():
        return "", 0
    number, used = english_number(lowered)
    return (number[0], used) if used and len(number) == 1 and number[0].isdecimal() else ("", 0)
