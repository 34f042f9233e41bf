"""
Memory over hours of calls: the whole program, so many lines, a new call on a line as soon as the last has ended.

What must not grow is the memory between the end of the first ten minutes and the end of the run.
"""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from audio.errors import ProtocolError
from benchmarks.capacity import dialling
from benchmarks.environment import Environment, environment, report
from benchmarks.live import busy, warmline
from benchmarks.paced import lines

_EVERY_S: Final = 10.0
_SETTLED_S: Final = 600.0
_CALL_S: Final = 120.0
_AGAIN_S: Final = 5.0
"""After a refused call."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Memory at one moment."""

    at_s: float
    memory_mb: dict[str, float]
    """Resident, by process."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench longrun --json`` prints."""

    environment: Environment
    minutes: float
    lines: int
    calls: int
    """That ended."""
    unended: int = 0
    """Whose end was not told within 20 s."""
    missed: int
    """Turns of which nothing was told."""
    refused: int
    """Calls for which there was no room."""
    first_mb: dict[str, float]
    """Median of the minute that ends ten minutes after the start, or at half time of shorter runs."""
    last_mb: dict[str, float]
    """Median of the last minute."""
    growth: dict[str, float]
    """Last over first, less one; "all" for the sum."""
    samples: tuple[Sample, ...]


async def _measure(minutes: float, count: int) -> tuple[list[Sample], dict[str, int]]:
    samples: list[Sample] = []
    counted = dict.fromkeys(("calls", "unended", "missed", "refused"), 0)
    async with warmline({}, None) as addresses:
        dial, root = dialling(addresses), psutil.Process(addresses["pid"])
        begun = time.monotonic()
        until = begun + minutes * 60

        async def occupied(number: int) -> None:
            # Lines that begin and end together would measure bursts.
            await asyncio.sleep(_CALL_S * number / count)
            call = 0
            while time.monotonic() < until - _CALL_S / 2:
                line = lines(count, _CALL_S)[number]
                line.id = f"{line.id}-{call}"
                call += 1
                try:
                    await dial(line)
                except ProtocolError:
                    counted["refused"] += 1
                    await asyncio.sleep(_AGAIN_S)
                else:
                    counted["calls" if line.ended else "unended"] += 1
                    counted["missed"] += line.missed()

        async def watched() -> None:
            while time.monotonic() < until:
                memory = {name: round(mb, 1) for name, (_, mb) in busy(root).items()}
                samples.append(Sample(at_s=round(time.monotonic() - begun, 1), memory_mb=memory))
                await asyncio.sleep(_EVERY_S)

        await asyncio.gather(watched(), *(occupied(number) for number in range(count)))
    return samples, counted


def _median(samples: list[Sample], from_s: float, to_s: float) -> dict[str, float]:
    chosen = [sample.memory_mb for sample in samples if from_s <= sample.at_s <= to_s]
    found = {name: sorted(one.get(name, 0.0) for one in chosen)[len(chosen) // 2] for name in chosen[-1]}
    return found | {"all": round(sum(found.values()), 1)}


def run(*, minutes: float, calls: int, out: Path | None, json: bool) -> None:
    """Measure and print."""
    measured = environment(
        f"warmline bench longrun --minutes {minutes:g} --calls {calls}", ("faust-streaming", "ctranslate2")
    )
    samples, counted = asyncio.run(_measure(minutes, calls))
    settled = min(_SETTLED_S, minutes * 30)
    first = _median(samples, settled - 60, settled)
    last = _median(samples, minutes * 60 - 60, minutes * 60)
    result = Result(
        environment=measured,
        minutes=minutes,
        lines=calls,
        **counted,
        first_mb=first,
        last_mb=last,
        growth={name: round(last[name] / mb - 1, 4) for name, mb in first.items() if name in last},
        samples=tuple(samples),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("memory, MB", "after ten minutes", "at the end", "growth", box=None)
    figures: dict[str, Any] = result.growth
    for name, growth in figures.items():
        table.add_row(name, f"{result.first_mb[name]:.0f}", f"{result.last_mb[name]:.0f}", f"{growth:+.1%}")
    console.print(table)
    console.print(
        f"{result.minutes:g} minutes, {result.lines} lines, {result.calls} calls ended, {result.unended} did not, "
        f"{result.refused} were refused; {result.missed} turns missed",
        highlight=False,
    )
