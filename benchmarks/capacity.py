"""
How many calls a machine holds: more and more of them, paced in real time, until finals come too late.

Every system gets the same two-channel calls, weights and machine, one system after the other. A number of calls *holds*
a bound when the 95th percentile of the time from the end of a turn to its final text (see ``benchmarks.paced``) stays
within it and no turn is missed. WhisperLive and WhisperLiveKit mark a text final when more speech has followed it,
often many seconds later; to their favour they are judged by when their text, final or not, changed last. Peers stand in
``benchmarks/peers``.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from rich.console import Console
from rich.table import Table

from audio.telephony.play import play
from audio.types import Channel
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.live import warmline, watch
from benchmarks.paced import Dial, Line, System, Text, lines
from benchmarks.peers import lock, whisperlive, whisperlivekit
from models.textnorm import Errors

_STEPS: Final = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128)
_AFTER_S: Final = 20.0
"""Grace after the end of a call for its last words."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One system with so many calls."""

    calls: int
    turns: int
    missed: int
    """Turns of which nothing final came."""
    told_ms: Spread
    """From the end of a turn to its last final text."""
    settled_ms: Spread
    """From the end of a turn to the last change of its text, final or not."""
    judged_by: Literal["told", "settled"]
    errors: float
    """Words, ideographs for Chinese."""

    @property
    def p95_ms(self) -> float | None:
        """What is held against a bound: None where a turn was missed."""
        return None if self.missed else (self.settled_ms if self.judged_by == "settled" else self.told_ms).p95


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A bound, and how many calls hold it."""

    bound_ms: float
    calls: int
    """0 where not even one does."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One system."""

    system: str
    held: tuple[Held, ...]
    levels: tuple[Level, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench capacity --json`` prints."""

    environment: Environment
    seconds: float
    talk_share: float | None
    curves: tuple[Curve, ...]


def _ours(**settings: str) -> System:
    @asynccontextmanager
    async def start(calls: int) -> AsyncIterator[Dial]:
        async with warmline({"WARMLINE_MAX_CALLS": str(max(200, calls)), **settings}, None) as addresses:
            yield dialling(addresses)

    return start


def dialling(addresses: dict[str, Any]) -> Dial:
    """Calls through the telephone's door, watched on the live channel."""

    async def dial(line: Line) -> None:
        ended = asyncio.Event()
        watching = asyncio.create_task(watch(addresses, line.id, partial(_note, line, ended)))

        def progress(done_ms: int, _: int) -> None:
            line.began = min(line.began, time.time() - done_ms / 1000)

        try:
            await play(
                line.recording,
                addresses["twilio"],
                token=addresses["token"],
                call_id=line.id,
                speed=1.0,
                progress=progress,
            )
            async with asyncio.timeout(_AFTER_S):
                await ended.wait()
            line.ended = True
        except TimeoutError:
            pass
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    return dial


def _note(line: Line, ended: asyncio.Event, message: dict[str, Any], now: float) -> None:
    data = message.get("data") or {}
    match message["kind"]:
        case "snapshot":
            line.say(now, {one["id"]: _text(one, final=True) for one in data["utterances"]})
        case "partial":
            put = {data["utterance_id"]: _text(data, final=False)} if data["text"] else {}
            line.say(now, put, () if put else (data["utterance_id"],))
        case "final":
            line.say(now, {data["utterance"]["id"]: _text(data["utterance"], final=True)})
        case "ended":
            ended.set()
        case _:
            pass


def _text(one: dict[str, Any], *, final: bool) -> Text:
    return Text(Channel(one["channel"]), one["start_ms"], one["end_ms"], one["text"], final)


SYSTEMS: Final[dict[str, System]] = {
    "warmline": _ours(),
    "warmline-finals": _ours(WARMLINE_PARTIAL_EVERY_MS="0"),
    "whisperlive": whisperlive.started(whisperlive.Setting()),
    "whisperlive-batched": whisperlive.started(whisperlive.Setting(batched=True)),
    "whisperlive-no-vad": whisperlive.started(whisperlive.Setting(vad=False)),
    "whisperlive-quick": whisperlive.started(whisperlive.Setting(repeats=3)),
    "lock": lock.started(1),
    "pool": lock.started(len(os.sched_getaffinity(0))),
    "whisperlivekit": whisperlivekit.started,
}


async def _level(name: str, calls: int, seconds: float, talk_share: float | None) -> Level:
    playing = lines(calls, seconds, talk_share)
    async with SYSTEMS[name](calls) as dial:

        async def later(line: Line, after_s: float) -> None:
            # Spread over a few seconds: in life, calls do not begin together.
            await asyncio.sleep(after_s)
            await dial(line)

        await asyncio.gather(*(later(line, 3.0 * n / calls) for n, line in enumerate(playing)))
    told = spread([late for line in playing for late in line.late_ms(settled=False)])
    settled = spread([late for line in playing for late in line.late_ms(settled=True)])
    judged = settled if name.startswith("whisperlive") else told
    missed = sum(line.missed() for line in playing)
    return Level(
        calls=calls,
        turns=sum(len(line.turns) for line in playing),
        missed=missed,
        told_ms=told,
        settled_ms=settled,
        judged_by="settled" if judged is settled else "told",
        errors=round(sum((line.errors() for line in playing), Errors()).rate, 4),
    )


async def _curve(
    name: str,
    steps: Sequence[int],
    seconds: float,
    bounds_ms: Sequence[float],
    talk_share: float | None,
    console: Console,
) -> Curve:
    levels: list[Level] = []
    for calls in steps:
        level = await _level(name, calls, seconds, talk_share)
        levels.append(level)
        told, settled = level.told_ms, level.settled_ms
        console.print(
            f"{name}: {calls} calls, told p50 {told.p50} p95 {told.p95} ms, settled p50 {settled.p50} "
            f"p95 {settled.p95} ms, {level.missed} of {level.turns} missed, {level.errors:.1%} errors",
            highlight=False,
        )
        if not _holds(level, max(bounds_ms)):
            break
    return Curve(system=name, held=tuple(_held(levels, bound) for bound in sorted(bounds_ms)), levels=tuple(levels))


def _holds(level: Level, bound_ms: float) -> bool:
    return level.p95_ms is not None and level.p95_ms <= bound_ms


def _held(levels: Sequence[Level], bound_ms: float) -> Held:
    """Up to the first number of calls that does not hold: one that holds by luck behind it does not count."""
    held = list(takewhile(lambda level: _holds(level, bound_ms), levels))
    return Held(bound_ms=bound_ms, calls=held[-1].calls if held else 0)


def run(
    *,
    systems: Sequence[str],
    seconds: float,
    bounds_ms: Sequence[float],
    talk_share: float | None,
    calls: Sequence[int],
    out: Path | None,
    json: bool,
) -> None:
    """Measure and print."""
    console = Console(stderr=json)

    async def measure() -> tuple[Curve, ...]:
        return tuple([await _curve(name, calls or _STEPS, seconds, bounds_ms, talk_share, console) for name in systems])

    curves = asyncio.run(measure())
    options = f"--seconds {seconds:g}" + "".join(f" --bound-ms {bound:g}" for bound in bounds_ms)
    options += "".join(f" --system {name}" for name in systems)
    options += "".join(f" --calls {step}" for step in calls)
    options += "" if talk_share is None else f" --talk-share {talk_share:g}"
    result = Result(
        environment=environment(
            f"warmline bench capacity {options}", ("faust-streaming", "faster-whisper", "ctranslate2")
        ),
        seconds=seconds,
        talk_share=talk_share,
        curves=curves,
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("system", "calls", "told p50", "p95", "settled p50", "p95", "missed", "errors", box=None)
    for curve in result.curves:
        for level in curve.levels:
            told, settled = level.told_ms, level.settled_ms
            figures = (level.calls, told.p50, told.p95, settled.p50, settled.p95, level.missed)
            table.add_row(curve.system, *map(str, figures), f"{level.errors:.1%}")
    console.print(table)
    for curve in result.curves:
        for held in curve.held:
            console.print(f"{curve.system} holds {held.calls} calls within {held.bound_ms:g} ms", highlight=False)
