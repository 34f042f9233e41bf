"""
Search in the knowledge base: what it finds, beside words alone and meaning alone, what it answers where nothing is
known, error codes by every way to name them, and time and memory.

A set is the directory of a public set. Of pairs of questions (``text_a``, ``text_b``, ``label``) every ``text_b`` is an
article, and ``text_a`` of the pairs with label 1 is asked: found is one that is paired with it by label 1. Of intents
(``text``, ``intent``) some texts of each intent are articles and the others are asked: found is one of the same intent.
Texts whose intent is ``oos`` are asked as questions without an answer; then every fifth intent is withdrawn, and its
texts are asked. Of a set that has no ``oos``, questions of another one of its language are asked as those of strangers.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex, SearchPolicy
from agent_assist.knowledge.space import Floats, Vectors
from agent_assist.knowledge.space import vectors as space
from agent_assist.knowledge.types import Node, NodeKind
from agent_assist.store.calls import CallStore
from benchmarks.codes import cases, catalogue
from benchmarks.environment import Environment, environment, report
from benchmarks.figures import auc, interval, rounded
from benchmarks.shelves import Shelf, shelf
from models.embedding import Embedding
from models.weights import locate
from stream.settings import load

_SEED: Final = 19
_PAIRS: Final = 3_000
_OF_AN_INTENT: Final = 5
_LIMIT: Final = 10
_EMBEDDING: Final = "multilingual-e5-small"
_SIZES: Final = (1_000, 10_000, 50_000)
_ROUNDS: Final = 200
_QUICK: Final = 150
_LENT: Final = 300
WAYS: Final = {"hybrid": SearchPolicy().meaning, "words": 0.0, "meaning": 1.0}
"""Share of meaning."""


class Asked(NamedTuple):
    question: str
    right: frozenset[str]
    """Keys of the articles of which any will do; empty where nothing is known."""


class Shelved(NamedTuple):
    """A base and its questions."""

    name: str
    articles: dict[str, str]
    """Text by key."""
    asked: list[Asked]
    taken: frozenset[str]
    """Articles that are withdrawn before questions without an answer are asked."""
    withheld: frozenset[str] = frozenset()
    """Those of every fifth intent, withdrawn afterwards."""
    strangers: tuple[str, ...] = ()
    """Questions of another trade."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One set, searched in one way, with no bound below which nothing is told; each with its 95 % interval."""

    name: str
    way: str
    articles: int
    n: int
    recall_1: float
    recall_1_around: tuple[float, float] | None
    recall_5: float
    recall_5_around: tuple[float, float] | None
    mrr: float
    """Over the first ten."""
    mrr_around: tuple[float, float] | None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Questions with and without an answer, by the best hit alone, from a bound on."""

    name: str
    bound: str
    """"asked" for a search, "unasked" for suggestions."""
    enough: float
    known: int
    """Questions whose answer is there."""
    right: float
    """Share of them of which the best hit is right and told."""
    kept: float
    """The same of those of which the best hit is right, told or not."""
    wrong: float
    """Share of them of which another is told."""
    unknown: int
    alarms: float
    """Share of the questions without an answer that were answered all the same."""
    alarms_around: tuple[float, float] | None
    near: int
    """Questions of topics that were withdrawn from among many alike."""
    near_alarms: float | None
    """Share of them that were answered all the same."""
    far: int
    """Questions of another trade."""
    far_alarms: float | None
    auc: float | None
    """Of scores of right best hits above those of wrong ones and of questions without an answer, near and far apart."""


class Coded(msgspec.Struct, frozen=True, kw_only=True):
    """Error codes named in one way."""

    way: str
    n: int
    right: int
    """The first hit solves this code; of unknown codes: nothing is told."""
    wrong: int
    """A solution of another code is told."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench knowledge --json`` prints."""

    environment: Environment
    found: tuple[Found, ...]
    answered: tuple[Answered, ...]
    codes: tuple[Coded, ...]
    shelves: tuple[Shelf, ...]


def read(path: Path, limit: int, part: str = "public_eval") -> Shelved:
    """A set with at most so many pairs or questions, the same ones each time."""
    with gzip.open(path / f"{part}.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    Random(_SEED).shuffle(rows)
    name = path.resolve().name
    return _of_pairs(name, rows[:limit]) if "text_b" in rows[0] else _of_intents(name, rows, limit)


def _of_pairs(name: str, rows: Sequence[dict[str, str]]) -> Shelved:
    texts = sorted({row["text_b"] for row in rows})
    keys = {text: f"q{at}" for at, text in enumerate(texts)}
    right: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["label"] == "1":
            right[row["text_a"]].add(keys[row["text_b"]])
    kept = set().union(*right.values())
    # Every other pair of label 0: its text_b goes, and its text_a has no answer, as far as the set knows.
    far = [row for row in rows if row["label"] == "0" and row["text_a"] not in right][::2]
    taken = frozenset(keys[row["text_b"]] for row in far) - kept
    asked = [Asked(question, frozenset(some)) for question, some in right.items() if question not in keys]
    asked += [Asked(row["text_a"], frozenset()) for row in far if keys[row["text_b"]] in taken]
    return Shelved(name, {key: text for text, key in keys.items()}, asked, taken)


def _of_intents(name: str, rows: Sequence[dict[str, str]], limit: int) -> Shelved:
    by_intent: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_intent[row["intent"]].append(row["text"])
    unknown = by_intent.pop("oos", [])
    articles: dict[str, str] = {}
    asked: list[Asked] = []
    withheld: set[str] = set()
    for number, (intent, texts) in enumerate(sorted(by_intent.items())):
        keys = {f"{intent} {at}": text for at, text in enumerate(texts[:_OF_AN_INTENT])}
        articles |= keys
        withheld |= keys.keys() if number % 5 == 4 else set()
        asked += [Asked(text, frozenset(keys)) for text in texts[_OF_AN_INTENT:]]
    asked += [Asked(text, frozenset()) for text in unknown]
    Random(_SEED).shuffle(asked)
    return Shelved(name, articles, asked[:limit], frozenset(), frozenset(withheld))


@contextmanager
def empty_base() -> Iterator[KnowledgeBase]:
    """An empty one, on disk as in use."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/knowledge.db"
        store = CallStore(url)
        store.upgrade()
        store.close()
        base = KnowledgeBase(url)
        yield base
        base.close()


def _node(key: str, text: str) -> Node:
    language = "zh" if any("一" <= letter <= "鿿" for letter in text) else "en"
    return Node(kind=NodeKind.ARTICLE, key=key, title=text[:300], language=language)


def search_set(one: Shelved, vectors: Vectors) -> tuple[list[Found], list[Answered]]:
    """All figures of a set, through the program's own index."""
    with empty_base() as base:
        base.draft(_node(key, text) for key, text in one.articles.items())
        base.publish(vectors=vectors)
        known = [asked for asked in one.asked if asked.right]
        found: list[Found] = []
        for way, meaning in WAYS.items():
            policy = SearchPolicy(meaning=meaning, enough=0.0, enough_words=0.0)
            index = KnowledgeIndex(base, vectors if meaning else None, policy)
            found.append(_found(one, way, [_rank(index, asked) for asked in known]))
        base.withdraw([f"article:{key}" for key in one.taken])
        index = KnowledgeIndex(base, vectors, SearchPolicy(enough=0.0))
        best = [_best(index, asked) for asked in known]
        unknown = [_best(index, asked)[0] for asked in one.asked if not asked.right]
        far = [_best(index, Asked(question, frozenset()))[0] for question in one.strangers]
        base.withdraw([f"article:{key}" for key in one.withheld])
        near = [_best(index, asked)[0] for asked in one.asked if asked.right and asked.right <= one.withheld]
        return found, _answered(one.name, best, unknown, near, far)


def _best(index: KnowledgeIndex, asked: Asked) -> tuple[float, bool]:
    """Score of the best hit, which is what a person reads first and all that is shown unasked, and if it is right."""
    hits = index.search(asked.question, limit=1).hits
    return (hits[0].score, hits[0].key in asked.right) if hits else (0.0, False)


def _rank(index: KnowledgeIndex, asked: Asked) -> int:
    """Of the first right hit, from 1 on; 0 where none is among the first ten."""
    hits = index.search(asked.question, limit=_LIMIT).hits
    return next((at for at, hit in enumerate(hits, 1) if hit.key in asked.right), 0)


def _found(one: Shelved, way: str, ranks: Sequence[int]) -> Found:
    places = np.array(ranks)
    first, fifth = (places == 1).astype(float), ((places > 0) & (places <= 5)).astype(float)
    reciprocal = np.where(places > 0, 1 / np.maximum(places, 1), 0.0)
    means = [round(float(each.mean()), 4) for each in (first, fifth, reciprocal)]
    around = [interval(_mean, each) for each in (first, fifth, reciprocal)]
    return Found(
        name=one.name,
        way=way,
        articles=len(one.articles),
        n=len(places),
        recall_1=means[0],
        recall_1_around=around[0],
        recall_5=means[1],
        recall_5_around=around[1],
        mrr=means[2],
        mrr_around=around[2],
    )


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean())


def _answered(
    name: str,
    known: Sequence[tuple[float, bool]],
    unknown: Sequence[float],
    near: Sequence[float],
    far: Sequence[float],
) -> list[Answered]:
    if not (unknown or near or far):
        return []
    bounds = {"asked": SearchPolicy().enough, "unasked": SearchPolicy().unasked}
    scores, hit = np.array([score for score, _ in known]), np.array([right for _, right in known])
    strange = np.array(unknown)
    return [
        Answered(
            name=name,
            bound=bound,
            enough=enough,
            known=len(scores),
            right=round(float(((scores >= enough) & hit).mean()), 4),
            kept=_share(scores[hit], enough) or 0.0,
            wrong=round(float(((scores >= enough) & ~hit).mean()), 4),
            unknown=len(strange),
            alarms=_share(strange, enough) or 0.0,
            alarms_around=interval(_mean, (strange >= enough).astype(float)) if len(strange) else None,
            near=len(near),
            near_alarms=_share(np.array(near), enough),
            far=len(far),
            far_alarms=_share(np.array(far), enough),
            auc=rounded(auc(scores[hit], np.concatenate([scores[~hit], strange]))),
        )
        for bound, enough in bounds.items()
    ]


def _share(scores: npt.NDArray[np.float64], enough: float) -> float | None:
    return round(float((scores >= enough).mean()), 4) if len(scores) else None


def _with_strangers(sets: Sequence[Shelved]) -> list[Shelved]:
    """Each set without ``oos`` with questions of the last other one of its language."""
    found: list[Shelved] = []
    for one in sets:
        others = [other for other in sets if other is not one and other.name[:2] == one.name[:2]]
        own = any(not asked.right for asked in one.asked) and one.withheld
        found.append(one if own or not others else one._replace(strangers=_lent(others[-1])))
    return found


def _lent(one: Shelved) -> tuple[str, ...]:
    """What a set asks; of intents only what is of none, as they are of many trades."""
    return tuple(asked.question for asked in one.asked if not (one.withheld and asked.right))[:_LENT]


def name_codes(vectors: Vectors) -> list[Coded]:
    """The catalogue, asked for in every way."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    with empty_base() as base:
        base.draft(catalogue())
        base.publish(vectors=vectors)
        index = KnowledgeIndex(base, vectors)
        for case in cases():
            told = [hit.key for hit in index.search(case.question, limit=1).hits]
            right = told == [f"solve {case.key}"] if case.key else not told
            for at, yes in enumerate((True, right, bool(told) and not right)):
                counts[case.way][at] += yes
    return [Coded(way=way, n=n, right=right, wrong=wrong) for way, (n, right, wrong) in counts.items()]


def remembering(vectors: Vectors) -> Vectors:
    """The same vectors, each embedded once: the same texts are searched in several ways."""
    known: dict[str, Floats] = {}

    def embed(texts: Sequence[str]) -> Floats:
        new = list(dict.fromkeys(text for text in texts if text not in known))
        known.update(zip(new, vectors.embed(new), strict=True) if new else ())
        return np.stack([known[text] for text in texts])

    return vectors._replace(embed=embed)


def run(
    manifest: Sequence[Path],
    *,
    limit: int | None,
    sizes: Sequence[int] | None,
    quick: bool,
    out: Path | None,
    json: bool,
) -> None:
    """Measure and print."""
    settings = load({})
    path = locate(_EMBEDDING, directory=settings.weights, cache=settings.home / "weights")
    vectors = remembering(space(Embedding(path, deep=True)))
    sets = _with_strangers([read(each, limit or (_QUICK if quick else _PAIRS)) for each in manifest])
    searched = [search_set(one, vectors) for one in sets]
    texts = [text for one in sets for text in (*one.articles.values(), *(asked.question for asked in one.asked))]
    shelves = [shelf(size, texts, path, _ROUNDS) for size in sizes or (_SIZES[:1] if quick else _SIZES)]
    options = "".join(f" --manifest {each.resolve().parent.name}/{each.resolve().name}" for each in manifest)
    options += (f" --limit {limit}" if limit else "") + "".join(f" --size {size}" for size in sizes or ())
    options += " --quick" if quick else ""
    result = Result(
        environment=environment(f"warmline bench knowledge{options}", ("numpy", "onnxruntime")),
        found=tuple(each for found, _ in searched for each in found),
        answered=tuple(each for _, answered in searched for each in answered),
        codes=tuple(name_codes(vectors)),
        shelves=tuple(shelves),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title="Search: what is found among the first")
    for heading in ("set", "by", "articles", "n", "R@1", "R@5", "95 %", "MRR"):
        table.add_column(heading, no_wrap=True)
    for one in result.found:
        low, high = one.recall_5_around or (0.0, 0.0)
        figures = f"{one.recall_1:.3f}", f"{one.recall_5:.3f}", f"{low:.3f}-{high:.3f}", f"{one.mrr:.3f}"
        table.add_row(one.name, one.way, str(one.articles), str(one.n), *figures)
    console.print(table)
    for told in result.answered:
        console.print(
            f"{told.name}, {told.bound} (from {told.enough:g} on): right {told.right:.3f}, kept {told.kept:.3f}, "
            f"wrong {told.wrong:.3f} of {told.known}; answered without an answer: {told.alarms:.3f} of {told.unknown}, "
            f"near {told.near_alarms} of {told.near}, far {told.far_alarms} of {told.far}; AUC {told.auc}"
        )
    for code in result.codes:
        console.print(f"codes, {code.way}: {code.right} of {code.n} right, {code.wrong} wrong")
    for size in result.shelves:
        console.print(
            f"{size.articles} articles: p50 {size.search_ms.p50} ms, p95 {size.search_ms.p95} ms, "
            f"built in {size.build_s} s, {size.memory_mb} MB"
        )
