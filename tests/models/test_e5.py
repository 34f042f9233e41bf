"""Which pieces of the vocabulary stay, and how weights are packed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.e5 import kept, pack


def test_what_chinese_and_english_are_written_with_stays() -> None:
    pieces = ["<s>", "\u2581refund", "ing", "投诉", "\u2581", "，", "é", "\u2581garçon", "привет", "ありがとう", "</s>"]
    chosen = [pieces[index] for index in kept(pieces, (0, 10))]
    assert chosen == ["<s>", "\u2581refund", "ing", "投诉", "\u2581", "，", "é", "</s>"]


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(64)), elements=st.integers(0, 15)))
def test_two_weights_share_a_byte_and_none_is_lost(weights: np.ndarray) -> None:
    packed = pack(weights)
    assert packed.shape == (len(weights), 2, 16)
    both = np.stack([packed & 15, packed >> 4], axis=-1)
    assert np.array_equal(both.reshape(weights.shape), weights)
