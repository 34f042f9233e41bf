"""Which language a channel speaks: evidence over time."""

import msgspec

from models.types import Hypothesis

_DECIDED = 1.5
"""Seconds of agreeing evidence, weighted by its confidence, that fix the language."""
_LEAST = 0.6
"""Confidence below which a detection is no evidence."""


class LanguageTracker(msgspec.Struct, frozen=True, kw_only=True):
    """
    Mandarin or English, once there is evidence; what is decided stays for the call.

    Speech in the other language is still understood as far as the recogniser can; code-switching needs more than this.
    """

    zh: float = 0.0
    """Seconds of speech for each, weighted."""
    en: float = 0.0
    decided: str | None = None

    @property
    def language(self) -> str | None:
        """ "zh" or "en"; None while undecided."""
        return self.decided

    def observe(self, hypothesis: Hypothesis, speech_ms: int) -> "LanguageTracker":
        """Weigh one more utterance."""
        if self.decided is not None or not hypothesis.text or hypothesis.language_confidence < _LEAST:
            return self
        weight = speech_ms / 1000 * (2 * hypothesis.language_confidence - 1)
        zh = self.zh + weight * (hypothesis.language == "zh")
        en = self.en + weight * (hypothesis.language == "en")
        decided = "zh" if zh - en >= _DECIDED else "en" if en - zh >= _DECIDED else None
        return LanguageTracker(zh=zh, en=en, decided=decided)
