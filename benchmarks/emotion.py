"""
Emotion on labelled speech: the production functions over the files of a manifest, each speaker's baseline as in a call.

The baseline is built from a speaker's earlier files in the manifest's order, starting from none, as it is live: a
manifest sorted by emotion is the hardest case. ``speaker_known`` is the same with a baseline from all files of the
speaker, without labels, beforehand. By default only the voice counts; the words of acted corpora say nothing.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from audio.recording import read_recording
from audio.resample import Resampler
from audio.types import Pcm
from benchmarks.environment import Environment, environment, report
from models.emotion import Baseline, Sound
from models.fusion import CustomerVoice, class_scores, feel
from models.sentiment import score
from models.types import EmotionLabel
from models.unsupervised import UnsupervisedVoice

_CLASSES: Final = {
    "angry": EmotionLabel.ANGRY,
    "happy": EmotionLabel.SATISFIED,
    "neutral": EmotionLabel.NEUTRAL,
    "sad": EmotionLabel.DISAPPOINTED,
}
"""The corpora's word for each of our classes."""
_MERGED: Final = {"calm": "neutral"}
CHANCE: Final = 0.25


class ClassScore(msgspec.Struct, frozen=True, kw_only=True):
    n: int
    recall: float | None
    precision: float | None
    f1: float | None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """With the speaker's baseline beforehand."""

    uar: float | None
    accuracy: float | None
    arousal_auc: float | None


class EmotionSet(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest."""

    name: str
    n: int
    """Files of the four classes."""
    speakers: int
    uar: float | None
    """Mean recall of the classes that occur; None where none does, as for the rest."""
    accuracy: float | None
    coverage: float | None
    """Share of files for which production names a class at all."""
    chance: float
    per_class: dict[str, ClassScore]
    confusion: dict[str, dict[str, int]]
    """Truth, then prediction."""
    arousal_auc: float | None
    """Chance that an angry file has more arousal than a sad one."""
    speaker_known: Known
    ccc_n: int
    """Files with arousal or valence in ``detail``."""
    ccc_arousal: float | None
    ccc_valence: float | None
    """None without text: the voice alone gives no valence."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench emotion --json`` prints."""

    environment: Environment
    text: bool
    """Whether the transcripts were used."""
    split: str | None
    sets: tuple[EmotionSet, ...]


class _Row(NamedTuple):
    speaker: str
    truth: str
    text: str
    language: str
    detail: dict[str, str]
    sound: Sound
    length_ms: int


class _Seen(NamedTuple):
    row: _Row
    predicted: str
    named: bool
    arousal: float | None
    valence: float | None


def _read(path: Path) -> Pcm:
    """The file's first channel at 16 kHz."""
    recording = read_recording([path])
    assert recording.customer is not None, "the first channel is the customer's"
    resampler = Resampler(recording.rate)
    return np.concatenate([resampler.push(recording.customer), resampler.flush()])


def _rows(manifest: Path, split: str | None, limit: int | None, *, with_text: bool) -> Iterator[_Row]:
    with manifest.open(encoding="utf-8", newline="") as lines:
        chosen = [line for line in csv.DictReader(lines) if split is None or line.get("split") == split]
    for line in chosen[:limit]:
        pcm = _read(manifest.parent / line["path"])
        pairs = (pair.partition("=") for pair in (line.get("detail") or "").split(";") if "=" in pair)
        emotion = line.get("emotion") or ""
        yield _Row(
            speaker=line.get("speaker") or line["path"],
            truth=_MERGED.get(emotion, emotion),
            text=(line.get("transcript") or "") if with_text else "",
            language=line.get("language") or "unknown",
            detail={key.strip(): value.strip() for key, _, value in pairs},
            sound=UnsupervisedVoice().hear([pcm])[0],
            length_ms=len(pcm) // 16,
        )


def _listen(rows: Sequence[_Row], known: dict[str, Baseline]) -> list[_Seen]:
    """Through production, speaker by speaker in order, each from the baseline given or from none."""
    model = UnsupervisedVoice()
    voices: dict[str, CustomerVoice] = {}
    seen: list[_Seen] = []
    for row in rows:
        voice = voices.get(row.speaker) or CustomerVoice(baseline=known.get(row.speaker, Baseline()))
        heard, words = model.judge(row.sound, voice.baseline), score(row.text, row.language)
        chances = class_scores(heard.arousal, heard.arousal_confidence, words)
        predicted = max(_CLASSES, key=lambda name: chances[_CLASSES[name]])
        voices[row.speaker], emotion = feel(voice, row.sound, heard, words, row.text, row.length_ms)
        named = emotion.label is not EmotionLabel.UNKNOWN
        seen.append(_Seen(row, predicted, named, heard.arousal, emotion.valence))
    return seen


def _baselines(rows: Sequence[_Row]) -> dict[str, Baseline]:
    known: dict[str, Baseline] = {}
    for row in rows:
        known[row.speaker] = known.get(row.speaker, Baseline()).observe(row.sound.prosody)
    return known


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _per_class(confusion: dict[str, dict[str, int]], name: str) -> ClassScore:
    hits, truth = confusion[name][name], sum(confusion[name].values())
    predicted = sum(row[name] for row in confusion.values())
    return ClassScore(
        n=truth,
        recall=_ratio(hits, truth),
        precision=_ratio(hits, predicted),
        f1=_ratio(2 * hits, truth + predicted),
    )


def _uar(seen: Sequence[_Seen]) -> float | None:
    recalls = [
        float(np.mean([one.predicted == name for one in seen if one.row.truth == name]))
        for name in _CLASSES
        if any(one.row.truth == name for one in seen)
    ]
    return round(float(np.mean(recalls)), 4) if recalls else None


def _auc(seen: Sequence[_Seen]) -> float | None:
    """Of arousal, angry against sad."""
    high, low = (
        np.array([one.arousal for one in seen if one.row.truth == name and one.arousal is not None], dtype=np.float64)
        for name in ("angry", "sad")
    )
    if not len(high) or not len(low):
        return None
    above = high[:, None] - low
    return round(float(np.mean(above > 0) + np.mean(above == 0) / 2), 4)


def ccc(truth: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64]) -> float | None:
    """
    Concordance correlation of two series; None for fewer than two values or two constants.

    Source: Lin: A concordance correlation coefficient to evaluate reproducibility, Biometrics 45, 1989.
    """
    if len(truth) < 2:
        return None
    covariance = float(np.mean((truth - truth.mean()) * (predicted - predicted.mean())))
    apart = float(truth.var() + predicted.var() + (truth.mean() - predicted.mean()) ** 2)
    return round(2 * covariance / apart, 4) if apart > 0 else None


def _concordance(seen: Sequence[_Seen], key: str) -> float | None:
    pairs = [
        (float(one.row.detail[key]), value)
        for one in seen
        if key in one.row.detail and (value := one.arousal if key == "arousal" else one.valence) is not None
    ]
    return ccc(np.array([t for t, _ in pairs]), np.array([p for _, p in pairs])) if pairs else None


def evaluate(name: str, rows: Sequence[_Row]) -> EmotionSet:
    """All figures of one set; files of other emotions count for the speakers' baselines only."""
    everything, beforehand = _listen(rows, {}), _listen(rows, _baselines(rows))
    live = [one for one in everything if one.row.truth in _CLASSES]
    known = [one for one in beforehand if one.row.truth in _CLASSES]
    confusion = {truth: dict.fromkeys(_CLASSES, 0) for truth in _CLASSES}
    for one in live:
        confusion[one.row.truth][one.predicted] += 1
    return EmotionSet(
        name=name,
        n=len(live),
        speakers=len({one.row.speaker for one in everything}),
        uar=_uar(live),
        accuracy=_ratio(sum(one.predicted == one.row.truth for one in live), len(live)),
        coverage=_ratio(sum(one.named for one in live), len(live)),
        chance=CHANCE,
        per_class={label: _per_class(confusion, label) for label in _CLASSES},
        confusion=confusion,
        arousal_auc=_auc(live),
        speaker_known=Known(
            uar=_uar(known),
            accuracy=_ratio(sum(one.predicted == one.row.truth for one in known), len(known)),
            arousal_auc=_auc(known),
        ),
        ccc_n=sum("arousal" in row.detail or "valence" in row.detail for row in rows),
        ccc_arousal=_concordance(everything, "arousal"),
        ccc_valence=_concordance(everything, "valence"),
    )


def run(
    manifest: Sequence[Path], *, split: str | None, limit: int | None, with_text: bool, out: Path | None, json: bool
) -> None:
    """Measure and print."""
    sets = tuple(
        evaluate(path.resolve().parent.name, list(_rows(path, split, limit, with_text=with_text))) for path in manifest
    )
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += (f" --split {split}" if split else "") + (f" --limit {limit}" if limit else "")
    options += " --with-text" if with_text else ""
    result = Result(
        environment=environment(f"warmline bench emotion{options}", ("numpy", "vaderSentiment")),
        text=with_text,
        split=split,
        sets=sets,
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    words = "voice and transcripts" if result.text else "voice only, no text (--with-text uses the transcripts)"
    table = Table(title=f"Emotion: {words}; four classes, chance UAR {CHANCE:.2f}")
    for heading in ("set", "n", "UAR", "acc.", "named", "AUC", "UAR*", "CCC a", "CCC v"):
        table.add_column(heading, justify="left" if heading == "set" else "right", no_wrap=True)
    for one in result.sets:
        figures = (one.uar, one.accuracy, one.coverage, one.arousal_auc, one.speaker_known.uar)
        cells = ["-" if figure is None else f"{figure:.2f}" for figure in (*figures, one.ccc_arousal, one.ccc_valence)]
        table.add_row(one.name, str(one.n), *cells)
    console.print(table)
    console.print("named: production names a class; AUC: arousal, angry above sad; UAR*: the speaker known beforehand")
