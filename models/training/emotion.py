"""
Train the acoustic emotion model: ``python -m models.training.emotion --weights open --data DIR --out FILE``.

Everything is chosen and calibrated on judgements of speakers left out of the fit; rows of the split "eval" are never
read, but for corpora that are named for training as a whole.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from models.acoustic import AcousticModel, Card, Scores
from models.emotion import Baseline, calmness
from models.emotion import arousal as ruled_arousal
from models.training import calibration, contexts, graph, kernel
from models.training.calibration import LABELS_IN_ORDER, UNFITTED
from models.training.contexts import Moment, Scale, measure_scale, moments
from models.training.corpora import LABELS, LAYOUTS, Row, arousal, valence
from models.training.evaluation import Judged, figures, follow
from models.training.hearing import Heard, hear, load, save

_Array = npt.NDArray[np.float32]


class Recipe(NamedTuple):
    """What a set of weights is trained on."""

    name: str
    corpora: tuple[tuple[str, bool], ...]
    """Folder below the data directory, and whether all its rows are for training, whatever their split."""
    data: str
    licence: str
    classes: bool
    """Whether classes are said."""


RECIPES: Final = {
    "open": Recipe(
        "voice-open", (("emo_emodb_de2s", True),), "Emo-DB", "Apache-2.0; data CC0-1.0 by audb", classes=False
    ),
    "research": Recipe(
        "voice-research",
        (("emo_casia_zh", False), ("emo_ravdess_en", False)),
        "CASIA (training speakers), RAVDESS (actors 1 to 20)",
        "research only: CASIA all rights reserved, RAVDESS CC BY-NC-SA 4.0",
        classes=True,
    ),
}
_SHARE_OF_STRANGERS: Final = 0.25
"""Of the trained arousal in the whole, where classes are not said."""
_FOLDS: Final = 5
"""Of a corpus' speakers, or one speaker each where there are fewer."""


_BRIEF: Final = 2
"""Passes of the first look, which only tells who sounds calm."""


class Plan(NamedTuple):
    """How to train, apart from on what."""

    passes: int
    repeats: int
    seed: int
    device: str
    policy: kernel.Policy


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m models.training.emotion", description=__doc__)
    parser.add_argument("--weights", choices=sorted(RECIPES), default="open")
    parser.add_argument("--data", type=Path, required=True, help="holds the corpora's folders")
    parser.add_argument("--corpus", action="append", default=[], metavar="LAYOUT:DIR", help="others in their place")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--passes", type=int, default=8, help="telephone lines each row goes through")
    parser.add_argument("--repeats", type=int, default=1, help="baselines drawn for each row and pass")
    parser.add_argument("--landmarks", type=int, default=kernel.Policy().landmarks)
    parser.add_argument("--width", type=float, default=kernel.Policy().width)
    parser.add_argument("--ridge", type=float, default=kernel.Policy().ridge)
    parser.add_argument("--heard", type=Path, help="keeps what was heard, with the same seed, from one run to the next")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    recipe = RECIPES[given.weights]
    rows = _given(given.corpus) if given.corpus else training_rows(recipe, given.data)
    policy = kernel.Policy(given.landmarks, given.width, given.ridge)
    plan = Plan(given.passes, given.repeats, given.seed, given.device, policy)
    heard = load(rows, plan.passes, given.heard) if given.heard is not None and given.heard.is_file() else None
    if heard is None:
        heard = hear(rows, plan.passes, plan.seed, given.workers)
        if given.heard is not None:
            save(heard, given.heard)
    train(usable(heard), recipe, plan, given.out)


def training_rows(recipe: Recipe, data: Path) -> list[Row]:
    """What a recipe trains on."""
    return [
        row
        for folder, whole in recipe.corpora
        for row in LAYOUTS["manifest"](data / folder)
        if whole or row.split == "train"
    ]


def _given(named: Sequence[str]) -> list[Row]:
    pairs = [name.partition(":") for name in named]
    return [row for layout, _, path in pairs for row in LAYOUTS[layout](Path(path)) if row.split == "train"]


def usable(heard: Heard) -> Heard:
    """Without the rows that some line left too little voice of."""
    good = np.flatnonzero(~np.isnan(heard.vectors).any(axis=(0, 2)))
    return Heard(tuple(heard.rows[i] for i in good), heard.vectors[:, good], tuple(heard.prosody[i] for i in good))


def subset(heard: Heard, chosen: npt.NDArray[np.bool_]) -> Heard:
    """Some of the rows."""
    at = np.flatnonzero(chosen)
    return Heard(tuple(heard.rows[i] for i in at), heard.vectors[:, at], tuple(heard.prosody[i] for i in at))


def train(heard: Heard, recipe: Recipe, plan: Plan, out: Path) -> None:
    """Cross-validate twice, the second time with baselines weighed as the first found them calm; calibrate; fit."""
    console = Console()
    flat = np.ones(len(heard.rows))
    brief = Heard(heard.rows, heard.vectors[:_BRIEF], heard.prosody)
    first = cross_validate(brief, flat, recipe, plan, "first look")
    calm = _calm(heard, [one for fold in first for one in fold.known])
    second = cross_validate(heard, calm, recipe, plan, "second look")
    scores = _calibrate(second)
    judge, scale = fit(heard, calm, plan)
    graph.write(judge, card(recipe, scale, scores), out)
    said = [one for fold in second for one in fold.known]
    grown = [one for fold in second for one in fold.live]
    for corpus in sorted({row.corpus for row in heard.rows}):
        for known, judged in ((False, grown), (True, said)):
            found = figures(corpus, [one for one in judged if one.row.corpus == corpus], known=known)
            console.print(f"left out: {found}")
    console.print(f"{scores}")
    console.print(f"wrote {out}, {out.stat().st_size / 1e6:.2f} MB")


class Fold(NamedTuple):
    """What a model said of speakers left out of its fit."""

    model: AcousticModel
    known: list[Judged]
    live: list[Judged]


def cross_validate(heard: Heard, calm: npt.NDArray[np.float64], recipe: Recipe, plan: Plan, name: str) -> list[Fold]:
    """One fit for each group of speakers left out."""
    folds: list[Fold] = []
    with tempfile.TemporaryDirectory() as temporary:
        for n, left in enumerate(track(groups(heard.rows), description=name)):
            judge, scale = fit(subset(heard, ~left), calm[~left], plan)
            path = Path(temporary) / f"{n}.onnx"
            graph.write(judge, card(recipe, scale, UNFITTED), path)
            model = AcousticModel(path)
            out = subset(heard, left)
            folds.append(Fold(model, follow(model, out, known=True), follow(model, out, known=False)))
    return folds


def groups(rows: Sequence[Row]) -> list[npt.NDArray[np.bool_]]:
    """Rows to leave out: the speakers of a corpus one by one, or in five groups where they are many."""
    found = []
    for corpus in dict.fromkeys(row.corpus for row in rows):
        speakers = sorted({row.speaker for row in rows if row.corpus == corpus})
        for n in range(min(_FOLDS, len(speakers))):
            left = set(speakers[n :: min(_FOLDS, len(speakers))])
            found.append(np.array([row.corpus == corpus and row.speaker in left for row in rows]))
    return found


def fit(heard: Heard, calm: npt.NDArray[np.float64], plan: Plan) -> tuple[kernel.Judge, Scale]:
    """Fit on all rows."""
    rng = np.random.default_rng(plan.seed)
    speakers = np.unique([f"{row.corpus}/{row.speaker}" for row in heard.rows], return_inverse=True)[1]
    emotions = np.unique([row.emotion for row in heard.rows], return_inverse=True)[1]
    corpora = np.unique([row.corpus for row in heard.rows], return_inverse=True)[1]
    scale = measure_scale(heard.vectors, speakers)
    sounds, baselines, at = [], [], []
    for vectors in heard.vectors:
        standard = scale.standard(vectors)
        for speaker in range(int(speakers.max()) + 1):
            index = np.flatnonzero(speakers == speaker)
            chosen = np.tile(index, plan.repeats)
            weights = contexts.draw(rng, len(chosen), emotions[index], calm[index])
            sounds.append(standard[chosen])
            baselines.append(moments(weights, standard[index]))
            at.append(chosen)
    rows = np.concatenate(at)
    targets, shares = _targets(heard.rows, corpora)
    lesson = kernel.Lesson(
        np.concatenate(sounds),
        Moment(*(np.concatenate(parts) for parts in zip(*baselines, strict=True))),
        corpora[rows],
        targets[rows],
        shares[rows],
    )
    return kernel.fit(lesson, scale, plan.policy, plan.seed, plan.device), scale


def _targets(rows: Sequence[Row], corpora: npt.NDArray[np.int64]) -> tuple[_Array, _Array]:
    """Classes, arousal and valence of each row, and weights by which every emotion of every corpus counts the same."""
    count = len(LABELS_IN_ORDER)
    targets = np.full((len(rows), count + 2), np.nan, np.float32)
    for i, row in enumerate(rows):
        label = LABELS.get(row.emotion)
        if label is not None:
            targets[i, :count] = [label is one for one in LABELS_IN_ORDER]
        values = (arousal(row), valence(row))
        targets[i, count:] = [np.nan if value is None else value for value in values]
    kinds = np.unique(
        [f"{c}/{LABELS.get(row.emotion, row.emotion)}" for c, row in zip(corpora, rows, strict=True)],
        return_inverse=True,
    )[1]
    shares = 1 / np.bincount(kinds)[kinds]
    return targets, np.repeat(shares[:, None].astype(np.float32), count + 2, axis=1)


def _calm(heard: Heard, judged: Sequence[Judged]) -> npt.NDArray[np.float64]:
    """What each row weighs in a baseline, by what was said of it unseen."""
    found = {one.row.path: calmness(one.voice) for one in judged}
    return np.array([found[row.path] for row in heard.rows])


def _calibrate(folds: Sequence[Fold]) -> Scores:
    judged, scores, known = [], [], []
    for fold in folds:
        # A corpus has few first utterances: every row stands for one once, with no baseline.
        first = [one._replace(baseline=Baseline()) for one in fold.live]
        for some in (fold.known, fold.live, first):
            raw, sure = calibration.raw(fold.model, some)
            judged += some
            scores.append(raw)
            known.append(sure)
    ruled = np.array([ruled_arousal(one.sound.prosody, one.baseline)[0] or 0.0 for one in judged])
    return calibration.fit(judged, np.concatenate(scores), np.concatenate(known), ruled)


def card(recipe: Recipe, scale: Scale, scores: Scores) -> Card:
    """What goes into the file beside the graph."""
    if not recipe.classes:
        # Of strangers it knows less than of its own corpus: see docs/decisions/0008-voice-and-words.md.
        share = min(scores.arousal_share, _SHARE_OF_STRANGERS)
        scores = msgspec.structs.replace(scores, arousal_share=share, valence_confidence=(0.0, 0.0))
    return Card(
        name=recipe.name,
        data=recipe.data,
        licence=recipe.licence,
        labels=LABELS_IN_ORDER if recipe.classes else None,
        outputs=len(LABELS_IN_ORDER),
        centre=scale.centre.astype("<f4").tobytes(),
        width=scale.width.astype("<f4").tobytes(),
        scores=scores,
    )


if __name__ == "__main__":
    main()
