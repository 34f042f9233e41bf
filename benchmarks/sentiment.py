"""
Sentiment of labelled texts, beside other models on the same texts in the same run.

Each reads the texts as they were written, then without punctuation and capitals, which speech does not have, and then
with errors like a recogniser's besides. Of a set of two ways every value above 0 is positive and below 0 negative, and
a value of exactly 0 is wrong; of three ways the likeliest counts, or, where a model gives a value alone, what lies near
0 is neutral, how near each says. ``accuracy`` is over all, ``spoken`` only over positive and negative texts of which
something is said, and ``share`` is their share; AUC, positive above negative, needs no threshold. Texts without any
label are questions and requests to a service: they should stay within 0.2 of neutral. A file ``train.csv.gz`` beside
the measured one trains ``benchmarks.peers.fused``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import readers
from benchmarks.environment import Environment, environment, report, write
from benchmarks.figures import (
    Confusion,
    Covered,
    Interval,
    accuracy,
    auc,
    confusion,
    coverage_accuracy,
    ece,
    interval,
    macro_f1,
    rounded,
    spanned,
)
from benchmarks.pace import paced
from benchmarks.readers import Reader, Vectors
from benchmarks.texts import Labelled, Polarity, Texts, bare, misheard, read
from benchmarks.weights import Weights
from models.errors import WeightsMissing
from models.sentiment import Sentiment

_POLARITIES: Final = ("negative", "neutral", "positive")
_SPOKEN: Final = 0.01
"""Values nearer to 0 say nothing."""
_NEUTRAL: Final = 0.20
_TRAIN: Final = 10
"""Texts that a peer is trained on for each that is measured, where those are limited."""

AS_WRITTEN: Final = "as written"
BARE: Final = "no punctuation, no capitals"
MISHEARD: Final = "with recognition errors"


WAYS_OF_WRITING: Final[dict[str, Callable[[Sequence[Labelled]], list[Labelled]]]] = {
    AS_WRITTEN: list,
    BARE: bare,
    MISHEARD: misheard,
}
"""What is done to the texts of a set before they are read."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One reader on one set, written one way; None of nothing, as where nobody judged the texts."""

    reader: str
    """"ours" or a peer."""
    written: str
    """As in ``WAYS_OF_WRITING``."""
    n: int
    accuracy: float | None
    accuracy_interval: Interval | None
    """95 %, of bootstrap samples of the texts."""
    macro_f1: float | None
    spoken: float | None
    share: float | None
    auc: float | None
    ece: float | None
    coverage_accuracy: tuple[Covered, ...]
    neutral: float | None
    """Share of neutral texts, or of business, within 0.2 of neutral."""
    confusion: Confusion
    """Truth, then prediction."""
    ms: float
    """Compute time of a text that comes alone, median."""
    ms_32: float
    """Of each of 32 that come together."""


class SentimentSet(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: str
    language: str
    """Several joined by "+"."""
    n: int
    ways: int
    """2: positive and negative; 3: neutral, too; 0: nobody judged them."""
    scored: tuple[Scored, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench sentiment --json`` prints."""

    environment: Environment
    text: Weights
    """Of "ours"."""
    sets: tuple[SentimentSet, ...]


def polarity(value: float, neutral: float) -> Polarity:
    """
    What a value says.

    Args:
        value: -1 ... 1.
        neutral: Distance from 0 up to which it is neutral.
    """
    if abs(value) <= neutral:
        return "neutral"
    return "positive" if value > 0 else "negative"


def judged(one: Sentiment, ways: int, near: float) -> tuple[Polarity, float]:
    """
    What a text is taken for, and the confidence in it.

    Args:
        one: Where it knows the probability of neutral, the likeliest counts, of two ways the likelier.
        ways: 2 or 3.
        near: Else, distance from 0 up to which a value of three ways is neutral.
    """
    value = one.value or 0.0
    if one.neutral is None:
        return polarity(value, near if ways == 3 else 0.0), one.confidence
    either = 1 - one.neutral
    if ways == 2:
        return polarity(value, 0.0), (1 + abs(value) / either) / 2 if either > 0 else 0.5
    likelier = (either + abs(value)) / 2
    return ("neutral", one.neutral) if one.neutral > likelier else (polarity(value, 0.0), likelier)


def score(reader: Reader, written: str, texts: Texts) -> Scored:
    """One reader on one set, whose texts are written so by now."""
    rows = texts.rows
    answers, pace = paced(lambda some: reader.model.read([r.text for r in some], [r.language for r in some]), rows)
    values = np.array([one.value or 0.0 for one in answers])
    true = [row.polarity for row in rows]
    high, low = (values[[one == name for one in true]] for name in ("positive", "negative"))
    plain = values if texts.business else values[[one == "neutral" for one in true]]
    known = [] if texts.business else [one for one in true if one is not None]
    taken = [judged(one, texts.ways, reader.neutral) for one in answers][: len(known)]
    said, sure = [one for one, _ in taken], [share for _, share in taken]
    right = [one == other for one, other in zip(known, said, strict=True)]
    return Scored(
        reader=reader.name,
        written=written,
        n=len(rows),
        accuracy=rounded(accuracy(known, said)),
        accuracy_interval=interval(accuracy, known, said),
        macro_f1=rounded(macro_f1(known, said)),
        **_spoken(high, low),
        auc=rounded(auc(high, low)),
        ece=rounded(ece(sure, right)),
        coverage_accuracy=coverage_accuracy(sure, right),
        neutral=rounded(float(np.mean(np.abs(plain) <= _NEUTRAL))) if len(plain) else None,
        confusion=confusion(known, said, _POLARITIES) if known else {},
        **pace._asdict(),
    )


def _spoken(high: np.ndarray, low: np.ndarray) -> dict[str, float | None]:
    """Of positive and negative texts alone."""
    hits = int(np.sum(high > _SPOKEN)) + int(np.sum(low < -_SPOKEN))
    said = int(np.sum(np.abs(high) > _SPOKEN)) + int(np.sum(np.abs(low) > _SPOKEN))
    count = len(high) + len(low)
    return {"spoken": rounded(hits / said) if said else None, "share": rounded(said / count) if count else None}


def evaluate(texts: Texts, sides: Sequence[Reader]) -> SentimentSet:
    """All readers on one set."""
    found: list[Scored] = []
    for written, rewrite in WAYS_OF_WRITING.items():
        rows = rewrite(texts.rows)
        found += [score(reader, written, texts._replace(rows=rows)) for reader in sides]
    return SentimentSet(
        name=texts.name, language=texts.language, n=len(texts.rows), ways=texts.ways, scored=tuple(found)
    )


def beside(path: Path, texts: Texts, vectors: Vectors | None, limit: int | None) -> list[Reader]:
    """Lexicons of the set's language; and where it has a training file and there are vectors, what is trained on it."""
    found, train = readers.peers(texts.language), path.with_name("train.csv.gz")
    if vectors is None or texts.business or texts.language not in {"zh", "en"} or not train.is_file():
        return found
    known = read(train, limit=None if limit is None else _TRAIN * limit).rows
    labels = [_POLARITIES.index(row.polarity) - 1 for row in known if row.polarity is not None]
    fused = readers.Fused([row.text for row in known], labels, texts.language, vectors)
    return [*found, Reader("fused", fused, 0.0)]


def _vectors() -> Vectors | None:
    try:
        return readers.embedding()
    except WeightsMissing as error:
        Console(stderr=True).print(f"the peer that is trained on each set is left out: {error}")
        return None


def run(
    manifest: Sequence[Path],
    *,
    split: str | None,
    limit: int | None,
    text: str = readers.DEFAULT,
    peers: bool = True,
    out: Path | None,
    json: bool,
) -> None:
    """Measure and print; ``out`` is written anew after every set."""
    model, weights = readers.chosen(text)
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += (f" --split {split}" if split else "") + (f" --limit {limit}" if limit else "")
    options += f" --text {weights.name}" + ("" if peers else " --no-peers")
    packages = ("numpy", "vaderSentiment", *(["snownlp", "scikit-learn"] if peers else []))
    result = Result(environment=environment(f"warmline bench sentiment{options}", packages), text=weights, sets=())
    vectors = _vectors() if peers else None
    for path in manifest:
        texts = read(path, split=split, limit=limit)
        found = evaluate(texts, [readers.ours(model), *(beside(path, texts, vectors, limit) if peers else [])])
        result = msgspec.structs.replace(result, sets=(*result.sets, found))
        write(result, out)
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title=f"Sentiment of texts: {result.text.name}", box=None, padding=(0, 1, 0, 0))
    for heading in ("set", "reader", "n", "accuracy, 95 %", "bare", "ECE", "plain", "ms"):
        table.add_column(heading, justify="right" if heading not in {"set", "reader"} else "left", no_wrap=True)
    for one in result.sets:
        unmarked = {scored.reader: scored.accuracy for scored in one.scored if scored.written == BARE}
        for scored in (each for each in one.scored if each.written == AS_WRITTEN):
            figures = (unmarked.get(scored.reader), scored.ece, scored.neutral)
            cells = ["-" if figure is None else f"{figure:.2f}" for figure in figures]
            told = (str(scored.n), spanned(scored.accuracy, scored.accuracy_interval))
            table.add_row(one.name, scored.reader, *told, *cells, f"{scored.ms:.2f}")
    console.print(table)
    console.print(f"bare: accuracy, {BARE}; plain: of neutral texts, or business, within {_NEUTRAL}")
