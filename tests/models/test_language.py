"""The language of a channel: decided by evidence, kept against noise, given up against more evidence."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language import LanguageTracker
from models.types import Hypothesis


def said(language: str, certainty: float = 0.97, text: str = "x") -> Hypothesis:
    return Hypothesis(text=text, language=language, language_confidence=certainty, confidence=0.8)


def tracked(*utterances: Hypothesis, ms: int = 2_000) -> LanguageTracker:
    tracker = LanguageTracker()
    for utterance in utterances:
        tracker = tracker.observe(utterance, ms)
    return tracker


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_clear_sentence_decides(language: str) -> None:
    assert LanguageTracker().language is None
    assert tracked(said(language)).language == language


def test_a_short_word_does_not_decide() -> None:
    assert tracked(said("en"), ms=400).language is None
    assert tracked(*[said("en")] * 5, ms=400).language == "en"


def test_doubtful_or_silent_utterances_are_no_evidence() -> None:
    assert tracked(*[said("zh", 0.55)] * 20).language is None
    assert tracked(*[said("zh", 1.0, text="")] * 20).language is None
    assert tracked(*[said("unknown", 1.0)] * 20).language is None


def test_languages_in_balance_decide_nothing() -> None:
    assert tracked(*[said("zh"), said("en")] * 10, ms=1_000).language is None


def test_one_foreign_sentence_changes_nothing() -> None:
    assert tracked(said("zh"), said("zh", 0.01), said("zh"), ms=10_000).language == "zh"


def test_repeated_clear_evidence_overturns() -> None:
    """A recogniser that was told "zh" reports how little of the sound is."""
    tracker = tracked(said("zh"))
    for _ in range(3):
        assert tracker.language == "zh"
        tracker = tracker.observe(said("zh", 0.02), 2_000)
    assert tracker.language == "en"


def test_what_speaks_for_it_wipes_out_what_spoke_against() -> None:
    against = [said("zh", 0.02)] * 2
    assert tracked(said("zh"), *against, said("zh", 0.9), *against, said("zh", 0.9), *against).language == "zh"


@given(st.lists(st.tuples(st.sampled_from(["zh", "en"]), st.floats(0, 1), st.integers(0, 20_000)), max_size=20))
def test_it_survives_a_checkpoint_at_any_time(utterances: list[tuple[str, float, int]]) -> None:
    tracker = stored = LanguageTracker()
    for language, certainty, ms in utterances:
        tracker = tracker.observe(said(language, certainty), ms)
        stored = msgspec.json.decode(msgspec.json.encode(stored), type=LanguageTracker).observe(
            said(language, certainty), ms
        )
    assert stored == tracker
