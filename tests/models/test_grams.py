"""Texts as runs of characters, words and sounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.grams import SIZE, grams, tokenize


@given(st.text(max_size=80))
def test_every_text_has_runs_in_order_and_each_once(text: str) -> None:
    found = grams(text)
    assert np.all(np.diff(found) > 0)
    assert np.all((found >= 0) & (found < SIZE))


def test_case_and_punctuation_at_the_end_do_not_matter() -> None:
    assert np.array_equal(grams("Cancel my contract!"), grams("cancel my contract"))
    assert np.array_equal(grams("我要退款。"), grams("我要退款"))


def test_what_is_denied_has_runs_that_it_has_not_alone() -> None:
    denied, said = set(grams("i do not want to cancel").tolist()), set(grams("i do want to cancel").tolist())
    assert len(denied - said) > len(said - denied)


def test_a_negation_ends_with_its_clause() -> None:
    within, beyond = set(grams("不，我要退款").tolist()), set(grams("不我要退款").tolist())
    assert within < beyond


def test_a_homophone_shares_the_sounds() -> None:
    right, wrong, other = (set(grams(text).tolist()) for text in ("我要退款", "我要腿款", "我要吃饭"))
    assert len(right & wrong) > len(right & other)


def test_numbers_are_alike() -> None:
    assert tokenize("No. 4711, 第3次") == ["no", ".", "0", ",", "第", "0", "次"]


def test_a_text_without_words_has_none() -> None:
    assert [len(grams(text)) for text in ("", "?! …")] == [0, 0]
