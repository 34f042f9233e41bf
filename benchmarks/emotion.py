"""
Emotion on labelled speech: a model of voices over the files of a manifest, each speaker's baseline as in a call.

The baseline is built from a speaker's earlier files in the manifest's order, starting from none, as it is live: a
manifest sorted by emotion is the hardest case. ``speaker_known`` is the same with a baseline from all files of the
speaker, without labels, beforehand. By default only the voice counts; the words of acted corpora say nothing.

Beside it, in the same run and on the same sound, an SVM that is trained on other speakers (``benchmarks.peers.svm``),
wherever the manifest has a column split.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks import readers, voices
from benchmarks.classes import CLASSES, Classified, classified, truth
from benchmarks.clips import Codec, clips
from benchmarks.environment import Environment, environment, report, write
from benchmarks.figures import (
    COVERAGES,
    ClassScore,
    Confusion,
    Covered,
    Interval,
    auc,
    ccc,
    coverage_accuracy,
    ece,
    ece_by_chance,
    interval,
    per_class,
    resampled,
    rounded,
    spanned,
    uar,
)
from benchmarks.hearing import Heard, Seen, baselines, follow, hear
from benchmarks.peers.voices import Peer, beside, corpora
from benchmarks.weights import Weights
from stream.errors import StreamError

_AROUSED: Final = {
    "angry": "high",
    "happy": "high",
    "fear": "high",
    "surprise": "high",
    "sad": "low",
    "neutral": "low",
    "boredom": "low",
}
"""Of ``truth``; disgust is neither."""
CHANCE: Final = 0.25
_GAP: Final = (0, 1, 0, 0)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """With the speaker's baseline beforehand; None where it says nothing, as below."""

    uar: float | None
    uar_interval: Interval | None
    accuracy: float | None
    accuracy_interval: Interval | None
    macro_f1: float | None
    ece: float | None
    ece_by_chance: Interval | None
    coverage_accuracy: tuple[Covered, ...]
    confusion: Confusion
    arousal_auc: float | None
    arousal_balanced: float | None
    arousal_balanced_interval: Interval | None


class EmotionSet(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest."""

    name: str
    language: str
    """Several joined by "+"."""
    n: int
    """Files of the four classes."""
    speakers: int
    uar: float | None
    """Mean recall of the classes that occur; None where none does, as for the rest."""
    uar_interval: Interval | None
    """95 %, of bootstrap samples of ``resampled``, as the other intervals."""
    accuracy: float | None
    accuracy_interval: Interval | None
    macro_f1: float | None
    coverage: float | None
    """Share of files for which production names a class at all."""
    chance: float
    ece: float | None
    """Of the best class's share among the four."""
    ece_by_chance: Interval | None
    """Where it would lie if each share were exactly right."""
    coverage_accuracy: tuple[Covered, ...]
    """By that share."""
    per_class: dict[str, ClassScore]
    confusion: Confusion
    """Truth, then prediction."""
    resampled: str
    """"speakers", or "files" where the speakers are few."""
    arousal_auc: float | None
    """Chance that an angry file has more arousal than a sad one."""
    arousal_n: int
    """Files of high arousal (angry, happy, fear, surprise) or low (sad, neutral, calm, boredom)."""
    arousal_balanced: float | None
    """Mean share of the high above 0 and of the low at most 0, or without any voice to tell it from."""
    arousal_balanced_interval: Interval | None
    speaker_known: Known
    ccc_n: int
    """Files with arousal or valence in ``detail``."""
    ccc_arousal: float | None
    ccc_arousal_interval: Interval | None
    ccc_valence: float | None
    """None where neither words nor voice say it."""
    ccc_valence_interval: Interval | None
    ms: float
    """Of one core for an utterance that comes alone, median: from its sound to what a judgement needs."""
    ms_32: float
    """Of each of 32 that come together, or of all where there are fewer."""
    peers: tuple[Peer, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench emotion --json`` prints."""

    environment: Environment
    voice: Weights
    codec: Codec
    """Through which every file was heard."""
    text: bool
    """Whether the transcripts were used."""
    words: Weights | None
    """What read them."""
    split: str | None
    sets: tuple[EmotionSet, ...]


class System(NamedTuple):
    """What is measured."""

    voice: voices.Chosen
    words: readers.Chosen | None
    """None for the voice alone."""


def _auc(seen: Sequence[Seen]) -> float | None:
    """Of arousal, angry against sad."""
    high, low = (
        [one.arousal for one in seen if truth(one.clip.emotion) == name and one.arousal is not None]
        for name in ("angry", "sad")
    )
    return rounded(auc(high, low))


class _Aroused(NamedTuple):
    n: int
    balanced: float | None
    interval: Interval | None


def _aroused(seen: Sequence[Seen]) -> _Aroused:
    """Balanced accuracy of high arousal against low."""
    told = [one for one in seen if truth(one.clip.emotion) in _AROUSED]
    true = [_AROUSED[truth(one.clip.emotion)] for one in told]
    said = ["high" if (one.arousal or 0.0) > 0 else "low" for one in told]
    speakers = [one.clip.speaker for one in told]
    return _Aroused(len(told), rounded(uar(true, said)), interval(uar, true, said, groups=speakers))


def _concordance(seen: Sequence[Seen], key: str) -> tuple[float | None, Interval | None]:
    pairs = [
        (float(one.clip.detail[key]), value)
        for one in seen
        if key in one.clip.detail and (value := one.arousal if key == "arousal" else one.valence) is not None
    ]
    true, said = [t for t, _ in pairs], [p for _, p in pairs]
    found = rounded(ccc(true, said))
    return found, None if found is None else interval(ccc, true, said)


def _of_four(seen: Sequence[Seen]) -> tuple[list[Seen], Classified, list[bool]]:
    """The files of the four classes, their figures, and which are right."""
    four = [one for one in seen if truth(one.clip.emotion) in CLASSES]
    true, said = [truth(one.clip.emotion) for one in four], [one.predicted for one in four]
    right = [one == other for one, other in zip(true, said, strict=True)]
    return four, classified(true, said, [one.clip.speaker for one in four]), right


def _known(seen: Sequence[Seen]) -> Known:
    four, figures, right = _of_four(seen)
    sure = [one.share for one in four]
    aroused = _aroused(seen)
    return Known(
        **figures._asdict(),
        ece=rounded(ece(sure, right)),
        ece_by_chance=ece_by_chance(sure),
        coverage_accuracy=coverage_accuracy(sure, right),
        arousal_auc=_auc(four),
        arousal_balanced=aroused.balanced,
        arousal_balanced_interval=aroused.interval,
    )


def evaluate(name: str, heard: Heard, system: System, peers: Sequence[Peer] = ()) -> EmotionSet:
    """All figures of one set; files of other emotions count for the speakers' baselines and arousal only."""
    words = None if system.words is None else system.words.model
    live = follow(heard, {}, system.voice.model, words)
    four, figures, right = _of_four(live)
    sure, named = [one.share for one in four], [one.named for one in four]
    aroused = _aroused(live)
    arousal, arousal_interval = _concordance(live, "arousal")
    valence, valence_interval = _concordance(live, "valence")
    return EmotionSet(
        name=name,
        language="+".join(sorted({clip.language for clip in heard.clips})),
        n=len(four),
        speakers=len({clip.speaker for clip in heard.clips}),
        **figures._asdict(),
        coverage=rounded(sum(named) / len(named)) if named else None,
        chance=CHANCE,
        ece=rounded(ece(sure, right)),
        ece_by_chance=ece_by_chance(sure),
        coverage_accuracy=coverage_accuracy(sure, right),
        per_class=per_class(figures.confusion),
        resampled=resampled([one.clip.speaker for one in four]),
        arousal_auc=_auc(four),
        arousal_n=aroused.n,
        arousal_balanced=aroused.balanced,
        arousal_balanced_interval=aroused.interval,
        speaker_known=_known(follow(heard, baselines(heard, system.voice.model), system.voice.model, words)),
        ccc_n=sum("arousal" in clip.detail or "valence" in clip.detail for clip in heard.clips),
        ccc_arousal=arousal,
        ccc_arousal_interval=arousal_interval,
        ccc_valence=valence,
        ccc_valence_interval=valence_interval,
        **heard.pace._asdict(),
        peers=tuple(peers),
    )


def run(  # noqa: PLR0913 - an argument for each option
    manifest: Sequence[Path],
    *,
    split: str | None,
    limit: int | None,
    with_text: bool,
    out: Path | None,
    json: bool,
    voice: str = voices.DEFAULT,
    text: str = readers.DEFAULT,
    codec: Codec = "pcmu",
    train: Sequence[Path] = (),
    peers: bool = True,
) -> None:
    """Measure and print; ``out`` is written anew after every set."""
    system = System(voices.chosen(voice), readers.chosen(text) if with_text else None)
    others = corpora(train, codec) if peers else {}
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += (f" --split {split}" if split else "") + (f" --limit {limit}" if limit else "")
    options += f" --voice {system.voice.weights.name} --codec {codec}"
    options += "" if system.words is None else f" --with-text --text {system.words.weights.name}"
    options += "".join(f" --train-manifest {name}/manifest.csv" for name in others) + ("" if peers else " --no-peers")
    result = Result(
        environment=environment(f"warmline bench emotion{options}", ("numpy", "vaderSentiment", "scikit-learn")),
        voice=system.voice.weights,
        codec=codec,
        text=with_text,
        words=None if system.words is None else system.words.weights,
        split=split,
        sets=(),
    )
    for path in manifest:
        files = list(clips(path, split=split, limit=limit, codec=codec))
        if not files:
            raise StreamError(f"expected files, got none (manifest {path}, split {split})")
        found = beside(path, files, split, codec, others) if peers else []
        one = evaluate(path.resolve().parent.name, hear(system.voice.model, files), system, found)
        result = msgspec.structs.replace(result, sets=(*result.sets, one))
        write(result, out)
    report(result, out=out, json=json, show=_show)


def kept(covered: Sequence[Covered], coverage: float) -> float | None:
    """Accuracy of the most confident, where that share of them was looked at."""
    return next((one.accuracy for one in covered if one.coverage == coverage), None)


def _show(result: Result, console: Console) -> None:
    words = "voice and transcripts" if result.text else "voice only"
    table = Table(title=f"Emotion: {result.voice.name}, {words}; chance UAR {CHANCE:.2f}", box=None, padding=_GAP)
    moved = Table(title="Arousal, and time", box=None, padding=_GAP)
    beside = Table(title="SVM, every speaker known beforehand", box=None, padding=_GAP)
    shares = [f"at {round(100 * coverage)} %" for coverage in COVERAGES[1:]]
    for heading in ("set", "speaker", "n", "UAR, 95 %", "acc.", "named", "ECE", *shares):
        table.add_column(heading, justify="left" if heading in {"set", "speaker"} else "right", no_wrap=True)
    for heading in ("set", "n", "live", "known", "CCC arousal", "CCC valence", "ms", "ms of 32"):
        moved.add_column(heading, justify="left" if heading == "set" else "right", no_wrap=True)
    for heading in ("set", "trained on", "n", "UAR, 95 %", "acc."):
        beside.add_column(heading, justify="left" if heading in {"set", "trained on"} else "right", no_wrap=True)
    for one in result.sets:
        known = one.speaker_known
        table.add_row(one.name, "live", str(one.n), *_classes(one, one.coverage))
        table.add_row("", "known", str(one.n), *_classes(known, None))
        moved.add_row(
            one.name,
            str(one.arousal_n),
            spanned(one.arousal_balanced, one.arousal_balanced_interval),
            spanned(known.arousal_balanced, known.arousal_balanced_interval),
            spanned(one.ccc_arousal, one.ccc_arousal_interval),
            spanned(one.ccc_valence, one.ccc_valence_interval),
            f"{one.ms:.1f}",
            f"{one.ms_32:.1f}",
        )
        for peer in one.peers:
            figures = (str(peer.n), spanned(peer.uar, peer.uar_interval), f"{peer.accuracy:.2f}")
            beside.add_row(one.name, peer.trained_on, *figures)
    console.print(table)
    console.print("named: production names a class; at 70 %: accuracy of the most confident 70 %")
    console.print(moved)
    console.print("balanced accuracy of high against low; ms of one core for an utterance, alone or among 32")
    if beside.row_count:
        console.print(beside)


def _classes(one: EmotionSet | Known, named: float | None) -> list[str]:
    shares = [kept(one.coverage_accuracy, coverage) for coverage in COVERAGES[1:]]
    figures = (one.accuracy, named, one.ece, *shares)
    return [spanned(one.uar, one.uar_interval), *("-" if figure is None else f"{figure:.2f}" for figure in figures)]
