"""
Trains the sentiment and the emotions of words: ``python -m models.training.text --weights open --data DIR --out FILE``.

``open`` takes only sets whose terms allow weights to be passed on, ``research`` all of them. Every tenth text of a
training file is held back, for calibration and for the figures printed. Every fourth text is read twice: as it stands,
and without punctuation and capitals or with errors like a recogniser's. DIR holds a folder a set; ``--cache`` keeps
embeddings from one run to the next.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, cast
from zlib import crc32

import numpy as np
import numpy.typing as npt
from rich.console import Console

from models.embedding import Embedding
from models.training.confusion import Confusion, plain
from models.training.heads import Recipe, Table, counted, fit, rarity, scores, tabulate
from models.training.labelled import SETS, Labelled, Language, Licence, read, read_own
from models.training.service import sentences
from models.weights import locate
from models.wording import EMOTIONS, SENTIMENTS, marks

_HELD_BACK: Final = 10
"""Every so manieth text."""
_OWN: Final = 1.0
"""Weight of a text that no public set has."""
_WORN: Final = 4
"""Every so manieth text is read a second time, worn."""

Floats = npt.NDArray[np.float32]


def worn(rows: Sequence[Labelled], seed: int = 1) -> list[Labelled]:
    """Every fourth text as the telephone and a recogniser leave it: half of them stripped, half with errors too."""
    random = Random(seed)
    confusion = Confusion([row.text for row in rows])
    return [
        row._replace(text=plain(row.text) if at % (2 * _WORN) else confusion(plain(row.text), random))
        for at, row in enumerate(rows)
        if at % _WORN == 0
    ]


class Vectors:
    """Embeddings and phrase marks of texts, kept in a directory if there is one."""

    def __init__(self, embedding: Embedding, cache: Path | None) -> None:
        self._embedding = embedding
        self._cache = cache

    def __call__(self, name: str, rows: Sequence[Labelled]) -> Floats:
        """Shape (n, 390)."""
        key = crc32("\0".join(row.text for row in rows).encode("utf-8", "surrogatepass"))
        kept = None if self._cache is None else self._cache / f"{name}-{key:08x}.npy"
        if kept is not None and kept.is_file():
            return cast("Floats", np.load(kept))
        vectors = self._embedding([row.text for row in rows])
        found = np.hstack([vectors, np.array([marks(row.text, row.language) for row in rows])]).astype(np.float32)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, found)
        return found


def chosen(licence: Licence, language: Language, without: Sequence[str]) -> list[str]:
    """Sets to train on."""
    return [
        name
        for name, known in SETS.items()
        if known.language == language and known.licence in {"open", licence} and name not in without
    ]


def train(groups: Mapping[str, Sequence[Labelled]], vectors: Vectors) -> dict[str, Floats]:
    """Fit and calibrate the head of one language, and print how it does on what was held back."""
    kept: list[Labelled] = []
    held: list[Labelled] = []
    dense: dict[bool, list[Floats]] = {True: [], False: []}
    for name, rows in groups.items():
        back = np.array([crc32(row.text.encode("utf-8", "surrogatepass")) % _HELD_BACK == 0 for row in rows])
        found = vectors(name, rows)
        first = [row for row, away in zip(rows, back, strict=True) if not away]
        second = worn(first)
        kept += first + second
        held += [row for row, away in zip(rows, back, strict=True) if away]
        dense[True] += [found[~back], vectors(f"{name}-worn", second)]
        dense[False] += [found[back]]
    recipe = Recipe()
    grams = counted(kept, recipe.bits)
    idf = rarity(grams, recipe.bits)
    head = fit(tabulate(kept, grams, idf, np.vstack(dense[True]), _shares(kept)), idf, recipe)
    table = tabulate(held, counted(held, recipe.bits), idf, np.vstack(dense[False]), _shares(held))
    head = calibrated(head, table)
    _show(head, table, held)
    return head


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
    """Train both languages and write the file."""
    from safetensors.numpy import save_file  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="Train the sentiment and the emotions of words.")
    parser.add_argument("--weights", choices=("open", "research"), required=True)
    parser.add_argument("--data", type=Path, required=True, help="a folder for each public set")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--without", action="append", default=[], help="a set to leave out")
    parser.add_argument("--own", type=Path, action="append", default=[], help="a CSV of labelled texts of one's own")
    parser.add_argument("--home", type=Path, default=Path(".warmline"), help="where the embedding's weights are kept")
    parser.add_argument("--cache", type=Path, help="where embeddings of texts are kept")
    given = parser.parse_args()
    embedding = Embedding(locate("multilingual-e5-small", directory=None, cache=given.home / "weights"))
    vectors = Vectors(embedding, given.cache)
    own = [row for path in given.own for row in read_own(path)]
    tensors: dict[str, Any] = {}
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        head = train(gathered(given.weights, language, given.data, own, given.without), vectors)
        tensors |= {f"{language}.{name}": tensor.astype(np.float16) for name, tensor in head.items()}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, given.out, {"weights": given.weights, "without": " ".join(given.without)})
    Console().print(f"{given.out}: {given.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
