"""What the models say of speech."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from audio.types import Channel, Pcm
from models.intent import Intent
from models.meaning import Meaning
from models.vocabulary import NO_TERMS, Vocabulary


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A word and when it was said, in milliseconds since the call began."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float
    """0 ... 1."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A term of the vocabulary in the place of words that sound like it."""

    heard: str
    written: str


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """What a recogniser believes was said in one stretch of speech."""

    text: str
    """
    As shown: Simplified Chinese or English, with punctuation; a final as a person would write it, with digits and with
    the terms of the vocabulary. Empty where nothing was said.
    """
    language: str
    """"zh", "en", or "unknown" where nothing was said."""
    language_confidence: float
    confidence: float
    """0 ... 1, from the mean log-probability of the tokens."""
    words: tuple[Word, ...] = ()
    """Times count from the start of the speech given; empty where they were not asked for."""
    guarded: tuple[str, ...] = ()
    """Why the first result was not taken as it was: "nobody", "loop", "doubled", "language"."""
    raw: str = ""
    """As it was recognised, where ``text`` differs from it."""
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """One stretch of speech to be recognised."""

    pcm: Pcm
    """Shape (n,), 16 kHz, one utterance of at most 30 s."""
    language: str | None = None
    """"zh" or "en", or None to let the model decide between them."""
    final: bool = True
    """With word times and the fuller search."""
    timed: bool = False
    """A partial with word times all the same."""
    vocabulary: Vocabulary = NO_TERMS
    """Heeded in finals."""


class Capacity(NamedTuple):
    """What a recogniser can do at once."""

    workers: int
    """Batches at the same time, from threads of the caller's."""
    finals: int
    """Utterances of a batch that is worth its while, at most."""
    partials: int
    """The same for partials: a final that comes meanwhile waits for all of them."""


class Recogniser(Protocol):
    """Speech to words; keeps nothing between calls and may be used from any thread."""

    @property
    def capacity(self) -> Capacity:
        """How to keep it busy."""
        ...

    def shape(self, spoken: Spoken) -> Hashable:
        """What has an equal one may share a batch."""
        ...

    def transcribe(self, batch: Sequence[Spoken], *, hurried: bool = False) -> list[Hypothesis]:
        """
        Say what was said, the same for each as if it came alone but for the device's rounding.

        Args:
            batch: Of one shape, all finals or all partials.
            hurried: Whether other finals wait: what makes these better by a little may be left out.
        """
        ...


class EmotionLabel(StrEnum):
    """The classes of emotion that a person is shown."""

    NEUTRAL = "neutral"
    SATISFIED = "satisfied"
    ANGRY = "angry"
    ANXIOUS = "anxious"
    DISAPPOINTED = "disappointed"
    UNKNOWN = "unknown"


class Emotion(msgspec.Struct, frozen=True, kw_only=True):
    """One customer utterance, voice and words taken together."""

    label: EmotionLabel
    valence: float | None
    """-1 ... 1; None where not known, as for the two below."""
    arousal: float | None
    """-1 ... 1."""
    agitation: float | None
    """0 ... 1."""
    confidence: float
    """0 ... 1."""


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """A segment with its words and feeling. Once final it never changes."""

    id: str
    """``call_id:channel:start_ms``."""
    channel: Channel
    number: int
    """
    Ordinal of the stretch of speech on its channel, from 0; grows in the order of publication. One in which nobody said
    anything leaves a gap.
    """
    start_ms: int
    end_ms: int
    text: str
    language: str
    """"zh", "en" or "unknown"."""
    confidence: float
    words: tuple[Word, ...]
    sentiment: float | None
    """Of the text, -1 ... 1."""
    emotion: Emotion | None
    """None on the agent's channel, where emotion is never computed."""
    loudness_dbfs: float | None
    raw: str = ""
    """As it was recognised, where ``text`` differs from it: in numbers, or by a correction."""
    corrections: tuple[Correction, ...] = ()
    intents: tuple[Intent, ...] = ()
    """What a customer wants, as far as the words say so; empty on the agent's channel."""
    meaning: Meaning | None = None
    """Of ``text``; None where no weights are that could tell, and in what was said before there was any."""


def shown(utterance: Utterance) -> Utterance:
    """As it is shown to people: its vectors are for rules alone."""
    return utterance if utterance.meaning is None else msgspec.structs.replace(utterance, meaning=None)


class RiskLevel(StrEnum):
    """Levels of warning, by the score's thresholds."""

    NONE = "none"
    WATCH = "watch"
    ELEVATED = "elevated"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A share of a score."""

    name: str
    contribution: float
    """All contributions of a score add up to it."""


class ChurnRisk(msgspec.Struct, frozen=True, kw_only=True):
    """How likely the customer is to leave."""

    score: float | None
    """0 ... 1."""
    level: RiskLevel
    reasons: tuple[Reason, ...]
    model_version: str
    low: float | None = None
    """Where the score lies, 95 %, by what is not known and the chance of the training; None where there is no score."""
    high: float | None = None
