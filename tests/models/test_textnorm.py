"""One form for words, and errors counted on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.textnorm import Errors, align, cer, normalise, wer

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
_ONES += ["seventeen", "eighteen", "nineteen"]
_TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def english(n: int) -> str:
    """A number as it is spoken."""
    for scale, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= scale:
            rest = n % scale
            joint = " and " if scale == 100 and rest else " "
            return f"{english(n // scale)} {name}{joint}{english(rest) if rest else ''}".strip()
    return _ONES[n] if n < 20 else f"{_TENS[n // 10]}-{_ONES[n % 10]}" if n % 10 else _TENS[n // 10]


def mandarin(n: int) -> str:
    """A number as it is spoken."""
    digits = "零一二三四五六七八九"
    if n < 10:
        return digits[n]
    for scale, name in ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if n >= scale:
            rest = n % scale
            gap = "零" if 0 < rest < scale // 10 else ""
            return mandarin(n // scale) + name + gap + (mandarin(rest) if rest else "")
    raise AssertionError


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("二零二六", "2026"),
        ("一百二十三", "123"),
        ("一百二", "120"),
        ("十五", "15"),
        ("三点一四", "3.14"),
        ("百分之五十", "50%"),
        ("1.5亿", "150000000"),
        ("three point one four", "3.14"),
        ("nineteen eighty-four", "1984"),
        ("twenty-first", "21st"),
        ("one hundred and fifth", "105th"),
        ("fifty per cent", "50%"),
        ("five dollars", "$5"),
        ("double five, oh", "550"),
        ("five five five, zero one four two", "555-0142"),
        ("1,234,567", "1234567"),
    ],
)
def test_a_number_has_one_form(spoken: str, written: str) -> None:
    assert normalise(spoken) == normalise(written)
    assert any(character.isdigit() for character in normalise(spoken))


@given(st.integers(0, 10**12 - 1))
def test_every_number_that_is_spoken_comes_out_in_digits(n: int) -> None:
    digits = " ".join(str(n))
    assert normalise(english(n)) == digits
    assert normalise(mandarin(n)) == digits
    assert normalise(str(n)) == digits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I can't, it's John's e-mail. OK?", "i can not it is johns email okay"),
        ("I'm sure we'll go, won't we?", "i am sure we will go will not we"),
        ("電話號碼，ＡＢＣ", "电话号码 abc"),
        ("um, at 3 p.m.", "At 3 PM"),
        ("你好，我想退货。", "你好我想退货"),
    ],
)
def test_how_it_is_written_does_not_count(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize("word", ["百货公司", "千万", "millions", "hundred", "point"])
def test_words_that_only_look_like_numbers_stay(word: str) -> None:
    assert normalise(word).replace(" ", "") == word


def test_different_words_stay_different() -> None:
    assert wer("我要退货", "我要退款") == Errors(substitutions=1, n=4)
    assert wer("i can go", "i can't go") == Errors(insertions=1, n=3)
    assert wer("555-0142", "555-0143").total == 1
    assert cer("plan", "plans") == Errors(insertions=1, n=4)
    assert wer("cancel my plan", "cancel plan").rate == pytest.approx(1 / 3)


def test_an_empty_side_is_all_deletions_or_all_insertions() -> None:
    assert wer("one two", "") == Errors(deletions=2, n=2)
    assert wer("", "one two") == Errors(insertions=2)
    assert wer("", "").rate == 0


_TEXTS = st.lists(
    st.sampled_from(
        [
            "i",
            "can't",
            "pay",
            "twenty",
            "five",
            "hundred",
            "dollars",
            "and",
            "3.5",
            "Mr.",
            "电话",
            "一百",
            "二",
            "零",
            "百",
            "万",
            "50%",
            "，。",
            "21st",
            "oh",
        ]
    ),
    max_size=8,
).map(" ".join)


@given(_TEXTS)
def test_case_and_width_do_not_matter(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert normalise(text.upper()) == normalise(text) == normalise(wide)


@given(st.text(max_size=60))
def test_any_text_gives_clean_tokens(text: str) -> None:
    tokens = normalise(text).split(" ")
    assert tokens == [""] or all(token and not token.isspace() for token in tokens)


_WORDS = st.lists(st.sampled_from("abcd"), max_size=8)


@given(_WORDS, _WORDS, _WORDS)
def test_errors_are_a_distance(a: list[str], b: list[str], c: list[str]) -> None:
    found = align(a, b)
    assert (found.total == 0) == (a == b)
    assert found.total == align(b, a).total
    assert found.total <= align(a, c).total + align(c, b).total
    assert len(b) == len(a) - found.deletions + found.insertions
    assert found.total <= max(len(a), len(b))
