"""What was committed stays, whatever the passes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.commit import Commitment, Shown
from models.types import Word


def show(*heard: str) -> list[Shown]:
    commitment, shown = Commitment(), []
    for text in heard:
        commitment, one = commitment.add(text)
        shown.append(one)
    return shown


def test_what_two_passes_agree_on_is_committed() -> None:
    first, second, third = show("I want to can", "I want to cancel my", "I want to cancel my contract.")
    assert first == ("I want to can", 0)
    assert second == ("I want to cancel my", len("I want to"))
    assert third == ("I want to cancel my contract.", len("I want to cancel my"))


def test_chinese_is_committed_by_the_character() -> None:
    _, second, third = show("你好，我想", "你好，我想退", "你好我要退订")
    assert second == ("你好，我想退", len("你好，我想"))
    assert third == ("你好，我想退订", len("你好，我想退"))


def test_case_and_punctuation_do_not_disagree_and_do_not_change_what_stands() -> None:
    *_, last = show("hello there", "Hello, there you", "hello there. You are")
    assert last == ("Hello, there. You are", len("Hello, there. You"))


def test_a_pass_that_hears_less_or_nothing_takes_nothing_back() -> None:
    *_, less, nothing = show("one two three four", "one two three four", "one two", "")
    assert less.text.startswith("one two three four")
    assert nothing == ("one two three four", len("one two three four"))


def test_a_pass_that_begins_with_one_word_more_goes_on_at_the_right_place() -> None:
    *_, last = show("we will call you back", "we will call you back today", "so we will call you back today at noon")
    assert last == ("we will call you back today at noon", len("we will call you back today"))


TEXT = st.lists(st.sampled_from(["no", "yes", "well", "我", "要", "退", "订", "，", ". ", " "]), max_size=12).map(
    "".join
)


@given(st.lists(TEXT, max_size=8))
@pytest.mark.slow
def test_committed_text_is_never_rewritten_and_never_shrinks(heard: list[str]) -> None:
    shown = show(*heard)
    for n, one in enumerate(shown):
        assert 0 <= one.committed <= len(one.text)
        for later in shown[n + 1 :]:
            assert later.text.startswith(one.text[: one.committed])
            assert later.committed >= one.committed


@given(TEXT)
def test_the_same_twice_is_committed_but_for_what_stands_behind_the_last_word(heard: str) -> None:
    _, second = show(heard, heard)
    assert second.text == heard or not any(map(str.isalnum, heard))
    assert not any(map(str.isalnum, heard[second.committed :]))


def word(text: str, end_ms: int) -> Word:
    return Word(text=text, start_ms=end_ms - 100, end_ms=end_ms, confidence=1.0)


def test_the_speech_of_committed_words_is_cut_off_and_what_follows_goes_on_behind_them() -> None:
    commitment, _ = Commitment().add("I have called three times")
    commitment, _ = commitment.add("I have called three times about")
    words = [word(text, 500 * n) for n, text in enumerate(["I", "have", "called", "three", "times", "about"], 1)]
    found = commitment.cut("I have called three times about", words)
    assert found is not None
    commitment, at_ms = found
    assert at_ms == 2_500
    commitment, shown = commitment.add("about my")
    assert shown == ("I have called three times about my", len("I have called three times about"))
    commitment, shown = commitment.add("about my bill.")
    assert shown == ("I have called three times about my bill.", len("I have called three times about my"))


def test_nothing_is_cut_in_the_middle_of_a_word() -> None:
    commitment, _ = Commitment().add("我想退")
    commitment, _ = commitment.add("我想退订")
    assert commitment.cut("我想退订", [word("我想", 400), word("退订", 900)]) is None
    assert Commitment().cut("我", [word("我", 100)]) is None
