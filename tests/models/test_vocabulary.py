"""What an operator writes of names is checked, and each call gets its own."""

from pathlib import Path

import pytest

from models.errors import VocabularyError
from models.vocabulary import MOST, Term, Vocabularies, load, units

FILE = """
terms:
  - 云集优选
  - text: iPhone
    sounds_like: [爱疯]
queues:
  billing: [Blue Harbor]
  returns: [云仓, Blue Harbor]
"""


def written(path: Path, content: str) -> Path:
    file = path / "vocabulary.yaml"
    file.write_text(content, encoding="utf-8")
    return file


def texts(vocabularies: Vocabularies, queue: str | None = None, names: tuple[str, ...] = ()) -> list[str]:
    found = vocabularies.of(queue, names)
    return [term.text for term in (*found.terms, *found.people)]


def test_each_call_has_the_terms_of_all_and_of_its_queue(tmp_path: Path) -> None:
    found = load(written(tmp_path, FILE))
    assert texts(found) == texts(found, "sales") == ["云集优选", "iPhone"]
    assert texts(found, "billing") == ["云集优选", "iPhone", "Blue Harbor"]
    assert texts(found, "returns") == ["云集优选", "iPhone", "云仓", "Blue Harbor"]
    assert found.of().terms[1] == Term(text="iPhone", sounds_like=("爱疯",))
    assert hash(found.of("billing")) == hash(load(written(tmp_path, FILE)).of("billing"))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ms. Patricia Brown", ["Patricia Brown", "Patricia", "Brown"]),
        ("王小明先生", ["王小明"]),
        ("李女士", []),
        ("Jo Wu", ["Jo Wu"]),
        ("", []),
    ],
)
def test_the_people_on_a_call_are_terms_without_their_titles(name: str, parts: list[str]) -> None:
    assert texts(Vocabularies(), None, (name,)) == parts


def test_names_from_elsewhere_are_added_once_and_only_where_they_can_be_found() -> None:
    found = Vocabularies(terms=("云集优选",)).extended(["Blue Harbor", "云集优选", "Blue Harbor", "X", "云", "长" * 41])
    assert texts(found) == ["云集优选", "Blue Harbor"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("terms: [云]", "expected at least two characters or three letters, got '云'"),
        ("terms: [ab]", "expected at least two characters or three letters, got 'ab'"),
        ("terms: [{text: iPhone, sounds_like: [x]}]", "expected at least two characters or three letters, got 'x'"),
        (f"terms: [{'长' * 41}]", "expected at most 40 characters, got 41"),
        ("terms: [云集, 云集]", "expected each term once, got '云集' twice"),
        ("terms: [云集]\nqueues: {billing: [云集]}", "expected each term once, got '云集' twice"),
        (
            f"terms: [{', '.join(f'云集{n}' for n in range(MOST + 1))}]",
            f"expected at most {MOST} terms, got {MOST + 1}",
        ),
        ("names: [云集]", "unknown field `names`"),
        ("terms: [{text: 云集, weight: 3}]", "unknown field `weight` at $.terms[0]"),
        ("terms: 云集", "expected `array`, got `str` at $.terms"),
        ("- 云集", "expected `object`, got `array`"),
        ("terms: [", "expected readable YAML in UTF-8"),
    ],
)
def test_a_vocabulary_with_a_fault_is_refused_and_the_fault_is_told(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(VocabularyError) as raised:
        load(written(tmp_path, content))
    assert told in str(raised.value)
    assert "vocabulary.yaml" in str(raised.value)


def test_a_vocabulary_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="readable YAML"):
        load(tmp_path / "none.yaml")


def test_units_are_characters_words_and_digits_at_their_places() -> None:
    text = "用iPhone 15，还可以"
    found = units(text)
    assert [text[unit.start : unit.end] for unit in found] == ["用", "iPhone", "15", "还", "可", "以"]
    assert [unit.sound for unit in found] == ["yong", "iphone", "15", "hai", "ke", "yi"]
