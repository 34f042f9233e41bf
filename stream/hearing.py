"""The heavy work: from an excerpt of speech to its words, what they feel like, and how the customer sounds."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from audio.cutter import Speech
from audio.types import SAMPLE_RATE, Channel, Pcm
from models.emotion import Baseline, Sound, Voice, VoiceModel
from models.meaning import Meaning
from models.reading import NOTHING_READ, Read, Reader
from models.types import Capacity, Hypothesis, Recogniser, Spoken
from models.vocabulary import NO_TERMS, Vocabulary

_WINDOW: Final = 3 * SAMPLE_RATE
"""Of what is still being said, the last part that the voice is judged by."""


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
    baseline: Baseline | None = None
    """How the customer sounds when calm, as known before; None on the agent's channel, whose voice is not judged."""
    recent: Pcm | None = None
    """The last seconds of a partial's utterance, committed words among them; None where ``speech`` holds them all."""


class Tone(NamedTuple):
    """How the customer sounded."""

    sound: Sound
    voice: Voice


class Heard(NamedTuple):
    """What the heavy work found in an excerpt."""

    hypothesis: Hypothesis
    read: Read
    """What the text feels like, and of the customer, what it wants."""
    tone: Tone | None
    """Of the customer only: nothing of the kind is computed from an agent's voice."""
    meaning: Meaning | None = None
    """Of the text of a final."""


NOTHING_HEARD: Final = Heard(
    Hypothesis(text="", language="unknown", language_confidence=0.0, confidence=0.0), NOTHING_READ, None
)


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
    """Words by the recogniser; what they mean by the reader; the tone of the customer by the model of voices."""

    def __init__(self, recogniser: Recogniser, voices: VoiceModel, reader: Reader) -> None:
        self._recogniser = recogniser
        self._voices = voices
        self._reader = reader
        self.capacity = recogniser.capacity

    def shape(self, excerpt: Excerpt) -> Hashable:
        """See ``Hearing``."""
        return self._recogniser.shape(_spoken(excerpt))

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        """See ``Hearing``."""
        hypotheses = self._recogniser.transcribe([_spoken(excerpt) for excerpt in batch], hurried=hurried)
        said = [n for n, hypothesis in enumerate(hypotheses) if hypothesis.text]
        texts, languages = [hypotheses[n].text for n in said], [hypotheses[n].language for n in said]
        read = dict(zip(said, self._reader.read(texts, languages), strict=True))
        final = all(excerpt.final for excerpt in batch)
        meant = dict(zip(said, self._reader.meanings(texts), strict=True)) if final else {}
        tones = self._judge({n: batch[n] for n in said})
        return [
            Heard(hypothesis, read.get(n, NOTHING_READ), tones.get(n), meant.get(n))
            for n, hypothesis in enumerate(hypotheses)
        ]

    def _judge(self, spoken: dict[int, Excerpt]) -> dict[int, Tone]:
        """The customers' tones, by the number of the excerpt."""
        baselines = {n: one.baseline for n, one in spoken.items() if one.baseline is not None}
        sounds = self._voices.hear([_voiced(spoken[n]) for n in baselines])
        return {
            n: Tone(sound, self._voices.judge(sound, baseline))
            for (n, baseline), sound in zip(baselines.items(), sounds, strict=True)
        }


def _voiced(excerpt: Excerpt) -> Pcm:
    if excerpt.final:
        return excerpt.speech.pcm
    return excerpt.speech.pcm[-_WINDOW:] if excerpt.recent is None else excerpt.recent[-_WINDOW:]


def _spoken(excerpt: Excerpt) -> Spoken:
    return Spoken(excerpt.speech.pcm, excerpt.language, excerpt.final, excerpt.timed, excerpt.vocabulary)
