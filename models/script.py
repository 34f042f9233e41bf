"""Chinese in Simplified and Traditional characters."""

from functools import cache

import opencc


@cache
def _converter(way: str) -> opencc.OpenCC:
    return opencc.OpenCC(way)


def simplified(text: str) -> str:
    """In Simplified characters."""
    return str(_converter("t2s").convert(text))


def traditional(text: str) -> str:
    """In Traditional characters."""
    return str(_converter("s2t").convert(text))
