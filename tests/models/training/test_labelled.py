"""Labels of public sets, as we read them."""

import gzip
from pathlib import Path

import pytest

from models.training.labelled import SETS, read, read_own
from models.training.service import sentences
from models.training.text import chosen
from models.wording import EMOTIONS, SENTIMENTS


def written(directory: Path, name: str, content: str, file: str = "train.csv.gz") -> Path:
    (directory / name).mkdir()
    with gzip.open(directory / name / file, "wt", encoding="utf-8") as out:
        out.write(content)
    return directory


def test_a_set_without_neutral_texts_is_known_as_such(tmp_path: Path) -> None:
    written(tmp_path, "en_sst2", "text,label\na fine film,positive\ndull,negative\n")
    fine, dull = read(tmp_path, "en_sst2")
    assert (fine.text, fine.sentiment, fine.emotion, fine.two_way) == ("a fine film", 2, None, True)
    assert dull.sentiment == 0


def test_emotions_become_ours_and_what_may_be_either_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, "zh_smp2020_usual", "text,label\n气死了,angry\n啊,surprise\n好怕,fear\n,happy\n")
    angry, afraid = read(tmp_path, "zh_smp2020_usual")
    assert (SENTIMENTS[angry.sentiment or 0], EMOTIONS[angry.emotion or 0]) == ("negative", "angry")
    assert (SENTIMENTS[afraid.sentiment or 0], EMOTIONS[afraid.emotion or 0]) == ("negative", "anxious")


def test_an_emotion_may_be_known_where_the_sentiment_is_not(tmp_path: Path) -> None:
    rows = ("wow,surprise,surprise,ambiguous", "thanks,gratitude,joy,positive", "hm,fear,fear,mixed")
    written(tmp_path, "en_goemotions", "\n".join(("text,labels,emotion,sentiment", *rows)))
    assert [(row.text, row.sentiment, row.emotion) for row in read(tmp_path, "en_goemotions")] == [
        ("thanks", 2, 4),
        ("hm", None, 2),
    ]


def test_of_dialogues_the_user_is_read(tmp_path: Path) -> None:
    line = '{"turns": [{"role": "usr", "text": "订一间房"}, {"role": "sys", "text": "好的"}]}\n'
    written(tmp_path, "zh_crosswoz", line, "dialogues.jsonl.gz")
    assert [(row.text, row.sentiment) for row in read(tmp_path, "zh_crosswoz")] == [("订一间房", 1)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_open_weights_see_no_set_whose_terms_are_not_clear(language: str) -> None:
    allowed = {"zh_cped", "zh_crosswoz", "en_goemotions", "en_banking77", "en_clinc150", "en_dstc11_insurance"}
    names = set(chosen("open", language, []))
    assert names <= allowed | {"en_cfpb_complaints"}
    assert names < set(chosen("research", language, []))


def test_no_weights_see_a_set_that_is_only_measured_on() -> None:
    measured_only = {name for name, known in SETS.items() if known.licence == "none"}
    assert measured_only
    assert not measured_only & set(chosen("research", "zh", []))


def test_a_set_can_be_left_out() -> None:
    assert "zh_waimai" not in chosen("research", "zh", ["zh_waimai"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_written_sentences_are_filled_and_of_every_kind(language: str) -> None:
    rows = sentences(language)
    assert len({row.text for row in rows}) == len(rows)
    assert not any("{" in row.text for row in rows)
    assert {row.sentiment for row in rows} == {0, 1, 2}
    assert {row.emotion for row in rows} == {0, 1, 2, 3, 4}


def test_texts_of_ones_own_are_read(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("text,language,sentiment,emotion\n又断网了,zh,negative,angry\nfine thanks,en,positive,\n")
    assert [(row.text, row.language, row.sentiment, row.emotion) for row in read_own(path)] == [
        ("又断网了", "zh", 0, 1),
        ("fine thanks", "en", 2, None),
    ]


@pytest.mark.parametrize("line", ["bad,en,negativ,", "bad,de,negative,", "bad,en,negative,cross"])
def test_a_label_of_ones_own_that_is_unknown_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"text,language,sentiment,emotion\n{line}\n")
    with pytest.raises(ValueError, match="line=2"):
        read_own(path)
