"""Passages of a body."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent_assist.knowledge.passages import LENGTH, passages


def test_paragraphs_under_one_heading_stay_together_and_know_it() -> None:
    body = "first\n\n# Refund\n\none\ntwo\n\nthree\n\n## Late\n\nfour"
    found = [(one.heading, body[one.start : one.end]) for one in passages(body)]
    assert found == [("", "first"), ("Refund", "one\ntwo\n\nthree"), ("Late", "four")]


def test_a_long_paragraph_is_cut_at_a_sentence() -> None:
    body = "一句不长的话。" * 200
    found = passages(body)
    assert len(found) > 1
    assert all(body[one.start : one.end].endswith("。") for one in found)


def test_an_empty_body_is_one_empty_passage() -> None:
    assert [(one.start, one.end) for one in passages("")] == [(0, 0)]


@given(st.text(alphabet="ab。 \n#中.", max_size=3_000))
def test_passages_are_ordered_disjoint_short_and_leave_no_word_out(body: str) -> None:
    found = passages(body)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(one.end - one.start <= LENGTH for one in found)
    outside = (
        body[: found[0].start] + "".join(body[a.end : b.start] for a, b in pairwise(found)) + body[found[-1].end :]
    )
    assert all(not line.strip(" .。\t") or line.lstrip(" ").startswith("#") for line in outside.split("\n"))
