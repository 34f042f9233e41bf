"""
The last words: calls that are hung up in mid-word or directly behind a turn, each compared with itself offline.

Every call is a stretch of a sample call, cut at a place drawn from a fixed seed, and goes through the telephone's door
as fast as people talk. Half of them end with the protocol's stop, half with a socket that closes without a word, as a
line that breaks; the latter count as ended only when nobody has come back.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from audio.errors import ProtocolError
from audio.recording import Recording
from audio.telephony.play import play
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.live import offline, warmline, watch
from benchmarks.paced import lines
from models.textnorm import normalise
from stream import build
from stream.settings import Settings

_SEED: Final = 5
_LENGTH_S: Final = 9
_AT_ONCE: Final = 1
"""With more, some finals wait for each other and are heard in the short window, which may cost a word."""
_PATIENCE_S: Final = 90.0
_AGAIN_S: Final = 5.0
"""After a refused call."""
_ROOM_S: Final = 300.0
"""So long is room waited for."""

HangUp = Literal["stop", "broken"]


class Tails(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of one kind of end."""

    hang_up: HangUp
    calls: int
    finals: int
    """That the same audio gives offline."""
    missing: int
    different: int
    """Of other words than offline."""
    tails: int
    """Calls whose last utterance came, word for word."""
    words: int
    """Of these last utterances; an ideograph is a word."""
    after_ms: Spread
    """From the end of the audio to the last final."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench tail --json`` prints."""

    environment: Environment
    calls: int
    kinds: tuple[Tails, ...]


class _HungUp(Exception):
    pass


@dataclass(slots=True)
class _Call:
    id: str
    recording: Recording
    hang_up: HangUp
    finals: dict[str, str] = field(default_factory=dict)
    told_at: float = 0.0
    over_at: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, message: dict[str, Any], now: float) -> None:
        match message["kind"]:
            case "snapshot":
                self.finals |= {one["id"]: one["text"] for one in message["data"]["utterances"]}
                self.told_at = self.told_at or now
            case "final":
                self.finals[message["data"]["utterance"]["id"]] = message["data"]["utterance"]["text"]
                self.told_at = now
            case "ended":
                self.ended.set()
            case _:
                pass

    async def dial(self, addresses: dict[str, Any], turn: asyncio.Semaphore) -> None:
        def progress(done_ms: int, total_ms: int) -> None:
            if done_ms >= total_ms:
                self.over_at = time.time()
                if self.hang_up == "broken":
                    raise _HungUp

        watching = asyncio.create_task(watch(addresses, self.id, self.note))
        try:
            async with turn:
                with suppress(_HungUp):
                    await self._play(addresses, progress)
            async with asyncio.timeout(_PATIENCE_S):
                await self.ended.wait()
        except TimeoutError:
            pass
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _play(self, addresses: dict[str, Any], progress: Callable[[int, int], None]) -> None:
        """Until there is room for it: a call that is refused loses no words."""
        until = time.monotonic() + _ROOM_S
        while True:
            try:
                door, token = addresses["twilio"], addresses["token"]
                await play(self.recording, door, token=token, call_id=self.id, progress=progress)
            except ProtocolError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(_AGAIN_S)
            else:
                return


def _calls(count: int) -> list[_Call]:
    rng = np.random.default_rng(_SEED)
    found = []
    for number, line in enumerate(lines(count, 60.0)):
        late = [turn for turn in line.turns if turn.start_ms + 500 >= _LENGTH_S * 1000]
        turn = late[rng.integers(len(late))]
        # In mid-word, or as soon as the turn is over.
        first_ms, last_ms = (turn.start_ms + 500, turn.end_ms) if number % 4 < 2 else (turn.end_ms, turn.end_ms + 100)
        at_ms = int(rng.integers(first_ms, last_ms, endpoint=True))
        rate = line.recording.rate
        first, last = (at_ms - _LENGTH_S * 1000) * rate // 1000, at_ms * rate // 1000
        customer, agent = (np.asarray(pcm)[first:last] for pcm in (line.recording.customer, line.recording.agent))
        recording = msgspec.structs.replace(line.recording, customer=customer, agent=agent)
        found.append(_Call(f"tail-{number}", recording, "stop" if number % 2 == 0 else "broken"))
    return found


async def _measure(calls: list[_Call], console: Console) -> None:
    turn = asyncio.Semaphore(_AT_ONCE)
    async with warmline({}, None) as addresses:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("calls", total=len(calls))

            async def one(call: _Call) -> None:
                await call.dial(addresses, turn)
                progress.advance(task)

            await asyncio.gather(*map(one, calls))


def _tails(hang_up: HangUp, calls: list[_Call], expected: dict[str, dict[str, str]]) -> Tails:
    chosen = [call for call in calls if call.hang_up == hang_up]
    last = {call.id: next(reversed(expected[call.id].items()), None) for call in chosen}
    came = [call for call in chosen if (words := last[call.id]) is not None and call.finals.get(words[0]) == words[1]]
    return Tails(
        hang_up=hang_up,
        calls=len(chosen),
        finals=sum(len(expected[call.id]) for call in chosen),
        missing=sum(len(expected[call.id].keys() - call.finals.keys()) for call in chosen),
        different=sum(expected[call.id].get(key) != text for call in chosen for key, text in call.finals.items()),
        tails=len(came),
        words=sum(len(normalise(words[1]).split()) for words in last.values() if words is not None),
        after_ms=spread([(call.told_at - call.over_at) * 1000 for call in chosen if call.finals]),
    )


def run(*, calls: int, out: Path | None, json: bool) -> None:
    """Measure and print."""
    playing = _calls(calls)
    measured = environment(f"warmline bench tail --calls {calls}", ("faust-streaming", "faster-whisper", "ctranslate2"))
    asyncio.run(_measure(playing, Console(stderr=True)))
    settings = Settings(home=Path(tempfile.gettempdir()) / "warmline-bench-models")
    hearing, vad = build.hearing(settings), build.vad(settings)
    expected = {
        call.id: {key: text for key, (text, _) in offline(call.id, call.recording, settings, hearing, vad).items()}
        for call in playing
    }
    kinds: tuple[HangUp, ...] = ("stop", "broken")
    result = Result(environment=measured, calls=calls, kinds=tuple(_tails(kind, playing, expected) for kind in kinds))
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    heads = ("hung up by", "calls", "finals", "missing", "different", "tails", "words", "p50 ms", "p95 ms")
    table = Table(*heads, box=None)
    for one in result.kinds:
        figures = (one.calls, one.finals, one.missing, one.different, one.tails, one.words)
        table.add_row(one.hang_up, *map(str, (*figures, one.after_ms.p50, one.after_ms.p95)))
    console.print(table)
