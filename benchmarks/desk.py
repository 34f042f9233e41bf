"""
From what was said to the card on the overlay: N calls, N rules, N listeners, through broker, Faust and live channel.

Finals go to the topic ``call.events`` as a recogniser would send them, in turn from both sides of each call; listeners
are WebSockets of their own, spread over the calls, in this very process, which takes its part of the machine. A card's
time counts from just before its final is sent to when a listener has it. Some listeners may be asleep: they never read,
and must hold up nobody (that one who falls too far behind is cut is shown by the tests of the live channel).
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
import websockets
import yaml
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from agent_assist.types import CallEnded, CallStarted
from agent_assist.types import Final as FinalEvent
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.live import Process, busy, warmline
from benchmarks.rules import rules, utterances
from models.types import Utterance
from stream.errors import StreamError
from stream.topics import EVENTS
from stream.wire import encode

_WARM_S: Final = 5.0
"""At the beginning, which does not count."""
_SETTLE_S: Final = 3.0
_OPENED_AT_ONCE: Final = 50
EVERY_S: Final = 3.0
"""Between two finals of a call."""
_OFTEN: Final = {
    "id": "often",
    "kind": "card",
    "priority": 500,
    "title": {"zh": "常见", "en": "Often"},
    "reason": {"zh": "说了:{words}", "en": "Said: {words}"},
    "phrases": {"zh": ["我", "你", "您", "的"], "en": ["i", "you", "the", "my", "to"]},
    "once": "always",
    "cooldown_ms": 1,
}
"""The last of the rules fires with nearly everything that is said: cards are what is measured."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark writes."""

    environment: Environment
    calls: int
    rules: int
    listeners: int
    asleep: int
    """Of them."""
    seconds: float
    finals: int
    """Sent after the first five seconds, as all that counts."""
    cards: int
    """Different ones that reached a listener."""
    card_ms: Spread
    """To each listener, from before the final was sent."""
    final_ms: Spread
    """The same of the final itself."""
    missing: int
    """Finals that a listener who reads did not get."""
    twice: int
    processes: tuple[Process, ...]
    listener_kb: float | None
    """Memory of the gateway for each listener; None where there are fewer than 500."""


@dataclass(slots=True, eq=False)
class _Heard:
    """What one listener got, and when."""

    finals: dict[str, float] = field(default_factory=dict)
    cards: list[tuple[str, str, float]] = field(default_factory=list)
    """Card, its utterance, when."""
    twice: int = 0


def _renamed(call_id: str, utterance: Utterance, number: int) -> Utterance:
    start_ms = round(number * EVERY_S * 1000)
    return msgspec.structs.replace(
        utterance,
        id=f"{call_id}:{utterance.channel}:{start_ms}",
        number=number,
        start_ms=start_ms,
        end_ms=start_ms + 2_000,
    )


async def _say(
    call_id: str, said: Sequence[Utterance], send: Any, sent: dict[str, float], enough: asyncio.Event
) -> None:
    await send(CallStarted(call_id=call_id, at=datetime.now(UTC), protocol="bench", agent_id=call_id))
    number = 0
    while not enough.is_set():
        one = _renamed(call_id, said[number % len(said)], number)
        sent[one.id] = time.time()
        await send(FinalEvent(call_id=call_id, utterance=one))
        number += 1
        await asyncio.sleep(EVERY_S)
    await send(CallEnded(call_id=call_id, duration_ms=round(number * EVERY_S * 1000), reason="hangup"))


async def _listen(addresses: dict[str, Any], call_id: str, heard: _Heard, opened: asyncio.Event) -> None:
    url = addresses["api"].replace("http", "ws", 1) + f"/v1/live?call={call_id}"
    protocols = [websockets.Subprotocol("warmline.v1"), websockets.Subprotocol(f"token.{addresses['token']}")]
    async with websockets.connect(url, subprotocols=protocols, max_size=None, compression=None) as socket:
        opened.set()
        async for text in socket:
            now, message = time.time(), msgspec.json.decode(text)
            match message["kind"]:
                case "final":
                    key = message["data"]["utterance"]["id"]
                    heard.twice += key in heard.finals
                    heard.finals[key] = now
                case "card":
                    heard.cards.append((message["data"]["id"], message["data"]["utterance_id"], now))
                case _:
                    pass


async def _sleep(addresses: dict[str, Any], call_id: str, opened: asyncio.Event) -> None:
    """A listener that never reads."""
    url = addresses["api"].replace("http", "ws", 1) + f"/v1/live?call={call_id}"
    protocols = [websockets.Subprotocol("warmline.v1"), websockets.Subprotocol(f"token.{addresses['token']}")]
    socket = await websockets.connect(url, subprotocols=protocols, max_size=None, compression=None, max_queue=1)
    opened.set()
    socket.transport.pause_reading()
    await asyncio.Event().wait()


def _gateway(root: psutil.Process) -> psutil.Process:
    return next(one for one in root.children(recursive=True) if "gateway" in one.cmdline())


async def _measure(
    addresses: dict[str, Any], *, calls: int, listeners: int, asleep: int, seconds: float
) -> tuple[dict[str, float], dict[str, list[_Heard]], list[Process], float | None, float]:
    """When each final was sent, what each listener of each call heard, what it cost, and when it began to count."""
    producer = AIOKafkaProducer(bootstrap_servers=addresses["broker"], acks="all")
    await producer.start()

    async def send(event: Any) -> None:
        await producer.send_and_wait(EVENTS.name, encode(event), key=event.call_id.encode())

    said = list(utterances())
    names = [f"desk-{n}" for n in range(calls)]
    sent: dict[str, float] = {}
    heard: dict[str, list[_Heard]] = {name: [] for name in names}
    speaking, enough = [], asyncio.Event()
    for number, name in enumerate(names):
        speaking.append(asyncio.create_task(_say(name, said[number % len(said)], send, sent, enough)))
        await asyncio.sleep(EVERY_S / calls)
    await asyncio.sleep(1.0)
    root = psutil.Process()
    before = _gateway(root).memory_info().rss
    tasks: list[asyncio.Task[None]] = []
    opened: list[asyncio.Event] = []
    for number in range(listeners):
        name, event = names[number % calls], asyncio.Event()
        opened.append(event)
        if number < listeners - asleep:
            heard[name].append(one := _Heard())
            tasks.append(asyncio.create_task(_listen(addresses, name, one, event)))
        else:
            tasks.append(asyncio.create_task(_sleep(addresses, name, event)))
        if len(opened) % _OPENED_AT_ONCE == 0:
            async with asyncio.timeout(60):
                await asyncio.gather(*(each.wait() for each in opened))
    async with asyncio.timeout(60):
        await asyncio.gather(*(each.wait() for each in opened))
    each_kb = (_gateway(root).memory_info().rss - before) / 1024 / listeners if listeners >= 500 else None
    await asyncio.sleep(_WARM_S)
    began, used = time.time(), busy(root)
    await asyncio.sleep(seconds)
    enough.set()
    await asyncio.gather(*speaking)
    lasted, now = time.time() - began, busy(root)
    await asyncio.sleep(_SETTLE_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await producer.stop()
    processes = [
        Process(name=name, cores=round((cpu - used[name][0]) / lasted, 2), memory_mb=round(memory))
        for name, (cpu, memory) in sorted(now.items())
        if name in used
    ]
    return sent, heard, processes, each_kb, began


def run(*, calls: int, rules_: int, listeners: int, asleep: int, seconds: float, out: Path | None, json: bool) -> None:
    """Measure and print."""
    if not listeners >= calls + asleep:
        raise StreamError(f"expected a listener of each call that reads, got {listeners} of which {asleep} are asleep")
    with tempfile.TemporaryDirectory(prefix="warmline-rules-") as directory:
        playbook = {"name": "bench", "version": "1", "rules": [*rules(rules_ - 1), _OFTEN]}
        (Path(directory) / "playbook.yaml").write_text(yaml.safe_dump(playbook, allow_unicode=True), encoding="utf-8")

        async def measured() -> Any:
            settings = {"WARMLINE_PLAYBOOK": directory, "WARMLINE_RECOGNISER": "none", "WARMLINE_EMOTION": "rules"}
            async with warmline(settings, os.environ.get("WARMLINE_BENCH_BROKER")) as addresses:
                return await _measure(addresses, calls=calls, listeners=listeners, asleep=asleep, seconds=seconds)

        sent, heard, processes, each_kb, began = asyncio.run(measured())
    counted = {key for key, at in sent.items() if at >= began}
    all_heard = [one for some in heard.values() for one in some]
    cards = [(card, at - sent[key]) for one in all_heard for card, key, at in one.cards if key in counted]
    finals = [at - sent[key] for one in all_heard for key, at in one.finals.items() if key in counted]
    missing = sum(
        key not in one.finals for name, some in heard.items() for one in some for key in counted
        if key.startswith(f"{name}:")
    )  # fmt: skip
    result = Result(
        environment=environment(
            f"warmline bench desk --calls {calls} --rules {rules_} --listeners {listeners} --asleep {asleep}"
            f" --seconds {seconds:g}",
            ("websockets", "faust-streaming", "litestar", "uvicorn"),
        ),
        calls=calls,
        rules=rules_,
        listeners=listeners,
        asleep=asleep,
        seconds=seconds,
        finals=len(counted),
        cards=len({card for card, _ in cards}),
        card_ms=spread([1000 * late for _, late in cards]),
        final_ms=spread([1000 * late for late in finals]),
        missing=missing,
        twice=sum(one.twice for one in all_heard),
        processes=tuple(processes),
        listener_kb=None if each_kb is None else round(each_kb, 1),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(
        title=f"{result.calls} calls, {result.rules} rules, {result.listeners} listeners",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for heading in ("from a final sent", "n", "p50 ms", "p95", "p99", "max"):
        table.add_column(heading, justify="left" if heading.startswith("from") else "right")
    for name, one in (("to the card", result.card_ms), ("to the final", result.final_ms)):
        table.add_row(name, str(one.n), *(str(figure) for figure in (one.p50, one.p95, one.p99, one.max)))
    console.print(table)
    console.print(f"{result.finals} finals, {result.cards} cards; {result.missing} missing, {result.twice} twice")
    for process in result.processes:
        console.print(f"{process.name}: {process.cores} cores, {process.memory_mb} MB")
    if result.listener_kb is not None:
        console.print(f"{result.listener_kb} kB of the gateway's memory for each listener")
