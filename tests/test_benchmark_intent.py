"""The figures of intents are counted right."""

import numpy as np
import pytest

from benchmarks.intent import TextSet, _Named, measure
from benchmarks.peers.phrases import KNOWN, Phrases
from models.intent import INTENTS, Intent
from models.training.labels import Labelled

CANCEL, REFUND = frozenset({Intent.CANCEL}), frozenset({Intent.REFUND})


def labelled(text: str, intents: frozenset[Intent], unsure: frozenset[Intent] = frozenset()) -> Labelled:
    return Labelled(text, "en", intents, unsure)


def said(rows: list[frozenset[Intent]]) -> _Named:
    named = np.array([[intent in row for intent in INTENTS] for row in rows])
    return _Named(named, np.where(named, 0.9, 0.1))


ROWS = [labelled("a", CANCEL), labelled("b", REFUND), labelled("c", frozenset()), labelled("d", CANCEL | REFUND)]
WHOLE = TextSet("set", "en", frozenset(INTENTS), ROWS)


def test_all_right_is_one_and_nothing_is_a_false_alarm() -> None:
    found = measure(WHOLE, said([row.intents for row in ROWS]), system="warmline", condition="clean")
    assert found.macro_f1 == 1.0
    assert set(found.per_intent) == {Intent.CANCEL, Intent.REFUND}
    assert found.alarms == 0.0
    assert found.calibration_error == pytest.approx(0.1)
    assert found.likely_error == pytest.approx(0.1)
    assert {one.accuracy for one in found.coverage} == {1.0}


def test_what_is_plainly_not_there_does_not_flatter_the_likely_ones() -> None:
    chances = np.zeros((len(ROWS), len(INTENTS)))
    chances[:, INTENTS.index(Intent.PRICE)] = 0.6
    found = measure(WHOLE, _Named(chances > 0.5, chances), system="warmline", condition="clean")
    assert found.likely_error == pytest.approx(0.6)
    assert found.calibration_error is not None
    assert found.calibration_error < 0.3


def test_a_wrong_name_costs_both_intents_and_is_an_alarm() -> None:
    found = measure(WHOLE, said([REFUND, REFUND, CANCEL, CANCEL | REFUND]), system="warmline", condition="clean")
    assert found.per_intent["cancel"].precision == found.per_intent["cancel"].recall == 0.5
    assert found.per_intent["refund"].precision == pytest.approx(2 / 3, abs=1e-4)
    assert found.per_intent["refund"].recall == 1.0
    assert found.alarms == 1.0
    spans = found.macro_low, found.macro_f1, found.macro_high
    assert spans == tuple(sorted(span for span in spans if span is not None))


def test_what_is_unsure_or_unknown_to_the_set_counts_nowhere() -> None:
    rows = [labelled("a", CANCEL), labelled("b", frozenset(), REFUND), labelled("c", frozenset())]
    known = TextSet("set", "en", CANCEL | REFUND, rows)
    told = [CANCEL | {Intent.PRICE}, REFUND, frozenset({Intent.THANKS})]
    found = measure(known, said(told), system="warmline", condition="clean")
    assert found.macro_f1 == 1.0
    assert set(found.per_intent) == {Intent.CANCEL}
    assert found.alarms == 0.0


def test_phrases_are_asked_only_for_what_they_know() -> None:
    rows = [labelled("a", frozenset({Intent.DELIVERY})), labelled("b", CANCEL)]
    one = TextSet("set", "en", frozenset(INTENTS), rows)
    found = measure(one, said([frozenset(), CANCEL]), system="phrases", condition="clean", knows=KNOWN)
    assert set(found.per_intent) == {Intent.CANCEL}


def test_the_playbook_hears_a_wish_to_leave_and_not_its_denial() -> None:
    phrases = Phrases()
    assert Intent.CANCEL in phrases("I want to cancel my contract")
    assert Intent.CANCEL not in phrases("I do not want to cancel my contract")
    assert phrases("it is raining") == frozenset()
