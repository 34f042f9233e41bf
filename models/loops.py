"""Where a decoder got stuck, or says what it says when nobody speaks."""

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Final

TOKENS_PER_S: Final = 12.0
"""No one speaks faster."""
_COMPRESSION: Final = 2.4
_WORDS: Final = 9
"""Tokens up to which what comes twice is words; from there on it is a sentence."""
_DIGITS: Final = re.compile(r"[\d\s,.，。\-零〇一二三四五六七八九幺]*")

_INVENTED: Final = re.compile(
    r"字幕\s*(?:by|志愿|志願|由|提供|製作|制作|组|組|君|[:：])|^\W*(?:中文)?字幕\W*$|請不吝|请不吝|点赞.{0,6}订阅|"
    r"明镜与点点|amara\.org|thanks? (?:you )?for watching|subtitles? by|please subscribe",
    re.IGNORECASE,
)


def invented(text: str) -> bool:
    """Whether it has words of the captions that Whisper was trained on, which it says when nobody speaks."""
    return _INVENTED.search(text) is not None


def doubled(tokens: Sequence[int]) -> bool:
    """Whether it is a word or two, and the same once more, but for a sign at the end."""
    return len(tokens) <= _WORDS and _twice(tokens)


def _twice(tokens: Sequence[int]) -> bool:
    half = len(tokens) // 2
    return any(tokens[:n] == tokens[n : 2 * n] for n in {half, (len(tokens) - 1) // 2} if n)


def loop_end(tokens: Sequence[int]) -> int | None:
    """
    How many tokens are left when the loop at their end is run through only once; None where none is there.

    One or two tokens loop when they come six times in a row, longer runs when they come three times and make up twelve;
    a sign may follow. A decoder that is stuck does not go on: whoever says "no" eight times and then what he wants is
    left as he is.
    """
    for length in (len(tokens), len(tokens) - 1):
        for period in range(1, min(24, length // 3) + 1):
            pairs = zip(reversed(tokens[:length]), reversed(tokens[: length - period]), strict=False)
            same = next((n for n, (one, before) in enumerate(pairs) if one != before), length - period)
            times = same // period + 1
            if times >= (6 if period <= 2 else 3) and times * period >= (6 if period <= 2 else 12):
                return length - same
    return None


def without_loop(tokens: Sequence[int], decode: Callable[[list[int]], str], seconds: float) -> Sequence[int]:
    """
    What is left when the loop at the end is run through only once.

    Digits are read out, and zeros come in rows: of them all are left that somebody can say in so many seconds.
    """
    end = loop_end(tokens)
    if end is None or (len(tokens) <= TOKENS_PER_S * seconds and _DIGITS.fullmatch(decode(list(tokens[end:])))):
        return tokens
    return tokens[:end]


def loops(tokens: Sequence[int], text: str, seconds: float) -> bool:
    """Whether the decoder got stuck, in so many seconds of speech."""
    raw = text.encode()
    return (
        len(tokens) > TOKENS_PER_S * seconds + 8
        or len(raw) / len(zlib.compress(raw)) > _COMPRESSION
        or loop_end(tokens) is not None
        # In a short window, a sentence sometimes comes once more.
        or (len(tokens) > _WORDS and _twice(tokens))
    )
