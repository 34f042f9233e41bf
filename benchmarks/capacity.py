"""
How many calls a machine holds: more and more of them, paced in real time, until finals come too late.

Every system gets the same two-channel calls, weights and machine, one system after the other. A number of calls *holds*
when the 95th percentile of the time from the end of a turn to its final text (see ``benchmarks.paced``) stays within
the bound and no turn is missed. WhisperLive marks a text final when more speech has followed it, often many seconds
later; to its favour it is judged by when its text, final or not, changed last. Peers stand in ``benchmarks/peers``.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
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
from benchmarks.peers import lock, whisperlive
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
    holds: bool


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One system."""

    system: str
    holds: int
    """The largest number of calls that holds; 0 where not even one does."""
    levels: tuple[Level, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench capacity --json`` prints."""

    environment: Environment
    seconds: float
    bound_ms: float
    talk_share: float | None
    curves: tuple[Curve, ...]


@asynccontextmanager
async def _warmline(calls: int) -> AsyncIterator[Dial]:
    async with warmline({"WARMLINE_MAX_CALLS": str(max(200, calls))}, None) as addresses:
        yield dialling(addresses)


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
            line.say(now, {data["utterance_id"]: _text(data, final=False)})
        case "final":
            line.say(now, {data["utterance"]["id"]: _text(data["utterance"], final=True)})
        case "ended":
            ended.set()
        case _:
            pass


def _text(one: dict[str, Any], *, final: bool) -> Text:
    return Text(Channel(one["channel"]), one["start_ms"], one["end_ms"], one["text"], final)


SYSTEMS: Final[dict[str, System]] = {
    "warmline": _warmline,
    "whisperlive": whisperlive.started(batched=False),
    "whisperlive-batched": whisperlive.started(batched=True),
    "whisperlive-no-vad": whisperlive.started(batched=False, vad=False),
    "lock": lock.started,
}


async def _level(name: str, calls: int, seconds: float, bound_ms: float, talk_share: float | None) -> Level:
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
        holds=missed == 0 and judged.p95 is not None and judged.p95 <= bound_ms,
    )


async def _curve(
    name: str, steps: Sequence[int], seconds: float, bound_ms: float, talk_share: float | None, console: Console
) -> Curve:
    levels: list[Level] = []
    for calls in steps:
        level = await _level(name, calls, seconds, bound_ms, talk_share)
        levels.append(level)
        told, settled = level.told_ms, level.settled_ms
        console.print(
            f"{name}: {calls} calls, told p50 {told.p50} p95 {told.p95} ms, settled p50 {settled.p50} "
            f"p95 {settled.p95} ms, {level.missed} of {level.turns} missed, {level.errors:.1%} errors",
            highlight=False,
        )
        if not level.holds:
            break
    held = [level.calls for level in levels if level.holds]
    return Curve(system=name, holds=max(held, default=0), levels=tuple(levels))


def run(
    *,
    systems: Sequence[str],
    seconds: float,
    bound_ms: float,
    talk_share: float | None,
    most: int,
    out: Path | None,
    json: bool,
) -> None:
    """Measure and print."""
    console = Console(stderr=json)

    async def measure() -> tuple[Curve, ...]:
        steps = [step for step in _STEPS if step <= most]
        return tuple([await _curve(name, steps, seconds, bound_ms, talk_share, console) for name in systems])

    curves = asyncio.run(measure())
    options = f"--seconds {seconds:g} --bound-ms {bound_ms:g}" + "".join(f" --system {name}" for name in systems)
    options += "" if talk_share is None else f" --talk-share {talk_share:g}"
    result = Result(
        environment=environment(
            f"warmline bench capacity {options}", ("faust-streaming", "faster-whisper", "ctranslate2")
        ),
        seconds=seconds,
        bound_ms=bound_ms,
        talk_share=talk_share,
        curves=curves,
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("system", "calls", "told p50", "p95", "settled p50", "p95", "missed", "errors", "holds", box=None)
    for curve in result.curves:
        for level in curve.levels:
            told, settled = level.told_ms, level.settled_ms
            figures = (level.calls, told.p50, told.p95, settled.p50, settled.p95, level.missed)
            table.add_row(
                curve.system, *map(str, figures), f"{level.errors:.1%}", "yes" if level.holds else "no"
            )  # fmt: skip
    console.print(table)
    for curve in result.curves:
        console.print(f"{curve.system} holds {curve.holds} calls within {result.bound_ms:g} ms", highlight=False)
