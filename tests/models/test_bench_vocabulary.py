"""The benchmark of vocabularies finds names by its rule and counts what it should."""

import numpy as np
import pytest

from audio.types import SAMPLE_RATE
from benchmarks.asr import Row
from benchmarks.vocabulary import (
    _Names,
    _Told,
    chinese_names,
    english_names,
    heard_tokens,
    occurrences,
    score,
    unasked,
)
from models.vocabulary import Term, Vocabulary


def rows(language: str, *transcripts: str) -> list[Row]:
    return [Row(text, language, np.zeros(SAMPLE_RATE, np.int16)) for text in transcripts]


def test_terms_that_are_heard_missed_and_invented_are_counted() -> None:
    names = _Names(["佐野", "昆凌"], ["沙海"])
    told = [_Told("设计师左野的声称", 10.0), _Told("昆凌来了", 20.0), _Told("去沙海", 30.0)]
    found = score("x", rows("zh", "设计师佐野声称", "昆凌来了", "去上海"), told, names)
    assert (found.recall, found.false_insertions) == (0.5, 1)
    assert found.term_cer == 0.25
    assert found.cer == pytest.approx(3 / 14, abs=1e-4)
    assert found.ms.p50 == 20.0


def test_a_term_is_found_as_whole_tokens() -> None:
    assert occurrences("the art of a party", "Art") == [1]
    assert occurrences("设 计 师 佐 野 佐 野", "佐野") == [3, 5]
    assert occurrences("", "佐野") == []


def test_heard_tokens_are_those_of_the_cheapest_path() -> None:
    assert heard_tokens(["a", "b", "c", "d"], ["a", "x", "c"]) == [True, False, True, False]
    assert heard_tokens(["a", "b"], ["x", "a", "b"]) == [True, True]
    assert heard_tokens([], ["a"]) == []


def test_what_is_nearest_in_sound_is_put_in_unasked() -> None:
    vocabulary = Vocabulary(tuple(Term(text=text) for text in ("龙耀", "滨江", "家具")))
    assert unasked("龙药冰江广场", vocabulary) == "龙耀滨江广场"
    assert unasked("今天很好", vocabulary) == "今天很好"


# jieba is older than the rules on escapes that it breaks.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@pytest.mark.slow
def test_chinese_names_are_the_seldom_ones_of_the_transcripts() -> None:
    found = chinese_names(["周杰伦来了", "我在上海", "星巴克咖啡", "今天天气很好"])
    assert found.said == ["周杰伦", "星巴克"]
    assert len(found.unsaid) > 10_000
    assert not {"周杰伦", "星巴克", "上海"} & set(found.unsaid)
    assert found == chinese_names(["周杰伦来了", "我在上海", "星巴克咖啡", "今天天气很好"])


def test_english_names_are_the_words_known_in_capitals_only() -> None:
    tokens = [" Patricia", " Nevada", " Table", " table", " the", " The"]
    found = english_names(["Patricia has the table"], [*tokens, " has"])
    assert found == _Names(["Patricia"], ["Nevada"])
