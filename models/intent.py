"""What a customer wants, from the words of an utterance, Chinese and English."""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from models.errors import WeightsDamaged
from models.grams import SIZE, grams
from models.tensors import read_tensors

SHIPPED: Final = Path(__file__).parent / "shipped" / "intent-open.safetensors"
LANGUAGES: Final = ("zh", "en")
"""In the order of the rows of ``slope``, ``offset`` and ``threshold``."""
_CJK: Final = re.compile(r"[\u4e00-\u9fff]")


class Intent(StrEnum):
    """What an utterance may want or say; none or several."""

    CANCEL = "cancel"
    """To end a contract, an order, a booking, or to leave."""
    REFUND = "refund"
    """Money back, or news of it."""
    COMPLAINT = "complaint"
    """To complain, to be put through to a superior, or plain displeasure with the company."""
    COMPETITOR = "competitor"
    """Another company's offer, or a wish to go there."""
    PRICE = "price"
    """What something costs, a fee, a discount, a bill that is too high."""
    DELIVERY = "delivery"
    """Where goods are, when and how they come."""
    TECHNICAL_FAULT = "technical_fault"
    """Something does not work."""
    REPEATED_CONTACT = "repeated_contact"
    """They have called or written about it before."""
    ALREADY_TOLD = "already_told"
    """They have said this before, or been asked it before."""
    THANKS = "thanks"
    PROMISE_ASKED = "promise_asked"
    """The agent is asked for a date, a call back, a guarantee."""


INTENTS: Final = tuple(Intent)


class Vectors(Protocol):
    """What makes vectors of texts, as ``models.embedding.Embedding`` does."""

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Shape (n, 384)."""
        ...


class IntentModel:
    """
    Linear over the runs of a text, with a hidden layer over its vector; the scores are calibrated by language.

    Keeps nothing between calls and may be used from any thread.
    """

    def __init__(self, weights: Path, embedding: Vectors | None) -> None:
        """
        Load it.

        Args:
            weights: A file as ``models.training.intents`` writes it; ``SHIPPED`` comes with the program.
            embedding: May be None where every call brings its vectors.

        Raises:
            WeightsDamaged: If the file is not one of an intent model.
        """
        arrays, self.notes = read_tensors(weights)
        if self.notes.get("intents") != " ".join(INTENTS):
            raise WeightsDamaged(str(weights), f"the intents {' '.join(INTENTS)}", str(self.notes.get("intents")))
        self._embedding = embedding
        floats = {name: array.astype(np.float32) for name, array in arrays.items()}
        self._mean, self._vector, self._bias = floats["mean"], floats["vector"], floats["bias"]
        self._into, self._hidden, self._out = floats["into"], floats["hidden"], floats["out"]
        self._grams = arrays["grams"]
        self._scale = floats["scale"]
        self._slope, self._offset, self._threshold = floats["slope"], floats["offset"], floats["threshold"]
        assert self._grams.shape == (SIZE, len(INTENTS)), "the runs are numbered as when it was trained"

    def intents(
        self, texts: Sequence[str], languages: Sequence[str], *, vectors: npt.NDArray[np.float32] | None = None
    ) -> list[dict[Intent, float]]:
        """
        How likely each intent is in each text.

        Args:
            texts: As recognised, with or without punctuation; of the customer.
            languages: "zh", "en", or anything else to go by the script.
            vectors: Of the embedding for these texts, shape (n, 384), if they are there already.

        Returns:
            Probabilities, 0 ... 1; they need not add up to anything. All 0 for a text without words.
        """
        if not texts:
            return []
        if vectors is None:
            assert self._embedding is not None, "a model without an embedding is given the vectors"
            vectors = self._embedding(texts)
        spoken: list[Literal["zh", "en"]] = [language_of(text, one) for text, one in zip(texts, languages, strict=True)]
        rows = [grams(text, one) for text, one in zip(texts, spoken, strict=True)]
        scores = self.scores(rows, vectors)
        which = [LANGUAGES.index(one) for one in spoken]
        chances = 1 / (1 + np.exp(-(self._slope[which] * scores + self._offset[which])))
        chances[[len(row) == 0 for row in rows]] = 0.0
        return [dict(zip(INTENTS, map(float, row), strict=True)) for row in chances]

    def scores(
        self, rows: Sequence[npt.NDArray[np.int64]], vectors: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Before calibration, shape (n, intents)."""
        # A product of each vector alone: a matrix product rounds otherwise with more of them.
        heard = np.stack([self._heard(one - self._mean) for one in vectors])
        worded = np.stack([self._worded(row) for row in rows])
        return heard + worded + self._bias

    def _heard(self, vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        hidden = np.maximum(vector @ self._into + self._hidden, 0)
        score: npt.NDArray[np.float32] = vector @ self._vector + hidden @ self._out
        return score

    def _worded(self, row: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        if not len(row):
            return np.zeros(len(INTENTS), dtype=np.float32)
        total: npt.NDArray[np.float32] = self._grams[row].sum(axis=0, dtype=np.float32)
        return total * self._scale / np.float32(np.sqrt(len(row)))

    def threshold(self, intent: Intent, language: Literal["zh", "en"]) -> float:
        """Probability from which an intent counts, below which there is none."""
        return float(self._threshold[LANGUAGES.index(language), INTENTS.index(intent)])

    def named(self, chances: dict[Intent, float], language: Literal["zh", "en"]) -> tuple[Intent, ...]:
        """The intents that count, in the order of ``Intent``; none is an answer."""
        return tuple(intent for intent in INTENTS if chances[intent] >= self.threshold(intent, language))


def language_of(text: str, language: str) -> Literal["zh", "en"]:
    """The language that is named, or else that of the script."""
    if language == "zh" or (language != "en" and _CJK.search(text)):
        return "zh"
    return "en"
