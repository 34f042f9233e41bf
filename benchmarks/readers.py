"""What reads texts in the benchmarks: our models, by name or as a directory, and lexicons of others beside them."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

from benchmarks.weights import Weights
from models.sentiment import Sentiment, score

DEFAULT: Final = "phrases"
_OURS_NEUTRAL: Final = 0.2
_VADER_NEUTRAL: Final = 0.05
"""By its authors: https://github.com/cjhutto/vaderSentiment#about-the-scoring."""
_SNOWNLP_NEUTRAL: Final = 0.2
"""It says nothing of a middle: the fifth of its range about one half."""


class TextModel(Protocol):
    """Scores texts; keeps nothing between calls."""

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:
        """Of each text, the same as if it came alone; languages are "zh", "en" or anything else where not known."""
        ...


class Chosen(NamedTuple):
    """A model that was asked for."""

    model: TextModel
    weights: Weights


class Reader(NamedTuple):
    """One side of a comparison."""

    name: str
    model: TextModel
    neutral: float
    """Distance from 0 up to which a value says "neutral", where a set has neutral texts."""


class Phrases:
    """Phrases and VADER: ``models.sentiment.score``."""

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:
        return [score(text, language) for text, language in zip(texts, languages, strict=True)]


class Snownlp:
    """Naive Bayes of shop reviews."""

    def __init__(self) -> None:
        from snownlp import SnowNLP

        self._make: Any = SnowNLP

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:  # noqa: ARG002 - of the protocol
        return [_sentiment(2 * float(self._make(text).sentiments) - 1 if text.strip() else 0.0) for text in texts]


class Vader:
    """Its compound, with its own lexicon."""

    def __init__(self) -> None:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        self._analyser: Any = SentimentIntensityAnalyzer()

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:  # noqa: ARG002 - of the protocol
        return [_sentiment(float(self._analyser.polarity_scores(text)["compound"])) for text in texts]


def _sentiment(value: float) -> Sentiment:
    """Of a score alone: its distance from the other end stands for the confidence."""
    return Sentiment(value=value, confidence=(1 + abs(value)) / 2)


def chosen(name: str) -> Chosen:
    """
    The model of a name.

    Args:
        name: "phrases", or a directory with weights.

    Raises:
        ValueError: If there is no such model.
    """
    if name == DEFAULT:
        return Chosen(Phrases(), Weights(name=DEFAULT, sha256=None))
    raise ValueError(f"expected {DEFAULT}, got {name}")


def ours(model: TextModel) -> Reader:
    """The model that is measured."""
    return Reader("ours", model, _OURS_NEUTRAL)


def peers(language: str) -> list[Reader]:
    """Those of others that know a language."""
    match language:
        case "zh":
            return [Reader("snownlp", Snownlp(), _SNOWNLP_NEUTRAL)]
        case "en":
            return [Reader("vader", Vader(), _VADER_NEUTRAL)]
        case _:
            return []
