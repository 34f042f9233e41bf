"""How fast people speak: words, or of Chinese characters, over the call and in the last half minute."""

import re
from typing import Final

import msgspec

from agent_assist.types import SpeakerMeasures
from audio.types import Channel
from models.types import Utterance

LATELY_MS: Final = 30_000

_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_DIGIT: Final = re.compile(r"\d")


def counted(text: str) -> tuple[int, int]:
    """How many words, or of what is mostly Chinese, characters: one of the two is 0."""
    characters = len(_HAN.findall(text))
    words = len(_WORD.findall(_HAN.sub(" ", text)))
    if characters <= words:
        return words, 0
    # Digits are read one by one.
    return 0, characters + len(_DIGIT.findall(text))


class Pace(msgspec.Struct, frozen=True, array_like=True):
    """One utterance."""

    start_ms: int
    end_ms: int
    agent: bool
    words: int
    characters: int


class Paces(msgspec.Struct, frozen=True, kw_only=True):
    """The utterances of the last half minute; the same whatever the order in which they came."""

    end_ms: int = 0
    """Of the last speech."""
    paces: tuple[Pace, ...] = ()

    def add(self, utterance: Utterance) -> "Paces":
        """With one more utterance."""
        end_ms = max(self.end_ms, utterance.end_ms)
        words, characters = counted(utterance.text)
        agent = utterance.channel is Channel.AGENT
        pace = Pace(utterance.start_ms, utterance.end_ms, agent, words, characters)
        kept = sorted(
            (one for one in (*self.paces, pace) if one.end_ms > end_ms - LATELY_MS),
            key=lambda one: (one.start_ms, one.agent),
        )
        return Paces(end_ms=end_ms, paces=tuple(kept))

    def lately(self, speaker: SpeakerMeasures, now_ms: int, *, agent: bool) -> SpeakerMeasures:
        """The measures of a speaker with how fast they spoke in the half minute up to ``now_ms``."""
        words = characters = 0.0
        words_ms = characters_ms = 0
        for one in self.paces:
            inside = one.end_ms - max(one.start_ms, now_ms - LATELY_MS)
            if one.agent is not agent or inside <= 0:
                continue
            share = inside / (one.end_ms - one.start_ms)
            words, characters = words + share * one.words, characters + share * one.characters
            words_ms += inside if one.words else 0
            characters_ms += inside if one.characters else 0
        return msgspec.structs.replace(
            speaker,
            recent_words_per_minute=round(words * 60_000 / words_ms, 1) if words_ms else None,
            recent_characters_per_minute=round(characters * 60_000 / characters_ms, 1) if characters_ms else None,
        )
