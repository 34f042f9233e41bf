"""The pictures in the documents are those of the result files."""

from pathlib import Path

import pytest

from benchmarks.pictures import PICTURES, digest, digest_in, draw, picture_of, results
from benchmarks.tables import DOCUMENT


def test_each_picture_is_drawn_from_the_result_as_it_is() -> None:
    assert results()
    for result in results():
        assert digest_in(picture_of(result)) == digest(result), f"{result.name}: run python -m benchmarks.pictures"


def test_no_picture_is_left_of_a_result_that_is_gone() -> None:
    assert set(PICTURES.glob("*.svg")) == {picture_of(result) for result in results()}


def test_the_document_shows_every_picture() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert [picture for picture in PICTURES.glob("*.svg") if f"(pictures/{picture.name})" not in document] == []


def test_a_picture_that_does_not_say_what_it_shows_is_found(tmp_path: Path) -> None:
    (tmp_path / "asr.svg").write_text("<svg/>")
    assert digest_in(tmp_path / "asr.svg") is None


def test_a_result_of_which_nothing_is_drawn_is_told() -> None:
    with pytest.raises(ValueError, match=r"expected a result of asr, .*, got vad.json"):
        draw(results()[0].with_name("vad.json"))


@pytest.mark.slow
def test_a_result_gives_the_same_picture_each_time() -> None:
    for result in results():
        assert draw(result) == draw(result)
