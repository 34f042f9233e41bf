"""
How fresh a running call is: from what is told of its customer to the live channel of the call, and the risk by itself.

Events go in by ``POST /v1/customers/events``, as other systems send them, and through topic, store, a look at the
customer and ``call.events`` to WebSockets of their own, one a call, in this very process, which takes its part of the
machine. Each event is a contact of now, so that it is the latest of its customer, by which it is known again in what
arrives.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import websockets
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState
from agent_assist.customer.caller import Caller
from agent_assist.types import CallEnded, CallStarted, CustomerKnown
from agent_assist.types import Final as FinalEvent
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.live import warmline
from benchmarks.rules import utterances
from models.churn import CallFeatures, Signal, risk, shipped, standing
from models.profile import ProfileFeatures
from stream.topics import EVENTS
from stream.wire import encode

_WARM: Final = 5
"""Events at the beginning that do not count."""
_SETTLE_S: Final = 5.0
_HISTORY: Final = 40
"""Events of each customer from before."""
_UPDATES: Final = 2_000


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark writes."""

    environment: Environment
    calls: int
    every_ms: float
    """Between two events."""
    events: int
    """Told, but for the first five."""
    missing: int
    """Of them, those that no live channel told."""
    fresh_ms: Spread
    """From just before the request to when a listener has it."""
    topic_ms: Spread
    """From the event's time in the topic."""
    risk_ms: Spread
    """Of a new score by profile and call."""
    known_ms: Spread
    """Of all that follows in a call from what became known: state, risk, talk track."""


@dataclass(slots=True, eq=False)
class _Heard:
    at: dict[str, float] = field(default_factory=dict)
    """When the customer was known with an event, by its id."""
    arrived: dict[str, float] = field(default_factory=dict)


def _event(kind: str, name: str, customer: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {"event": kind, "event_id": name, "customer_id": customer, "at": at.isoformat(), **more}


def _before(customer: str, now: datetime) -> list[dict[str, Any]]:
    """What a customer is known by: orders and contacts of two years."""
    joined = now - timedelta(days=800)
    more = {"joined_at": joined.isoformat(), "attributes": {"contract": "One year", "product": "DSL"}}
    found = [_event("customer", f"{customer}-n", customer, joined, **more)]
    for number in range(_HISTORY):
        at = now - timedelta(days=3 + 18 * number)
        name = f"{customer}-{number}"
        if number % 2:
            told = {"order_id": name, "ordered_at": at.isoformat(), "amount": "90", "currency": "CNY"}
            found.append(_event("order", name, customer, at, **told))
        else:
            told = {"interaction_id": name, "channel": "chat", "issue": "invoice", "text": "Where is my invoice?"}
            found.append(_event("interaction", name, customer, at, **told))
    return found


async def _listen(addresses: dict[str, Any], call_id: str, heard: _Heard, opened: asyncio.Event) -> None:
    url = addresses["api"].replace("http", "ws", 1) + f"/v1/live?call={call_id}"
    protocols = [websockets.Subprotocol("warmline.v1"), websockets.Subprotocol(f"token.{addresses['token']}")]
    async with websockets.connect(url, subprotocols=protocols, max_size=None, compression=None) as socket:
        opened.set()
        async for text in socket:
            now, message = time.time(), msgspec.json.decode(text)
            if message["kind"] == "known" and message["data"]["caller"]["version"]:
                name = message["data"]["caller"]["version"][1]
                heard.at.setdefault(name, now)
                heard.arrived.setdefault(name, datetime.fromisoformat(message["data"]["arrived_at"]).timestamp())


async def _measure(
    addresses: dict[str, Any], *, calls: int, events: int, every_ms: float
) -> tuple[dict[str, float], Sequence[_Heard]]:
    """When each event was told, and what the listener of each call heard."""
    producer = AIOKafkaProducer(bootstrap_servers=addresses["broker"], acks="all")
    await producer.start()
    headers = {"authorization": f"Bearer {addresses['token']}"}
    sent: dict[str, float] = {}
    heard = [_Heard() for _ in range(calls)]
    listening: list[asyncio.Task[None]] = []
    async with httpx.AsyncClient(base_url=addresses["api"], headers=headers) as client:

        async def tell(told: list[dict[str, Any]]) -> None:
            (await client.post("/v1/customers/events", json=told)).raise_for_status()

        now = datetime.now(UTC)
        for number in range(calls):
            await tell(_before(f"k{number}", now))
        for number in range(calls):
            call_id, now = f"fresh-{number}", datetime.now(UTC)
            start = CallStarted(call_id=call_id, at=now, protocol="bench", customer_id=f"k{number}")
            await producer.send_and_wait(EVENTS.name, encode(start), key=start.call_id.encode())
        await asyncio.sleep(_SETTLE_S)
        for number in range(calls):
            opened = asyncio.Event()
            listening.append(asyncio.create_task(_listen(addresses, f"fresh-{number}", heard[number], opened)))
            await asyncio.wait_for(opened.wait(), 60)
        for number in range(events + _WARM):
            name, customer = f"new-{number}", f"k{number % calls}"
            text = {"interaction_id": name, "channel": "chat", "issue": "invoice", "text": "Still no invoice."}
            told = _event("interaction", name, customer, datetime.now(UTC), **text)
            sent[name] = time.time()
            await tell([told])
            await asyncio.sleep(every_ms / 1000)
        await asyncio.sleep(_SETTLE_S)
        for number in range(calls):
            end = CallEnded(call_id=f"fresh-{number}", duration_ms=1, reason="hangup")
            await producer.send_and_wait(EVENTS.name, encode(end), key=end.call_id.encode())
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    await producer.stop()
    return {name: at for number, (name, at) in enumerate(sent.items()) if number >= _WARM}, heard


def _updates() -> tuple[Spread, Spread]:
    """Times of a new score, and of all that follows from what becomes known, ms."""
    model, assistant = shipped("contract"), Assistant(load())
    said = [FinalEvent(call_id="c", utterance=one) for one in next(iter(utterances()))[:6]]
    state: CallState | None = None
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for event in [CallStarted(call_id="c", at=at, protocol="bench", customer_id="k"), *said]:
        state, _ = assistant.step(state, event)
    scored, known = list[float](), list[float]()
    for number in range(_UPDATES):
        profile = ProfileFeatures(
            tenure_days=float(number),
            complaints_90=float(number % 4),
            attributes={"contract": "One year", "price": "60", "product": "DSL"},
        )
        call = CallFeatures(customer_utterances=9, cancel=Signal(count=1, since=number % 9))
        begun = time.perf_counter()
        stands = standing(profile, model)
        risk(call, profile_known=True, known=stands)
        scored.append(1000 * (time.perf_counter() - begun))
        caller = Caller(at=at + timedelta(seconds=number + 1), customer_id="k", standing=stands)
        event = CustomerKnown(call_id="c", caller=caller, arrived_at=at)
        begun = time.perf_counter()
        state, _ = assistant.step(state, event)
        known.append(1000 * (time.perf_counter() - begun))
    return spread(scored, digits=3), spread(known, digits=3)


def run(*, calls: int, events: int, every_ms: float, out: Path | None, json: bool) -> None:
    """Measure and print."""
    scored, known = _updates()

    async def measured() -> tuple[dict[str, float], Sequence[_Heard]]:
        settings = {"WARMLINE_RECOGNISER": "none", "WARMLINE_EMOTION": "rules", "WARMLINE_TRADE": "contract"}
        async with warmline(settings, os.environ.get("WARMLINE_BENCH_BROKER")) as addresses:
            return await _measure(addresses, calls=calls, events=events, every_ms=every_ms)

    sent, heard = asyncio.run(measured())
    came = {name: at for one in heard for name, at in one.at.items()}
    arrived = {name: at for one in heard for name, at in one.arrived.items()}
    got = [name for name in sent if name in came]
    result = Result(
        environment=environment(
            f"warmline bench freshness --calls {calls} --events {events} --every-ms {every_ms:g}",
            ("websockets", "faust-streaming", "litestar", "uvicorn", "sqlalchemy"),
        ),
        calls=calls,
        every_ms=every_ms,
        events=len(sent),
        missing=len(sent) - len(got),
        fresh_ms=spread([1000 * (came[name] - sent[name]) for name in got]),
        topic_ms=spread([1000 * (came[name] - arrived[name]) for name in got]),
        risk_ms=scored,
        known_ms=known,
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title=f"{result.calls} calls, an event every {result.every_ms:g} ms", box=None, padding=(0, 1, 0, 0))
    for heading in ("from", "n", "p50 ms", "p95", "p99", "max"):
        table.add_column(heading, justify="left" if heading == "from" else "right")
    rows = (
        ("request to live channel", result.fresh_ms),
        ("topic to live channel", result.topic_ms),
        ("risk by profile and call", result.risk_ms),
        ("what follows from what is known", result.known_ms),
    )
    for name, one in rows:
        table.add_row(name, str(one.n), *(str(figure) for figure in (one.p50, one.p95, one.p99, one.max)))
    console.print(table)
    machine = f"{result.environment.machine}, {result.environment.cores} cores"
    console.print(f"{result.events} events, {result.missing} missing; {machine}")
