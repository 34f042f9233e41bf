"""Texts with labels, read from public sets: which of them may be used for what, and what their labels mean for us."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from models.training.confusion import plain
from models.wording import EMOTIONS, SENTIMENTS

Licence = Literal["open", "research", "none"]
"""What may be done with what is trained on a set: pass it on, keep it, or nothing, for the set is only measured on."""
Language = Literal["zh", "en"]
_CHARACTERS: Final = 600
"""Of a text; a customer's sentence is shorter, and a complaint's beginning says enough."""


class Labelled(NamedTuple):
    """A text and what it feels like."""

    text: str
    language: Language
    set: str
    sentiment: int | None
    """Index into ``SENTIMENTS``; None where the set does not say."""
    emotion: int | None
    """Index into ``EMOTIONS``."""
    two_way: bool = False
    """Whether the set knows no neutral texts."""


class Set(NamedTuple):
    """A public set."""

    language: Language
    licence: Licence
    weight: float
    """Of one of its texts, beside others: more in small sets, or the large ones drown them."""
    emotion: Mapping[str, str] = MappingProxyType({})
    """Its word for each of our emotions; other words are left out."""
    label: str = "label"
    two_way: bool = False
    all: str | None = None
    """The sentiment of every text; then punctuation and capitals are taken away, or they would stand for it."""
    most: int | None = None
    """Texts that are used."""
    thin: int = 1
    """Every so manieth is read in a pass, others in the next."""


_SMP: Final = {
    "angry": "angry",
    "fear": "anxious",
    "sad": "disappointed",
    "happy": "satisfied",
    "neutral": "neutral",
}
_CPED: Final = {
    "anger": "angry",
    "disgust": "angry",
    "fear": "anxious",
    "worried": "anxious",
    "depress": "disappointed",
    "sadness": "disappointed",
    "happy": "satisfied",
    "grateful": "satisfied",
    "neutral": "neutral",
}
_MELD: Final = {
    "anger": "angry",
    "disgust": "angry",
    "fear": "anxious",
    "sadness": "disappointed",
    "joy": "satisfied",
    "neutral": "neutral",
}
_GOEMOTIONS: Final = _MELD | {
    "annoyance": "angry",
    "nervousness": "anxious",
    "disappointment": "disappointed",
    "remorse": "disappointed",
    "grief": "disappointed",
    "admiration": "satisfied",
    "approval": "satisfied",
    "gratitude": "satisfied",
    "excitement": "satisfied",
    "relief": "satisfied",
    "love": "satisfied",
}
_SENTIMENT_OF: Final = {
    "happy": "positive",
    "angry": "negative",
    "sad": "negative",
    "fear": "negative",
    "negative": "negative",
    "neutral": "neutral",
    "positive": "positive",
}
"""Surprise, ambiguous, mixed and others are left out: they may be either."""

SETS: Final[dict[str, Set]] = {
    "zh_shopping10": Set("zh", "research", 0.7, two_way=True, thin=4),
    "zh_waimai": Set("zh", "research", 2.0, two_way=True),
    "zh_smp2020_usual": Set("zh", "research", 3.0, _SMP),
    "zh_smp2020_virus": Set("zh", "research", 2.0, _SMP),
    "zh_cped": Set("zh", "open", 1.0, _CPED, label="sentiment", thin=2),
    "zh_crosswoz": Set("zh", "open", 0.5, all="neutral", most=3_000),
    "zh_match_atec": Set("zh", "research", 0.5, all="neutral", most=3_000),
    "zh_eprstmt": Set("zh", "none", 0.0, two_way=True),
    "en_airline": Set("en", "research", 1.5),
    "en_sst2": Set("en", "research", 3.0, two_way=True),
    "en_goemotions": Set("en", "open", 1.0, _GOEMOTIONS, label="sentiment", thin=2),
    "en_meld": Set("en", "research", 1.5, _MELD, label="sentiment"),
    "en_banking77": Set("en", "open", 0.5, all="neutral", most=2_000),
    "en_clinc150": Set("en", "open", 0.5, all="neutral", most=2_000),
    "en_dstc11_insurance": Set("en", "open", 0.5, all="neutral"),
    "en_cfpb_complaints": Set("en", "open", 1.0, all="negative"),
}
"""Their origin and licences stand in docs/models/text-research.md."""
_EMOTION_COLUMN: Final = {"zh_cped": "emotion", "en_meld": "emotion", "en_goemotions": "labels"}
_TEXT_COLUMN: Final = {"zh_match_atec": "text_a"}
_FILE: Final = {"en_cfpb_complaints": "sample", "zh_eprstmt": "fewshot"}


def read(directory: Path, name: str, split: str = "train") -> list[Labelled]:
    """
    The texts of a set that have a label for us.

    Args:
        directory: Holds a folder a set, with ``SPLIT.csv.gz`` or, of dialogues, ``dialogues.jsonl.gz``.
        split: "train" or "public_eval".

    Raises:
        OSError: If it is not there.
    """
    known = SETS[name]
    found: list[Labelled] = []
    for row in _rows(directory / name, split, name):
        text = row[_TEXT_COLUMN.get(name, "text")][:_CHARACTERS]
        text = plain(text) if known.all else text
        sentiment = _SENTIMENT_OF.get(known.all or row[known.label])
        emotion = known.emotion.get(row[_EMOTION_COLUMN.get(name, known.label)]) if known.emotion else None
        if text.strip() and (sentiment is not None or emotion is not None):
            found.append(
                Labelled(
                    text,
                    known.language,
                    name,
                    None if sentiment is None else SENTIMENTS.index(sentiment),
                    None if emotion is None else EMOTIONS.index(emotion),
                    known.two_way,
                )
            )
    step = max(1, len(found) // known.most) if known.most and split == "train" else 1
    return found[::step]


def read_own(path: Path) -> list[Labelled]:
    """
    Texts of one's own.

    Args:
        path: CSV in UTF-8 with the columns ``text``, ``language`` ("zh" or "en"), ``sentiment`` (negative, neutral or
            positive) and ``emotion`` (one of ``EMOTIONS``); the last two may be empty.

    Raises:
        ValueError: If a label is unknown.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [_own(row, at) for at, row in enumerate(csv.DictReader(lines), start=2)]


def _own(row: dict[str, str], line: int) -> Labelled:
    language = row["language"]
    if language not in {"zh", "en"}:
        raise ValueError(f"expected zh or en, got {language!r} (line={line})")
    sentiment, emotion = _known(row["sentiment"], SENTIMENTS, line), _known(row["emotion"], EMOTIONS, line)
    return Labelled(row["text"][:_CHARACTERS], "zh" if language == "zh" else "en", "own", sentiment, emotion)


def _known(label: str, labels: tuple[str, ...], line: int) -> int | None:
    if label and label not in labels:
        raise ValueError(f"expected one of {', '.join(labels)}, got {label!r} (line={line})")
    return labels.index(label) if label else None


def _rows(folder: Path, split: str, name: str) -> Iterator[dict[str, Any]]:
    if name == "zh_crosswoz":
        with gzip.open(folder / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                yield from (turn for turn in json.loads(line)["turns"] if turn["role"] == "usr")
        return
    file = folder / f"{_FILE.get(name, split)}.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)
