"""The sentiment benchmark over texts made here."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import readers
from benchmarks.readers import Fused, Reader
from benchmarks.sentiment import AS_WRITTEN, BARE, MISHEARD, judged, polarity, run, score
from benchmarks.texts import Labelled, bare, misheard, read, unmarked
from models.sentiment import Sentiment
from stream.errors import StreamError


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(exist_ok=True)
    out = io.StringIO()
    table = csv.DictWriter(out, rows[0].keys())
    table.writeheader()
    table.writerows(rows)
    content = out.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def english(tmp_path: Path) -> Path:
    told = [("I am so angry, this is terrible!", "negative"), ("Thank you, that is great!", "positive")]
    rows = [{"text": text, "label": label} for text, label in told * 10] + [
        {"text": "The blue house.", "label": "neutral"}
    ]
    return written(tmp_path / "en_made" / "public_eval.csv.gz", [*rows, {"text": "Oh!", "label": "surprise"}])


@pytest.fixture
def business(tmp_path: Path) -> Path:
    rows = [{"text": "我的快递什么时候到", "intent": "tracking"}, {"text": "怎么修改密码", "intent": "password"}]
    return written(tmp_path / "zh_made" / "public_eval.csv", rows)


class Said:
    """Gives the values it was built with, in turn, each as sure as it is far from 0."""

    def __init__(self, *values: float | None) -> None:
        self.values = values

    def read(self, texts: Sequence[str], languages: Sequence[str]) -> list[Sentiment]:
        return [
            Sentiment(value=self.values[int(text)], confidence=abs(self.values[int(text)] or 0.0)) for text in texts
        ]


def result(
    manifests: list[Path], out: Path, capsys: pytest.CaptureFixture[str], **options: Any
) -> list[dict[str, Any]]:
    run(manifests, split=None, limit=None, out=out, json=True, **({"peers": False} | options))
    printed = json.loads(capsys.readouterr().out)
    assert json.loads(out.read_text(encoding="utf-8")) == printed
    assert printed["environment"]["command"].startswith("warmline bench sentiment")
    assert printed["text"] == {"name": "phrases", "sha256": None}
    sets = printed["sets"]
    assert isinstance(sets, list)
    return sets


@pytest.mark.slow
def test_each_set_is_read_as_written_and_bare_beside_a_peer(
    english: Path, business: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marked, asked = result([english, business], tmp_path / "out.json", capsys, peers=True)
    assert (marked["name"], marked["language"], marked["n"], marked["ways"]) == ("en_made", "en", 21, 3)
    assert [(one["written"], one["reader"]) for one in marked["scored"]] == [
        (written, reader) for written in (AS_WRITTEN, BARE, MISHEARD) for reader in ("ours", "vader")
    ]
    for one in marked["scored"][:4]:
        assert one["accuracy"] == one["macro_f1"] == one["auc"] == one["spoken"] == one["share"] == 1.0
        assert one["accuracy_interval"] == [1.0, 1.0]
        assert one["confusion"]["negative"] == {"negative": 10, "neutral": 0, "positive": 0}
    assert (asked["language"], asked["ways"], {one["reader"] for one in asked["scored"]}) == (
        "zh",
        0,
        {"ours", "snownlp"},
    )
    assert asked["scored"][0]["accuracy"] is asked["scored"][0]["ece"] is asked["scored"][0]["auc"] is None
    assert asked["scored"][0]["neutral"] == 1.0


def rows(tmp_path: Path, *labels: str) -> Path:
    return written(tmp_path / "xx" / "t.csv", [{"text": str(n), "sentiment": one} for n, one in enumerate(labels)])


def test_in_two_ways_the_sign_decides_and_nothing_said_is_wrong(tmp_path: Path) -> None:
    texts = read(rows(tmp_path, "positive", "positive", "negative", "negative"))
    found = score(Reader("made", Said(0.1, None, -0.9, 0.4), 0.2), AS_WRITTEN, texts)
    assert texts.ways == 2
    assert found.confusion["positive"] == {"negative": 0, "neutral": 1, "positive": 1}
    assert found.confusion["negative"] == {"negative": 1, "neutral": 0, "positive": 1}
    assert (found.accuracy, found.share, found.spoken) == (0.5, 0.75, pytest.approx(2 / 3, abs=1e-4))
    # Above each other: 0.1 over -0.9, not over 0.4; 0 over -0.9, not over 0.4.
    assert found.auc == 0.5
    # Right at 0.1 and 0.9, wrong at 0 and 0.4, each in a bin of its own.
    assert found.ece == pytest.approx((0.9 + 0.0 + 0.1 + 0.4) / 4)
    assert found.coverage_accuracy[-1].accuracy == 0.5
    assert found.neutral is None


def test_in_three_ways_what_lies_near_nothing_is_neutral(tmp_path: Path) -> None:
    texts = read(rows(tmp_path, "positive", "neutral", "neutral", "negative"))
    found = score(Reader("made", Said(0.1, 0.2, 0.3, -0.5), 0.2), AS_WRITTEN, texts)
    assert texts.ways == 3
    assert found.accuracy == 0.5
    assert found.neutral == 0.5
    # Positive 0, neutral one of two found and one of two right, negative whole.
    assert found.macro_f1 == pytest.approx((0 + 1 / 2 + 1) / 3, abs=1e-4)


def test_emotions_and_sentiments_are_read_by_column(tmp_path: Path) -> None:
    told = [("joy", "positive"), ("anger", "negative"), ("surprise", "neutral"), ("sadness", "mixed")]
    both = [{"text": "x", "emotion": emotion, "sentiment": sentiment, "language": "en"} for emotion, sentiment in told]
    found = read(written(tmp_path / "both" / "t.csv", both))
    assert [(row.polarity, row.language) for row in found.rows] == [
        ("positive", "en"),
        ("negative", "en"),
        ("neutral", "en"),
    ]
    emotions = [{"text": "x", "emotion": emotion} for emotion, _ in told]
    assert [row.polarity for row in read(written(tmp_path / "one" / "t.csv", emotions)).rows] == [
        "positive",
        "negative",
        "negative",
    ]
    assert read(written(tmp_path / "pairs" / "t.csv", [{"text_a": "x", "text_b": "y", "label": "0"}])).business


def test_a_limit_is_spread_over_the_whole_file(tmp_path: Path) -> None:
    path = rows(tmp_path, *["negative"] * 5, *["positive"] * 5)
    assert [row.polarity for row in read(path, limit=4).rows] == ["negative", "negative", "positive", "positive"]
    assert len(read(path, limit=99).rows) == 10


def test_a_file_without_texts_or_labels_of_ours_is_told(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="expected texts in a column text or text_a, got none"):
        read(written(tmp_path / "a" / "t.csv", [{"turn1": "x", "label": "happy"}]))
    with pytest.raises(StreamError, match=r"expected labels like positive, .*, got complaint"):
        read(written(tmp_path / "b" / "t.csv", [{"text": "x", "label": "complaint"}]))
    with pytest.raises(StreamError, match="expected phrases"):
        readers.chosen("nobody")


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Well, I DON'T know... 100%!", "well i don't know 100"),
        ("送餐快，态度好！ 谢谢😀", "送餐快态度好谢谢"),
        ("@VirginAmerica: thanks 👍", "virginamerica thanks"),
        ("!!!", ""),
    ],
)
def test_speech_has_no_marks(text: str, bare: str) -> None:
    assert unmarked(Labelled(text, "zh", None)).text == bare


@given(st.text())
def test_a_bare_text_is_bare(text: str) -> None:
    once = unmarked(Labelled(text, "en", "neutral"))
    assert unmarked(once) == once


@given(st.floats(-1, 1), st.floats(0, 0.9))
def test_polarity_is_odd(value: float, neutral: float) -> None:
    turned = {"positive": "negative", "negative": "positive", "neutral": "neutral"}
    assert polarity(-value, neutral) == turned[polarity(value, neutral)]


@pytest.mark.parametrize(
    ("neutral", "value", "two", "three"),
    [
        (0.2, 0.6, ("positive", 0.875), ("positive", 0.7)),
        (0.5, -0.1, ("negative", 0.6), ("neutral", 0.5)),
        (0.4, 0.3, ("positive", 0.75), ("positive", 0.45)),
        (1.0, 0.0, ("neutral", 0.5), ("neutral", 1.0)),
    ],
)
def test_the_likeliest_counts_where_a_model_knows_it(
    neutral: float, value: float, two: tuple[str, float], three: tuple[str, float]
) -> None:
    said = Sentiment(value=value, confidence=0.0, neutral=neutral)
    assert judged(said, 2, 0.2) == (two[0], pytest.approx(two[1]))
    assert judged(said, 3, 0.2) == (three[0], pytest.approx(three[1]))


def letters(texts: Sequence[str]) -> np.ndarray:
    """How often each letter stands in a text."""
    return np.array([[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], np.float32)


def test_the_peer_that_is_trained_on_the_set_learns_it() -> None:
    texts, labels = ["bad bad day", "good fine day", "blue blue house"] * 20, [-1, 1, 0] * 20
    found = Fused(texts, labels, "en", letters).read(["a bad day", "a fine day", "a blue house"], ["en"] * 3)
    assert [judged(one, 3, 0.0)[0] for one in found] == ["negative", "positive", "neutral"]
    for one in found:
        assert one.value is not None
        assert one.neutral is not None
        assert abs(one.value) + one.neutral <= 1 + 1e-9
        assert one.confidence >= 1 / 3


def test_errors_of_a_recogniser_are_the_same_each_time_and_leave_the_labels() -> None:
    rows = [Labelled(f"Number {n}: 我的快递什么时候到？", "zh", "negative") for n in range(40)]
    found = misheard(rows)
    assert found == misheard(rows)
    assert found != bare(rows)
    assert [row._replace(text="") for row in found] == [row._replace(text="") for row in rows]
