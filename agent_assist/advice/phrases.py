"""
Phrases to be looked for, as playbooks write them.

``第 {n} 次 * 打电话``: tokens in order. ``*`` stands for a few tokens of the same sentence, ``{n}`` for a number,
``{ordinal}`` for an ordinal, ``{name}`` for a name of the lexicon; ``(a|b c)`` is a choice, ``[a]`` may be missing.
``re:`` begins a regular expression over the text as recognised. Chinese phrases of three characters and more are
found by sound as well, since recognisers confuse homophones.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from agent_assist.advice.spoken import NAME, STOP, Joined, Spoken, sounds, words

_GAP_HAN: Final = 8
_GAP_WORDS: Final = 4
_BY_SOUND: Final = 3
"""Characters from which a phrase is long enough to be told by its sound."""
_PIECE: Final = re.compile(r"\*|\{[a-z]+\}|[()\[\]|]|[^*{}()\[\]|]+")
_NUMBER: Final = (
    "[一二三四五六七八九十两几0-9]+|好 几|好 多|(?:yi|er|san|si|wu|liu|qi|ba|jiu|shi|liang|ji)|hao ji|hao duo"
    "|(?:one|two|three|four|five|six|seven|eight|nine|ten|twice|several|many)"
)
_ORDINAL: Final = (
    r"(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|umpteenth|hundredth|\d+(?:st|nd|rd|th))"
)

# A negation right before the words, with nothing between but what belongs to the verb. "能不能", "要不要" ask;
# "再不" threatens, "还不" presses; "不得不" is no negation.
_NEGATED: Final = re.compile(
    r"(?:"
    r"(?:(?<![能要是可想会再还得] )不|(?<!有 )没|别|未|并 非)"
    r"(?: (?:想|要|会|打|算|准|备|是|需|用|必|有|说|过|考|虑|再|去|敢|愿|意|急|着))*"
    r"|(?<!\S)(?:(?<!can )(?<!could )(?<!why )not|never|no|without|nobody)"
    r"(?: (?:want|wanting|wanted|going|planning|trying|looking|need|wish|here|calling|to|say|said|saying|really|"
    r"actually|even|think|thinking|about|of|yet|be|have|been|ever|necessarily|i|am|a|my|the|for|asking|asked|ask|you|them))*"
    r") $"
)


class Found(NamedTuple):
    """Tokens from ``start`` up to ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """A phrase, ready to be looked for."""

    source: str
    han: bool
    """Whether it has Chinese characters: then it cannot stand in a text without, nor the other way round."""
    exact: re.Pattern[str] | None
    sound: re.Pattern[str] | None
    free: re.Pattern[str] | None

    def find(self, said: "Text") -> list[Found]:
        """Where the phrase stands, if some of it is new."""
        found: list[Found] = []
        if self.free is None and not (said.has_han if self.han else said.has_words):
            return found
        if self.free is not None:
            found = [_covered(said.spoken, *match.span()) for match in self.free.finditer(said.spoken.original)]
        for pattern, joined in ((self.exact, said.exact), (self.sound, said.sound)):
            if pattern is not None:
                found += _all(pattern, joined)
        return [each for each in dict.fromkeys(found) if each.end > said.spoken.fresh_from and each.start < each.end]


class Text(NamedTuple):
    """An utterance in the forms in which phrases look at it."""

    spoken: Spoken
    exact: Joined
    sound: Joined
    has_han: bool
    has_words: bool

    @classmethod
    def of(cls, said: Spoken) -> "Text":
        han = [token.is_han for token in said.tokens if token.text != STOP]
        return cls(said, said.joined(sound=False), said.joined(sound=True), any(han), not all(han))


def negated(said: Text, found: Found) -> bool:
    """Whether what was found is denied."""
    return _NEGATED.search(said.exact.text, 0, said.exact.offsets[found.start]) is not None


@lru_cache(maxsize=8192)
def compile_phrase(source: str) -> Phrase:
    """
    Make a phrase ready.

    Raises:
        ValueError: If it is not written as the module says.
    """
    if source.startswith("re:"):
        try:
            return Phrase(source, False, None, None, re.compile(source.removeprefix("re:").strip(), re.IGNORECASE))
        except re.error as error:
            raise ValueError(f"a regular expression that does not compile: {error}") from error
    pieces = _PIECE.findall(source)
    if "".join(pieces) != source or not words(_PIECE.sub(_literal, source)):
        raise ValueError("no words, or a brace without its other half")
    letters = [word for word in words(_PIECE.sub(_literal, source)) if "㐀" <= word <= "鿿"]
    gap = _GAP_HAN if letters else _GAP_WORDS
    by_sound = len(letters) >= _BY_SOUND
    return Phrase(
        source,
        bool(letters),
        _pattern(pieces, gap, sound=False),
        _pattern(pieces, gap, sound=True) if by_sound else None,
        None,
    )


def _literal(match: re.Match[str]) -> str:
    piece = match.group()
    if piece in {NAME, "{n}", "{ordinal}"}:
        return " x "
    return " " if piece in {"*", "(", ")", "[", "]", "|"} else piece


def _pattern(pieces: list[str], gap: int, *, sound: bool) -> re.Pattern[str]:
    parts: list[str] = []
    for piece in pieces:
        match piece:
            case "*":
                parts.append(rf"(?:[^ {STOP}]+ ){{0,{gap}}}?")
            case "{n}":
                parts.append(rf"(?:(?:{_NUMBER}) )+")
            case "{ordinal}":
                parts.append(rf"{_ORDINAL} ")
            case "{name}":
                parts.append(r"\{name\} ")
            case "(" | "[":
                parts.append("(?:")
            case "]":
                parts.append(")?")
            case ")" | "|":
                parts.append(piece)
            case _ if piece.startswith("{"):
                raise ValueError(f"the unknown placeholder {piece}")
            case _:
                parts += [rf"{re.escape(word)} " for word in (sounds(piece) if sound else words(piece))]
    try:
        return re.compile(r"(?<!\S)(?:" + "".join(parts) + ")")
    except re.error as error:
        raise ValueError(f"brackets that do not match: {error}") from error


def _all(pattern: re.Pattern[str], joined: Joined) -> list[Found]:
    """All places, those that overlap included: the first may be denied where the second is not."""
    found: list[Found] = []
    match = pattern.search(joined.text)
    while match is not None:
        found.append(Found(joined.offsets.index(match.start()), joined.offsets.index(match.end())))
        match = pattern.search(joined.text, match.start() + 1)
    return found


def _covered(said: Spoken, start: int, end: int) -> Found:
    inside = [i for i, token in enumerate(said.tokens) if token.start < end and token.end > start]
    return Found(inside[0], inside[-1] + 1) if inside else Found(0, 0)
