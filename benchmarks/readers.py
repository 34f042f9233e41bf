"""What reads texts in the benchmarks: our models, by name or as a directory, and lexicons of others beside them."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.weights import Weights, find, of
from models.sentiment import Phrases, Sentiment, TextModel
from models.weights import locate
from stream.settings import load

Vectors = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Texts to vectors, shape (n, d)."""

DEFAULT: Final = "phrases"
_EMBEDDING: Final = "multilingual-e5-small"
_OURS_NEUTRAL: Final = 0.2
_VADER_NEUTRAL: Final = 0.05
"""By its authors: https://github.com/cjhutto/vaderSentiment#about-the-scoring."""
_SNOWNLP_NEUTRAL: Final = 0.2
"""It says nothing of a middle: the fifth of its range about one half."""


class Chosen(NamedTuple):
    """A model that was asked for."""

    model: TextModel
    weights: Weights


class Reader(NamedTuple):
    """One side of a comparison."""

    name: str
    model: TextModel
    neutral: float
    """Distance from 0 up to which a value is neutral where it does not say so itself."""


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


class Fused:
    """TF-IDF and sentence vectors, trained on the very set: ``benchmarks.peers.fused``."""

    def __init__(self, texts: Sequence[str], labels: Sequence[int], language: str, embedding: Vectors) -> None:
        """
        Train.

        Args:
            labels: -1 for negative, 0 for neutral, 1 for positive.
            language: "zh" or "en".
            embedding: Of sentences.
        """
        from benchmarks.peers.fused import Fused as Classifier

        self._embedding = embedding
        self._classifier = Classifier(texts, np.array(labels), embedding(texts), language)

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:  # noqa: ARG002 - of the protocol
        scores = self._classifier(texts, self._embedding(texts))
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        classes = self._classifier.classes
        return [
            Sentiment(value=float(row @ classes), confidence=float(row.max()), neutral=float(row[classes == 0].sum()))
            for row in shares
        ]


def embedding() -> Vectors:
    """
    The sentence vectors of production.

    Raises:
        WeightsMissing: If they are not installed.
    """
    from models.embedding import Embedding

    settings = load({})
    place = locate(_EMBEDDING, directory=settings.weights, cache=settings.home / "weights", hub=settings.hub)
    return Embedding(place)


def chosen(name: str) -> Chosen:
    """
    The model of a name.

    Args:
        name: "phrases", or weights as ``benchmarks.weights.find`` takes them.

    Raises:
        StreamError: If there is no such model.
        WeightsMissing: If it needs sentence vectors that are not installed.
    """
    if name == DEFAULT:
        return Chosen(Phrases(), Weights(name=DEFAULT, sha256=None))
    path = find(name, "text", "safetensors", DEFAULT)
    from models.wording import TextModel as Heads

    return Chosen(Heads(path, embedding()), of(path))


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
