"""
Trains the sentiment and the emotions of words: ``python -m models.training.text --weights open --data DIR --out FILE``.

``open`` takes only sets whose terms allow weights to be passed on, ``research`` all of them. Every tenth text of a
training file is held back, for calibration and for the figures printed. Every fourth text is read twice: as it stands,
and without punctuation and capitals or with errors like a recogniser's. DIR holds a folder a set; ``--cache`` keeps
embeddings from one run to the next.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt
from rich.console import Console

from models.e5 import tuned, weights_of
from models.embedding import Embedding, Top
from models.tensors import write_tensors
from models.training.confusion import Confusion, plain
from models.training.heads import PLAIN, TUNED, Recipe, Table, counted, fit, mixed, packed, rarity, scores, tabulate
from models.training.labelled import SETS, Labelled, Language, Licence, read, read_own
from models.training.service import sentences
from models.training.top import Top as TunedTop
from models.weights import locate
from models.wording import EMOTIONS, SENTIMENTS, marks

_HELD_BACK: Final = 10
"""Every so manieth text."""
_OWN: Final = 1.0
"""Weight of a text that no public set has."""
_MARKS: Final = 6
_PIECES: Final = 64
"""Of a text, in training."""
_WORN: Final = 4
"""Every so manieth text is read a second time, worn."""

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Grams = tuple[npt.NDArray[np.int64], Floats]


def worn(rows: Sequence[Labelled], seed: int = 1) -> list[Labelled]:
    """Every fourth text as the telephone and a recogniser leave it: half of them stripped, half with errors too."""
    random = Random(seed)
    confusion = Confusion([row.text for row in rows])
    return [
        row._replace(text=plain(row.text) if at % (2 * _WORN) else confusion(plain(row.text), random))
        for at, row in enumerate(rows)
        if at % _WORN == 0
    ]


class Inputs(NamedTuple):
    """What the top and the heads start from."""

    lower: list[Halves]
    """Of each text what the trunk makes of its first 64 pieces, shape (pieces, 384)."""
    marks: Floats
    """Shape (n, 6)."""

    def of(self, rows: npt.NDArray[np.bool_]) -> "Inputs":
        """Those of some texts."""
        return Inputs([one for one, chosen in zip(self.lower, rows, strict=True) if chosen], self.marks[rows])

    def with_(self, other: "Inputs") -> "Inputs":
        """And others after them."""
        return Inputs(self.lower + other.lower, np.vstack([self.marks, other.marks]))


class Reading:
    """Reads texts, and keeps what came of it in a directory if there is one."""

    def __init__(self, embedding: Embedding, cache: Path | None) -> None:
        self.embedding = embedding
        self._cache = cache

    def __call__(self, name: str, rows: Sequence[Labelled]) -> Inputs:
        """What the texts of one set start from."""
        key = crc32("\0".join(row.text for row in rows).encode("utf-8", "surrogatepass"))
        if self._cache is None:
            pieces, sizes, found = self._read(rows)
        else:
            files = [self._cache / f"{name}-{key:08x}.{part}.npy" for part in ("lower", "sizes", "marks")]
            if not all(file.is_file() for file in files):
                self._cache.mkdir(parents=True, exist_ok=True)
                arrays: tuple[npt.NDArray[Any], ...] = self._read(rows)
                for file, array in zip(files, arrays, strict=True):
                    np.save(file, array)
            pieces, sizes, found = (np.load(file, mmap_mode="r") for file in files)
        return Inputs(np.split(pieces, np.cumsum(sizes)[:-1]), np.asarray(found))

    def _read(self, rows: Sequence[Labelled]) -> tuple[Halves, npt.NDArray[np.int64], Floats]:
        lower = [self.embedding.lower([row.text])[0][0, :_PIECES].astype(np.float16) for row in rows]
        found = np.array([marks(row.text, row.language) for row in rows], dtype=np.float32)
        return np.concatenate(lower), np.array([len(one) for one in lower]), found


def chosen(licence: Licence, language: Language, without: Sequence[str]) -> list[str]:
    """Sets to train on."""
    return [
        name
        for name, known in SETS.items()
        if known.language == language and known.licence in {"open", licence} and name not in without
    ]


class Split(NamedTuple):
    """The texts of one language."""

    kept: list[Labelled]
    """And after the texts of each set some of them, worn."""
    held: list[Labelled]
    inputs: Inputs
    """Of the first."""
    held_inputs: Inputs


def split(groups: Mapping[str, Sequence[Labelled]], reading: Reading) -> Split:
    """Hold every tenth text back, and read the others."""
    kept: list[Labelled] = []
    held: list[Labelled] = []
    first, other = (
        Inputs([], np.empty((0, _MARKS), dtype=np.float32)),
        Inputs([], np.empty((0, _MARKS), dtype=np.float32)),
    )
    for name, rows in groups.items():
        back = np.array([crc32(row.text.encode("utf-8", "surrogatepass")) % _HELD_BACK == 0 for row in rows])
        found = reading(name, rows)
        used = [row for row, away in zip(rows, back, strict=True) if not away]
        second = worn(used)
        kept += used + second
        held += [row for row, away in zip(rows, back, strict=True) if away]
        first = first.with_(found.of(~back)).with_(reading(f"{name}-worn", second))
        other = other.with_(found.of(back))
    return Split(kept, held, first, other)


def train(parts: Mapping[Language, Split], plain: Top, recipe: Recipe) -> tuple[bytes, dict[str, npt.NDArray[Any]]]:
    """Tune the top, fit heads on it and on the plain one, mix and calibrate them, and print how they do."""
    grams: dict[Language, list[Grams]] = {language: counted(part.kept, recipe.bits) for language, part in parts.items()}
    idf: dict[Language, Floats] = {language: rarity(found, recipe.bits) for language, found in grams.items()}
    tables: dict[Language, Table] = {
        language: tabulate(
            part.kept, grams[language], idf[language], part.inputs.marks, _shares(part.kept), _thin(part.kept)
        )
        for language, part in parts.items()
    }
    model = plain.model()
    top = TunedTop(weights_of(model))
    tuned_heads = fit(tables, idf, recipe, {language: part.inputs.lower for language, part in parts.items()}, top)
    graph = tuned(model, top.weights())
    whole: dict[Language, Table] = {
        language: replace(table, dense=_dense([plain], parts[language].inputs), thin=np.ones_like(table.thin))
        for language, table in tables.items()
    }
    plain_heads = fit(whole, idf, PLAIN)
    tensors: dict[str, npt.NDArray[Any]] = {}
    for language, part in parts.items():
        dense = _dense([Top(graph), plain], part.held_inputs)
        table = tabulate(part.held, counted(part.held, recipe.bits), idf[language], dense, _shares(part.held))
        head = calibrated(mixed(tuned_heads[language], plain_heads[language]), table)
        _show(head, table, part.held)
        tensors |= {f"{language}.{name}": tensor for name, tensor in packed(head).items()}
    return graph, tensors


def _dense(tops: Sequence[Top], inputs: Inputs) -> Floats:
    vectors = [np.vstack([top([one.astype(np.float32)[None]]) for one in inputs.lower]) for top in tops]
    return np.hstack([*vectors, inputs.marks])


def gathered(
    licence: Licence, language: Language, data: Path, own: Sequence[Labelled] = (), without: Sequence[str] = ()
) -> dict[str, Sequence[Labelled]]:
    """What the head of a language is trained on, by set."""
    groups: dict[str, Sequence[Labelled]] = {name: read(data, name) for name in chosen(licence, language, without)}
    groups["service"] = sentences(language)
    if mine := [row for row in own if row.language == language]:
        groups["own"] = mine
    return groups


def _shares(rows: Sequence[Labelled]) -> Floats:
    return np.array([SETS[row.set].weight if row.set in SETS else _OWN for row in rows], dtype=np.float32)


def _thin(rows: Sequence[Labelled]) -> npt.NDArray[np.int64]:
    return np.array([SETS[row.set].thin if row.set in SETS else 1 for row in rows])


def calibrated(head: dict[str, Floats], table: Table) -> dict[str, Floats]:
    """
    Divide the scores by the temperature that makes them likeliest on texts not trained on.

    Source: Guo et al.: On Calibration of Modern Neural Networks, ICML 2017.
    """
    found = scores(head, table)
    scale = np.ones(len(SENTIMENTS) + len(EMOTIONS), dtype=np.float32)
    for labels, part in ((table.sentiment, slice(0, 3)), (table.emotion, slice(3, 8))):
        known = labels >= 0
        open_scores = np.where(table.two_way[known, None] & (part.start == 0) & (np.arange(8)[part] == 1), -np.inf, 0)
        losses = {
            heat: _loss(found[known, part] / heat + open_scores, labels[known], table.share[known])
            for heat in np.geomspace(0.5, 4, 43)
        }
        scale[part] = 1 / min(losses, key=lambda heat: losses[heat])
    return head | {name: (head[name] * scale).astype(np.float32) for name in ("grams", "out", "direct", "bias")}


def _loss(found: npt.NDArray[Any], labels: npt.NDArray[np.int64], share: Floats) -> float:
    top = found.max(axis=1, keepdims=True)
    logs = found - top - np.log(np.exp(found - top).sum(axis=1, keepdims=True))
    return float(-(logs[np.arange(len(labels)), labels] * share).sum() / share.sum())


def _show(head: dict[str, Floats], table: Table, rows: Sequence[Labelled]) -> None:
    found = scores(head, table)
    found[table.two_way, 1] = -np.inf
    names = np.array([row.set for row in rows])
    for name in sorted(set(names)):
        for title, labels, part in (
            ("sentiment", table.sentiment, slice(0, 3)),
            ("emotion", table.emotion, slice(3, 8)),
        ):
            known = (names == name) & (labels >= 0)
            if known.any():
                right = float(np.mean(found[known, part].argmax(axis=1) == labels[known]))
                Console().print(f"held back of {name}: {title} {right:.3f} of {known.sum()}")


def main() -> None:
    """Train both languages, and write the heads and, beside them, the tuned top."""
    parser = argparse.ArgumentParser(description="Train the sentiment and the emotions of words.")
    parser.add_argument("--weights", choices=("open", "research"), required=True)
    parser.add_argument("--data", type=Path, required=True, help="a folder for each public set")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--without", action="append", default=[], help="a set to leave out")
    parser.add_argument("--own", type=Path, action="append", default=[], help="a CSV of labelled texts of one's own")
    parser.add_argument("--home", type=Path, default=Path(".warmline"), help="where the embedding's weights are kept")
    parser.add_argument("--passes", type=int, default=TUNED.passes, help="how often all is read to tune the top")
    parser.add_argument("--cache", type=Path, help="where what the trunk makes of texts is kept")
    given = parser.parse_args()
    embedding = Embedding(locate("multilingual-e5-small", directory=None, cache=given.home / "weights"))
    reading = Reading(embedding, given.cache)
    own = [row for path in given.own for row in read_own(path)]
    languages: tuple[Language, ...] = ("zh", "en")
    graph, tensors = train(
        {
            language: split(gathered(given.weights, language, given.data, own, given.without), reading)
            for language in languages
        },
        embedding.top,
        replace(TUNED, passes=given.passes),
    )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    top = given.out.with_suffix(".onnx")
    top.write_bytes(graph)
    notes = {"weights": given.weights, "without": " ".join(given.without), "top": sha256(graph).hexdigest()}
    write_tensors(given.out, tensors, notes)
    for path in (given.out, top):
        Console().print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
