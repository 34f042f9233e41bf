"""What must not be kept of a text: cards, identity numbers, telephones, e-mail addresses, passwords and codes."""

import re
from typing import Final

_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_DIGITS: Final = re.compile(r"(?<![\w.])\+?\d(?:[ -]?\d){6,22}[Xx]?(?![\w])", re.ASCII)
_SECRET: Final = re.compile(
    r"((?:\b(?:pass(?:word|code|phrase)|pin(?: code| number)?|otp|cvv|(?:verification|security|one-time) code)\b"
    r"|密码|口令|验证码|校验码|动态码|安全码)"
    r"(?:\s*(?:is|was|are|=|:|\u662f|\u4e3a|\u53eb|\uff1a))\s*[\"'\u201c]?)([^\s\"'\u201d,;\uff0c\u3002\uff1b]{3,64})",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"((?:验证码|校验码|动态码|密码|\b(?:code|pin|otp)\b)\s{0,2})(\d{3,8})(?!\d)", re.IGNORECASE)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_MOBILE: Final = re.compile(r"(?:86)?1[3-9]\d{9}", re.ASCII)


def redact(text: str) -> str:
    """
    The text with what must not be kept replaced by its kind in brackets: ``[card]``, ``[identity]`` ...

    Numbers written in digits alone; those that are none of these, as of orders, stay. Twice is as once.

    Source: ISO/IEC 7812-1 (check digit of cards), GB 11643-1999 (identity numbers), ITU-T E.164 (telephones).
    """
    text = _EMAIL.sub("[email]", text)
    text = _SECRET.sub(lambda found: found[1] + (found[2] if _is_mark(found[2]) else "[secret]"), text)
    text = _CODE.sub(r"\1[secret]", text)
    return _DIGITS.sub(_number, text)


def _is_mark(value: str) -> bool:
    return value.startswith("[") and value.endswith("]")


def _number(found: re.Match[str]) -> str:
    written = found[0]
    plain = re.sub(r"[ +-]", "", written).upper()
    if len(plain) == 18 and _is_identity(plain):
        return "[identity]"
    if plain.isdigit() and 13 <= len(plain) <= 19 and _luhn(plain):
        return "[card]"
    if plain.isdigit() and (_MOBILE.fullmatch(plain) or (written.startswith("+") and 8 <= len(plain) <= 15)):
        return "[phone]"
    return written


def _is_identity(plain: str) -> bool:
    if not plain[:17].isdigit():
        return False
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(plain, _WEIGHTS, strict=False)) % 11] == plain[17]


def _luhn(plain: str) -> bool:
    total = 0
    for at, digit in enumerate(reversed(plain)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
