"""A recogniser without a model, to measure everything around one."""

from audio.types import SAMPLE_RATE, Pcm
from models.types import Hypothesis, Word


class ScriptedRecogniser:
    """Says one word for each half second that it is given; knows nothing of what was said."""

    def transcribe(self, pcm: Pcm, *, language: str | None, final: bool) -> Hypothesis:
        """See ``models.types.Recogniser``."""
        count = max(1, 2 * len(pcm) // SAMPLE_RATE)
        words = tuple(
            Word(text=f"word{n}", start_ms=500 * n, end_ms=500 * n + 400, confidence=1.0) for n in range(count)
        )
        return Hypothesis(
            text=" ".join(word.text for word in words),
            language=language or "en",
            language_confidence=1.0,
            confidence=1.0,
            words=words if final else (),
        )
