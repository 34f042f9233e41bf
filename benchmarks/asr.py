"""
Words of labelled speech: the production recogniser beside plain faster-whisper, file by file in turn.

Both have the same audio, weights, width of search, workers and, from the manifest, language; faster-whisper has its own
defaults otherwise: windows of 30 s and a ladder of temperatures. A worker for each core, with one thread, is what does
most for both. Files of several channels are mixed; what is longer than an utterance may be is cut for ours as in a
call. Rates are of all errors over all tokens of a set, after ``models.textnorm``; the interval is of 1000 bootstrap
samples of its files. RTF is the time that all files took over the time of their audio. A difference in rounding is
enough to hear a file otherwise where several words are as likely, so the files may be heard several times, begun a
little later each time, by all alike; then all hearings count.
"""

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import soundfile
from faster_whisper import WhisperModel
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from audio.cutter import Cutter
from audio.endpoint import EndpointPolicy
from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Encoding, Pcm
from audio.vad import SileroVad
from benchmarks.environment import Environment, Spread, environment, report, spread, write
from benchmarks.figures import ratio_interval
from models.asr import BEAM, WhisperRecogniser
from models.textnorm import Errors, cer, wer
from models.types import Recogniser, Spoken
from models.weights import find, locate
from stream.settings import Settings, load

_LONGEST: Final = 28 * SAMPLE_RATE
_SEED: Final = 7
_TURN: Final = 32
"""Files of a turn."""
_LATER: Final = SAMPLE_RATE // 50
"""Samples by which a file begins later from one time to the next: two frames of the encoder's features."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One recogniser on one set."""

    name: str
    wer: float
    wer_interval: tuple[float, float]
    """95 %."""
    cer: float
    cer_interval: tuple[float, float]
    substitutions: int
    """Of words, as the next two, over all times; an ideograph is a word."""
    deletions: int
    insertions: int
    rtf: float
    ms: Spread
    """Compute time of a file."""


class AsrSet(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest."""

    name: str
    language: str
    """Several joined by "+"."""
    n: int
    """Files with a transcript."""
    seconds: float
    words: int
    wer: float
    cer: float
    rtf: float
    language_accuracy: float | None
    """Share of files whose language ours would have told from "zh" and "en"; None where it cannot tell."""
    ours: Score
    hurried: Score
    """Ours when others wait, in short windows."""
    peer: Score


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench asr --json`` prints."""

    environment: Environment
    model: str
    weights_sha256: str | None
    device: str
    workers: int
    """Files at once, each with one thread of the processor: the same for both."""
    beam: int
    split: str | None
    times: int = 1
    """How often each file was heard."""
    sets: tuple[AsrSet, ...]


class Row(NamedTuple):
    """A labelled file."""

    transcript: str
    language: str
    pcm: Pcm


class _Said(NamedTuple):
    text: str
    told: bool = False
    """Whether the language was heard."""


class _Heard(NamedTuple):
    words: Errors
    characters: Errors
    seconds: float
    told: bool


class _Took(NamedTuple):
    """One recogniser on one set."""

    heard: list[list[_Heard]]
    """Of each file, all times."""
    seconds: float
    """From the first file to the last, all workers at once."""


_Transcribe = Callable[[Row], _Said]


def read(path: Path) -> Pcm:
    """At 16 kHz, channels mixed."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    resampler = Resampler(rate)
    return np.concatenate([resampler.push(samples.mean(axis=1).astype(np.int16)), resampler.flush()])


def rows_of(manifest: Path, split: str | None, limit: int | None) -> list[Row]:
    """Those of a manifest that have a transcript."""
    with manifest.open(encoding="utf-8", newline="") as lines:
        chosen = [line for line in csv.DictReader(lines) if split is None or line.get("split") == split]
    said = [line for line in chosen if (line.get("transcript") or "").strip()]
    return [
        Row(line["transcript"], line.get("language") or "en", read(manifest.parent / line["path"]))
        for line in said[:limit]
    ]


def later(pcm: Pcm, n: int) -> Pcm:
    """Begun n times 20 ms later."""
    return np.concatenate([np.zeros(n * _LATER, np.int16), pcm])


def utterances(pcm: Pcm) -> list[Pcm]:
    """The whole, or what the endpointer makes of it."""
    if len(pcm) <= _LONGEST:
        return [pcm]
    cutter = Cutter(Encoding.PCM16, SAMPLE_RATE, SileroVad(), EndpointPolicy())
    return [speech.pcm for speech in cutter.push(pcm.astype("<i2").tobytes()) + cutter.flush()]


def _ours(recogniser: Recogniser, *, hurried: bool = False) -> _Transcribe:
    def transcribe(row: Row) -> _Said:
        heard = (recogniser.transcribe([Spoken(pcm, row.language)], hurried=hurried) for pcm in utterances(row.pcm))
        found = [one for [one] in heard]
        told = any(one.language == row.language and one.language_confidence > 0.5 for one in found)
        return _Said(" ".join(one.raw or one.text for one in found), told)

    return transcribe


def _peer(model: WhisperModel) -> _Transcribe:
    def transcribe(row: Row) -> _Said:
        audio = row.pcm.astype(np.float32) / 32768
        segments, _ = model.transcribe(audio, language=row.language, beam_size=BEAM)
        return _Said(" ".join(segment.text for segment in segments))

    return transcribe


def _timed(transcribe: _Transcribe, row: Row) -> _Heard:
    begun = time.perf_counter()
    said = transcribe(row)
    seconds = time.perf_counter() - begun
    return _Heard(wer(row.transcript, said.text), cer(row.transcript, said.text), seconds, said.told)


def interval(errors: Sequence[Errors]) -> tuple[float, float]:
    """Of the rate over all, 95 %, from bootstrap samples of the files."""
    return ratio_interval([one.total for one in errors], [one.n for one in errors])


def _score(name: str, took: _Took, seconds: float) -> Score:
    words = [sum((one.words for one in times), Errors()) for times in took.heard]
    characters = [sum((one.characters for one in times), Errors()) for times in took.heard]
    all_words, all_characters = sum(words, Errors()), sum(characters, Errors())
    return Score(
        name=name,
        wer=round(all_words.rate, 4),
        wer_interval=interval(words),
        cer=round(all_characters.rate, 4),
        cer_interval=interval(characters),
        substitutions=all_words.substitutions,
        deletions=all_words.deletions,
        insertions=all_words.insertions,
        rtf=round(took.seconds / seconds, 4),
        ms=spread([one.seconds * 1000 for times in took.heard for one in times]),
    )


def evaluate(
    name: str,
    rows: Sequence[Row],
    ways: Sequence[_Transcribe],
    workers: int,
    step: Callable[[int], None],
    times: int = 1,
) -> AsrSet:
    """
    All figures of one set.

    Args:
        name: Of the set.
        rows: Its files.
        ways: Ours, ours in a hurry and the peer. They take turns, so that what else the machine does falls on all.
        workers: Files at once.
        step: Told how many files are done.
        times: How often each is heard.
    """
    took = [_Took([], 0.0) for _ in ways]
    with ThreadPoolExecutor(workers) as threads:
        for number, at in enumerate(range(0, len(rows), _TURN)):
            files = rows[at : at + _TURN]
            chosen = [row._replace(pcm=later(row.pcm, n)) for n in range(times) for row in files]
            for which in sorted(range(len(ways)), reverse=number % 2 == 1):
                begun = time.perf_counter()
                heard = list(threads.map(partial(_timed, ways[which]), chosen))
                seconds = time.perf_counter() - begun
                files_heard = [heard[n :: len(files)] for n in range(len(files))]
                took[which] = _Took(took[which].heard + files_heard, took[which].seconds + seconds)
            step(len(files))
    once = sum(len(row.pcm) for row in rows) / SAMPLE_RATE
    seconds = once * times
    score = _score("warmline", took[0], seconds)
    heard = [one for each in took[0].heard for one in each]
    told = [one.told for one in heard]
    return AsrSet(
        name=name,
        language="+".join(sorted({row.language for row in rows})),
        n=len(rows),
        seconds=round(once, 1),
        words=sum(one.words.n for one in heard) // times,
        wer=score.wer,
        cer=score.cer,
        rtf=score.rtf,
        language_accuracy=round(sum(told) / len(told), 4),
        ours=score,
        hurried=_score("warmline, in a hurry", took[1], seconds),
        peer=_score("faster-whisper", took[2], seconds),
    )


def _recognisers(settings: Settings) -> tuple[list[_Transcribe], WhisperRecogniser]:
    """Ours, ours in a hurry and the peer, warmed up; and our recogniser."""
    path = locate(settings.model, directory=settings.weights, cache=settings.home / "weights", hub=settings.hub)
    window_s = find(settings.model).window_s
    recogniser = WhisperRecogniser(path, device=settings.device, workers=settings.workers, window_s=window_s)
    model = WhisperModel(
        str(path),
        device=recogniser.device,
        compute_type=recogniser.compute,
        cpu_threads=1,
        num_workers=recogniser.capacity.workers,
        local_files_only=True,
    )
    ways = [_ours(recogniser), _ours(recogniser, hurried=True), _peer(model)]
    noise = np.random.default_rng(_SEED).normal(0, 500, 2 * SAMPLE_RATE).astype(np.int16)
    for transcribe in ways:
        transcribe(Row("", "en", noise))
    return ways, recogniser


def run(
    manifest: Sequence[Path], *, split: str | None, limit: int | None, times: int, out: Path | None, json: bool
) -> None:
    """Measure and print; ``out`` is written anew after every set."""
    settings = load({})
    ways, recogniser = _recognisers(settings)
    workers = recogniser.capacity.workers
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += (f" --split {split}" if split else "") + (f" --limit {limit}" if limit else "")
    options += f" --times {times}" if times > 1 else ""
    model_bin = next((file.sha256 for file in find(settings.model).files if file.name == "model.bin"), None)
    result = Result(
        environment=environment(
            f"warmline bench asr{options}", ("faster-whisper", "ctranslate2", "numpy", "opencc", "onnxruntime")
        ),
        model=settings.model,
        weights_sha256=model_bin,
        device=recogniser.device,
        workers=workers,
        beam=BEAM,
        split=split,
        times=times,
        sets=(),
    )
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for path in manifest:
            name, rows = path.resolve().parent.name, rows_of(path, split, limit)
            if not rows:
                progress.console.print(f"{name}: no transcripts, left out")
                continue
            task = progress.add_task(name, total=len(rows))
            found = evaluate(name, rows, ways, workers, partial(progress.advance, task), times)
            result = msgspec.structs.replace(result, sets=(*result.sets, found))
            write(result, out)
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title=f"Words: {result.model}, beam {result.beam}; faster-whisper in brackets")
    for heading in ("set", "n", "WER %", "CER %", "RTF"):
        table.add_column(heading, justify="left" if heading == "set" else "right", no_wrap=True)
    for one in result.sets:
        ours, peer = one.ours, one.peer
        table.add_row(
            one.name,
            str(one.n),
            f"{ours.wer * 100:.1f} ({peer.wer * 100:.1f})",
            f"{ours.cer * 100:.1f} ({peer.cer * 100:.1f})",
            f"{ours.rtf:.3f} ({peer.rtf:.3f})",
        )
    console.print(table)


def main() -> None:
    """``python -m benchmarks.asr``."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--manifest", type=Path, action="append", required=True)
    arguments.add_argument("--split")
    arguments.add_argument("--limit", type=int)
    arguments.add_argument("--times", type=int, default=1)
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    run(given.manifest, split=given.split, limit=given.limit, times=given.times, out=given.out, json=given.json)


if __name__ == "__main__":
    main()
