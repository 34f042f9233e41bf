"""
Sentiment of texts by the trained model: ``python -m benchmarks.wording --weights FILE --data DIR``.

A text is right where the likeliest of negative, neutral and positive is its label, or, in a set that knows no neutral,
the likelier of the two. ``ece`` is the calibration error of the likeliest in 15 bins of equal width, ``at70`` the
accuracy of the 70 % that it is surest of, ``plain`` the accuracy lost without punctuation and capitals, ``worn`` that
lost with errors like a recogniser's besides, both of the first 500 texts. ``ms`` is processor time a text, alone,
embedding included; the median of 200. ``peer`` is ``benchmarks.peers.fused``, trained on the set's own file, for each
set anew, on the same texts of it as ours.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.environment import Environment, environment, write
from benchmarks.peers.fused import Fused
from models.embedding import Embedding
from models.sentiment import Sentiment, score
from models.training.confusion import Confusion, plain
from models.training.labelled import Labelled, read
from models.weights import locate
from models.wording import TextModel

_ALL: Final = (
    "zh_shopping10",
    "zh_waimai",
    "zh_smp2020_usual",
    "zh_cped",
    "zh_eprstmt",
    "en_airline",
    "en_sst2",
    "en_goemotions",
    "en_meld",
)
_BINS: Final = 15
_SURE: Final = 0.7
_TIMED: Final = 200
_WORN: Final = 500

Probabilities = npt.NDArray[np.float64]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One set."""

    set: str
    n: int
    accuracy: float
    macro_f1: float
    ece: float
    at70: float
    plain: float
    worn: float
    emotion: float | None
    """Accuracy of the five emotions, where the set has them."""
    phrases: float
    """Accuracy of the phrases and VADER; what lies within 0.05 of 0 counts as neutral."""
    ms: float
    peer: float | None
    peer_f1: float | None
    peer_ms: float | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    environment: Environment
    weights: str
    rows: tuple[Row, ...]


def probabilities(said: Sequence[Sentiment], *, two_way: bool) -> Probabilities:
    """Of negative, neutral and positive, shape (n, 3); what is said to be nothing is neutral."""
    neutral = np.array([1.0 if one.value is None else one.neutral or 0.0 for one in said])
    value = np.array([one.value or 0.0 for one in said])
    found = np.stack([(1 - neutral - value) / 2, neutral, (1 - neutral + value) / 2], axis=1)
    if two_way:
        found = (found + 1e-9) * [1, 0, 1]
        found /= found.sum(axis=1, keepdims=True)
    return found


def calibration_error(found: Probabilities, truth: npt.NDArray[np.int64]) -> float:
    """
    Mean distance of confidence and accuracy of the likeliest class.

    Source: Guo et al.: On Calibration of Modern Neural Networks, ICML 2017.
    """
    sure, right = found.max(axis=1), found.argmax(axis=1) == truth
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    apart = [abs(float(right[bins == at].mean() - sure[bins == at].mean())) * np.mean(bins == at) for at in set(bins)]
    return float(sum(apart))


def _accuracy(found: Probabilities, truth: npt.NDArray[np.int64]) -> float:
    return round(float(np.mean(found.argmax(axis=1) == truth)), 3)


def macro_f1(predicted: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> float:
    """Mean F1 of the classes that occur."""
    scores = [
        2 * np.sum((predicted == one) & (truth == one)) / (np.sum(predicted == one) + np.sum(truth == one))
        for one in set(truth.tolist())
    ]
    return round(float(np.mean(scores)), 3)


def _at70(found: Probabilities, truth: npt.NDArray[np.int64]) -> float:
    surest = np.argsort(-found.max(axis=1), kind="stable")[: int(_SURE * len(truth))]
    return _accuracy(found[surest], truth[surest])


def _ms(read_one: Callable[[str], object], texts: Sequence[str]) -> float:
    taken: list[float] = []
    for text in texts[:_TIMED]:
        began = time.thread_time()
        read_one(text)
        taken.append((time.thread_time() - began) * 1_000)
    return round(float(np.median(taken)), 2)


class Bench:
    """A model and what it is measured with."""

    def __init__(self, model: TextModel, embedding: Embedding, data: Path, *, limit: int | None, peers: bool) -> None:
        self._model = model
        self._embedding = embedding
        self._data = data
        self._limit = limit
        self._peers = peers

    def measure(self, name: str) -> Row:
        """All figures of one set."""
        rows = [row for row in read(self._data, name, "public_eval") if row.sentiment is not None]
        rows = rows[: self._limit]
        texts, language, two_way = [row.text for row in rows], rows[0].language, rows[0].two_way
        truth = np.array([row.sentiment for row in rows])
        vectors = self._embedding(texts)
        said = self._model.read(texts, [language] * len(texts), vectors)
        found = probabilities(said, two_way=two_way)
        part = truth[:_WORN]
        whole = float(np.mean(found[:_WORN].argmax(axis=1) == part))
        without = [plain(text) for text in texts[:_WORN]]
        confusion, random = Confusion(texts), Random(1)
        worn = [confusion(text, random) for text in without]
        peer = self._peer(name, rows, vectors) if self._peers and name != "zh_eprstmt" else (None, None, None)
        return Row(
            set=name,
            n=len(rows),
            accuracy=_accuracy(found, truth),
            macro_f1=macro_f1(found.argmax(axis=1), truth),
            ece=round(calibration_error(found, truth), 3),
            at70=_at70(found, truth),
            plain=round(whole - self._of(without, language, part, two_way=two_way), 3),
            worn=round(whole - self._of(worn, language, part, two_way=two_way), 3),
            emotion=_emotion(said, rows),
            phrases=_accuracy(_phrases(texts, language, two_way=two_way), truth),
            ms=_ms(lambda text: self._model(text, language), texts),
            peer=peer[0],
            peer_f1=peer[1],
            peer_ms=peer[2],
        )

    def _of(self, texts: Sequence[str], language: str, truth: npt.NDArray[np.int64], *, two_way: bool) -> float:
        return _accuracy(probabilities(self._model.read(texts, [language] * len(texts)), two_way=two_way), truth)

    def _peer(
        self, name: str, rows: Sequence[Labelled], vectors: npt.NDArray[np.float32]
    ) -> tuple[float, float, float]:
        known = [row for row in read(self._data, name) if row.sentiment is not None]
        texts, language = [row.text for row in known], rows[0].language
        fused = Fused(texts, np.array([row.sentiment for row in known]), self._embedding(texts), language)
        truth = np.array([row.sentiment for row in rows])
        predicted = fused.classes[fused([row.text for row in rows], vectors).argmax(axis=1)]
        ms = _ms(lambda text: fused([text], self._embedding([text])), [row.text for row in rows])
        return round(float(np.mean(predicted == truth)), 3), macro_f1(predicted, truth), ms


def _emotion(said: Sequence[Sentiment], rows: Sequence[Labelled]) -> float | None:
    pairs = [
        (np.array([1 - sum(cues), *cues]).argmax(), row.emotion)
        for one, row in zip(said, rows, strict=True)
        if row.emotion is not None
        for cues in ((one.angry, one.anxious, one.disappointed, one.satisfied),)
    ]
    return round(float(np.mean([found == truth for found, truth in pairs])), 3) if pairs else None


def _phrases(texts: Sequence[str], language: str, *, two_way: bool) -> Probabilities:
    values = np.array([score(text, language).value or 0.0 for text in texts])
    plainly = np.where(two_way, -1.0, 0.05)
    return np.stack([-values, np.full(len(values), plainly), values], axis=1)


def main() -> None:
    """Measure, print, and write the result where ``--out`` says."""
    parser = argparse.ArgumentParser(description="Sentiment of texts by the trained model.")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, default=Path(".warmline"), help="where the embedding's weights are kept")
    parser.add_argument("--set", action="append", choices=_ALL, help="only these sets")
    parser.add_argument("--limit", type=int, help="only the first texts of each set")
    parser.add_argument("--peers", action="store_true", help="train the peer on each set, too")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    embedding = Embedding(locate("multilingual-e5-small", directory=None, cache=given.home / "weights"))
    bench = Bench(TextModel(given.weights, embedding), embedding, given.data, limit=given.limit, peers=given.peers)
    rows: list[Row] = []
    for name in given.set or _ALL:
        rows.append(bench.measure(name))
        Console(stderr=True).print(rows[-1])
    command = f"python -m benchmarks.wording --weights {given.weights.name} --data DIR"
    command += f" --limit {given.limit}" if given.limit else ""
    command += " --peers" if given.peers else ""
    result = Result(
        environment=environment(command, ("onnxruntime", "scikit-learn")),
        weights=given.weights.name,
        rows=tuple(rows),
    )
    write(result, given.out)
    table = Table(title=f"Sentiment of texts: {given.weights.name}")
    headings = ("set", "n", "acc.", "F1", "ECE", "at 70 %", "plain", "worn", "emotion", "phrases", "ms")
    for heading in (*headings, "peer", "peer F1", "peer ms"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*("-" if cell is None else str(cell) for cell in msgspec.structs.astuple(row)))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
