"""The figures of the playbook's rules are counted right."""

import numpy as np

from benchmarks.advice import MEANT, _Due, call_score, measure
from benchmarks.intent import TextSet
from benchmarks.peers.keywords import KEYWORDS
from models.intent import INTENTS, Intent
from models.training.labels import Labelled

RULES = list(MEANT)


def row(*intents: Intent, unsure: frozenset[Intent] = frozenset()) -> Labelled:
    return Labelled("text", "en", frozenset(intents), unsure)


def fired(*names: str) -> list[bool]:
    return [rule in names for rule in RULES]


def test_a_card_at_another_turn_is_wrong_and_leaves_the_due_one_missed() -> None:
    due = [_Due("greeting", frozenset({1})), _Due("closing", frozenset({9, 10})), _Due("task", frozenset({0}))]
    score = call_score("c", 10, [("greeting", 2), ("closing", 10), ("task", 0)], due)
    assert (score.due, score.right, score.shown) == (3, 2, 3)
    assert (score.missed, score.wrong) == (("greeting",), ("greeting@2",))


def test_precision_and_recall_are_of_the_texts_that_tell() -> None:
    rows = [
        row(Intent.CANCEL),
        row(Intent.CANCEL),
        row(Intent.REFUND),
        row(),
        row(Intent.PRICE, unsure=frozenset({Intent.CANCEL})),
    ]
    said = np.array([fired("cancel_intent"), fired(), fired("cancel_intent"), fired("cancel_intent"), fired("price")])
    found = measure(TextSet("s", "en", frozenset(INTENTS), rows), said, system="rules", condition="clean")
    cancel = found.per_rule["cancel_intent"]
    # The third wants a refund, with which the card is no mistake; the fifth does not tell.
    assert (cancel.n, cancel.of, cancel.precision, cancel.recall) == (2, 3, 0.5, 0.5)
    assert (found.per_rule["price"].precision, found.per_rule["price"].recall) == (1.0, 1.0)
    assert found.per_rule["refund"].precision is None
    assert found.alarms == 1.0


def test_what_a_set_does_not_know_is_not_measured() -> None:
    rows = [row(Intent.CANCEL), row()]
    said = np.array([fired("cancel_intent"), fired("delivery")])
    found = measure(TextSet("s", "en", frozenset({Intent.CANCEL}), rows), said, system="rules", condition="clean")
    assert set(found.per_rule) == {"cancel_intent"}


def test_each_rule_that_is_measured_has_keywords_beside_it() -> None:
    assert set(KEYWORDS) == set(MEANT)
