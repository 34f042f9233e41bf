"""What must not be kept of a text: cards, identity numbers, telephones, e-mail addresses, passwords and codes."""

import re
from collections.abc import Sequence
from typing import Final

_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_RUN: Final = re.compile(r"(?<![A-Za-z0-9_])(?<!\d\.)\+?\d(?:[ -]?\d){6,}[Xx]?(?!\w)", re.ASCII)
_GROUP: Final = re.compile(r"[ -]?\+?\d+[Xx]?", re.ASCII)
_MOST_DIGITS: Final = 19
"""Of a card, the longest number that is looked for."""
_FEWEST_DIGITS: Final = 8
"""Of a telephone abroad, the shortest one."""
_IS: Final = r"(?:\s*(?:is|was|are|=|:|\u662f|\u4e3a|\u53eb|\uff1a)){1,2}\s*"
_SECRET: Final = re.compile(
    r"((?:(?<![A-Za-z])(?:pass(?:word|wd|code|phrase)|pwd|pin(?: code| number)?|otp|cvv|secret|token|api[_-]?key"
    r"|(?:verification|security|one-time) code)(?![A-Za-z])"
    r"|密码|口令|验证码|校验码|动态码|安全码)[\"'\u201d]?" + _IS + r"[\"'\u201c]?)"
    r"((?<=[\"'\u201c])[^\"'\u201c\u201d]{3,200}(?=[\"'\u201d])|[^\s\"'\u201c\u201d,;\uff0c\u3002\uff1b}]{3,200})",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"(?<![A-Za-z])((?:bearer|basic)\s+)([\w.~+/=-]{8,})", re.IGNORECASE | re.ASCII)
_NO_SECRETS: Final = frozenset(
    ["not", "wrong", "incorrect", "invalid", "expired", "locked", "missing", "rejected", "never", "still", "too", "the"]
)
"""What is said of a password rather than the password."""
_REPLACED: Final = re.compile(r"\[(?:email|secret|identity|card|phone)\]")
_CODE: Final = re.compile(r"((?:验证码|校验码|动态码|密码|\b(?:code|pin|otp)\b)\s{0,2})(\d{3,8})(?!\d)", re.IGNORECASE)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_TWICE: Final = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
_CHECKS: Final = "10X98765432"
_MOBILE: Final = re.compile(r"(?:86)?1[3-9]\d{9}", re.ASCII)


def redact(text: str) -> str:
    """
    The text with what must not be kept replaced by its kind in brackets: ``[card]``, ``[identity]`` ...

    Numbers written in digits alone; those that are none of these, as of orders, stay, and so do numbers of telephones
    that are neither Chinese mobile ones nor written with "+". Twice is as once.

    Source: ISO/IEC 7812-1 (check digit of cards), GB 11643-1999 (identity numbers), ITU-T E.164 (telephones).
    """
    text = _EMAIL.sub("[email]", text)
    text = _BEARER.sub(r"\1[secret]", text)
    text = _SECRET.sub(lambda found: found[1] + (found[2] if _is_no_secret(found[2]) else "[secret]"), text)
    text = _CODE.sub(r"\1[secret]", text)
    return _RUN.sub(_numbers, text)


def _is_no_secret(value: str) -> bool:
    """Words about a password, in Chinese all that hold nothing one could type; or what was replaced before."""
    if _REPLACED.match(value) or value.lower().rstrip(".!?") in _NO_SECRETS:
        return True
    return not any(one.isascii() and one.isalnum() for one in value)


def _numbers(found: re.Match[str]) -> str:
    """A time, an amount or another number may stand before or after what is looked for, with a blank between."""
    groups: list[str] = _GROUP.findall(found[0])
    plain = [one.strip(" +-").upper() for one in groups]
    kept: list[str] = []
    at = 0
    while at < len(groups):
        end, kind = _longest(groups, plain, at)
        mark = groups[at][0] if groups[at][0] in " -" else ""
        kept.append(f"{mark}[{kind}]" if kind else groups[at])
        at = end
    return "".join(kept)


def _longest(groups: Sequence[str], plain: Sequence[str], at: int) -> tuple[int, str]:
    """The most groups from this one on that are one number of a kind; this one alone, of none, where there is none."""
    most, digits = at, 0
    while most < len(plain) and (digits := digits + len(plain[most])) <= _MOST_DIGITS:
        most += 1
    for end in range(most, at, -1):
        if kind := _kind("".join(plain[at:end]), is_abroad="+" in groups[at]):
            return end, kind
    return at + 1, ""


def _kind(plain: str, *, is_abroad: bool) -> str:
    """What a number is; empty where it is none of those that are looked for."""
    if len(plain) < _FEWEST_DIGITS:
        return ""
    if len(plain) == 18 and _is_identity(plain):
        return "identity"
    if len(plain) >= 13 and plain.isdigit() and _luhn(plain):
        return "card"
    if _MOBILE.fullmatch(plain) or (is_abroad and len(plain) <= 15):
        return "phone"
    return ""


def _is_identity(plain: str) -> bool:
    if not plain[:17].isdigit():
        return False
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(plain, _WEIGHTS, strict=False)) % 11] == plain[17]


def _luhn(plain: str) -> bool:
    single, twice = plain[::-1][::2], plain[::-1][1::2]
    return (sum(map(int, single)) + sum(_TWICE[digit] for digit in twice)) % 10 == 0
