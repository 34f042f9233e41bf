"""
How soon the pages are there: first paint and first card of the overlay, and the replay of an hour-long call.

A real Chromium, each time with nothing cached; the program runs on the same machine. The long call is made: sentences
of the sample calls and of the sets of intents, one every three seconds, through the rules of the default playbook, and
the sound of a sample call, over and over.
"""

import asyncio
import gzip
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.store.calls import CallStore
from agent_assist.store.recordings import Recordings
from agent_assist.types import CallEnded, CallStarted, Degraded
from agent_assist.types import Final as FinalEvent
from agent_assist.web.server import STATIC
from audio.recorder import BLOCK_S, Block
from audio.recording import read_recording
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.live import warmline
from benchmarks.rules import utterances

_DATA: Final = Path(__file__).resolve().parents[1] / "tests" / "data"
_CALL: Final = "long"
_EVERY_MS: Final = 3_000
_OVERLAY: Final = "assets/warmline-overlay.js"
_PAINT: Final = """() => new Promise((tell) => new PerformanceObserver((seen) => {
  for (const entry of seen.getEntriesByName("first-contentful-paint")) tell(entry.startTime);
}).observe({type: "paint", buffered: true}))"""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark writes."""

    environment: Environment
    runs: int
    minutes: int
    """Of the long call."""
    utterances: int
    cards: int
    overlay_gzipped_kb: float
    """Of its one script."""
    first_paint_ms: Spread
    """Of the overlay, from the start of its navigation, as the browser tells."""
    first_card_ms: Spread
    """Of the overlay of the long call, until a card can be seen."""
    replay_ms: Spread
    """Of the long call, until its sound can be played and its transcript read."""


def long_call(store: CallStore, recordings: Recordings, minutes: int) -> tuple[int, int]:
    """Put a call into the store, as if it had been; how many utterances and cards it has."""
    assistant, state = Assistant(load()), None
    said = [one for call in utterances() for one in call]
    messages: list[Any] = []
    began = datetime.now(UTC) - timedelta(minutes=minutes + 1)
    events: list[Any] = [CallStarted(call_id=_CALL, at=began, protocol="bench")]
    for number in range(minutes * 60_000 // _EVERY_MS):
        one = said[number % len(said)]
        start_ms = number * _EVERY_MS
        events.append(
            FinalEvent(
                call_id=_CALL,
                utterance=msgspec.structs.replace(
                    one,
                    id=f"{_CALL}:{one.channel}:{start_ms}",
                    number=number,
                    start_ms=start_ms,
                    end_ms=start_ms + 2_500,
                ),
            )
        )
    events.append(CallEnded(call_id=_CALL, duration_ms=minutes * 60_000, reason="hangup"))
    for event in events:
        state, told = assistant.step(state, event)
        messages += [event, *(one for one in told if not isinstance(one, Degraded))]
    store.write(messages, {})
    recording = read_recording([_DATA / "zh_late_order.wav"])
    assert recording.agent is not None
    pcm = np.stack([recording.customer, recording.agent], axis=1)
    length = BLOCK_S * recording.rate
    for number in range(minutes * 60 // BLOCK_S):
        block = np.roll(pcm, -number * length, axis=0)
        recordings.write(_CALL, Block(number, recording.rate, np.resize(block, (length, 2))))
    recordings.finish(_CALL)
    record = store.call(_CALL)
    assert record is not None
    return len(record.utterances), len(record.cards)


async def _see(browser: Any, url: str, ready: str, *, enough: str | None = None) -> tuple[float, float]:
    """Ms until everything of a selector is there, in a browser that has seen nothing; and its first paint."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    start = time.perf_counter()
    await page.goto(url, wait_until="commit")
    await page.locator(ready).first.wait_for(state="visible", timeout=60_000)
    if enough is not None:
        await page.locator(enough).first.wait_for(state="visible", timeout=60_000)
    took = 1000 * (time.perf_counter() - start)
    paint = await page.evaluate(_PAINT)
    await context.close()
    return took, paint


async def _measure(addresses: dict[str, Any], runs: int) -> tuple[list[float], list[float], list[float]]:
    from playwright.async_api import async_playwright

    api, token = addresses["api"], addresses["token"]
    paints: list[float] = []
    cards: list[float] = []
    replays: list[float] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for number in track(range(runs + 1), "pages", console=Console(stderr=True)):
            _, paint = await _see(browser, f"{api}/overlay?call=latest#token={token}", "warmline-overlay")
            card, _ = await _see(browser, f"{api}/overlay?call={_CALL}#token={token}", "[data-testid^='card-']")
            replay, _ = await _see(
                browser,
                f"{api}/replay?call={_CALL}#token={token}",
                "[data-testid=lanes][aria-busy=false]",
                enough="[data-testid=seek]",
            )
            # The first warms the program, not the browser.
            if number:
                paints.append(paint)
                cards.append(card)
                replays.append(replay)
        await browser.close()
    return paints, cards, replays


def run(*, runs: int, minutes: int, out: Path | None, json: bool) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="warmline-pages-") as directory:
        url, sound = f"sqlite:///{directory}/calls.db", f"{directory}/recordings"
        store = CallStore(url)
        store.upgrade()
        said, cards = long_call(store, Recordings(sound), minutes)
        store.close()

        async def measured() -> tuple[list[float], list[float], list[float]]:
            settings = {"WARMLINE_DATABASE": url, "WARMLINE_RECORDINGS": sound, "WARMLINE_RECOGNISER": "none"}
            async with warmline(settings, None) as addresses:
                return await _measure(addresses, runs)

        paints, first, replays = asyncio.run(measured())
    script = gzip.compress((STATIC / _OVERLAY).read_bytes(), 6)
    result = Result(
        environment=environment(f"warmline bench pages --runs {runs} --minutes {minutes}", ("playwright",)),
        runs=runs,
        minutes=minutes,
        utterances=said,
        cards=cards,
        overlay_gzipped_kb=round(len(script) / 1000, 1),
        first_paint_ms=spread(paints, 0),
        first_card_ms=spread(first, 0),
        replay_ms=spread(replays, 0),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title=f"Pages, {result.runs} runs, nothing cached", box=None, padding=(0, 1, 0, 0))
    for heading in ("until", "p50 ms", "p95", "max"):
        table.add_column(heading, justify="left" if heading == "until" else "right")
    for name, one in (
        ("first paint of the overlay", result.first_paint_ms),
        ("first card of the overlay", result.first_card_ms),
        (f"replay of {result.minutes} minutes, {result.utterances} utterances", result.replay_ms),
    ):
        table.add_row(name, *(str(figure) for figure in (one.p50, one.p95, one.max)))
    console.print(table)
    console.print(f"script of the overlay: {result.overlay_gzipped_kb} kB gzipped")
