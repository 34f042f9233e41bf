"""Errors like a recogniser's."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sound import pinyin, syllable_distance
from models.training.confusion import Confusion, plain

_TEXTS = ["我要投诉头诉你们的服务态度", "是事试时十市师", "my bill is wrong", "the ball and the bell", "a pill, a pull"]


def test_a_text_is_stripped_of_punctuation_and_capitals() -> None:
    assert plain("Well, I don\u2019t KNOW!!") == "well i don't know"
    assert plain("你好，我要退款！（急）") == "你好 我要退款 急"
    assert plain("'quoted' 3.5%") == "quoted 3 5"
    assert plain("?!") == ""


@given(st.text())
def test_stripping_twice_is_stripping_once(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(st.text(alphabet="我要投诉你们的服务 abc!"), st.integers(0, 9))
def test_without_errors_only_spaces_change(text: str, seed: int) -> None:
    assert Confusion(_TEXTS, rate=0)(text, Random(seed)) == " ".join(text.split())


def test_a_character_is_taken_for_one_that_sounds_like_it() -> None:
    confusion = Confusion(_TEXTS, rate=1)
    heard = {confusion("是", Random(seed)) for seed in range(300)}
    replaced = {text for text in heard if len(text) == 1}
    assert {"事", "试", "时", "十", "师"} <= replaced
    assert all(syllable_distance(pinyin(other)[0], "shi") <= 0.25 for other in replaced)
    assert "是" not in replaced
    assert "" in heard
    assert any(len(text) == 2 and text.endswith("是") for text in heard), "a filler comes in"


def test_a_word_is_taken_for_one_with_its_consonants() -> None:
    confusion = Confusion(_TEXTS, rate=1)
    heard = {confusion("bill", Random(seed)) for seed in range(300)}
    assert {"ball", "bell", "pill", "pull", ""} <= heard
    assert heard - {"ball", "bell", "pill", "pull", ""} == {
        f"{filler} bill" for filler in ("uh", "um", "the", "and", "a")
    }


def test_the_rate_is_the_share_of_errors() -> None:
    words = ["bill"] * 4_000
    changed = Confusion(_TEXTS, rate=0.2)(" ".join(words), Random(1))
    assert changed.count("bill") / 4_000 == pytest.approx(0.82, abs=0.03), "an insertion leaves the word"


def test_the_same_chance_makes_the_same_errors() -> None:
    confusion = Confusion(_TEXTS)
    text = "我要投诉你们的服务 my bill is wrong"
    assert confusion(text, Random(3)) == confusion(text, Random(3))
    assert len({confusion(text, Random(seed)) for seed in range(30)}) > 10


def test_a_word_that_sounds_like_no_other_is_left_out() -> None:
    assert Confusion([], rate=1)("xylophone", Random(0)) in {
        "",
        *(f"{f} xylophone" for f in ("uh", "um", "the", "and", "a")),
    }


def test_a_rate_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        Confusion([], rate=1.5)
