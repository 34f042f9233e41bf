"""Sentiment and emotion of words by a trained model; ``models.sentiment`` has what stands in where it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from models.embedding import Embedding, Top
from models.errors import WeightsDamaged
from models.ngrams import ngrams
from models.sentiment import Sentiment, language_of, score
from models.tensors import read_tensors

SENTIMENTS: Final = ("negative", "neutral", "positive")
EMOTIONS: Final = ("neutral", "angry", "anxious", "disappointed", "satisfied")
OPEN: Final = Path(__file__).parent / "shipped" / "text-open.safetensors"
"""The weights that come with the project, with their top beside them; see docs/models/text-open.md."""
_LANGUAGES: Final[tuple[Literal["zh", "en"], ...]] = ("zh", "en")
_NOTHING: Final = Sentiment(value=None, confidence=0.0)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What was trained for one language: everything is added up to eight scores, three sentiments and five emotions."""

    idf: Floats
    """Shape (buckets,); how rare each n-gram is."""
    grams: npt.NDArray[np.int8]
    """Shape (buckets, 8)."""
    grams_scale: Floats
    """What each of the eight columns is multiplied by, shape (8,)."""
    hidden: Floats
    """Shape (dense, h)."""
    hidden_bias: Floats
    out: Floats
    """Shape (h, 8)."""
    direct: Floats
    """Shape (dense, 8)."""
    bias: Floats
    """Shape (8,)."""

    def scores(self, text: str, language: Literal["zh", "en"], vector: Floats) -> Floats:
        """
        Scores of one text.

        Args:
            vector: What the tuned top and the plain one make of it, shape (768,), or the plain one alone, (384,).

        Returns:
            Shape (8,), logarithms of probabilities but for two constants.
        """
        return self.scores_of(text, language, np.concatenate([vector, marks(text, language)]))

    def scores_of(self, text: str, language: Literal["zh", "en"], dense: Floats) -> Floats:
        """The same, of its embedding and its marks together."""
        buckets, counts = ngrams(text, language, len(self.idf).bit_length() - 1)
        weights = counts * self.idf[buckets]
        weights /= max(float(np.linalg.norm(weights)), 1e-9)
        inner = np.maximum(dense @ self.hidden + self.hidden_bias, 0)
        total = weights @ self.grams[buckets] * self.grams_scale + inner @ self.out + dense @ self.direct + self.bias
        return np.asarray(total, dtype=np.float32)


def marks(text: str, language: str) -> Floats:
    """What the phrases say of a text, shape (6,)."""
    said = score(text, language)
    return np.array(
        [said.value or 0.0, said.confidence, said.angry, said.anxious, said.disappointed, said.satisfied],
        dtype=np.float32,
    )


class TextModel:
    """
    Trained heads over an encoder, with upper layers that were tuned for them beside the plain ones.

    Keeps nothing between calls and may be used from any thread.
    """

    def __init__(self, weights: Path, embedding: Embedding) -> None:
        """
        Load the heads.

        Args:
            weights: A file that ``models.training.text`` wrote; the tuned layers are in the file beside it that ends
                in ``.onnx``.
            embedding: The one that it was trained with.

        Raises:
            WeightsDamaged: If it is no such file, or the one beside it is another's.
        """
        tensors, notes = read_tensors(weights)
        self._embedding = embedding
        self._top = _top(weights.with_suffix(".onnx"), notes)
        self._heads = {language: _head(tensors, language) for language in _LANGUAGES}

    def __call__(self, text: str, language: str) -> Sentiment:
        """As ``TextSentiment``."""
        return self.read([text], [language])[0]

    def read(
        self,
        texts: Sequence[str],
        languages: Sequence[str],
        lower: Sequence[Floats] | None = None,
        vectors: Floats | None = None,
    ) -> list[Sentiment]:
        """
        Sentiment of texts, the same for each as if it came alone.

        Args:
            texts: As recognised or written, with or without punctuation.
            languages: Of each "zh", "en", or anything else to go by the script.
            lower: What ``Embedding.lower`` makes of them, where it is known already.
            vectors: What the plain top makes of that, shape (n, 384), where it is known, too.

        Returns:
            ``value`` is the probability of positive less that of negative, ``confidence`` that of the likeliest of
            negative, neutral and positive; the emotions are probabilities and add up to 1 with that of none of them.
        """
        known: list[Literal["zh", "en"] | None] = [
            language_of(text, language) for text, language in zip(texts, languages, strict=True)
        ]
        worded = [at for at, one in enumerate(known) if one is not None]
        lower = self._embedding.lower([texts[at] for at in worded]) if lower is None else [lower[at] for at in worded]
        plain = self._embedding.top(lower) if vectors is None else vectors[worded]
        found = iter(plain if self._top is None else np.hstack([self._top(lower), plain]))
        return [
            _NOTHING if language is None else _sentiment(self._heads[language].scores(text, language, next(found)))
            for text, language in zip(texts, known, strict=True)
        ]


def _head(tensors: Mapping[str, npt.NDArray[Any]], language: str) -> Head:
    mine: dict[str, npt.NDArray[Any]] = {
        name.partition(".")[2]: tensor if tensor.dtype == np.int8 else tensor.astype(np.float32)
        for name, tensor in tensors.items()
        if name.startswith(f"{language}.")
    }
    return Head(**mine)


def _top(path: Path, notes: Mapping[str, str]) -> Top | None:
    """The layers that were tuned for these heads; None of heads that stand on the plain ones alone."""
    expected = notes.get("top")
    if expected is None:
        return None
    graph = path.read_bytes() if path.is_file() else b""
    if (found := sha256(graph).hexdigest()) != expected:
        raise WeightsDamaged(str(path), f"the layers of these heads, SHA-256 {expected}", found if graph else "no file")
    return Top(graph)


def _sentiment(scores: Floats) -> Sentiment:
    negative, neutral, positive = _softmax(scores[:3])
    _, angry, anxious, disappointed, satisfied = _softmax(scores[3:])
    return Sentiment(
        value=positive - negative,
        confidence=max(negative, neutral, positive),
        neutral=neutral,
        angry=angry,
        anxious=anxious,
        disappointed=disappointed,
        satisfied=satisfied,
    )


def _softmax(scores: Floats) -> list[float]:
    raised = np.exp(scores - scores.max())
    shares: list[float] = (raised / raised.sum()).tolist()
    return shares
