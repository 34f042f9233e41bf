"""
Sentiment of words, Chinese and English, and the emotions they speak of.

Chinese rests on our phrases alone. SnowNLP, made for shop reviews, knows no neutral: of 3,000 questions to a bank's
service it calls 19 % neutral where the phrases call 80 %, and it keeps some 400 MB in memory for it
(``warmline bench sentiment``).
English adds VADER for what our phrases leave over, without the words that are courtesy on the telephone.
"""

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Final, Literal, Protocol

import msgspec

from models.phrases import Cue, phrases


class Sentiment(msgspec.Struct, frozen=True, kw_only=True):
    """What a text feels like."""

    value: float | None
    """-1 ... 1; None where there are no words or not in a language that is known."""
    confidence: float
    """0 ... 1."""
    neutral: float | None = None
    """Probability that the words are neither good nor bad; None where the scorer does not say."""
    angry: float = 0.0
    """0 ... 1: how much the words speak of it, as for the three below; of a trained model, its probability."""
    anxious: float = 0.0
    disappointed: float = 0.0
    satisfied: float = 0.0


class TextModel(Protocol):
    """What texts feel like; keeps nothing between calls and may be used from any thread."""

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:
        """
        Read texts, each as if it came alone.

        Args:
            texts: As recognised or written, of any length, with or without punctuation.
            languages: "zh", "en", or anything else to go by the script; one for each.
        """
        ...


NOTHING_SAID: Final = Sentiment(value=None, confidence=0.0)
_SPREAD: Final = 0.5
"""Squared sum of values at which a text is about 0.6: the same shape as VADER's, whose words go to 4."""
_VADER_SHARE: Final = 0.8
"""Weight of VADER's compound beside our phrases."""
_PLAIN: Final = 0.45
"""Confidence that a sentence without any phrase is neutral."""
_CJK: Final = re.compile(r"[\u4e00-\u9fff]")
_WORD: Final = re.compile(r"[a-z]")
_SENTENCE: Final = {"zh": 12, "en": 40}
"""Characters of a sentence; less than that says less."""


def score(text: str, language: str) -> Sentiment:
    """
    Sentiment of a text.

    Args:
        text: As recognised, with or without punctuation.
        language: "zh", "en", or anything else to go by the script.
    """
    known = language_of(text, language)
    if known is None:
        return NOTHING_SAID
    plain = text.lower().replace("’", "'")
    hits = phrases(known).find(plain)
    values = [hit.value for hit in hits]
    cues: dict[Cue, float] = {}
    for hit in hits:
        # A turned phrase speaks of no emotion: "not angry" is not satisfied.
        if hit.cue is not None and (hit.value > 0) == (hit.cue == "satisfied"):
            cues[hit.cue] = 1 - (1 - cues.get(hit.cue, 0.0)) * (1 - min(abs(hit.value), 0.95))
    if known == "en":
        values.append(_VADER_SHARE * _vader(_without(plain, [(hit.start, hit.end) for hit in hits])))
    total, strength = math.fsum(values), math.fsum(abs(value) for value in values)
    return Sentiment(
        value=total / math.sqrt(total * total + _SPREAD),
        confidence=_confidence(total, strength, min(1.0, len(plain) / _SENTENCE[known])),
        **cues,
    )


def joined(listed: Sentiment, trained: Sentiment) -> Sentiment:
    """
    What the phrases and a trained model say of one text together.

    The phrases are those of calls to a service, which few texts are that models are trained on: where they find
    something, they count twice as much as the model, each by its confidence, and an emotion that they name takes its
    share from the others.
    """
    if listed.value is None or trained.value is None or not listed.value:
        return trained
    weight = listed.confidence / (listed.confidence + trained.confidence / 2)
    cues = {
        "angry": listed.angry,
        "anxious": listed.anxious,
        "disappointed": listed.disappointed,
        "satisfied": listed.satisfied,
    }
    named = {name: weight * cue for name, cue in cues.items()}
    left = 1 - max(named.values())
    total = math.fsum(named.values())
    taken = {name: (1 - left) * one / total if total > 0 else 0.0 for name, one in named.items()}
    return Sentiment(
        value=weight * listed.value + (1 - weight) * trained.value,
        confidence=weight * listed.confidence + (1 - weight) * trained.confidence,
        neutral=None if trained.neutral is None else trained.neutral * (1 - weight * abs(listed.value)),
        **{name: left * getattr(trained, name) + taken[name] for name in cues},
    )


class Phrases:
    """The scorer of this file as a ``TextModel``; what runs where no weights are wanted."""

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:
        """See ``TextModel``."""
        return [score(text, language) for text, language in zip(texts, languages, strict=True)]


def language_of(text: str, language: str) -> Literal["zh", "en"] | None:
    if _CJK.search(text):
        return "zh" if language != "en" or len(_CJK.findall(text)) * 2 >= len(text) else "en"
    return "en" if _WORD.search(text.lower()) else None


def _confidence(total: float, strength: float, length: float) -> float:
    """Grows with what is said and shrinks with contradiction; a plain sentence is neutral, a grunt says nothing."""
    agreement = abs(total) / strength if strength > 1e-9 else 0.0
    said = 1 - math.exp(-2.0 * strength)
    return max(said * (0.3 + 0.7 * agreement), _PLAIN * length * (1 - said))


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        text = text[:start] + " " + text[end:]
    return text


@cache
def _analyser() -> "_Vader":
    # VADER reads half a megabyte of lexicon: only where English is spoken.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415

    analyser: _Vader = SentimentIntensityAnalyzer()
    for word in phrases("en").service:
        analyser.lexicon.pop(word, None)
    return analyser


class _Vader(Protocol):
    lexicon: dict[str, float]

    def polarity_scores(self, text: str) -> dict[str, float]: ...


def _vader(text: str) -> float:
    """
    VADER's compound, -1 ... 1.

    Source: Hutto, Gilbert: VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text, ICWSM
        2014.
    """
    return _analyser().polarity_scores(text)["compound"] if text.strip() else 0.0
