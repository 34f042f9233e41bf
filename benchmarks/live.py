"""
Latency of the live path: N paced calls through broker, Faust and the live channel.

All times count from the audio's own: a final's latency from the end of its speech, endpointing included; a card's
from the end of its utterance; a partial's from the last sample it shows. ``added`` is what broker, Faust and live
channel add to a final: from the moment the record that closed its segment was sent, which is known from the same
pipeline run offline over the same records.
"""

import asyncio
import json as json_
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import psutil
import websockets
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from agent_assist.types import Final
from audio.recording import Recording, read_recording, records
from audio.telephony.play import play
from audio.types import RECORD_MS, AudioRecord
from audio.vad import VoiceActivity
from benchmarks.environment import Environment, Spread, environment, report, spread
from models.textnorm import Errors, cer, normalise
from stream import build
from stream.hearing import Hearing
from stream.pipeline import CallPipeline
from stream.settings import Settings
from stream.topics import AUDIO
from stream.wire import AudioEnd, AudioStart, encode_audio

_DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
_CALLS = ("zh_late_order.wav", "en_cancel_plan.wav")


class Process(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    cores: float
    """Processor seconds a second."""
    memory_mb: float


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """Finals against those of the same pipeline offline."""

    expected: int
    received: int
    missing: int
    different: int
    twice: int


class Partials(msgspec.Struct, frozen=True, kw_only=True):
    """What partials promised."""

    shown: int
    committed: int
    """Characters, at the last partial of each utterance."""
    rewritten: int
    """Partials that did not begin with what an earlier one of their utterance had committed."""
    corrected: float
    """Share of the committed characters that the final says otherwise."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench live --json`` prints."""

    environment: Environment
    calls: int
    seconds: float
    recogniser: str
    through: str
    """"door" from the WebSocket of the telephone side on, "topic" from ``call.audio`` on."""
    data: tuple[str, ...]
    latency_ms: dict[str, Spread]
    losses: Losses
    partials: Partials
    processes: tuple[Process, ...]


@dataclass(slots=True)
class _Call:
    """What was seen of one call."""

    id: str
    recording: Recording
    began: float = float("inf")
    """When sample 0 was due."""
    finals: dict[str, tuple[str, float, int]] = field(default_factory=dict)
    """Id to text, arrival and end_ms."""
    partials: list[tuple[float, int]] = field(default_factory=list)
    committed: dict[str, str] = field(default_factory=dict)
    """Utterance id to what its partials have committed."""
    rewritten: int = 0
    cards: list[tuple[float, int]] = field(default_factory=list)
    twice: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)


def _looped(name: str, seconds: float, share: float) -> Recording:
    """A recording over and over until it is long enough; each call begins at another place of it, as in life."""
    recording = read_recording([_DATA / name])
    length = int(seconds * recording.rate)
    first = int(share * recording.samples)

    def fill(pcm: Any) -> Any:
        return None if pcm is None else np.resize(np.roll(pcm, -first), length)

    return msgspec.structs.replace(recording, customer=fill(recording.customer), agent=fill(recording.agent))


@asynccontextmanager
async def warmline(settings: dict[str, str], broker: str | None) -> Any:
    """The whole program on free ports; gives its addresses."""
    with tempfile.TemporaryDirectory(prefix="warmline-bench-") as home:
        command = [str(Path(sys.executable).with_name("warmline")), "up", "--json", "--port", "0", "--home", home]
        process = await asyncio.create_subprocess_exec(
            *command,
            *(("--broker", broker) if broker else ()),
            stdout=subprocess.PIPE,
            env=os.environ | settings,
        )
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError("expected warmline to start, got an exit; see above")
        try:
            yield json_.loads(line)
        finally:
            process.terminate()
            await process.wait()


async def watch(addresses: dict[str, Any], call_id: str, note: Callable[[dict[str, Any], float], None]) -> None:
    """Pass on each message of a call's live channel, and when it came, until cancelled."""
    url = addresses["api"].replace("http", "ws", 1) + f"/v1/live?call={call_id}"
    protocols = [websockets.Subprotocol("warmline.v1"), websockets.Subprotocol(f"token.{addresses['token']}")]
    while True:
        try:
            async with websockets.connect(url, subprotocols=protocols, max_size=None, compression=None) as socket:
                async for text in socket:
                    note(msgspec.json.decode(text), time.time())
        except (websockets.WebSocketException, OSError):
            await asyncio.sleep(0.05)


def _note(call: _Call, message: dict[str, Any], now: float) -> None:
    data = message.get("data") or {}
    match message["kind"]:
        case "snapshot":
            for utterance in data["utterances"]:
                call.finals.setdefault(utterance["id"], (utterance["text"], now, utterance["end_ms"]))
        case "final":
            utterance = data["utterance"]
            call.twice += utterance["id"] in call.finals
            call.finals[utterance["id"]] = (utterance["text"], now, utterance["end_ms"])
        case "partial":
            if data["text"]:
                call.partials.append((now, data["end_ms"]))
            before, text = call.committed.get(data["utterance_id"], ""), data["text"]
            call.rewritten += not text.startswith(before)
            call.committed[data["utterance_id"]] = text[: data["committed"]]
        case "card":
            call.cards.append((now, data["at_ms"]))
        case "ended":
            call.ended.set()
        case _:
            pass


async def _feed(call: _Call, producer: AIOKafkaProducer, start_in: float) -> None:
    """Send records to ``call.audio`` when their last sample is due."""
    key = call.id.encode()
    call.began = time.time() + start_in
    start = AudioStart(at=datetime.now(UTC), protocol="bench")
    await producer.send_and_wait(AUDIO.name, encode_audio(start), key=key)
    for record in records(call.recording, call.id):
        due = call.began + (record.seq + 1) * RECORD_MS / 1000
        await asyncio.sleep(max(0.0, due - time.time()))
        await producer.send_and_wait(AUDIO.name, encode_audio(record), key=key)
    await producer.send_and_wait(
        AUDIO.name, encode_audio(AudioEnd(duration_ms=call.recording.duration_ms, reason="hangup")), key=key
    )


async def _dial(call: _Call, url: str, token: str, start_in: float) -> None:
    """Play through the telephone's door."""
    await asyncio.sleep(start_in)

    def progress(done_ms: int, _: int) -> None:
        call.began = min(call.began, time.time() - done_ms / 1000)

    await play(call.recording, url, token=token, call_id=call.id, speed=1.0, progress=progress)


def offline(
    call_id: str, recording: Recording, settings: Settings, hearing: Hearing, vad: VoiceActivity
) -> dict[str, tuple[str, int]]:
    """Without the program around it: id to text and the end of the record that closed the segment, in ms."""
    pipeline = CallPipeline(call_id, vad, build.pipeline_policy(settings))
    found: dict[str, tuple[str, int]] = {}

    def understand() -> None:
        while (excerpt := pipeline.next()) is not None:
            for event in pipeline.complete(hearing.hear([excerpt])[0]):
                if isinstance(event, Final):
                    found[event.utterance.id] = (event.utterance.text, pipeline.duration_ms)

    record: AudioRecord
    for record in records(recording, call_id):
        pipeline.push(record)
        understand()
    pipeline.flush()
    understand()
    return found


def _promised(calls: Sequence[_Call]) -> Partials:
    wrong, heard = Errors(), 0
    for call in calls:
        for key, committed in call.committed.items():
            if key in call.finals:
                wrong += cer(call.finals[key][0], committed)
                heard += len(normalise(committed).replace(" ", ""))
    return Partials(
        shown=sum(len(call.partials) for call in calls),
        committed=heard,
        rewritten=sum(call.rewritten for call in calls),
        # What was not committed yet counts as deleted.
        corrected=round((wrong.substitutions + wrong.insertions) / max(heard, 1), 4),
    )


def busy(root: psutil.Process) -> dict[str, tuple[float, float]]:
    """Processor seconds and resident MB of each process of the program."""
    found: dict[str, tuple[float, float]] = {}
    for process in root.children(recursive=True):
        line = process.cmdline()
        name = next((w for w in ("broker", "gateway", "listen", "assist") if w in line), "other")
        times = process.cpu_times()
        found[name] = (times.user + times.system, process.memory_info().rss / 2**20)
    return found


async def _measure(
    calls: Sequence[_Call], addresses: dict[str, Any], *, door: bool
) -> tuple[tuple[Process, ...], float]:
    watching = [asyncio.create_task(watch(addresses, call.id, partial(_note, call))) for call in calls]
    root = psutil.Process(addresses["pid"])
    before, begun = busy(root), time.monotonic()
    # Calls begin spread over one record, as they do in life.
    starts = [1.0 + RECORD_MS / 1000 * n / len(calls) for n in range(len(calls))]
    producer = AIOKafkaProducer(bootstrap_servers=addresses["broker"], acks="all")
    await producer.start()
    try:
        async with asyncio.TaskGroup() as group:
            for call, start in zip(calls, starts, strict=True):
                if door:
                    group.create_task(_dial(call, addresses["twilio"], addresses["token"], start))
                else:
                    group.create_task(_feed(call, producer, start))
        after, taken = busy(root), time.monotonic() - begun
        async with asyncio.timeout(120):
            await asyncio.gather(*(call.ended.wait() for call in calls))
        await asyncio.sleep(0.5)
    finally:
        await producer.stop()
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    processes = tuple(
        Process(name=name, cores=round((cpu - before[name][0]) / taken, 3), memory_mb=round(memory, 1))
        for name, (cpu, memory) in sorted(after.items())
        if name in before
    )
    return processes, taken


def run(*, calls: int, seconds: float, scripted: bool, broker: str | None, out: Path | None, json: bool) -> None:
    """Measure and print."""
    recogniser: Literal["none", "whisper"] = "none" if scripted else "whisper"
    door = not scripted
    settings = Settings(home=Path(tempfile.gettempdir()) / "warmline-bench-models", recogniser=recogniser)
    names = [f"{Path(_CALLS[n % len(_CALLS)]).stem}-{n}" for n in range(calls)]
    playing = [_Call(name, _looped(_CALLS[n % len(_CALLS)], seconds, n / calls)) for n, name in enumerate(names)]

    async def measure() -> tuple[tuple[Process, ...], float]:
        override = {"WARMLINE_RECOGNISER": recogniser, "WARMLINE_MAX_CALLS": str(max(200, calls))}
        async with warmline(override, broker) as addresses:
            return await _measure(playing, addresses, door=door)

    processes, _ = asyncio.run(measure())
    latency: dict[str, list[float]] = {"partial": [], "final": [], "card": [], "added": []}
    missing = different = total = 0
    hearing, vad = build.hearing(settings), build.vad(settings)
    for call in playing:
        expected = offline(call.id, call.recording, settings, hearing, vad)
        total += len(expected)
        missing += len(expected.keys() - call.finals.keys())
        for key, (text, arrived, end_ms) in call.finals.items():
            since = (arrived - call.began) * 1000
            latency["final"].append(since - end_ms)
            if key in expected:
                different += text != expected[key][0]
                latency["added"].append(since - expected[key][1])
            else:
                different += 1
        latency["partial"] += [(arrived - call.began) * 1000 - end_ms for arrived, end_ms in call.partials]
        latency["card"] += [(arrived - call.began) * 1000 - at_ms for arrived, at_ms in call.cards]
    options = f"--calls {calls} --seconds {seconds:g}" + (" --scripted" if scripted else "")
    result = Result(
        environment=environment(
            f"warmline bench live {options}", ("faust-streaming", "aiokafka", "faster-whisper", "ctranslate2")
        ),
        calls=calls,
        seconds=seconds,
        recogniser=recogniser,
        through="door" if door else "topic",
        data=_CALLS,
        latency_ms={name: spread(values) for name, values in latency.items()},
        losses=Losses(
            expected=total,
            received=sum(len(call.finals) for call in playing),
            missing=missing,
            different=different,
            twice=sum(call.twice for call in playing),
        ),
        partials=_promised(playing),
        processes=processes,
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    where = result.environment
    console.print(
        f"{result.calls} calls of {result.seconds:g} s ({', '.join(result.data)}), recogniser {result.recogniser}, "
        f"from the {result.through} on; {where.machine}, {where.cores} cores, commit {where.commit}",
        highlight=False,
    )
    table = Table("latency, ms", "n", "p50", "p95", "p99", "max", box=None)
    for name, s in result.latency_ms.items():
        table.add_row(name, *(str(value) for value in (s.n, s.p50, s.p95, s.p99, s.max)))
    console.print(table)
    table = Table("process", "cores", "memory, MB", box=None)
    for process in result.processes:
        table.add_row(process.name, f"{process.cores:.2f}", f"{process.memory_mb:.0f}")
    console.print(table)
    lost = result.losses
    console.print(
        f"finals: {lost.expected} expected, {lost.received} received, {lost.missing} missing, "
        f"{lost.different} different, {lost.twice} twice",
        highlight=False,
    )
    partials = result.partials
    console.print(
        f"partials: {partials.shown} shown, {partials.committed} characters committed, {partials.rewritten} times "
        f"rewritten; finals say {partials.corrected:.1%} of them otherwise",
        highlight=False,
    )
