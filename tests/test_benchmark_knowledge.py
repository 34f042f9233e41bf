"""The figures of the search are counted right."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from agent_assist.knowledge.space import Vectors
from benchmarks.codes import cases, catalogue
from benchmarks.knowledge import WAYS, read, search_set
from benchmarks.shelves import shelf


def write(folder: Path, rows: list[dict[str, str]]) -> Path:
    folder.mkdir()
    with gzip.open(folder / "public_eval.csv.gz", "wt", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two questions that are answered, and two that are not, of which one's partner stays in the index."""
    rows = [
        ("怎么退款", "退款怎么办理", "1"),
        ("cancel please", "how to cancel", "1"),
        ("天气如何", "明天下雨吗", "0"),
        ("发票在哪里", "怎么开发票", "0"),
    ]
    return write(tmp_path / "zh_pairs", [dict(zip(("text_a", "text_b", "label"), row, strict=True)) for row in rows])


def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Knows one thing: what is about refunds."""
    return np.array([[float("退款" in text), float("退款" not in text)] for text in texts], dtype=np.float32)


def test_the_partner_of_a_question_is_found_and_every_way_is_measured_on_the_same_questions(pairs: Path) -> None:
    found, answered = search_set(read(pairs, 10), Vectors("toy", embed))
    assert [one.way for one in found] == list(WAYS)
    assert {(one.articles, one.n) for one in found} == {(4, 2)}
    words = next(one for one in found if one.way == "words")
    assert (words.recall_1, words.recall_5, words.mrr) == (1.0, 1.0, 1.0)
    assert {(one.known, one.unknown) for one in answered} == {(2, 1)}


def test_a_question_without_an_answer_has_lost_its_partner_and_no_other_has(pairs: Path) -> None:
    one = read(pairs, 10)
    assert len(one.taken) == 1
    assert all(one.taken.isdisjoint(asked.right) for asked in one.asked)


def test_of_an_intent_some_texts_are_kept_and_others_asked_and_what_has_none_is_unknown(tmp_path: Path) -> None:
    rows = [{"text": f"{intent} {n}", "intent": intent} for intent in ("pay", "oos") for n in range(7)]
    one = read(write(tmp_path / "en_intents", rows), 100)
    assert len(one.articles) == 5
    assert sorted(len(asked.right) for asked in one.asked) == [0] * 7 + [5] * 2
    assert {asked.question for asked in one.asked}.isdisjoint(one.articles.values())


def test_unknown_codes_are_not_in_the_catalogue() -> None:
    known = {node.title for node in catalogue()}
    strange = [
        case.question.split("报错代码")[1].split("怎么")[0] for case in cases() if case.way == "unknown, written"
    ]
    assert strange
    assert known.isdisjoint(strange)


@pytest.mark.slow
def test_a_shelf_holds_what_it_was_given_and_is_asked_as_often_as_told() -> None:
    found = shelf(20, ["退款多久到账", "how do I cancel", "净化器报错", "late delivery"], None, 5)
    assert (found.articles, found.search_ms.n) == (20, 5)
