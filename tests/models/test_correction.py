"""Terms take the place of words that sound like them, where the recogniser bears them out."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.correction import Candidate, candidates, chosen, corrections, replaced, rewritten
from models.types import Correction
from models.vocabulary import Term, Vocabulary

VOCABULARY = Vocabulary(
    (
        Term(text="龙耀"),
        Term(text="滨江"),
        Term(text="云集优选"),
        Term(text="Blue Harbor"),
        Term(text="iPhone", sounds_like=("爱疯",)),
        Term(text="T恤"),
    )
)


def found(text: str) -> list[tuple[str, str]]:
    return [(text[one.start : one.end], one.term.text) for one in candidates(text, VOCABULARY)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("龙药冰江广场", [("龙药", "龙耀"), ("冰江", "滨江")]),
        ("银鸡优选不错", [("银鸡优选", "云集优选")]),
        ("we like blue harper more", [("blue harper", "Blue Harbor")]),
        ("我的爱疯坏了", [("爱疯", "iPhone")]),
        ("一件t序", [("t序", "T恤")]),
        ("龙 药", [("龙 药", "龙耀")]),
        ("一条龙，药店", []),
        ("今天天气很好", []),
        ("", []),
    ],
)
def test_what_sounds_like_a_term_is_a_candidate(text: str, wanted: list[tuple[str, str]]) -> None:
    assert sorted(found(text)) == sorted(wanted)


@pytest.mark.parametrize("text", ["龙耀广场", "Blue Harbor is better", "blue harbor is better"])
def test_a_term_that_stands_already_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_name_that_the_line_has_brought_has_to_be_likelier() -> None:
    [named] = candidates("龙药来了", Vocabulary((Term(text="龙耀"),)))
    [brought] = candidates("龙药来了", Vocabulary(people=(Term(text="龙耀"),)))
    assert 0 < brought.bonus < named.bonus


def test_only_the_nearest_few_are_asked_about() -> None:
    crowd = Vocabulary(tuple(Term(text=f"龙{second}") for second in "耀要药腰姚摇遥窑谣咬"))
    some = candidates("龙幺来了", crowd)
    assert 0 < len(some) < len(crowd.terms)
    assert [one.bonus for one in some] == sorted((one.bonus for one in some), reverse=True)


def test_a_term_stands_where_the_recogniser_finds_it_likely_enough() -> None:
    text = "龙药冰江广场"
    some = candidates(text, VOCABULARY)
    bonus = {one.term.text: one.bonus for one in some}
    likelier = [-bonus[one.term.text] + (0.1 if one.term.text == "龙耀" else -0.1) for one in some]
    standing = chosen(some, likelier)
    assert replaced(text, standing) == "龙耀冰江广场"
    assert corrections(text, standing) == (Correction(heard="龙药", written="龙耀"),)


def test_what_the_operator_says_is_heard_so_needs_no_asking() -> None:
    text = "我的爱疯坏了"
    some = candidates(text, VOCABULARY)
    assert replaced(text, chosen(some, [-1e9] * len(some))) == "我的iPhone坏了"


def test_all_that_the_operator_says_is_heard_so_stands_beside_the_few_that_are_asked_about() -> None:
    sure = Vocabulary(tuple(Term(text=f"Thing{second}", sounds_like=(f"爱{second}",)) for second in "耀药腰姚摇遥窑谣"))
    text = "爱耀爱药爱腰爱姚爱摇爱遥爱窑爱谣"
    some = candidates(text, sure)
    assert sum(one.certain for one in some) == 8
    assert all(not one.certain for one in some[8:])
    assert replaced(text, chosen(some, [-1e9] * len(some))) == "".join(term.text for term in sure.terms)


def test_of_candidates_over_each_other_the_best_stands() -> None:
    terms = Term(text="龙耀"), Term(text="要兵")
    some = [Candidate(0, 2, terms[0], 2, 0.0, False), Candidate(1, 3, terms[1], 2, 0.0, False)]
    assert [one.term.text for one in chosen(some, [-3.0, -2.0])] == ["要兵"]


class Bytes:
    """Each token a few bytes, without regard to where characters end."""

    def __init__(self, size: int) -> None:
        self.size = size

    def encode(self, text: str) -> list[int]:
        raw = text.encode()
        return [int.from_bytes(b"\1" + raw[at : at + self.size]) for at in range(0, len(raw), self.size)]

    def decode(self, tokens: list[int]) -> str:
        return b"".join(token.to_bytes(self.size + 1).lstrip(b"\0")[1:] for token in tokens).decode(errors="replace")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 30])
@pytest.mark.parametrize("text", ["去龙药冰江广场吃饭", "我用爱疯", "in Blue harper, 龙药", "龙药"])
def test_terms_are_put_among_the_tokens_wherever_characters_and_tokens_end(text: str, size: int) -> None:
    tokenizer = Bytes(size)
    tokens = tokenizer.encode(text)
    some = candidates(text, VOCABULARY)
    standing = chosen(some, [0.0] * len(some))
    found = rewritten(tokens, standing, tokenizer, str.upper)
    terms = [one._replace(term=Term(text=one.term.text.upper())) for one in standing]
    assert standing
    assert tokenizer.decode(list(found)) == replaced(text, terms)
    assert rewritten(tokens, [], tokenizer, str) == tuple(tokens)
    if size == 3 and text.startswith("去"):
        assert found[0] == tokens[0]
        assert list(found[-4:]) == tokens[-4:]


@given(
    st.text(alphabet="龙药耀冰滨江广场爱疯集优选bluehaprT恤 ，", max_size=30),
    st.lists(st.floats(-30, 5), min_size=6, max_size=6),
)
def test_only_the_chosen_places_change_and_the_order_of_terms_does_not_matter(text: str, likelier: list[float]) -> None:
    some = candidates(text, VOCABULARY)
    standing = chosen(some, likelier[: len(some)])
    assert all(a.end <= b.start for a, b in pairwise(standing))
    rest = [
        text[a:b]
        for a, b in zip([0, *(one.end for one in standing)], [*(one.start for one in standing), len(text)], strict=True)
    ]
    pieces = [piece for pair in zip(rest, [*(one.term.text for one in standing), ""], strict=True) for piece in pair]
    assert replaced(text, standing) == "".join(pieces)
    assert sorted(candidates(text, Vocabulary(VOCABULARY.terms[::-1]))[:5]) == sorted(some[:5])
