"""
Figures of a file of weights: ``python -m models.training.measure --model FILE --data DIR``.

All through a clean line of mu-law at 8 kHz. Beside the model stands a plain one, trained on the same rows: a support
vector machine on statistics of a log-mel spectrogram and of pitch, every speaker's files brought to mean 0 and
deviation 1 beforehand.
"""

# pyright: reportMissingImports=false

import argparse
from collections.abc import Sequence
from pathlib import Path

import librosa
import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from models.acoustic import AcousticModel
from models.training.augment import RATE, TELEPHONE, through
from models.training.corpora import LABELS, LAYOUTS, Row
from models.training.emotion import RECIPES, training_rows
from models.training.evaluation import CLASSES, Figures, figures, follow, mean_recall
from models.training.hearing import Heard, hear, load, read, save

_EVALUATED = (("emo_casia_zh", True), ("emo_ravdess_en", True), ("emo_emodb_de2s", False))
"""Folders, and whether only rows of the split "eval" count."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--out`` holds."""

    model: str
    sets: tuple[Figures, ...]
    plain: dict[str, float]
    """UAR of the plain model, with all of a speaker's files known."""


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m models.training.measure", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--heard", type=Path, help="folder that keeps what was heard from one run to the next")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    model = AcousticModel(given.model)
    sets: list[Figures] = []
    plain: dict[str, float] = {}
    recipe = next(recipe for recipe in RECIPES.values() if recipe.name == model.card.name)
    trained = {folder for folder, whole in recipe.corpora if whole}
    taught = plain_features(training_rows(recipe, given.data))
    for folder, split in _EVALUATED:
        if folder in trained:
            continue
        rows = [row for row in LAYOUTS["manifest"](given.data / folder) if not split or row.split == "eval"]
        heard = _heard(rows, None if given.heard is None else given.heard / f"{folder}.npz", given.workers)
        sets += [figures(folder, follow(model, heard, known=known), known=known) for known in (False, True)]
        plain[folder] = plain_uar(taught, plain_features(rows))
    measured = Measured(model=model.card.name, sets=tuple(sets), plain=plain)
    if given.out is not None:
        given.out.write_bytes(msgspec.json.format(msgspec.json.encode(measured)))
    _show(measured)


def _heard(rows: Sequence[Row], path: Path | None, workers: int) -> Heard:
    kept = load(rows, 1, path) if path is not None and path.is_file() else None
    if kept is not None:
        return kept
    heard = hear(rows, 1, 0, workers)
    if path is not None:
        save(heard, path)
    return heard


class Plain(msgspec.Struct, frozen=True):
    """Features of the plain model, of rows of the four classes."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.int64]


def plain_features(rows: Sequence[Row]) -> Plain:
    """Every speaker's rows normalised by all of them."""
    raw = np.stack([_plain(row) for row in rows])
    for speaker in {(row.corpus, row.speaker) for row in rows}:
        of = np.array([(row.corpus, row.speaker) == speaker for row in rows])
        raw[of] = (raw[of] - raw[of].mean(axis=0)) / (raw[of].std(axis=0) + 1e-6)
    four = np.array([LABELS.get(row.emotion) in CLASSES for row in rows])
    truth = [CLASSES.index(LABELS[row.emotion]) for row, one in zip(rows, four, strict=True) if one]
    return Plain(raw[four], np.array(truth))


def _plain(row: Row) -> npt.NDArray[np.float64]:
    """Mean, deviation and mean step of 40 log-mel bands; mean and deviation of pitch."""
    wave = through(read(row), TELEPHONE, np.random.default_rng(0)).astype(np.float32) / 32768
    power = librosa.feature.melspectrogram(y=wave, sr=RATE, n_fft=256, hop_length=80, n_mels=40)
    bands = np.log(power + 1e-7)
    pitch = librosa.yin(wave, fmin=75, fmax=500, sr=RATE, frame_length=512, hop_length=80)
    loud = power.sum(axis=0)[: len(pitch)]
    tone = np.log(pitch[: len(loud)][loud > 0.02 * loud.max()])
    parts = [bands.mean(axis=1), bands.std(axis=1), np.abs(np.diff(bands, axis=1)).mean(axis=1)]
    return np.concatenate([*parts, [tone.mean(), tone.std()]]).astype(np.float64)


def plain_uar(taught: Plain, asked: Plain) -> float:
    """UAR of the four classes."""
    scaler = StandardScaler().fit(taught.x)
    machine = SVC(C=1.0, gamma="scale", class_weight="balanced").fit(scaler.transform(taught.x), taught.y)
    said = np.asarray(machine.predict(scaler.transform(asked.x)), np.int64)
    return round(mean_recall(asked.y, said), 4)


def _show(measured: Measured) -> None:
    table = Table(title=f"{measured.model}: four classes, 8 kHz mu-law; baseline live, or known beforehand")
    headings = ("set", "baseline", "n", "UAR", "95 %", "acc.", "ECE", "gain at 70 %", "arousal", "95 %", "plain UAR")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in {"set", "baseline"} else "right", no_wrap=True)
    for one in measured.sets:
        uar, arousal = one.uar, one.arousal
        cells = [one.set, "known" if one.known else "live", str(one.n)]
        cells += ["-", "-"] if uar is None else [f"{uar.value:.3f}", f"{uar.low:.2f}-{uar.high:.2f}"]
        cells += ["-" if x is None else f"{x:.3f}" for x in (one.accuracy, one.ece, one.gain)]
        cells += [f"{arousal.value:.3f}", f"{arousal.low:.2f}-{arousal.high:.2f}", f"{measured.plain[one.set]:.3f}"]
        table.add_row(*cells)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
