"""Sentences as vectors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models import e5
from models.embedding import WIDTH, Embedding, Top
from models.weights import locate

pytestmark = pytest.mark.weights

_TEXTS = (
    "我的宽带又断了，你们到底修不修？",
    "家里网络断了，什么时候派人来修",
    "今天北京的天气怎么样",
    "my internet is not working",
    "the broadband connection is down",
    "I would like to book a table",
    "ok",
)


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> Embedding:
    return Embedding(locate("multilingual-e5-small", directory=None, cache=tmp_path_factory.mktemp("weights")))


def test_vectors_are_of_unit_length(embedding: Embedding) -> None:
    vectors = embedding(_TEXTS)
    assert vectors.shape == (len(_TEXTS), WIDTH)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(_TEXTS)), abs=1e-5)


def test_what_means_the_same_is_nearer_than_what_does_not(embedding: Embedding) -> None:
    broken, cut, weather, dead, down, table, _ = embedding(_TEXTS)
    assert broken @ cut > broken @ weather + 0.05
    assert dead @ down > dead @ table + 0.03


def test_the_model_is_the_one_that_was_trained_on(embedding: Embedding) -> None:
    """Cosines as measured when the heads were trained: a library that calculates otherwise would show here."""
    broken, cut, _, dead, down, *_ = embedding(_TEXTS)
    assert float(broken @ cut) == pytest.approx(0.909, abs=0.01)
    assert float(dead @ down) == pytest.approx(0.805, abs=0.01)


def test_a_text_has_the_same_vector_alone_and_among_others(embedding: Embedding) -> None:
    together = embedding(_TEXTS)
    for text, vector in zip(_TEXTS, together, strict=True):
        assert np.array_equal(embedding([text])[0], vector)


def test_threads_do_not_disturb_each_other(embedding: Embedding) -> None:
    expected = embedding(_TEXTS)
    with ThreadPoolExecutor(4) as threads:
        for vectors in threads.map(embedding, [_TEXTS] * 8):
            assert np.array_equal(vectors, expected)


def test_empty_and_very_long_texts_have_vectors(embedding: Embedding) -> None:
    vectors = embedding(["", "   ", "\n", "投诉" * 50_000, "complaint " * 50_000, "\u0000\ud7ff\U0001f600"])
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert np.array_equal(vectors[0], vectors[1])
    assert embedding([]).shape == (0, WIDTH)


def test_spaces_do_not_count(embedding: Embedding) -> None:
    one, other = embedding(["please  help\tme ", "please help me"])
    assert np.array_equal(one, other)


def test_trunk_and_top_are_the_whole(embedding: Embedding) -> None:
    lower = embedding.lower(_TEXTS)
    assert all(one.shape[0] == 1 and one.shape[2] == WIDTH for one in lower)
    assert np.array_equal(embedding.top(lower), embedding(_TEXTS))


def test_a_top_with_the_same_weights_is_the_same_and_with_others_another(embedding: Embedding) -> None:
    lower, plain = embedding.lower(_TEXTS), embedding.top.model()
    weights = e5.weights_of(plain)
    assert np.array_equal(Top(e5.tuned(plain, weights))(lower), embedding(_TEXTS))
    weights["l5.fo.w"] = weights["l5.fo.w"][:, ::-1]
    assert np.abs(Top(e5.tuned(plain, weights))(lower) - embedding(_TEXTS)).max() > 0.01
    assert np.array_equal(Top(e5.tuned(plain, e5.weights_of(plain)))(lower), embedding(_TEXTS))
