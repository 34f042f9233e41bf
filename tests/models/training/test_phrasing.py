"""Texts made from our own sentences."""

import csv
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from models.intent import INTENTS
from models.training.phrasing import Phrasing, expand

DATA = Path(__file__).resolve().parents[2] / "data"
LANGUAGES: tuple[Literal["zh", "en"], ...] = ("zh", "en")


def test_choices_are_made_and_slots_filled() -> None:
    made = {expand("(take|give) {what}", {"what": ["it", "(a|the) card"]}, Random(seed)) for seed in range(60)}
    assert made == {f"{verb} {what}" for verb in ("take", "give") for what in ("it", "a card", "the card")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_intent_has_sentences_and_so_has_none(language: Literal["zh", "en"]) -> None:
    made = Phrasing(language).make(2, Random(1))
    assert {intent for one in made for intent in one.intents} == set(INTENTS)
    assert sum(not one.intents for one in made) > len(made) / 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_pattern_is_left_and_no_text_comes_twice(language: Literal["zh", "en"]) -> None:
    texts = [one.text for one in Phrasing(language).make(3, Random(2))]
    assert len(set(texts)) == len(texts)
    assert not [text for text in texts if set(text) & set("(){}|") or text != text.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_makes_the_same_texts(language: Literal["zh", "en"]) -> None:
    assert Phrasing(language).make(1, Random(3)) == Phrasing(language).make(1, Random(3))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_test_set_has_25_texts_of_each_intent_and_150_of_none(language: Literal["zh", "en"]) -> None:
    with (DATA / f"intents_{language}.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row["intents"].split(";") for row in csv.DictReader(lines)]
    assert all(sum(intent in row for row in rows) >= 25 for intent in INTENTS)
    assert sum(row == [""] for row in rows) >= 150
