"""The figures of what agents take up are counted right, on turns that hold together."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.acknowledged import TURNS, Turn, read, score
from models.types import EmotionLabel


def turn(*, meant: bool) -> Turn:
    return Turn("text", "en", EmotionLabel.ANGRY, meant, "kept")


def test_a_near_miss_that_is_found_costs_precision_and_one_that_is_not_found_recall() -> None:
    turns = [turn(meant=True), turn(meant=True), turn(meant=False), turn(meant=False)]
    found = score(turns, [True, False, True, False], language="en", half="kept", emotion="all")
    assert (found.n, found.meant, found.precision, found.recall) == (4, 2, 0.5, 0.5)


def test_where_nothing_is_found_there_is_no_precision() -> None:
    found = score([turn(meant=True)], [False], language="en", half="kept", emotion="all")
    assert (found.precision, found.recall) == (None, 0.0)


@pytest.mark.parametrize("path", TURNS, ids=lambda path: path.stem)
def test_half_of_the_labelled_turns_are_near_misses_and_none_stands_there_twice(path: Path) -> None:
    turns = read([path])
    assert len({one.text for one in turns}) == len(turns) == 150
    assert sum(not one.meant for one in turns) >= 75
    assert all(count > 60 for count in Counter(one.half for one in turns).values())
