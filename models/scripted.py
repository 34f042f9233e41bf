"""A recogniser without a model, to measure everything around one."""

from collections.abc import Hashable, Sequence

from audio.types import SAMPLE_RATE
from models.types import Capacity, Hypothesis, Spoken, Word


class ScriptedRecogniser:
    """Says one word for each half second that it is given; knows nothing of what was said."""

    capacity = Capacity(workers=1, finals=64, partials=64)

    def shape(self, spoken: Spoken) -> Hashable:  # noqa: ARG002 - of the protocol
        """See ``models.types.Recogniser``."""
        return None

    def transcribe(self, batch: Sequence[Spoken], *, hurried: bool = False) -> list[Hypothesis]:  # noqa: ARG002
        """See ``models.types.Recogniser``."""
        return [_say(spoken) for spoken in batch]


def _say(spoken: Spoken) -> Hypothesis:
    count = max(1, 2 * len(spoken.pcm) // SAMPLE_RATE)
    words = tuple(Word(text=f"word{n}", start_ms=500 * n, end_ms=500 * n + 400, confidence=1.0) for n in range(count))
    return Hypothesis(
        text=" ".join(word.text for word in words),
        language=spoken.language or "en",
        language_confidence=1.0,
        confidence=1.0,
        words=words if spoken.final or spoken.timed else (),
    )
