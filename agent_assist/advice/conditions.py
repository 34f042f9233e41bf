"""What a rule can ask of a call: the parts of which rules are made, each checked when it is read."""

import re
from typing import Final, Literal

import msgspec

from agent_assist.advice.phrases import compile_phrase
from audio.types import Channel
from models.intent import Intent
from models.meaning import cut
from models.types import ChurnRisk, RiskLevel

Language = Literal["zh", "en"]
Texts = dict[Language, str]
Phrases = dict[Language, tuple[str, ...]]

FILLS: Final[tuple[str, ...]] = ("name", "customer_name", "emotion", "words", "measure")

MeasureName = Literal[
    "silence_ms",
    "interruptions",
    "overtalk_ms",
    "non_talk_ms",
    "words_per_minute",
    "characters_per_minute",
    "talk_share",
]
_OF_A_SPEAKER: Final = frozenset({"words_per_minute", "characters_per_minute", "talk_share"})
_OF_A_TIME: Final = frozenset({"interruptions", "overtalk_ms", "talk_share"})
MOST_LAST_S: Final = 30
"""Of the past so much is kept span by span, whatever was said, see ``agent_assist.call.measures``."""

LEAST_LIKENESS: Final[dict[Language, float]] = {"zh": 0.7, "en": 0.8}
"""
From which a clause means what a sentence does, 0 ... 1. Chosen by ``warmline bench likeness``, see docs/playbooks.md.
"""


LEVELS: Final = (RiskLevel.NONE, RiskLevel.WATCH, RiskLevel.ELEVATED, RiskLevel.CRITICAL)
"""In the order of their weight; "unknown" is none of them."""


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When in the call a rule looks."""

    first: int | None = None
    """Only among the first so many utterances of its speaker."""
    after_ms: int | None = None
    """Only after so much of the call."""
    before_ms: int | None = None
    """Only in so much of the call from its start."""
    after_customer: int = 0
    """Only once the customer has said so many utterances."""

    def __post_init__(self) -> None:
        if self.before_ms is not None and self.before_ms <= (self.after_ms or 0):
            raise ValueError(f"expected before_ms later than after_ms, got {self.before_ms}")


class AgitationLevel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fires once when the customer is agitated for long enough, and again only after they have calmed down."""

    at: float
    rearm: float
    utterances: int
    """In a row, or ..."""
    speech_ms: int
    """... so much speech."""


class Measure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A measure of the conversation within bounds; one that is not known yet is not."""

    name: MeasureName
    """
    ``silence_ms`` is the mutual silence before the utterance, or before the end of the call; the others are what
    ``agent_assist.types.Measures`` says of the call up to now.
    """
    speaker: Channel | None = None
    """Whose; of an interruption, who interrupts. Rates and shares need one."""
    at_least: float | None = None
    at_most: float | None = None
    last_s: int | None = None
    """Over so many of the last seconds instead of the whole call: for interruptions, overtalk_ms and talk_share."""

    def __post_init__(self) -> None:
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"expected at_least or at_most of {self.name}, got neither")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"expected at_least up to at_most, got {self.at_least:g} and {self.at_most:g}")
        if self.name in _OF_A_SPEAKER and self.speaker is None:
            raise ValueError(f"expected a speaker of {self.name}, got none")
        if self.name in {"silence_ms", "overtalk_ms", "non_talk_ms"} and self.speaker is not None:
            raise ValueError(f"expected no speaker of {self.name}, which is of both, got {self.speaker}")
        if self.last_s is not None and self.name not in _OF_A_TIME:
            raise ValueError(f"expected last_s with one of {', '.join(sorted(_OF_A_TIME))}, got {self.name}")
        if self.last_s is not None and not 1 <= self.last_s <= MOST_LAST_S:
            raise ValueError(f"expected last_s from 1 to {MOST_LAST_S}, got {self.last_s}")

    def holds(self, value: float | None) -> bool:
        """Whether a value lies within the bounds."""
        if value is None:
            return False
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


class Risk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The churn risk after the utterance; one that is not known is not."""

    level: RiskLevel | None = None
    """At least."""
    score: float | None = None
    """At least, 0 ... 1."""

    def __post_init__(self) -> None:
        if self.level is None and self.score is None:
            raise ValueError("expected a level or a score, got neither")
        if self.level is not None and self.level not in LEVELS[1:]:
            raise ValueError(f"expected a level from {LEVELS[1]} to {LEVELS[-1]}, got {self.level}")
        if self.score is not None and not 0 < self.score <= 1:
            raise ValueError(f"expected a score above 0, up to 1, got {self.score:g}")

    def holds(self, risk: ChurnRisk | None) -> bool:
        """Whether a risk is at least that; one that is not known is not."""
        if risk is None:
            return False
        known = LEVELS.index(risk.level) if risk.level in LEVELS else -1
        if self.level is not None and known < LEVELS.index(self.level):
            return False
        return self.score is None or (risk.score is not None and risk.score >= self.score)


class Hits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many utterances that meet the rule, not one, within a time; the count begins anew when it has fired."""

    at_least: int
    within_ms: int | None = None
    """Without it, in the call."""

    def __post_init__(self) -> None:
        if not 2 <= self.at_least <= 50:
            raise ValueError(f"expected at_least from 2 to 50, got {self.at_least}")


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words, or what they want, that begin a time in which something is to be said."""

    speaker: Channel
    phrases: Phrases = {}
    intents: tuple[Intent, ...] = ()
    """Or one of these; of the customer's alone."""

    def __post_init__(self) -> None:
        if not (self.phrases or self.intents):
            raise ValueError("expected phrases or intents after which something is to be said, got neither")
        check_phrases(self.phrases)


class NotSaid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rule's phrases or intents were not said by its speaker: then it fires, and not when they are."""

    within_ms: int | None = None
    """Since the start of the call, or since ``after``; without it before the end of the call."""
    after: Opening | None = None
    """Begins the time, each time it is said; in a time that runs it changes nothing."""

    def __post_init__(self) -> None:
        if self.within_ms is not None and not 0 < self.within_ms <= 7_200_000:
            raise ValueError(f"expected within_ms from 1 to 7200000, got {self.within_ms}")


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What somebody says, by which a rule is tried.

    A text is one utterance of the rule's speaker. A list of lines is a dialogue: ``C: words`` of the customer,
    ``A: words`` of the agent, ``C@31: words`` at 31 s of the call, ``C(angry, cancel): words`` with an emotion or
    intents; ``END@90`` ends the call.
    """

    zh: str | tuple[str, ...] | None = None
    en: str | tuple[str, ...] | None = None
    given: dict[str, str] = {}
    """Attributes of the call, also ``customer_id``, ``customer_name``, ``agent_id``, ``queue``."""

    def __post_init__(self) -> None:
        if (self.zh is None) is (self.en is None):
            raise ValueError("expected an example in one language, zh or en, got none or both")
        for line in self.said if isinstance(self.said, tuple) else ():
            if LINE.fullmatch(line) is None:
                raise ValueError(f"expected a line as 'C: words', 'A@31: words' or 'END@90', got {line!r}")

    @property
    def said(self) -> str | tuple[str, ...]:
        """The text, or the lines."""
        said = self.zh if self.en is None else self.en
        assert said is not None
        return said


LINE: Final = re.compile(
    r"(?:(?P<who>[CA])(?:@(?P<at>\d+(?:\.\d+)?))?(?:\((?P<with>[a-z_, ]+)\))?:(?P<words>.*)"
    r"|END(?:@(?P<end>\d+(?:\.\d+)?))?)\s*"
)


class Examples(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By which ``warmline rules check`` tries a rule."""

    fires: tuple[Example, ...] = ()
    silent: tuple[Example, ...] = ()


def check_phrases(phrases: Phrases) -> None:
    """Raise ValueError where a phrase cannot be looked for."""
    for phrase in (phrase for group in phrases.values() for phrase in group):
        try:
            compile_phrase(phrase)
        except ValueError as error:
            raise ValueError(f"expected a phrase, got {phrase!r}: {error}") from error


def check_sentences(like: Phrases, unlike: Phrases, least: dict[Language, float]) -> None:
    """Raise ValueError where sentences cannot be found by their meaning."""
    for sentence in (one for group in (like, unlike) for given in group.values() for one in given):
        if len(cut(sentence)) != 1:
            raise ValueError(f"expected a sentence of one clause in like and unlike, got {sentence!r}")
    if unlike.keys() - like.keys() or least.keys() - like.keys():
        raise ValueError("expected unlike and least_likeness in languages that like has, got others")
    for value in least.values():
        if not 0 < value <= 1:
            raise ValueError(f"expected a least_likeness above 0, up to 1, got {value:g}")


def check_texts(texts: Texts) -> None:
    """Raise ValueError where a text has something else in braces than what is filled in."""
    fills: dict[str, str] = dict.fromkeys(FILLS, "")
    for text in texts.values():
        try:
            text.format_map(fills)
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise ValueError(f"expected in braces one of {', '.join(FILLS)}, got {text!r}") from error
