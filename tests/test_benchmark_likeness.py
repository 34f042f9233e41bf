"""The benchmark of sentences by meaning: what it makes of a playbook, and how it counts."""

import numpy as np
import pytest

from agent_assist.advice.playbook import load
from agent_assist.advice.sense import said_every_day
from benchmarks.advice import MEANT
from benchmarks.intent import TextSet
from benchmarks.likeness import pooled, with_sentences
from models.intent import INTENTS, Intent
from models.training.labels import Labelled


def test_each_rule_that_is_measured_has_six_sentences_a_language() -> None:
    playbook = with_sentences(load(), "like")
    assert {rule.id for rule in playbook.rules} == set(MEANT)
    for rule in playbook.rules:
        assert {language: len(given) for language, given in rule.like.items()} == {"zh": 6, "en": 6}
        assert not rule.phrases
    assert not any(rule.like for rule in with_sentences(load(), "phrases").rules)
    assert all(rule.either and rule.phrases for rule in with_sentences(load(), "either").rules if not rule.competitors)


def test_what_is_said_every_day_is_not_a_sentence_of_a_rule() -> None:
    sentences = with_sentences(load(), "like").sentences()
    for language in ("zh", "en"):
        usual = said_every_day(language)
        assert len(set(usual)) == 200
        assert not set(usual) & set(sentences[language])


def test_all_rules_together_count_only_what_the_set_tells_of() -> None:
    rows = [
        Labelled("a", "en", frozenset({Intent.REFUND})),
        Labelled("b", "en", frozenset(), frozenset({Intent.REFUND})),
        Labelled("c", "en", frozenset()),
    ]
    fired = np.zeros((3, len(MEANT)), dtype=bool)
    fired[:, list(MEANT).index("refund")] = True
    whole = pooled(TextSet("s", "en", frozenset(INTENTS), rows), fired, system="like", condition="clean")
    assert (whole.n, whole.precision, whole.recall) == (1, 0.5, 1.0)
    none = pooled(TextSet("s", "en", frozenset(INTENTS), rows), np.zeros_like(fired), system="like", condition="clean")
    assert (none.precision, none.recall) == (None, pytest.approx(0.0))
