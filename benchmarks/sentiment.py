"""
Sentiment of labelled texts, beside other models on the same texts in the same run.

Each reads the texts as they were written, then without punctuation and capitals, which speech does not have, and then
with errors like a recogniser's besides. Of a set of two ways every value above 0 is positive and below 0 negative, and
a value of exactly 0 is wrong; of three ways what lies near 0 is neutral, how near each model says. ``accuracy`` is over
all, ``spoken`` only over positive and negative texts of which something is said, and ``share`` is their share; AUC,
positive above negative, needs no threshold. Texts without any label are questions and requests to a service: they
should stay within 0.2 of neutral.
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
from benchmarks.readers import Reader, TextModel
from benchmarks.texts import Labelled, Polarity, Texts, bare, can_mishear, misheard, read
from benchmarks.weights import Weights

_POLARITIES: Final = ("negative", "neutral", "positive")
_SPOKEN: Final = 0.01
"""Values nearer to 0 say nothing."""
_NEUTRAL: Final = 0.20

AS_WRITTEN: Final = "as written"
BARE: Final = "no punctuation, no capitals"
MISHEARD: Final = "with recognition errors"


def ways_of_writing() -> dict[str, Callable[[Sequence[Labelled]], list[Labelled]]]:
    """What is done to the texts of a set before they are read."""
    return {AS_WRITTEN: list, BARE: bare} | ({MISHEARD: misheard} if can_mishear() else {})


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One reader on one set, written one way; None of nothing, as where nobody judged the texts."""

    reader: str
    """"ours" or a peer."""
    written: str
    """As in ``ways_of_writing``."""
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


def score(reader: Reader, written: str, texts: Texts) -> Scored:
    """One reader on one set, whose texts are written so by now."""
    rows = texts.rows
    answers, pace = paced(lambda some: reader.model.read([r.text for r in some], [r.language for r in some]), rows)
    values = np.array([one.value or 0.0 for one in answers])
    true = [row.polarity for row in rows]
    high, low = (values[[one == name for one in true]] for name in ("positive", "negative"))
    plain = values if texts.business else values[[one == "neutral" for one in true]]
    judged = [] if texts.business else [one for one in true if one is not None]
    said = [polarity(value, reader.neutral if texts.ways == 3 else 0.0) for value in values][: len(judged)]
    sure = [one.confidence for one in answers][: len(judged)]
    right = [one == other for one, other in zip(judged, said, strict=True)]
    return Scored(
        reader=reader.name,
        written=written,
        n=len(rows),
        accuracy=rounded(accuracy(judged, said)),
        accuracy_interval=interval(accuracy, judged, said),
        macro_f1=rounded(macro_f1(judged, said)),
        **_spoken(high, low),
        auc=rounded(auc(high, low)),
        ece=rounded(ece(sure, right)),
        coverage_accuracy=coverage_accuracy(sure, right),
        neutral=rounded(float(np.mean(np.abs(plain) <= _NEUTRAL))) if len(plain) else None,
        confusion=confusion(judged, said, _POLARITIES) if judged else {},
        **pace._asdict(),
    )


def _spoken(high: np.ndarray, low: np.ndarray) -> dict[str, float | None]:
    """Of positive and negative texts alone."""
    hits = int(np.sum(high > _SPOKEN)) + int(np.sum(low < -_SPOKEN))
    said = int(np.sum(np.abs(high) > _SPOKEN)) + int(np.sum(np.abs(low) > _SPOKEN))
    count = len(high) + len(low)
    return {"spoken": rounded(hits / said) if said else None, "share": rounded(said / count) if count else None}


def evaluate(texts: Texts, model: TextModel, *, peers: bool) -> SentimentSet:
    """All readers on one set."""
    languages = sorted({row.language for row in texts.rows})
    sides = [readers.ours(model), *(readers.peers(languages[0]) if peers and len(languages) == 1 else [])]
    found: list[Scored] = []
    for written, rewrite in ways_of_writing().items():
        rows = rewrite(texts.rows)
        found += [score(reader, written, texts._replace(rows=rows)) for reader in sides]
    return SentimentSet(
        name=texts.name, language="+".join(languages), n=len(texts.rows), ways=texts.ways, scored=tuple(found)
    )


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
    for path in manifest:
        found = evaluate(read(path, split=split, limit=limit), model, peers=peers)
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
