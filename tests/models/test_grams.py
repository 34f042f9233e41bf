"""Texts as runs of characters, words and sounds."""

from typing import Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.grams import SIZE, grams, tokenize
from models.intent import language_of


def runs(text: str) -> set[int]:
    return set(grams(text, language_of(text, "unknown")).tolist())


@given(st.text(max_size=80), st.sampled_from(["zh", "en"]))
def test_every_text_has_runs_in_order_and_each_once(text: str, language: Literal["zh", "en"]) -> None:
    found = grams(text, language)
    assert np.all(np.diff(found) > 0)
    assert np.all((found >= 0) & (found < SIZE))


def test_case_and_punctuation_at_the_end_do_not_matter() -> None:
    assert runs("Cancel my contract!") == runs("cancel my contract")
    assert runs("我要退款。") == runs("我要退款")


def test_what_is_denied_has_runs_that_it_has_not_alone() -> None:
    denied, said = runs("i do not want to cancel"), runs("i do want to cancel")
    assert len(denied - said) > len(said - denied)


def test_a_negation_ends_with_its_clause() -> None:
    assert len(runs("不我要退款") - runs("不，我要退款")) > len(runs("不，我要退款") - runs("不我要退款"))


def test_a_homophone_shares_the_sounds() -> None:
    right, wrong, other = (runs(text) for text in ("我要退款", "我要腿款", "我要吃饭"))
    assert len(right & wrong) > len(right & other)


def test_numbers_are_alike() -> None:
    assert tokenize("No. 4711, 第3次") == ["no", ".", "0", ",", "第", "0", "次"]


def test_a_text_without_words_has_none() -> None:
    assert not runs("")
    assert not runs("?! …")
