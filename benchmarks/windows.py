"""
The shortest window of the encoder that a model bears: the same files with each, beside the 30 s that it was made for.

Whisper's encoder spends on silence what it spends on speech, so a shorter window saves time, until words are lost. Each
file goes through the production recogniser with every window as its shortest, some files at a time and the windows in
turn, so that what else the machine does falls on all. The difference to 30 s is paired: the interval is of 1000
bootstrap samples of the files, each with both its results. Rounding alone decides between words that are about as
likely, so a file may be heard several times, begun a little later each time, and all its results count. Of those
windows that make at most the margin more errors than 30 s on all files together, the shortest is told.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from audio.types import SAMPLE_RATE
from benchmarks.asr import Row, later, rows_of, utterances
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.figures import ratio_interval
from models.asr import WINDOWS_S, WhisperRecogniser
from models.textnorm import Errors, wer
from models.types import Recogniser, Spoken
from models.weights import find, locate
from stream.settings import load

MARGIN: Final = 0.003
"""More errors than at 30 s by which a window is still taken: 0.3 points."""
_TURN: Final = 16
"""Files of a turn."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One shortest window on one set."""

    window_s: int
    errors: float
    """Words; an ideograph is a word."""
    more: float
    """Errors less those at 30 s."""
    more_interval: tuple[float, float]
    """95 %, over the files."""
    retried: float
    """Share of files of which anything was decoded a second time: loops, doubled words, doubted languages."""
    rtf: float
    ms: Spread
    """Compute time of a file."""


class WindowSet(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest, or all of them together."""

    name: str
    language: str
    """Several joined by "+"."""
    n: int
    seconds: float
    words: int
    """Over all times."""
    windows: tuple[Window, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench windows --json`` prints."""

    environment: Environment
    model: str
    weights_sha256: str | None
    device: str
    workers: int
    split: str | None
    limit: int | None
    margin: float
    shortest_s: int
    """Of those within the margin on all files together."""
    sets: tuple[WindowSet, ...]
    """The last is "all"."""
    times: int = 1
    """How often each file was heard."""


class Heard(NamedTuple):
    """One file with one window, over all times."""

    errors: Errors
    retried: bool
    seconds: float
    """Of one time."""


class Took(NamedTuple):
    """Some files with every window."""

    rows: list[Row]
    heard: dict[int, list[Heard]]
    """By the window, one for each row."""
    seconds: dict[int, float]
    """From the first file to the last, all workers at once."""


def _hear(recogniser: Recogniser, times: int, row: Row) -> Heard:
    errors, guarded = Errors(), set[str]()
    begun = time.perf_counter()
    for n in range(times):
        found = [
            recogniser.transcribe([Spoken(pcm, row.language)], hurried=True)[0] for pcm in utterances(later(row.pcm, n))
        ]
        errors += wer(row.transcript, " ".join(one.raw or one.text for one in found))
        guarded.update(*(one.guarded for one in found))
    seconds = (time.perf_counter() - begun) / times
    # "nobody" is a judgement, and costs no second pass.
    return Heard(errors, bool(guarded - {"nobody"}), seconds)


def hear(
    rows: Sequence[Row],
    recognisers: Mapping[int, Recogniser],
    workers: int,
    step: Callable[[int], None],
    times: int = 1,
) -> Took:
    """Every file with every window, so many times."""
    heard: dict[int, list[Heard]] = {window_s: [] for window_s in recognisers}
    took = dict.fromkeys(recognisers, 0.0)
    with ThreadPoolExecutor(workers) as threads:
        for at in range(0, len(rows), _TURN):
            chosen = rows[at : at + _TURN]
            for window_s, recogniser in recognisers.items():
                begun = time.perf_counter()
                heard[window_s] += threads.map(partial(_hear, recogniser, times), chosen)
                took[window_s] += (time.perf_counter() - begun) / times
                step(len(chosen))
    return Took(list(rows), heard, took)


def together(parts: Sequence[Took]) -> Took:
    """The files of all, as if they were one set."""
    windows = parts[0].heard
    return Took(
        [row for part in parts for row in part.rows],
        {window_s: [one for part in parts for one in part.heard[window_s]] for window_s in windows},
        {window_s: sum(part.seconds[window_s] for part in parts) for window_s in windows},
    )


def difference(errors: Sequence[Errors], base: Sequence[Errors]) -> tuple[float, tuple[float, float]]:
    """
    By how much the rate over all files is above that of ``base``, of the same files, and its 95 % interval.

    Args:
        errors: One for each file.
        base: One for each file, in the same order.
    """
    above = [one.total - other.total for one, other in zip(errors, base, strict=True)]
    lengths = [one.n for one in base]
    return round(sum(above) / max(sum(lengths), 1), 4), ratio_interval(above, lengths)


def compare(name: str, took: Took) -> WindowSet:
    """Every window beside the longest."""
    seconds = sum(len(row.pcm) for row in took.rows) / SAMPLE_RATE
    base = [one.errors for one in took.heard[max(took.heard)]]

    def window(window_s: int, heard: list[Heard]) -> Window:
        more, interval = difference([one.errors for one in heard], base)
        return Window(
            window_s=window_s,
            errors=round(sum((one.errors for one in heard), Errors()).rate, 4),
            more=more,
            more_interval=interval,
            retried=round(sum(one.retried for one in heard) / len(heard), 4),
            rtf=round(took.seconds[window_s] / seconds, 4),
            ms=spread([one.seconds * 1000 for one in heard]),
        )

    return WindowSet(
        name=name,
        language="+".join(sorted({row.language for row in took.rows})),
        n=len(took.rows),
        seconds=round(seconds, 1),
        words=sum(one.n for one in base),
        windows=tuple(window(window_s, heard) for window_s, heard in took.heard.items()),
    )


def shortest(windows: Sequence[Window], margin: float) -> int:
    """The shortest that makes at most so many more errors than the longest, as do all between them."""
    longest_first = sorted(windows, key=lambda one: -one.window_s)
    return list(takewhile(lambda one: one.more <= margin, longest_first))[-1].window_s


def run(
    manifest: Sequence[Path], *, split: str | None, limit: int | None, times: int, out: Path | None, json: bool
) -> None:
    """Measure and print."""
    settings = load({})
    path = locate(settings.model, directory=settings.weights, cache=settings.home / "weights", hub=settings.hub)
    recognisers = {
        window_s: WhisperRecogniser(path, device=settings.device, workers=settings.workers, window_s=window_s)
        for window_s in WINDOWS_S
    }
    longest = recognisers[max(WINDOWS_S)]
    workers = longest.capacity.workers
    for recogniser in recognisers.values():
        # The first utterance of a model takes longer.
        recogniser.transcribe([Spoken(np.zeros(SAMPLE_RATE, np.int16), "en")])
    parts: list[tuple[str, Took]] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for csv in manifest:
            name, rows = csv.resolve().parent.name, rows_of(csv, split, limit)
            if not rows:
                raise ValueError(f"expected files with transcripts, got none ({name}, split={split})")
            task = progress.add_task(name, total=len(rows) * len(recognisers))
            parts.append((name, hear(rows, recognisers, workers, partial(progress.advance, task), times)))
    every = compare("all", together([took for _, took in parts]))
    options = "".join(f" --manifest {csv.resolve().parent.name}/{csv.name}" for csv in manifest)
    options += (f" --split {split}" if split else "") + (f" --limit {limit}" if limit else "")
    options += f" --times {times}" if times > 1 else ""
    result = Result(
        environment=environment(
            f"warmline bench windows{options}", ("faster-whisper", "ctranslate2", "numpy", "opencc")
        ),
        model=settings.model,
        weights_sha256=next((file.sha256 for file in find(settings.model).files if file.name == "model.bin"), None),
        device=longest.device,
        workers=workers,
        split=split,
        limit=limit,
        times=times,
        margin=MARGIN,
        shortest_s=shortest(every.windows, MARGIN),
        sets=(*(compare(name, took) for name, took in parts), every),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("set", "window, s", "errors", "more", "95 %", "retried", "RTF", "ms p50", box=None)
    for found in result.sets:
        for one in found.windows:
            low, high = one.more_interval
            table.add_row(
                found.name,
                str(one.window_s),
                f"{one.errors:.1%}",
                f"{one.more * 100:+.1f}",
                f"{low * 100:+.1f} to {high * 100:+.1f}",
                f"{one.retried:.1%}",
                f"{one.rtf:.3f}",
                str(one.ms.p50),
            )
    console.print(table)
    console.print(
        f"{result.model}: {result.shortest_s} s is the shortest within {result.margin * 100:g} points of 30 s on all "
        "files together",
        highlight=False,
    )
