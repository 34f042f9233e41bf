"""Hashed n-grams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ngrams import CHARACTERS, ngrams


@given(st.text(), st.sampled_from(["zh", "en"]))
def test_buckets_are_in_order_in_range_and_counted(text: str, language: str) -> None:
    buckets, weights = ngrams(text, language, 12)
    assert np.array_equal(buckets, np.unique(buckets))
    assert not len(buckets) or (buckets[0] >= 0 and buckets[-1] < 1 << 12)
    assert len(weights) == len(buckets)
    assert (weights >= 1).all()


def test_what_comes_twice_weighs_more() -> None:
    once, twice = ngrams("no", "en", 40), ngrams("no no no", "en", 40)
    weights = dict(zip(twice[0].tolist(), twice[1].tolist(), strict=True))
    assert set(once[0].tolist()) <= set(weights)
    assert max(weights.values()) == pytest.approx(1 + np.log(3))
    assert (once[1] == 1).all()


def test_sentences_share_what_they_share() -> None:
    one, other = (set(ngrams(text, "en", 40)[0].tolist()) for text in ("never call again", "never ask again"))
    assert one & other
    assert one - other
    assert other - one


def test_spaces_and_capitals_do_not_count() -> None:
    one, other = ngrams("Never  again ", "en", 30), ngrams("never\nagain", "en", 30)
    assert np.array_equal(one[0], other[0])


def test_the_end_of_a_very_long_text_is_left_out() -> None:
    one, other = (ngrams("a" * CHARACTERS + end, "en", 30)[0] for end in ("", " something else"))
    assert np.array_equal(one, other)


def test_hashes_stay_what_they_were_when_the_heads_were_trained() -> None:
    assert ngrams("退款", "zh", 20)[0].tolist() == [
        13794,
        66461,
        109998,
        333363,
        462452,
        639318,
        756647,
        777199,
        850373,
    ]
    assert ngrams("no", "en", 20)[0].tolist() == [438625, 488322, 567589, 647183]
