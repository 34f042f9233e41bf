"""
Voice and words together against each of them alone: ``python -m benchmarks.fusion --data DIR``.

No set here has voices and words that both bear a mood. So one is made of two halves: *acted*, the speech of actors,
whose words are plain; and *spoken*, sentences that bear a mood, read by a synthesiser (espeak-ng) in its one plain
voice. All goes through G.711 at 8 kHz and our recogniser, and the words are what it understood. Which half an utterance
is of, nobody is told. It shows that the fusion finds the view that speaks; it is no measure of real calls.
"""

import argparse
import csv
import gzip
import io
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track
from rich.table import Table

from audio.types import Encoding
from benchmarks import readers, voices
from benchmarks.classes import CLASSES, truth
from benchmarks.clips import Clip, clips, telephoned
from benchmarks.environment import Environment, environment, report
from benchmarks.figures import Interval, coverage_accuracy, ece, interval, rounded, spanned, top, uar
from benchmarks.peers import weights
from benchmarks.weights import Weights
from models.asr import WhisperRecogniser
from models.emotion import Baseline
from models.fusion import OPEN, Chances, class_scores, of_voice, of_words
from models.textnorm import wer
from models.types import Spoken
from models.weights import find

_SEED: Final = 9
_ACTED: Final = ("emo_casia_zh", "emo_ravdess_en")
_SPOKEN: Final = {
    "zh": (
        "zh_smp2020_usual",
        "label",
        {"angry": "angry", "happy": "happy", "neutral": "neutral", "sad": "sad"},
        "cmn",
    ),
    "en": (
        "en_goemotions",
        "emotion",
        {"anger": "angry", "joy": "happy", "neutral": "neutral", "sadness": "sad"},
        "en-us",
    ),
}
_LENGTH: Final = {"zh": (6, 30), "en": (20, 90)}
"""Characters of a sentence that is read."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one way to tell."""

    name: str
    uar: float
    uar_interval: Interval
    ece: float | None
    accuracy: float
    accuracy_at_70: float
    """Of the most confident 70 %."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the utterances."""

    name: str
    n: int
    views: tuple[View, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark writes."""

    environment: Environment
    voice: Weights
    words: Weights
    parts: tuple[Part, ...]
    won: float
    """UAR of the fusion less that of the better single view, over all."""
    won_interval: Interval
    errors: dict[str, float]
    """Share of words, in Chinese of characters, that the recogniser had wrong, by half and language."""


class Seen(NamedTuple):
    """One utterance."""

    half: str
    truth: str
    chances: dict[str, dict[str, float]]
    """By view, of the four classes; they add up to 1."""


def spoken(data: Path, each: int) -> list[Clip]:
    """Sentences for evaluation, so many of each class and language, read by the synthesiser."""
    found = []
    rng = np.random.default_rng(_SEED)
    for language, (folder, column, labels, voice) in _SPOKEN.items():
        least, most = _LENGTH[language]
        path = data / "text" / folder / "public_eval.csv.gz"
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if least <= len(row["text"]) <= most]
        for label, emotion in labels.items():
            texts = [row["text"] for row in rows if row[column] == label]
            chosen = rng.permutation(len(texts))[:each]
            found += [_read(texts[int(n)], emotion, language, voice) for n in chosen]
    return found


def _read(text: str, emotion: str, language: str, voice: str) -> Clip:
    program = shutil.which("espeak-ng")
    if program is None:
        raise RuntimeError("expected espeak-ng, found none (Debian: apt-get install espeak-ng)")
    wave = subprocess.run([program, "-v", voice, "--stdout", "--", text], capture_output=True, check=True).stdout
    pcm, rate = soundfile.read(io.BytesIO(wave), dtype="int16")
    return Clip(f"espeak-{language}", emotion, text, language, {}, telephoned(pcm, rate, Encoding.PCMU))


def _seen(
    halves: dict[str, list[Clip]], voice: voices.Chosen, words: readers.Chosen
) -> tuple[list[Seen], dict[str, float]]:
    recogniser = WhisperRecogniser(weights(), device="cpu", workers=1, window_s=find("whisper-base").window_s)
    known: dict[str, Baseline] = {}
    errors: dict[str, list[tuple[int, int]]] = {}
    found = []
    for half, clip in track(
        [(half, clip) for half, some in halves.items() for clip in some], console=Console(stderr=True)
    ):
        [said] = recogniser.transcribe([Spoken(clip.pcm[: 30 * 16_000], clip.language)])
        [sound] = voice.model.hear([clip.pcm])
        baseline = known.get(clip.speaker, Baseline())
        heard = voice.model.judge(sound, baseline)
        known[clip.speaker] = baseline.learn(sound, heard)
        [read] = words.model.read([said.text], [clip.language])
        wrong = wer(clip.text, said.text)
        errors.setdefault(f"{half}, {clip.language}", []).append((wrong.total, wrong.n))
        chances = {"voice": of_voice(heard), "words": of_words(read), "both": class_scores(heard, read, OPEN)}
        if truth(clip.emotion) in CLASSES:
            found.append(Seen(half, truth(clip.emotion), {name: _of_four(one) for name, one in chances.items()}))
    return found, {name: round(sum(e for e, _ in some) / sum(n for _, n in some), 4) for name, some in errors.items()}


def _of_four(chances: Chances | None) -> dict[str, float]:
    if chances is None:
        return dict.fromkeys(CLASSES, 1 / len(CLASSES))
    total = sum(chances[label] for label in CLASSES.values())
    return {name: chances[label] / total for name, label in CLASSES.items()}


def _part(name: str, seen: Sequence[Seen]) -> Part:
    return Part(name=name, n=len(seen), views=tuple(_view(view, seen) for view in ("voice", "words", "both")))


def _view(view: str, seen: Sequence[Seen]) -> View:
    true = [one.truth for one in seen]
    best = [top(one.chances[view]) for one in seen]
    said, sure = [name for name, _ in best], [share for _, share in best]
    right = [one == other for one, other in zip(true, said, strict=True)]
    found, around = uar(true, said), interval(uar, true, said)
    assert found is not None
    assert around is not None
    covered = {point.coverage: point.accuracy for point in coverage_accuracy(sure, right)}
    return View(
        name=view,
        uar=round(found, 4),
        uar_interval=around,
        ece=rounded(ece(sure, right)),
        accuracy=round(sum(right) / len(right), 4),
        accuracy_at_70=covered[0.7],
    )


def _won(seen: Sequence[Seen]) -> Callable[[Sequence[int]], float]:
    truths = np.array([one.truth for one in seen])
    said = {view: np.array([top(one.chances[view])[0] for one in seen]) for view in ("voice", "words", "both")}

    def more(chosen: Sequence[int]) -> float:
        at = np.asarray(chosen)
        found = {view: uar(truths[at], names[at]) or 0.0 for view, names in said.items()}
        return found["both"] - max(found["voice"], found["words"])

    return more


def run(data: Path, *, voice: str, text: str, each: int, out: Path | None, json: bool) -> None:
    """Measure and print."""
    heard, read = voices.chosen(voice), readers.chosen(text)
    halves = {
        "acted": [
            clip
            for name in _ACTED
            for clip in clips(data / name / "manifest.csv", split="eval", limit=None, codec="pcmu")
        ],
        "spoken": spoken(data, each),
    }
    seen, errors = _seen(halves, heard, read)
    more, rng = _won(seen), np.random.default_rng(_SEED)
    samples = [more(rng.integers(len(seen), size=len(seen))) for _ in range(1000)]
    result = Result(
        environment=environment(
            f"python -m benchmarks.fusion --voice {heard.weights.name} --text {read.weights.name} --each {each}",
            ("faster-whisper", "numpy", "onnxruntime"),
        ),
        voice=heard.weights,
        words=read.weights,
        parts=(*(_part(half, [one for one in seen if one.half == half]) for half in halves), _part("all", seen)),
        won=round(more(range(len(seen))), 4),
        won_interval=(round(float(np.quantile(samples, 0.025)), 4), round(float(np.quantile(samples, 0.975)), 4)),
        errors=errors,
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("half", "n", "voice", "words", "both", title="UAR of four classes, 95 %", box=None)
    for part in result.parts:
        table.add_row(part.name, str(part.n), *(spanned(view.uar, view.uar_interval) for view in part.views))
    console.print(table)
    low, high = result.won_interval
    console.print(f"both over the better single view: {result.won:+.3f} ({low:+.3f} to {high:+.3f})", highlight=False)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fusion", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="with folders of speech, and text/ with those of texts"
    )
    parser.add_argument("--voice", default="open")
    parser.add_argument("--text", default="open")
    parser.add_argument("--each", type=int, default=40, help="sentences of each class and language")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    run(given.data, voice=given.voice, text=given.text, each=given.each, out=given.out, json=given.json)


if __name__ == "__main__":
    main()
