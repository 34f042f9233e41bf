"""What a text means: its feeling and its intents, from one look at it, and its vectors, which take one more."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from models.embedding import Embedding, Top
from models.intent import Intent, IntentModel, language_of
from models.meaning import Meaning, meanings
from models.sentiment import NOTHING_SAID, Sentiment, joined, score
from models.wording import TextModel


class Read(NamedTuple):
    """What one text means."""

    words: Sentiment
    intents: tuple[Intent, ...]
    """Those that count, if a customer said it; none where nobody asks for them."""


NOTHING_READ: Final = Read(NOTHING_SAID, ())


class Reader(Protocol):
    """Texts to what they mean; keeps nothing between calls and may be used from any thread."""

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Read]:
        """
        Read texts, each as if it came alone.

        Args:
            texts: As recognised or written.
            languages: "zh", "en", or anything else to go by the script; one for each.
        """
        ...

    def meanings(self, texts: Sequence[str]) -> list[Meaning | None]:
        """What they mean as vectors, each as if it came alone; None where it cannot be told."""
        ...


class TrainedReader:
    """
    By trained models over the same encoder; sentiment has upper layers of its own besides, and so has the meaning.

    Args:
        deep: All the upper layers of the encoder: with fewer, sentences that mean other things come out alike.
    """

    def __init__(self, embedding: Embedding, texts: TextModel, intents: IntentModel, deep: Top) -> None:
        self._embedding = embedding
        self._deep = deep
        self._texts = texts
        self._intents = intents

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Read]:
        """See ``Reader``."""
        if not texts:
            return []
        lower = self._embedding.lower(texts)
        vectors = self._embedding.top(lower)
        trained = self._texts.read(texts, languages, lower, vectors)
        words = [joined(score(*said), felt) for *said, felt in zip(texts, languages, trained, strict=True)]
        chances = self._intents.intents(texts, languages, vectors=vectors)
        return [
            Read(felt, self._intents.named(chance, language_of(text, language)))
            for felt, chance, text, language in zip(words, chances, texts, languages, strict=True)
        ]

    def meanings(self, texts: Sequence[str]) -> list[Meaning | None]:
        """See ``Reader``."""
        return [*meanings(texts, lambda parts: self._deep(self._embedding.lower(parts)))]


class PhraseReader:
    """By word lists alone; knows no intents and no meaning."""

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Read]:
        """See ``Reader``."""
        return [Read(score(text, language), ()) for text, language in zip(texts, languages, strict=True)]

    def meanings(self, texts: Sequence[str]) -> list[Meaning | None]:
        """See ``Reader``."""
        return [None] * len(texts)
