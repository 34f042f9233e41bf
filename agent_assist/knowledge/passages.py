"""Articles in pieces that fit the screen and the embedding."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LENGTH: Final = 600
"""Characters of a passage; some 350 Chinese characters or 200 English words are all that the embedding reads, and an
agent reads less."""
_HEADING: Final = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_PARAGRAPH: Final = re.compile(r"\S(?:.|\n(?![ \t]*\n))*")
_SENTENCE: Final = re.compile(r"[。！？!?；;\n]|\.(?=\s)")


class Passage(NamedTuple):
    heading: str
    """Under which it stands; empty before the first."""
    start: int
    """Place in the body."""
    end: int


def passages(body: str) -> list[Passage]:
    """
    Pieces of a body: paragraphs under one heading together up to 600 characters, longer ones cut at sentences.

    Returns:
        In order and disjoint; one that is empty where the body is.
    """
    found: list[Passage] = []
    for heading, start, end in _sections(body):
        first: int | None = None
        last = start
        for begin, stop in _pieces(body, start, end):
            if first is not None and stop - first > LENGTH:
                found.append(Passage(heading, first, last))
                first = None
            first, last = begin if first is None else first, stop
        if first is not None:
            found.append(Passage(heading, first, last))
    return found or [Passage("", 0, 0)]


def _sections(body: str) -> Iterator[tuple[str, int, int]]:
    heading, start = "", 0
    for match in _HEADING.finditer(body):
        yield heading, start, match.start()
        heading, start = match[1][:200], match.end()
    yield heading, start, len(body)


def _pieces(body: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Paragraphs, none longer than a passage."""
    for match in _PARAGRAPH.finditer(body, start, end):
        begin, stop = match.start(), match.start() + len(match.group().rstrip())
        while stop - begin > LENGTH:
            cuts = [found.end() for found in _SENTENCE.finditer(body, begin + LENGTH // 3, begin + LENGTH)]
            cut = cuts[-1] if cuts else begin + LENGTH
            yield begin, cut
            begin = cut
        if body[begin:stop].strip():
            yield begin, stop
