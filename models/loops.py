"""Where a decoder got stuck, by its tokens."""

import zlib
from collections.abc import Sequence
from typing import Final

TOKENS_PER_S: Final = 12.0
"""No one speaks faster."""
_COMPRESSION: Final = 2.4


def doubled(tokens: Sequence[int]) -> bool:
    """Whether it is the same once more, but for a sign at the end."""
    half = len(tokens) // 2
    return 0 < len(tokens) <= 9 and any(tokens[:n] == tokens[n : 2 * n] for n in {half, (len(tokens) - 1) // 2} if n)


def loop_end(tokens: Sequence[int]) -> int | None:
    """
    How many tokens are left when the first loop is run through only once; None where nothing loops.

    One or two tokens loop when they come six times in a row, longer runs when they come three times and make up twelve.
    """
    for start in range(len(tokens)):
        for period in range(1, min(24, (len(tokens) - start) // 3) + 1):
            span = next(
                (at for at in range(start + period, len(tokens)) if tokens[at] != tokens[at - period]), len(tokens)
            )
            times = (span - start) // period
            if times >= (6 if period <= 2 else 3) and span - start >= (6 if period <= 2 else 12):
                return start + period
    return None


def loops(tokens: Sequence[int], text: str, seconds: float) -> bool:
    """Whether the decoder got stuck, in so many seconds of speech."""
    raw = text.encode()
    return (
        len(tokens) > TOKENS_PER_S * seconds + 8
        or len(raw) / len(zlib.compress(raw)) > _COMPRESSION
        or loop_end(tokens) is not None
    )
