"""Sentiment and emotion of words by trained heads; the embedding is a stand-in, the heads are made here."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models.embedding import WIDTH
from models.errors import WeightsDamaged
from models.ngrams import ngrams
from models.sentiment import Sentiment
from models.tensors import write_tensors
from models.wording import OPEN, TextModel

_BITS = 10
_DENSE = WIDTH + 6


class LettersOnly:
    """An embedding by the letters of a text, whose trunk does everything."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def lower(self, texts: Sequence[str]) -> list[np.ndarray]:
        self.seen += texts
        found = []
        for text in texts:
            vector = np.zeros(WIDTH, dtype=np.float32)
            vector[[ord(sign) % WIDTH for sign in text] or [0]] = 1
            found.append(vector / np.linalg.norm(vector))
        return found

    @staticmethod
    def top(lower: Sequence[np.ndarray]) -> np.ndarray:
        return np.array(lower, dtype=np.float32).reshape(-1, WIDTH)


def head(language: str, **changed: np.ndarray) -> dict[str, np.ndarray]:
    zeros = {
        "idf": np.ones(1 << _BITS, dtype=np.float32),
        "grams": np.zeros((1 << _BITS, 8), dtype=np.int8),
        "grams_scale": np.ones(8, dtype=np.float32),
        "hidden": np.zeros((_DENSE, 4), dtype=np.float16),
        "hidden_bias": np.zeros(4, dtype=np.float16),
        "out": np.zeros((4, 8), dtype=np.float16),
        "direct": np.zeros((_DENSE, 8), dtype=np.float16),
        "bias": np.zeros(8, dtype=np.float16),
    }
    return {f"{language}.{name}": tensor for name, tensor in (zeros | changed).items()}


def grams(text: str, column: int) -> np.ndarray:
    """Weights that know the n-grams of one text."""
    found = np.zeros((1 << _BITS, 8), dtype=np.int8)
    found[ngrams(text, "en", _BITS)[0], column] = 20
    return found


@pytest.fixture
def embedding() -> LettersOnly:
    return LettersOnly()


@pytest.fixture
def model(tmp_path: Path, embedding: LettersOnly) -> TextModel:
    random = np.random.default_rng(1)
    dense = random.normal(size=(_DENSE, 8)).astype(np.float16)
    tensors = head("zh", direct=dense) | head("en", grams=grams("no way", 0), direct=dense / 100)
    write_tensors(tmp_path / "text.safetensors", tensors, {})
    return TextModel(tmp_path / "text.safetensors", embedding)


def test_value_and_emotions_are_probabilities(model: TextModel) -> None:
    for said in model.read(["你好吗", "no way", "hello there", "退款"], ["zh", "en", "en", "unknown"]):
        assert said.value is not None
        assert said.neutral is not None
        assert -1 <= said.value <= 1
        assert 1 / 3 <= said.confidence <= 1
        assert abs(said.value) + said.neutral <= 1 + 1e-6
        assert 0 <= said.angry + said.anxious + said.disappointed + said.satisfied <= 1 + 1e-6


def test_n_grams_count(model: TextModel) -> None:
    bad, other = model.read(["no way", "quite all right"], ["en", "en"])
    assert bad.value is not None
    assert other.value is not None
    assert bad.value < -0.9 < other.value


def test_a_text_is_read_the_same_alone_and_among_others(model: TextModel) -> None:
    texts, languages = ["你好吗", "", "no way", "1 2 3", "退款!", "hello"], ["zh", "zh", "en", "en", "unknown", "zh"]
    together = model.read(texts, languages)
    assert together == [model(text, language) for text, language in zip(texts, languages, strict=True)]


def test_of_no_words_nothing_is_said_and_nothing_is_read(model: TextModel, embedding: LettersOnly) -> None:
    said = model.read(["", "...", "привет", "hello"], ["zh", "en", "unknown", "en"])
    assert said[:3] == [Sentiment(value=None, confidence=0.0)] * 3
    assert said[3].value is not None
    assert embedding.seen == ["hello"]


def test_what_the_trunk_made_already_is_not_made_again(model: TextModel, embedding: LettersOnly) -> None:
    texts, languages = ["你好吗", "", "no way"], ["zh", "zh", "en"]
    expected = model.read(texts, languages)
    lower = LettersOnly().lower(texts)
    embedding.seen.clear()
    assert model.read(texts, languages, lower) == expected
    assert model.read(texts, languages, lower, embedding.top(lower)) == expected
    assert embedding.seen == []


def test_threads_do_not_disturb_each_other(model: TextModel) -> None:
    texts = ["no way", "hello", "all right then"] * 5
    expected = model.read(texts, ["en"] * len(texts))
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda _: model.read(texts, ["en"] * len(texts)), range(8))
        assert list(found) == [expected] * 8


def test_as_many_languages_as_texts_are_expected(model: TextModel) -> None:
    with pytest.raises(ValueError, match="zip"):
        model.read(["one", "two"], ["en"])


@pytest.mark.parametrize("beside", [None, b"of other heads"])
def test_heads_without_the_layers_they_were_trained_with_are_refused(
    tmp_path: Path, embedding: LettersOnly, beside: bytes | None
) -> None:
    path = tmp_path / "text.safetensors"
    path.write_bytes(OPEN.read_bytes())
    if beside is not None:
        path.with_suffix(".onnx").write_bytes(beside)
    with pytest.raises(WeightsDamaged, match=r"text\.onnx"):
        TextModel(path, embedding)
