"""What the labels of public sets say of our intents."""

from pathlib import Path

import pytest

from models.training.labels import SOURCES, read

TEXTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "text"


@pytest.mark.parametrize("name", SOURCES)
def test_a_label_is_not_both_sure_and_unsure_of_an_intent(name: str) -> None:
    source = SOURCES[name]
    for intent, labels in source.unsure.items():
        assert not [label for label in labels.split() if source.labels.get(label) is intent]


@pytest.mark.corpus
@pytest.mark.parametrize("name", SOURCES)
def test_what_is_known_of_a_set_stands_in_it_and_nothing_is_both(name: str) -> None:
    rows = read(TEXTS / name, "public_eval")
    assert {intent for row in rows for intent in row.intents} == set(SOURCES[name].known)
    assert not [row for row in rows if row.intents & row.unsure]


@pytest.mark.corpus
def test_a_set_that_comes_undivided_is_divided_by_its_dialogues() -> None:
    train, held = (read(TEXTS / "zh_crosswoz", split) for split in ("train", "public_eval"))
    assert 0.1 < len(held) / (len(train) + len(held)) < 0.3
