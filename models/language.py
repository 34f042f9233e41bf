"""Which language a channel speaks: evidence over time."""

from typing import Final

import msgspec

from models.types import Hypothesis

_LANGUAGES: Final = ("zh", "en")
_DECIDED_S: Final = 1.5
"""Seconds of speech, weighted by certainty, by which one language must lead."""
_LEAST: Final = 0.6
"""Certainty below which an utterance is no evidence."""
_AGAINST: Final = 0.1
"""Share of the decided language below which an utterance speaks against it; above 1/2 it speaks for it."""
_SWITCH_S: Final = 5.0
_SWITCH_UTTERANCES: Final = 3
"""Speech and utterances in a row against the decided language that overturn it."""


class LanguageTracker(msgspec.Struct, frozen=True, kw_only=True):
    """
    Mandarin or English, once there is evidence. What is decided stays, unless several utterances in a row are clearly
    of the other language: a borrowed word or one foreign sentence changes nothing.
    """

    zh: float = 0.0
    """Seconds of speech for each, weighted by certainty."""
    en: float = 0.0
    decided: str | None = None
    against_s: float = 0.0
    """Seconds of speech against what is decided, since anything spoke for it."""
    against: int = 0
    """Utterances of the same."""

    @property
    def language(self) -> str | None:
        """ "zh" or "en"; None while undecided."""
        return self.decided

    def observe(self, hypothesis: Hypothesis, speech_ms: int) -> "LanguageTracker":
        """
        Weigh one more utterance.

        Args:
            hypothesis: A final. Its ``language_confidence`` is the model's, also where the language was given.
            speech_ms: Its length.
        """
        if not hypothesis.text or hypothesis.language not in _LANGUAGES:
            return self
        if self.decided is None:
            return self._decide(hypothesis, speech_ms / 1000)
        certainty = hypothesis.language_confidence
        share = certainty if hypothesis.language == self.decided else 1 - certainty
        if share > 0.5:
            return msgspec.structs.replace(self, against_s=0.0, against=0)
        if share > _AGAINST:
            return self
        against_s, against = self.against_s + speech_ms / 1000, self.against + 1
        if against_s >= _SWITCH_S and against >= _SWITCH_UTTERANCES:
            return LanguageTracker(decided="en" if self.decided == "zh" else "zh")
        return msgspec.structs.replace(self, against_s=against_s, against=against)

    def _decide(self, hypothesis: Hypothesis, speech_s: float) -> "LanguageTracker":
        if hypothesis.language_confidence < _LEAST:
            return self
        weight = speech_s * (2 * hypothesis.language_confidence - 1)
        zh = self.zh + weight * (hypothesis.language == "zh")
        en = self.en + weight * (hypothesis.language == "en")
        decided = "zh" if zh - en >= _DECIDED_S else "en" if en - zh >= _DECIDED_S else None
        return LanguageTracker(zh=zh, en=en, decided=decided)
