"""The heavy work: from an excerpt of speech to its words and its prosody."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from audio.cutter import Speech
from audio.types import Channel
from models.prosody import Prosody, measure
from models.types import Capacity, Hypothesis, Recogniser, Spoken
from models.vocabulary import NO_TERMS, Vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """Speech to be understood."""

    utterance_id: str
    channel: Channel
    speech: Speech
    language: str | None
    final: bool
    timed: bool = False
    """Whether a partial is to have word times."""
    vocabulary: Vocabulary = NO_TERMS


class Heard(NamedTuple):
    """What the heavy work found in an excerpt."""

    hypothesis: Hypothesis
    prosody: Prosody | None
    """Of the customer only: nothing of the kind is computed from an agent's voice."""


class Hearing(Protocol):
    """The heavy work: keeps nothing between calls, may run in any thread."""

    @property
    def capacity(self) -> Capacity:
        """How much of it at once."""
        ...

    def shape(self, excerpt: Excerpt) -> Hashable:
        """What has an equal one may be heard together."""
        ...

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        """
        Understand excerpts of one shape, all finals or all partials; the same for each as if it came alone.

        See ``models.types.Recogniser`` for the hurry.
        """
        ...


class ModelHearing:
    """Words by the recogniser, prosody from the customer's voice."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self.capacity = recogniser.capacity

    def shape(self, excerpt: Excerpt) -> Hashable:
        """See ``Hearing``."""
        return self._recogniser.shape(_spoken(excerpt))

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        """See ``Hearing``."""
        hypotheses = self._recogniser.transcribe([_spoken(excerpt) for excerpt in batch], hurried=hurried)
        return [
            Heard(hypothesis, measure(excerpt.speech.pcm) if _of_customer(excerpt) and hypothesis.text else None)
            for excerpt, hypothesis in zip(batch, hypotheses, strict=True)
        ]


def _spoken(excerpt: Excerpt) -> Spoken:
    return Spoken(excerpt.speech.pcm, excerpt.language, excerpt.final, excerpt.timed, excerpt.vocabulary)


def _of_customer(excerpt: Excerpt) -> bool:
    return excerpt.final and excerpt.channel is Channel.CUSTOMER
