"""
Sentiment of texts beside other lexicons: ``python -m benchmarks.sentiment --texts DIR [--split public_eval]``.

``accuracy`` is over positive and negative texts, a text of exactly neutral score counting as wrong; ``spoken`` only
over those of which something is said, and ``share`` is their share; AUC needs no threshold. ``business`` are questions
and requests to a service, which should stay within 0.2 of neutral. DIR holds a folder a set, each with a
``SPLIT.csv.gz`` of the columns text and label.
"""

import argparse
import csv
import gzip
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.environment import Environment, environment, write
from models.sentiment import score

_SETS: Final = {"zh_waimai": "zh", "zh_shopping10": "zh", "zh_smp2020_usual": "zh", "en_airline": "en", "en_sst2": "en"}
_BUSINESS: Final = {"zh_match_bq": "zh", "en_clinc150": "en", "en_banking77": "en", "en_dstc11_insurance": "en"}
_POSITIVE, _NEGATIVE = {"positive", "happy"}, {"negative", "angry", "sad"}
_ROWS: Final = 3_000
_SPOKEN: Final = 0.01
_NEUTRAL: Final = 0.20

_Scorer = Callable[[str], float]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One scorer on one set."""

    scorer: str
    set: str
    n: int
    accuracy: float | None
    spoken: float | None
    share: float | None
    auc: float | None
    neutral: float | None
    """Share of neutral texts, or of business, within 0.2 of neutral."""
    ms: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    environment: Environment
    split: str
    rows: tuple[Row, ...]


def _ours(language: str) -> _Scorer:
    return lambda text: score(text, language).value or 0.0


def _snownlp(_: str) -> _Scorer:
    from snownlp import SnowNLP

    return lambda text: 2 * float(SnowNLP(text).sentiments) - 1 if text.strip() else 0.0


def _vader(_: str) -> _Scorer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    return lambda text: float(analyser.polarity_scores(text)["compound"])


_SCORERS: Final = {"zh": {"ours": _ours, "snownlp": _snownlp}, "en": {"ours": _ours, "vader": _vader}}


def _read(path: Path) -> list[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = [(next(iter(row.values())), row.get("label", "")) for row in csv.DictReader(lines)]
    return rows[:_ROWS]


def _measure(name: str, scorer: str, give: _Scorer, rows: Sequence[tuple[str, str]], *, business: bool) -> Row:
    began = time.perf_counter()
    values = np.array([give(text) for text, _ in rows])
    ms = (time.perf_counter() - began) * 1_000 / len(rows)
    labels = [label for _, label in rows]
    high = values[[not business and label in _POSITIVE for label in labels]]
    low = values[[not business and label in _NEGATIVE for label in labels]]
    plain = values[[business or label == "neutral" for label in labels]]
    right, said, count = 0, 0, len(high) + len(low)
    for sign, part in ((1, high), (-1, low)):
        right += int(np.sum(sign * part > _SPOKEN))
        said += int(np.sum(np.abs(part) > _SPOKEN))
    above = high[:, None] - low
    both = len(high) > 0 and len(low) > 0
    return Row(
        scorer=scorer,
        set=name,
        n=len(rows),
        accuracy=round(right / count, 3) if count else None,
        spoken=round(right / said, 3) if said else None,
        share=round(said / count, 3) if count else None,
        auc=round(float(np.mean(above > 0) + np.mean(above == 0) / 2), 3) if both else None,
        neutral=round(float(np.mean(np.abs(plain) <= _NEUTRAL)), 3) if len(plain) else None,
        ms=round(ms, 3),
    )


def main() -> None:
    """Measure, print, and write the result where ``--out`` says."""
    parser = argparse.ArgumentParser(description="Sentiment of texts beside other lexicons.")
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--split", default="public_eval")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows: list[Row] = []
    for name, language in (_SETS | _BUSINESS).items():
        texts = _read(given.texts / name / f"{given.split}.csv.gz")
        for scorer, make in _SCORERS[language].items():
            give = make(language)
            give(texts[0][0])
            rows.append(_measure(name, scorer, give, texts, business=name in _BUSINESS))
    command = f"python -m benchmarks.sentiment --split {given.split}"
    result = Result(
        environment=environment(command, ("snownlp", "vaderSentiment")), split=given.split, rows=tuple(rows)
    )
    write(result, given.out)
    table = Table(title="Sentiment of texts")
    for heading in ("set", "scorer", "n", "accuracy", "spoken", "share", "AUC", "neutral", "ms"):
        table.add_column(heading)
    for row in rows:
        figures = (row.accuracy, row.spoken, row.share, row.auc, row.neutral)
        cells = ["-" if figure is None else f"{figure:.3f}" for figure in figures]
        table.add_row(row.set, row.scorer, str(row.n), *cells, f"{row.ms:.3f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
