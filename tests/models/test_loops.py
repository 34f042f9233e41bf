import pytest

from models.loops import doubled, invented, loop_end, loops, without_loop


@pytest.mark.parametrize(
    ("tokens", "left"),
    [
        ([], None),
        ([1, 2, 3, 4, 5], None),
        ([7, 7, 7], None),
        ([1, 2, 7, 7, 7, 7, 7, 7], 3),
        ([5, 6] * 6, 2),
        ([9, *[1, 2, 3, 4] * 3, 8], 5),
        ([9, *[1, 2, 3, 4] * 3, 1, 2], 5),
        ([1, 2, 3] * 3, None),
        ([7, 7, 7, 7, 7, 7, 1, 2], None),
    ],
)
def test_a_loop_at_the_end_is_run_through_once(tokens: list[int], left: int | None) -> None:
    assert loop_end(tokens) == left


@pytest.mark.parametrize(
    ("text", "seconds", "left"),
    [
        ("不是不是不是不是不是不是我说的是上个月", 6.0, None),
        ("不是不是不是不是不是不是不是", 6.0, "不是"),
        ("号码是零零零零零零零", 4.0, None),
        ("号码是零零零零零零零", 0.5, "号码是零"),
    ],
)
def test_digits_and_what_is_said_after_a_repetition_stay(text: str, seconds: float, left: str | None) -> None:
    def decode(tokens: list[int]) -> str:
        return "".join(map(chr, tokens))

    assert decode(list(without_loop([ord(sign) for sign in text], decode, seconds))) == (left or text)


@pytest.mark.parametrize("text", ["字幕by索兰娅", "中文字幕志愿者 李宗盛", "(字幕)", "Thank you for watching!"])
def test_captions_are_invented(text: str) -> None:
    assert invented(text)


@pytest.mark.parametrize("text", ["你们的电影没有字幕，我要退款", "I was watching the parcel", "怎么取消订阅"])
def test_what_customers_say_of_films_is_not_invented(text: str) -> None:
    assert not invented(text)


def test_who_is_too_fast_for_a_mouth_is_stuck() -> None:
    assert loops(range(100), "".join(map(chr, range(100))), 1.0)
    assert not loops(range(10), "I paid twice", 1.0)


def test_what_comes_twice_and_nothing_else_is_doubled() -> None:
    assert doubled([8, 8])
    assert doubled([8, 9, 8, 9, 1])
    assert not doubled([8, 9])


def test_a_sentence_that_comes_twice_is_stuck() -> None:
    sentence = [1, 2, 3, 4, 5, 6]
    text = "Dogs are sitting by the door."
    assert loops([*sentence, *sentence], f"{text} {text}", 4.0)
    assert loops([*sentence, 9, *sentence, 9, 10], f"{text} {text}", 4.0)
    assert not doubled([*sentence, *sentence])
    assert not loops([*sentence, 7, 8, 9, 10], text, 4.0)
