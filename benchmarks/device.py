"""
What a device does: encoder, decoder and word times by size of batch, and how many calls its queue serves.

With real weights, or with random ones of a true shape (``benchmarks.shapes``). Random weights say nothing, so they are
made to say as many tokens as people do; their result is honest about the time and silent about the words.

The calls are those of the sample recordings' turns, at the talk share asked for, begun at times from a fixed seed:
finals when a turn ends, partials at the cadence of production, deadlines and batches by ``models.batching``. No sound
is received, no speech found and nothing published: what is measured is the device and its queue alone.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Pcm
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.paced import lines
from benchmarks.peers import weights
from benchmarks.shapes import write
from models.asr import BEAM, WhisperRecogniser
from models.batching import Scheduler
from models.types import Capacity, Hypothesis, Recogniser, Spoken
from models.weights import UNMEASURED_S, find, locate
from stream.pipeline import PipelinePolicy
from stream.settings import Settings, load

_SEED: Final = 3
_REPEAT: Final = 5
_TOKENS_PER_S: Final = 4.0
"""What people say: 3.2 to 4.5 at the median of the public sets, 8 at most."""
_CALLS: Final = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_UTTERANCE_S: Final = 4.0
_SILENT: Final = Hypothesis(text="", language="unknown", language_confidence=0.0, confidence=0.0)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of work on batches of one size, each utterance of 4 s."""

    batch: int
    encode_ms: Spread
    decode_ms: Spread
    """By the full search."""
    greedy_ms: Spread
    align_ms: Spread
    final_speed: float
    """Seconds of speech a second, of finals: encoded, decoded and aligned."""
    partial_speed: float
    """The same of partials."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """So many calls."""

    calls: int
    finals_ms: Spread
    """From the end of a turn to its words."""
    partials_ms: Spread
    superseded: float
    """Share of the partials that a newer one replaced."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench device --json`` prints."""

    environment: Environment
    device: str
    name: str
    """Of the processor or GPU."""
    compute: str
    workers: int
    model: str
    random: bool
    """Whether the weights are: then only times count."""
    tokens_per_s: float | None
    """Forced, with random weights."""
    loaded_mb: float
    """Memory that loading took: of the GPU, or resident."""
    peak_mb: float
    """The same after the largest batch."""
    talk_share: float
    bound_ms: float
    stages: tuple[Stage, ...]
    holds: int
    """The largest number of calls with the 95th percentile of finals within the bound; 0 where not even one has."""
    levels: tuple[Level, ...]


class Forced:
    """A recogniser whose weights are random: does the work of one that hears, with as many tokens as people say."""

    def __init__(self, recogniser: WhisperRecogniser) -> None:
        self._whisper = recogniser
        self.capacity: Capacity = recogniser.capacity

    def shape(self, spoken: Spoken) -> Hashable:
        """See ``models.types.Recogniser``."""
        return self._whisper.shape(spoken)

    def transcribe(self, batch: Sequence[Spoken], *, hurried: bool = False) -> list[Hypothesis]:
        """The work; nothing is said."""
        stages = Stages(self._whisper, batch, hurried=hurried)
        encoded = stages.encode()
        final = batch[0].final
        if final:
            stages.detect(encoded)
        tokens = stages.decode(encoded, BEAM if final else 1)
        if final:
            stages.align(encoded, tokens)
        return [_SILENT] * len(batch)


class Stages:
    """The parts of the recogniser's work on one batch."""

    def __init__(self, recogniser: WhisperRecogniser, batch: Sequence[Spoken], *, hurried: bool) -> None:
        self._recogniser, self._batch = recogniser, batch
        self._window_s = recogniser._window(batch[0], hurried=hurried)
        self._tokenizer = recogniser._tokenizers["en"]
        self._seconds = [len(spoken.pcm) / SAMPLE_RATE for spoken in batch]

    def encode(self) -> Any:
        """Features and encoder."""
        return self._recogniser._encode(self._batch, self._window_s).states

    def detect(self, encoded: Any) -> None:
        """The language."""
        self._recogniser._model.detect_language(encoded)

    def decode(self, encoded: Any, beam: int) -> list[list[int]]:
        """Forced to the tokens of the longest: as with real words, a batch takes as long as its longest."""
        prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        wanted = max(1, round(_TOKENS_PER_S * max(self._seconds)))
        results = self._recogniser._model.generate(
            encoded,
            [prompt] * len(self._batch),
            beam_size=beam,
            max_length=min(448, 2 * wanted),
            suppress_tokens=[-1, self._tokenizer.eot],
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [list(result.sequences_ids[0]) for result in results]

    def align(self, encoded: Any, tokens: list[list[int]]) -> None:
        """Word times."""
        frames = [int(seconds * 100) for seconds in self._seconds]
        self._recogniser._model.align(encoded, list(self._tokenizer.sot_sequence), tokens, frames)


def _timed(work: Callable[[], Any]) -> tuple[Spread, float]:
    """Spread in ms, and the median in seconds."""
    work()
    taken = []
    for _ in range(_REPEAT):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return spread([one * 1000 for one in taken]), float(np.median(taken))


def _stage(recogniser: WhisperRecogniser, speech: Pcm, batch: int) -> Stage:
    length = int(_UTTERANCE_S * SAMPLE_RATE)
    places = (np.arange(length) + n * length // 2 for n in range(batch))
    stages = Stages(recogniser, [Spoken(np.take(speech, place, mode="wrap"), "en") for place in places], hurried=True)
    encoded = stages.encode()
    tokens = stages.decode(encoded, BEAM)

    def encode() -> None:
        # What lies on a GPU is there only when it is asked for.
        np.array(stages.encode().to_device(_cpu()))

    encode_ms, encode_s = _timed(encode)
    decode_ms, decode_s = _timed(lambda: stages.decode(encoded, BEAM))
    greedy_ms, greedy_s = _timed(lambda: stages.decode(encoded, 1))
    align_ms, align_s = _timed(lambda: stages.align(encoded, tokens))
    seconds = batch * _UTTERANCE_S
    return Stage(
        batch=batch,
        encode_ms=encode_ms,
        decode_ms=decode_ms,
        greedy_ms=greedy_ms,
        align_ms=align_ms,
        final_speed=round(seconds / (encode_s + decode_s + align_s), 1),
        partial_speed=round(seconds / (encode_s + greedy_s), 1),
    )


def _cpu() -> Any:
    import ctranslate2

    return ctranslate2.Device.cpu


def _turns() -> list[tuple[Pcm, str]]:
    """The turns of the sample calls, at 16 kHz, each at most 20 s, and their language."""
    found = []
    for line in lines(2, 60.0):
        for turn in line.turns:
            pcm = np.asarray(line.recording.customer if turn.channel == "customer" else line.recording.agent)
            rate = line.recording.rate
            piece = pcm[turn.start_ms * rate // 1000 : turn.end_ms * rate // 1000]
            resampler = Resampler(rate)
            whole = np.concatenate([resampler.push(piece), resampler.flush()])
            found.append((whole[: 20 * SAMPLE_RATE], line.language))
    return found


async def _level(recogniser: Recogniser, calls: int, seconds: float, talk_share: float) -> Level:
    scheduler: Scheduler[Spoken, Hypothesis] = Scheduler(recogniser.transcribe, recogniser.capacity)
    running = asyncio.create_task(scheduler.run())
    turns, policy, rng = _turns(), PipelinePolicy(), np.random.default_rng(_SEED)
    finals: list[float] = []
    partials: list[float] = []
    asked, begun = 0, time.monotonic()

    async def submit(key: str, spoken: Spoken, times: list[float]) -> None:
        at = time.monotonic()
        shape = recogniser.shape(spoken)
        told = await scheduler.submit(key, spoken, shape=shape, final=spoken.final, deadline=at)
        if told is not None:
            times.append((time.monotonic() - at) * 1000)

    async def call(number: int, first: int, after_s: float) -> None:
        nonlocal asked
        await asyncio.sleep(after_s)
        async with asyncio.TaskGroup() as group:
            turn = first
            while time.monotonic() - begun < seconds:
                (pcm, language), key = turns[turn % len(turns)], f"{number}:{turn}"
                started, told = time.monotonic(), policy.partial_from
                while told < len(pcm):
                    await asyncio.sleep(max(0.0, started + told / SAMPLE_RATE - time.monotonic()))
                    # What is committed is cut off: a partial hears the last seconds alone.
                    heard = pcm[max(0, told - policy.cut_from) : told]
                    group.create_task(submit(key, Spoken(heard, language, final=False), partials))
                    asked, told = asked + 1, told + policy.partial_every
                await asyncio.sleep(max(0.0, started + len(pcm) / SAMPLE_RATE - time.monotonic()))
                group.create_task(submit(key, Spoken(pcm, language), finals))
                await asyncio.sleep(len(pcm) / SAMPLE_RATE * (1 / talk_share - 1))
                turn += 1

    starts = rng.uniform(0, 5, calls)
    firsts = rng.integers(len(turns), size=calls)
    await asyncio.gather(*(call(n, int(firsts[n]), float(starts[n])) for n in range(calls)))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return Level(
        calls=calls,
        finals_ms=spread(finals),
        partials_ms=spread(partials),
        superseded=round(1 - len(partials) / asked, 3) if asked else 0.0,
    )


def _memory_mb(device: str) -> float:
    if device == "cpu":
        return round(psutil.Process().memory_info().rss / 2**20, 1)
    return float(_nvidia("memory.used"))


def _nvidia(what: str) -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "0"
    query = [program, f"--query-gpu={what}", "--format=csv,noheader,nounits"]
    lines_ = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    return lines_[int(os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or 0)].strip()


def run(  # noqa: PLR0913 - the options of the command
    *,
    shape: str | None,
    device: str,
    compute: str,
    batches: Sequence[int],
    bound_ms: float,
    talk_share: float,
    seconds: float,
    most: int,
    out: Path | None,
    json: bool,
) -> None:
    """Measure and print."""
    settings = load({})
    scratch = Path(tempfile.gettempdir()) / "warmline-bench-models"
    path = _path(settings, shape, scratch)
    device = WhisperRecogniser(weights(), device=device).device if device == "auto" else device
    before = _memory_mb(device)
    window_s = find(settings.model).window_s if shape is None else UNMEASURED_S
    whisper = WhisperRecogniser(path, device=device, compute=compute, workers=settings.workers, window_s=window_s)
    loaded = _memory_mb(device) - before
    recogniser: Recogniser = whisper if shape is None else Forced(whisper)
    speech = np.concatenate([pcm for pcm, language in _turns() if language == "en"])
    console = Console(stderr=True)
    stages = []
    for batch in batches:
        stages.append(_stage(whisper, speech, batch))
        console.print(f"batch {batch}: finals {stages[-1].final_speed} x, partials {stages[-1].partial_speed} x")
    peak = _memory_mb(device) - before
    levels: list[Level] = []
    for calls in (calls for calls in _CALLS if calls <= most):
        levels.append(asyncio.run(_level(recogniser, calls, seconds, talk_share)))
        p95 = levels[-1].finals_ms.p95
        console.print(f"{calls} calls: finals p50 {levels[-1].finals_ms.p50} p95 {p95} ms", highlight=False)
        if p95 is None or p95 > bound_ms:
            break
    held = [level.calls for level in levels if level.finals_ms.p95 is not None and level.finals_ms.p95 <= bound_ms]
    options = (f" --shape {shape}" if shape else "") + f" --device {device} --compute {compute}"
    options += f" --bound-ms {bound_ms:g} --talk-share {talk_share:g} --seconds {seconds:g}"
    measured = environment(f"warmline bench device{options}", ("ctranslate2", "faster-whisper", "numpy"))
    result = Result(
        environment=measured,
        device=device,
        name=measured.machine if device == "cpu" else _nvidia("name"),
        compute=whisper.compute,
        workers=whisper.capacity.workers,
        model=shape or settings.model,
        random=shape is not None,
        tokens_per_s=_TOKENS_PER_S if shape is not None else None,
        loaded_mb=round(loaded, 1),
        peak_mb=round(peak, 1),
        talk_share=talk_share,
        bound_ms=bound_ms,
        stages=tuple(stages),
        holds=max(held, default=0),
        levels=tuple(levels),
    )
    report(result, out=out, json=json, show=_show)


def _path(settings: Settings, shape: str | None, scratch: Path) -> Path:
    if shape is not None:
        return write(shape, scratch, weights())
    return locate(settings.model, directory=settings.weights, cache=scratch / "weights", hub=settings.hub)


def _show(result: Result, console: Console) -> None:
    kind = "random weights: times only" if result.random else "real weights"
    console.print(f"{result.model} ({kind}), {result.compute} on {result.name}, {result.workers} workers")
    table = Table("batch", "encode ms", "decode", "greedy", "align", "finals x", "partials x", box=None)
    for one in result.stages:
        times = (one.encode_ms.p50, one.decode_ms.p50, one.greedy_ms.p50, one.align_ms.p50)
        table.add_row(str(one.batch), *map(str, times), f"{one.final_speed}", f"{one.partial_speed}")
    console.print(table)
    table = Table("calls", "finals p50", "p95", "partials p50", "p95", "superseded", box=None)
    for level in result.levels:
        finals, partials = level.finals_ms, level.partials_ms
        figures = (level.calls, finals.p50, finals.p95, partials.p50, partials.p95)
        table.add_row(*map(str, figures), f"{level.superseded:.0%}")
    console.print(table)
    console.print(f"{result.holds} calls within {result.bound_ms:g} ms", highlight=False)
