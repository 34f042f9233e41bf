"""Clauses and their vectors, as they travel with what was said."""

from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embedding import Embedding
from models.meaning import MOST_CLAUSES, SPACE, Meaning, cut, meanings, packed
from models.weights import find, locate

_TEXT = st.text(alphabet="我要退款吗，。！？,.;!? ab1n't了3", max_size=80)


def by_letters(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """A vector of each text that depends on it alone."""
    rows = [np.random.default_rng(crc32(text.encode())).normal(size=384) for text in texts]
    return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


@given(_TEXT)
def test_clauses_lie_apart_in_the_text_one_after_the_other(text: str) -> None:
    found = cut(text)
    assert len(found) <= MOST_CLAUSES
    places = [place for clause in found for place in clause]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(text[start:end] == text[start:end].strip() for start, end in found)


def test_short_words_between_commas_mean_nothing_by_themselves() -> None:
    text = "好的,我要退款。我等了3,000秒了,没人理我!"
    assert [text[start:end] for start, end in cut(text)] == ["我要退款。", "我等了3,000秒了", "没人理我!"]
    assert cut("嗯") == [(0, 1)]
    assert cut("... 12") == []


@given(st.lists(_TEXT, max_size=4))
def test_each_text_means_the_same_as_if_it_came_alone(texts: list[str]) -> None:
    assert meanings(texts, by_letters) == [meanings([text], by_letters)[0] for text in texts]
    for text, meaning in zip(texts, meanings(texts, by_letters), strict=True):
        assert [(one.start, one.end) for one in meaning.clauses] == cut(text)
        assert all(len(one.vector) == 384 for one in meaning.clauses)


@given(st.integers(0, 10_000))
def test_bytes_keep_the_angles(seed: int) -> None:
    # In a narrow cone, as those of the embedding are.
    vectors = np.random.default_rng(seed).normal(size=(8, 384)) + 2.0 * np.random.default_rng(1).normal(size=384)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    steps = packed(vectors.astype(np.float32)).astype(np.float64)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    assert np.abs(steps @ steps.T - vectors @ vectors.T).max() < 0.002


def test_the_space_is_that_of_the_weights_that_are_there() -> None:
    recipe = find("multilingual-e5-small").recipe
    assert recipe is not None
    assert SPACE.startswith(f"multilingual-e5-small {recipe.revision},")


@pytest.mark.weights
def test_what_means_the_same_is_nearer_than_what_shares_the_words(tmp_path: Path) -> None:
    embed = Embedding(locate("multilingual-e5-small", directory=None, cache=tmp_path), deep=True)
    said, same, other = meanings(
        ["I've been on hold for nearly an hour", "I have been waiting very long", "the shop is open for an hour"], embed
    )

    def vector(meaning: Meaning) -> npt.NDArray[np.float64]:
        steps = np.frombuffer(meaning.clauses[0].vector, dtype=np.int8).astype(np.float64)
        return steps / np.linalg.norm(steps)

    assert vector(said) @ vector(same) > vector(said) @ vector(other)
