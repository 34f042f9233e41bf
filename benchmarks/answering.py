"""
Fit when the knowledge base answers: ``python -m benchmarks.answering --data DIR --weights DIR --out answering.json``.

Of sets whose terms allow it, the training files alone, and our own sentences in both languages. Of each, bases are made
of which every fifth topic is left out, as sentences that are articles, as articles of five sentences, and as a few
articles; questions on what was left out, and those of another trade, have no answer. What is printed of a set was
measured with the others alone.
"""

import argparse
import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from agent_assist.knowledge.answering import Signs
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.space import vectors as space
from agent_assist.knowledge.types import Node, NodeKind
from benchmarks.figures import auc
from benchmarks.knowledge import empty_base, remembering
from models.embedding import Embedding
from models.training.phrasing import Phrasing

Floats = npt.NDArray[np.float64]
Kind = Literal["known", "near", "far"]

_SEED: Final = 29
_SETS: Final = ("en_banking77", "en_clinc150", "en_bitext", "en_dstc11_insurance")
_FAR: Final = {
    "en_banking77": ("en_bitext", "en_dstc11_insurance"),
    "en_clinc150": ("en_clinc150",),
    "en_bitext": ("en_banking77", "en_dstc11_insurance"),
    "en_dstc11_insurance": ("en_banking77", "en_bitext"),
    "ours_en": ("en_clinc150",),
}
"""Whose questions have nothing to do with a set; of CLINC150 its own that are out of scope, among many trades."""
_SENTENCES: Final = 5
_FEW: Final = 8
_MOST: Final = 600
"""Questions of a kind and base."""
_PENALTY: Final = 1.0
_BOUNDS: Final = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.8, 0.85, 0.9)


class Asked(NamedTuple):
    question: str
    right: frozenset[str]
    kind: Kind


class Base(NamedTuple):
    family: str
    """Bases of one are never on both sides of a fit."""
    shape: str
    articles: list[Node]
    asked: list[Asked]


class Measured(NamedTuple):
    """One base."""

    family: str
    shape: str
    signs: Floats
    """Shape (n, signs)."""
    right: npt.NDArray[np.bool_]
    """Whether the best is right."""
    kinds: npt.NDArray[np.str_]


class Weights(NamedTuple):
    values: Floats
    bias: float

    def chances(self, signs: Floats) -> Floats:
        found: Floats = 1 / (1 + np.exp(-(signs @ self.values + self.bias)))
        return found


def bases(data: Path) -> Iterator[Base]:
    """All of them."""
    topics = {name: _topics(data / name) for name in _SETS}
    strange = topics["en_clinc150"].pop("oos")
    for name, own in topics.items():
        far = [text for other in _FAR[name] if other != name for texts in topics[other].values() for text in texts]
        far = Random(_SEED).sample(strange if name == "en_clinc150" else far, min(_MOST, len(far) or len(strange)))
        yield _of_topics(name, "sentences", own, far, whole=False)
        yield _of_topics(name, "articles", own, far, whole=True)
        names = sorted(own)
        Random(_SEED).shuffle(names)
        for at in range(0, min(len(names), 4 * _FEW), _FEW):
            few = {topic: own[topic] for topic in names[at : at + _FEW]}
            yield _of_topics(name, "few", few, far[at * 3 : at * 3 + 24], whole=True, most=24)
    english = [text for topic in topics["en_clinc150"].values() for text in topic[:3]]
    yield _ours("en", Random(_SEED).sample(english, 300))
    yield _ours("zh", _towns(data))


def _topics(folder: Path) -> dict[str, list[str]]:
    with gzip.open(folder / "train.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    Random(_SEED).shuffle(rows)
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row["intent"]].append(row["text"])
    return found


def _of_topics(
    name: str, shape: str, topics: dict[str, list[str]], far: Sequence[str], *, whole: bool, most: int = _MOST
) -> Base:
    articles: list[Node] = []
    known: list[Asked] = []
    near: list[Asked] = []
    for at, (topic, texts) in enumerate(sorted(topics.items())):
        kept, asked = texts[:_SENTENCES], texts[_SENTENCES : _SENTENCES + 40]
        if at % 5 == 4:
            near += [Asked(text, frozenset(), "near") for text in asked]
            continue
        made = [_article(topic, kept)] if whole else [_article(f"{topic} {n}", [one]) for n, one in enumerate(kept)]
        articles += made
        known += [Asked(text, frozenset(one.key for one in made), "known") for text in asked]
    random = Random(_SEED)
    random.shuffle(known)
    random.shuffle(near)
    return Base(
        name, shape, articles, [*known[:most], *near[:most], *(Asked(text, frozenset(), "far") for text in far)]
    )


def _article(key: str, sentences: Sequence[str]) -> Node:
    language: Literal["zh", "en"] = "zh" if any("一" <= letter <= "鿿" for letter in sentences[0]) else "en"
    body = "\n\n".join(sentences[1:])
    return Node(kind=NodeKind.ARTICLE, key=key, title=sentences[0][:300], body=body, language=language)


def _ours(language: Literal["zh", "en"], far: Sequence[str]) -> Base:
    """One text of each of our sentences is an article, another one is asked."""
    texts: dict[int, list[str]] = defaultdict(list)
    for made in Phrasing(language).make(2, Random(_SEED)):
        texts[made.origin].append(made.text)
    articles: list[Node] = []
    asked: list[Asked] = []
    for origin, some in sorted(texts.items()):
        if len(some) < 2 or some[0] == some[1]:
            continue
        if origin % 3 == 2:
            asked.append(Asked(some[0], frozenset(), "near"))
            continue
        articles.append(_article(str(origin), some[:1]))
        asked.append(Asked(some[1], frozenset({str(origin)}), "known"))
    Random(_SEED).shuffle(asked)
    return Base("ours", language, articles, [*asked[:_MOST], *(Asked(text, frozenset(), "far") for text in far)])


def _towns(data: Path) -> list[str]:
    """What people ask of restaurants and sights."""
    with gzip.open(data / "zh_crosswoz" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        turns = [turn for line in lines for turn in msgspec.json.decode(line)["turns"] if turn["role"] == "usr"]
    return Random(_SEED).sample(sorted({str(turn["text"]) for turn in turns}), 300)


def measure(one: Base, vectors: Vectors) -> Measured:
    """Ask everything, through the program's own index."""
    with empty_base() as base:
        base.draft(one.articles)
        base.publish(vectors=vectors)
        index = KnowledgeIndex(base, vectors)
        told = [index.signs(asked.question) for asked in one.asked]
    return Measured(
        one.family,
        one.shape,
        np.array([found[1] if found else (0.0,) * len(Signs._fields) for found in told]),
        np.array([found is not None and found[0] in each.right for found, each in zip(told, one.asked, strict=True)]),
        np.array([asked.kind for asked in one.asked]),
    )


def _shares(one: Measured) -> Floats:
    """Of a base, half for what is right; a third of the rest each for wrong, near and far."""
    shares = np.where(one.right, 0.5 / max(one.right.sum(), 1), 0.0)
    for kind in ("known", "near", "far"):
        these = ~one.right & (one.kinds == kind)
        shares[these] = 0.5 / 3 / max(these.sum(), 1)
    return shares


def fit(given: Sequence[Measured]) -> Weights:
    """Logistic regression, every shape of every family with the same weight, by Newton's method."""
    alike = [sum((o.family, o.shape) == (m.family, m.shape) for o in given) for m in given]
    signs, right = np.concatenate([m.signs for m in given]), np.concatenate([m.right for m in given]).astype(float)
    weight = np.concatenate([1_000 * _shares(m) / n for m, n in zip(given, alike, strict=True)])
    mean, spread = signs.mean(0), signs.std(0)
    rows = np.column_stack([(signs - mean) / spread, np.ones(len(signs))])
    penalty = np.diag([*([_PENALTY] * signs.shape[1]), 0.0])
    found = np.zeros(rows.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weight * (chance - right)) + penalty @ found
        found -= np.linalg.solve((rows.T * (weight * chance * (1 - chance))) @ rows + penalty, slope)
    values = found[:-1] / spread
    return Weights(values, float(found[-1] - values @ mean))


def _told(one: Measured, chances: Floats) -> str:
    known = one.kinds == "known"
    area = auc(chances[one.right], chances[~one.right]) or 0.0
    shares = [
        "/".join(
            f"{(chances[these] >= bound).mean():.2f}" for these in (one.right, one.kinds == "near", one.kinds == "far")
        )
        for bound in _BOUNDS
    ]
    return f"{one.family} {one.shape}: right {one.right[known].mean():.2f}, AUC {area:.3f}; " + " ".join(shares)


def main() -> None:
    """Measure, print what each set says of the others' fit, and write the fit of all."""
    parser = argparse.ArgumentParser(description="Fit when the knowledge base answers.")
    parser.add_argument("--data", type=Path, required=True, help="Holds a directory a set.")
    parser.add_argument("--weights", type=Path, required=True, help="Of multilingual-e5-small, as `weights` made them.")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    vectors = remembering(space(Embedding(given.weights, deep=True)))
    measured = [measure(one, vectors) for one in bases(given.data)]
    print("bounds", *_BOUNDS, "; right told / near told / far told")
    for family in dict.fromkeys(one.family for one in measured):
        others = fit([one for one in measured if one.family != family])
        for one in measured:
            if one.family == family:
                print(_told(one, others.chances(one.signs)))
    whole = fit(measured)
    written = {
        "weights": {name: round(float(value), 4) for name, value in zip(Signs._fields, whole.values, strict=True)},
        "bias": round(whole.bias, 4),
        "trained_on": [*_SETS, "models/training/phrasing"],
        "command": "python -m benchmarks.answering --data text --weights multilingual-e5-small --out answering.json",
    }
    given.out.write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n")


if __name__ == "__main__":
    main()
