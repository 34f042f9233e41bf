"""
Intents of texts: the model beside phrases alone, on clean text and on text as a recogniser leaves it.

A manifest is a CSV with the columns text, language and intents (separated by ``;``, empty for none), or the directory
of a public set that ``models.training.labels`` knows: then its file for evaluation, and only the intents that its
labels tell of. ``plain`` is without punctuation and capitals, ``heard`` with a recogniser's errors besides.
"""

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.peers.phrases import KNOWN, Phrases
from models.embedding import Embedding
from models.grams import grams
from models.intent import INTENTS, SHIPPED, Intent, IntentModel, language_of
from models.training.confusion import RATE, Confusion, plain
from models.training.labels import SOURCES, Labelled, read
from models.training.phrasing import Phrasing
from models.weights import locate
from stream.settings import load

_SEED: Final = 11
_RESAMPLED: Final = 1_000
_COVERED: Final = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
_BINS: Final = 10
_LIKELY: Final = 0.1
_BATCHES: Final = (1, 32)
_ROUNDS: Final = 300
_LEAST_ROUNDS: Final = 20
_EMBEDDING: Final = "multilingual-e5-small"

_Bools = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float64]
Condition = Literal["clean", "plain", "heard"]


class IntentScore(msgspec.Struct, frozen=True, kw_only=True):
    """One intent of one set."""

    n: int
    """Texts that have it."""
    precision: float | None
    """None where it was never named."""
    recall: float | None
    f1: float | None
    f1_low: float | None
    """95 % of the resampled sets lie between this and ``f1_high``."""
    f1_high: float | None


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """The texts that the model is surest of."""

    share: float
    accuracy: float
    """Share of them of which every intent is right."""


class IntentSet(msgspec.Struct, frozen=True, kw_only=True):
    """One set, in one condition, by one system."""

    name: str
    language: str
    system: str
    """"warmline" or "phrases"."""
    condition: Condition
    n: int
    macro_f1: float | None
    """Over the intents that the set has and the system knows."""
    macro_low: float | None
    macro_high: float | None
    per_intent: dict[str, IntentScore]
    alarms: float | None
    """Share of the texts that want nothing in which an intent was named; None where there are none."""
    calibration_error: float | None
    """Mean distance of probability and truth over ten bins; None for phrases, which have no probabilities."""
    likely_error: float | None
    """The same over the pairs of text and intent that were given 0.1 and more: most are plainly not there."""
    coverage: tuple[Covered, ...]
    """Empty for phrases."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds a sentence."""

    batch: int
    all_in: Spread
    """With the embedding."""
    head: Spread
    """Without."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench intent --json`` prints."""

    environment: Environment
    weights: dict[str, str]
    """What the weights say of themselves."""
    error_rate: float
    """Of "heard": characters or words that come out wrong."""
    sets: tuple[IntentSet, ...]
    timing: tuple[Timing, ...]


class TextSet(NamedTuple):
    """Texts of one language and what is known of them."""

    name: str
    language: Literal["zh", "en"]
    known: frozenset[Intent]
    rows: list[Labelled]


class _Named(NamedTuple):
    """What a system says of texts, shapes (n, intents)."""

    named: _Bools
    chances: _Floats | None


def read_sets(path: Path, limit: int | None) -> list[TextSet]:
    """One for each language of a manifest."""
    if path.is_dir():
        source = SOURCES[path.resolve().name]
        rows = read(path.resolve(), "public_eval")
        Random(_SEED).shuffle(rows)
        return [TextSet(path.resolve().name, source.language, source.known, rows[:limit])]
    with path.open(encoding="utf-8", newline="") as lines:
        written = list(csv.DictReader(lines))[:limit]
    rows = [
        Labelled(
            line["text"],
            language_of(line["text"], line.get("language") or "unknown"),
            frozenset(Intent(name) for name in line["intents"].split(";") if name),
        )
        for line in written
    ]
    of_each = {language: [row for row in rows if row.language == language] for language in ("zh", "en")}
    return [TextSet(path.stem, language, frozenset(INTENTS), some) for language, some in of_each.items() if some]


def as_heard(one: TextSet, condition: Condition) -> list[str]:
    """The texts of a set, in a condition; the same each time."""
    texts = [row.text for row in one.rows]
    if condition == "clean":
        return texts
    bare = [plain(text) for text in texts]
    if condition == "plain":
        return bare
    # What comes in is what customers say, and not only in these few texts.
    said = [made.text for made in Phrasing(one.language).make(3, Random(_SEED))]
    errors, random = Confusion([*bare, *said], rate=RATE), Random(_SEED)
    return [errors(text, random) for text in bare]


def _by_model(model: IntentModel, texts: Sequence[str], language: Literal["zh", "en"]) -> _Named:
    given = model.intents(texts, [language] * len(texts))
    chances = np.array([[row[intent] for intent in INTENTS] for row in given])
    named = chances >= np.array([model.threshold(intent, language) for intent in INTENTS])
    return _Named(named, chances)


def _by_phrases(phrases: Phrases, texts: Sequence[str]) -> _Named:
    return _Named(np.array([[intent in phrases(text) for intent in INTENTS] for text in texts]), None)


def _f1(hits: _Floats, named: _Floats, meant: _Floats) -> _Floats:
    """0 where nothing is named or meant."""
    f1: _Floats = 2 * hits / np.maximum(named + meant, 1)
    return f1


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def measure(
    one: TextSet, said: _Named, *, system: str, condition: Condition, knows: frozenset[Intent] = frozenset(INTENTS)
) -> IntentSet:
    """All figures of a set; a pair of text and intent that is unsure counts nowhere."""
    truth = np.array([[intent in row.intents for intent in INTENTS] for row in one.rows])
    sure = np.array([[intent in one.known and intent not in row.unsure for intent in INTENTS] for row in one.rows])
    sure &= np.array([intent in knows for intent in INTENTS])
    meant, named = truth & sure, said.named & sure
    asked = meant.any(axis=0)
    weights = np.random.default_rng(_SEED).multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=_RESAMPLED)
    everything = np.ones((1, len(truth)))
    counts = [np.asarray(part, dtype=np.float64) for part in (meant & named, named, meant)]
    f1 = _f1(*(everything @ part for part in counts))[0]
    again = _f1(*(weights @ part for part in counts))
    spans = np.percentile(again, [2.5, 97.5], axis=0)
    macro = again[:, asked].mean(axis=1) if asked.any() else np.array([np.nan])
    none = ~truth.any(axis=1) & sure.any(axis=1)
    hits, some, wanted = (part.sum(axis=0) for part in counts)
    return IntentSet(
        name=one.name,
        language=one.language,
        system=system,
        condition=condition,
        n=len(one.rows),
        macro_f1=_number(f1[asked].mean()) if asked.any() else None,
        macro_low=_number(np.percentile(macro, 2.5)),
        macro_high=_number(np.percentile(macro, 97.5)),
        per_intent={
            intent: IntentScore(
                n=int(wanted[at]),
                precision=_number(hits[at] / some[at]) if some[at] else None,
                recall=_number(hits[at] / wanted[at]),
                f1=_number(f1[at]),
                f1_low=_number(spans[0][at]),
                f1_high=_number(spans[1][at]),
            )
            for at, intent in enumerate(INTENTS)
            if asked[at]
        },
        alarms=_number(named[none].any(axis=1).mean()) if none.any() else None,
        calibration_error=None if said.chances is None else _calibration_error(said.chances[sure], truth[sure]),
        likely_error=None if said.chances is None else _likely_error(said.chances[sure], truth[sure]),
        coverage=() if said.chances is None else _coverage(said.chances, named == meant, sure),
    )


def _calibration_error(chances: _Floats, truth: _Bools) -> float:
    bins = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    apart = [
        abs(chances[bins == one].mean() - truth[bins == one].mean()) * (bins == one).mean() for one in np.unique(bins)
    ]
    return round(float(sum(apart)), 4)


def _likely_error(chances: _Floats, truth: _Bools) -> float | None:
    likely = chances >= _LIKELY
    return _calibration_error(chances[likely], truth[likely]) if likely.any() else None


def _coverage(chances: _Floats, right: _Bools, sure: _Bools) -> tuple[Covered, ...]:
    """A text is as sure as the least sure of its intents."""
    certain = np.where(sure, np.maximum(chances, 1 - chances), 1.0).min(axis=1)
    order = np.argsort(-certain, kind="stable")
    exact = (right | ~sure).all(axis=1)[order]
    return tuple(
        Covered(share=share, accuracy=round(float(exact[: max(1, int(share * len(exact)))].mean()), 4))
        for share in _COVERED
    )


def _time(model: IntentModel, embedding: Embedding, texts: Sequence[str]) -> tuple[Timing, ...]:
    """Texts of both languages in turn."""
    timings: list[Timing] = []
    for batch in _BATCHES:
        unknown = ["unknown"] * batch
        whole: list[float] = []
        head: list[float] = []
        for at in range(max(_ROUNDS // batch, _LEAST_ROUNDS)):
            some = [texts[(at * batch + more) % len(texts)] for more in range(batch)]
            began = time.perf_counter()
            model.intents(some, unknown)
            between = time.perf_counter()
            vectors = embedding(some)
            then = time.perf_counter()
            model.intents(some, unknown, vectors=vectors)
            whole.append((between - began) * 1_000 / batch)
            head.append((time.perf_counter() - then) * 1_000 / batch)
        timings.append(Timing(batch=batch, all_in=spread(whole, 3), head=spread(head, 3)))
    return tuple(timings)


def run(manifest: Sequence[Path], *, weights: Path | None, limit: int | None, out: Path | None, json: bool) -> None:
    """Measure and print."""
    settings = load({})
    embedding = Embedding(locate(_EMBEDDING, directory=settings.weights, cache=settings.home / "weights"))
    model, phrases = IntentModel(weights or SHIPPED, embedding), Phrases()
    figures: list[IntentSet] = []
    sets = [one for path in manifest for one in read_sets(path, limit)]
    for one in sets:
        for condition in ("clean", "plain", "heard"):
            texts = as_heard(one, condition)
            said = _by_model(model, texts, one.language)
            figures.append(measure(one, said, system="warmline", condition=condition))
            said = _by_phrases(phrases, texts)
            figures.append(measure(one, said, system="phrases", condition=condition, knows=KNOWN))
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += (f" --weights {weights.name}" if weights else "") + (f" --limit {limit}" if limit else "")
    result = Result(
        environment=environment(f"warmline bench intent{options}", ("numpy", "onnxruntime")),
        weights={name: note for name, note in sorted(model.notes.items()) if name != "intents"},
        error_rate=RATE,
        sets=tuple(figures),
        timing=_time(model, embedding, _mixed(sets)),
    )
    report(result, out=out, json=json, show=_show)


def _mixed(sets: Sequence[TextSet]) -> list[str]:
    texts = [row.text for one in sets for row in one.rows if len(grams(row.text, one.language))]
    Random(_SEED).shuffle(texts)
    return texts


def _show(result: Result, console: Console) -> None:
    table = Table(title="Intents: macro-F1, its 95 % interval, and false alarms")
    for heading in ("set", "", "by", "text", "n", "F1", "95 %", "alarms", "calib.", "likely"):
        table.add_column(heading, justify="right" if heading in {"n", "F1", "alarms"} else "left", no_wrap=True)
    for one in result.sets:
        span = "-" if one.macro_low is None else f"{one.macro_low:.2f}-{one.macro_high:.2f}"
        figures = one.macro_f1, one.alarms, one.calibration_error, one.likely_error
        cells = ["-" if it is None else f"{it:.3f}" for it in figures]
        table.add_row(one.name, one.language, one.system, one.condition, str(one.n), cells[0], span, *cells[1:])
    console.print(table)
    for timing in result.timing:
        console.print(
            f"batch {timing.batch}: {timing.all_in.p50:.2f} ms a sentence, {timing.head.p50:.2f} ms without embedding"
        )
