"""The two Faust apps, ``listen`` and ``assist``; the only file that imports faust."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import faust
import structlog
from mode.utils.queues import FlowControlEvent
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.customer.events import CustomerEvent, Interaction
from agent_assist.store.callers import Callers
from agent_assist.types import Assist, Break, CallEnded, CallStarted, CallSynopsis, CustomerKnown, Degraded, Event
from audio.vad import VoiceActivity
from stream import metrics, topics
from stream.assist import Adviser
from stream.errors import WireError
from stream.hearing import Hearing
from stream.knowing import Knowing
from stream.listen import Listener, ListenPolicy, Offsets
from stream.logs import where
from stream.playbooks import Playbooks
from stream.reword import Rewording, Rewrite
from stream.topics import Topic
from stream.wire import (
    ChurnSignal,
    Invalid,
    ListenLoad,
    decode_assist,
    decode_audio,
    decode_customer,
    decode_event,
    encode,
)

log = structlog.get_logger()

Customers = Callable[[list[CustomerEvent]], object]
Store = Callable[[list[Event | Assist], Mapping[tuple[str, int], int], list[int]], None]
"""Write messages, the positions behind them and the offset of each, in one transaction; blocks."""

Beside = Callable[[Callable[[Assist], Awaitable[None]]], Awaitable[None]]
"""Runs until cancelled, and publishes what it finds."""

_BEAT_EVERY_S = 3.0
_LOAD_EVERY_S = 2.0
_STUCK_AFTER_S = 45.0
_LOOK_EVERY_S = 2.0
"""For changed playbooks."""


@dataclass(frozen=True, slots=True)
class WorkerPolicy:
    """How a worker stands to its broker."""

    broker: str
    """``host:port,...``."""
    directory: Path
    partitions: int
    replication: int
    session_timeout_s: float


def _app(name: str, policy: WorkerPolicy) -> faust.App:
    directory = policy.directory / name
    # Faust does not make the parents of its data directory.
    directory.mkdir(parents=True, exist_ok=True)
    return faust.App(
        f"warmline-{name}",
        broker=[f"kafka://{address}" for address in policy.broker.split(",")],
        # The tables hold the calls in progress and no more: they fit in memory, and a changelog of their size is
        # read back in well under a second.
        store="memory://",
        datadir=str(directory),
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=policy.session_timeout_s,
        broker_heartbeat_interval=policy.session_timeout_s / 4,
        broker_rebalance_timeout=30.0,
        broker_commit_interval=0.5,
        producer_acks=-1,
        producer_linger=0,
        producer_max_batch_size=262_144,
        producer_max_request_size=2_000_000,
        stream_buffer_maxsize=512,
        # Offsets are held for unfinished utterances: waiting for them would stop every rebalance.
        stream_wait_empty=False,
        topic_replication_factor=policy.replication,
        topic_partitions=policy.partitions,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        web_in_thread=False,
        web_bind="127.0.0.1",
        web_tables_enabled=False,
        worker_redirect_stdouts=False,
        debug=False,
        loghandlers=[],
    )


class _Flow(FlowControlEvent):
    """
    Lets messages into the queues of the agents, or holds them back.

    Faust's own empties the queues whenever it is resumed, and the recovery of a table resumes it a second time when
    messages flow already: what was read and waits to be handled would be lost.
    """

    def resume(self) -> None:
        if not self.is_active():
            super().resume()


class _Worker:
    """What both apps share: raw topics, refusing what cannot be read, and the watchdog."""

    def __init__(self, name: str, policy: WorkerPolicy) -> None:
        # Faust's own types say less than it takes.
        self.app: Any = _app(name, policy)
        self.app.flow_control = _Flow()
        self._policy = policy
        self._topics: dict[str, Any] = {}
        self._alive: dict[tuple[str, int], float] = {}

    def topic(self, topic: Topic) -> Any:
        if topic.name not in self._topics:
            self._topics[topic.name] = self.app.topic(
                topic.name,
                key_type=bytes,
                value_type=bytes,
                key_serializer="raw",
                value_serializer="raw",
                partitions=self._policy.partitions,
                internal=False,
                allow_empty=True,
            )
        return self._topics[topic.name]

    def table(self, name: str) -> Any:
        """Bytes by call id; co-partitioned with the topics, and writable from any task of the worker."""
        # Faust would write JSON keys, which fall into other partitions than the calls' own, and read JSON values.
        changelog = self.app.topic(
            f"{self.app.conf.id}-{name}-changelog",
            key_type=str,
            key_serializer="raw",
            value_type=bytes,
            value_serializer="raw",
            partitions=self._policy.partitions,
            compacting=True,
            acks=False,
            internal=True,
            allow_empty=True,
            maxsize=131_072,
        )
        table = self.app.Table(
            name,
            partitions=self._policy.partitions,
            use_partitioner=True,
            changelog_topic=changelog,
            key_type=str,
            value_type=bytes,
        )
        table.key_serializer = table.value_serializer = "raw"
        return table

    async def send(self, topic: Topic, key: str, value: bytes) -> None:
        """Publish, and return when the broker has it."""
        await (await self.topic(topic).send(key=key.encode(), value=value))

    async def refuse(self, topic: Topic, event: Any, error: Exception) -> None:
        """Put what could not be handled aside, with the reason; an error in an agent would lose it silently."""
        source = event.message
        metrics.INVALID.labels(source.topic).inc()
        log.error(
            "message_refused",
            topic=source.topic,
            partition=source.partition,
            offset=source.offset,
            error=type(error).__name__,
            at=where(error),
            pii_detail=str(error),
        )
        reason = str(error) if isinstance(error, WireError) else type(error).__name__
        invalid = Invalid(
            topic=source.topic,
            partition=source.partition,
            offset=source.offset,
            reason=reason,
            payload=bytes(source.value or b""),
        )
        await self.send(topic, (source.key or b"").decode(errors="replace"), encode(invalid))

    def watch(self, source: Topic) -> None:
        """
        Send a beat through each partition that is ours, and leave when they stop coming through.

        Consumers of this kind have been seen to die without a word; a supervisor starts us again.
        """

        @self.app.timer(_BEAT_EVERY_S)
        async def beat() -> None:
            ours = {(tp.topic, tp.partition) for tp in self.app.consumer.assignment() if tp.topic == source.name}
            now = time.monotonic()
            self._alive = {tp: self._alive.get(tp, now) for tp in ours}
            stuck = [tp for tp, seen in self._alive.items() if now - seen > _STUCK_AFTER_S]
            if stuck and not self.app.rebalancing:
                log.critical("stuck", partitions=sorted(stuck))
                os._exit(3)
            for _, partition in ours:
                await self.topic(source).send(key=b"", value=b"", partition=partition)

    def is_beat(self, event: Any) -> bool:
        """Whether a message is our own sign of life."""
        message = event.message
        if message.value:
            return False
        self._alive[message.topic, message.partition] = time.monotonic()
        return True


def listen_app(
    policy: WorkerPolicy,
    *,
    hearing: Hearing,
    vad: VoiceActivity,
    listening: ListenPolicy,
    reload: Callable[[], tuple[Hearing, ListenPolicy]] | None = None,
) -> faust.App:
    """
    The app that turns audio into events.

    Args:
        reload: On SIGHUP, makes the hearing and the policy to go on with; calls notice nothing.
    """
    worker = _Worker("listen", policy)
    app, audio, checkpoints = worker.app, worker.topic(topics.AUDIO), worker.table("listen")
    offsets = Offsets()

    async def publish(event: Event) -> None:
        await worker.send(topics.EVENTS, event.call_id, encode(event))

    listener = Listener(
        hearing=hearing,
        vad=vad,
        publish=publish,
        checkpoints=checkpoints,
        policy=listening,
        clock=time.monotonic,
        today=time.time,
    )

    @app.agent(audio, concurrency=1)
    async def listen(stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            acknowledge = offsets.take(message.partition, event.ack)
            metrics.HELD.set(len(offsets))
            if worker.is_beat(event):
                acknowledge()
                continue
            try:
                call_id = message.key.decode()
                await listener.receive(call_id, message.partition, decode_audio(call_id, message.value), acknowledge)
            except Exception as error:
                await worker.refuse(topics.AUDIO_INVALID, event, error)
                acknowledge()

    @app.task
    async def hear() -> None:
        await listener.listen()

    @app.task
    async def change() -> None:
        if reload is None:
            return
        wanted = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, wanted.set)
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                await listener.change(*await asyncio.to_thread(reload))
            except Exception as error:
                # The old one goes on.
                log.error("model_kept", error=type(error).__name__, reason=str(error))

    @app.timer(1.0)
    async def sweep() -> None:
        await listener.sweep()

    @app.timer(60.0)
    async def forget() -> None:
        listener.forget()

    name = uuid.uuid4().hex

    @app.timer(_LOAD_EVERY_S)
    async def tell_load() -> None:
        calls, step, late_s = listener.load
        load = ListenLoad(worker=name, calls=calls, step=step, late_ms=round(late_s * 1000))
        await worker.send(topics.LOAD, name, encode(load))

    @app.on_partitions_revoked.connect
    async def drop(*_: Any, **__: Any) -> None:
        listener.drop()
        offsets.clear()

    worker.watch(topics.AUDIO)
    return cast("faust.App", app)


def assist_app(  # noqa: PLR0915 - one agent after the other, each a few lines
    policy: WorkerPolicy,
    *,
    playbooks: Playbooks,
    store: Store,
    customers: Customers,
    callers: Callers,
    beside: Sequence[Beside] = (),
    care: Callable[[str], Break | None] | None = None,
    rewrite: Rewrite | None = None,
) -> faust.App:
    """
    The app that turns events into help, and writes both to the store.

    Args:
        customers: Takes in what is told of customers; blocking, as the store is.
        callers: Looks at who is on a call.
        beside: What runs in the same process, each until cancelled; it gets what publishes.
        care: Of a call that has ended and is stored, the break that is due; blocking.
        rewrite: Words the synopsis of a call that ended anew; blocking.
    """
    worker = _Worker("assist", policy)
    app, events, assists = worker.app, worker.topic(topics.EVENTS), worker.topic(topics.ASSIST)

    async def publish_reworded(message: CallSynopsis) -> None:
        await worker.send(topics.ASSIST, message.call_id, encode(message))

    async def publish(message: Assist | Degraded | ChurnSignal | Interaction) -> None:
        match message:
            case Interaction():
                await worker.send(topics.CUSTOMERS, message.customer_id, encode(message))
            case ChurnSignal():
                await worker.send(topics.SIGNALS, message.customer_id, encode(message))
            case Degraded():
                await worker.send(topics.EVENTS, message.call_id, encode(message))
            case _:
                await worker.send(topics.ASSIST, message.call_id, encode(message))
                if rewording is not None and isinstance(message, CallSynopsis) and message.over:
                    rewording.begin(message)

    rewording = None if rewrite is None else Rewording(rewrite, publish_reworded)

    async def publish_known(message: CustomerKnown) -> None:
        await worker.send(topics.EVENTS, message.call_id, encode(message))

    knowing = Knowing(callers, publish_known)
    adviser = Adviser(playbooks, publish, worker.table("assist"), knowing.signalled)

    @app.agent(events, concurrency=1)
    async def advise(stream: Any) -> None:
        async for event in stream.events():
            if worker.is_beat(event):
                continue
            try:
                await adviser.receive(decode_event(event.message.value), event.message)
            except Exception as error:
                await worker.refuse(topics.EVENTS_INVALID, event, error)

    async def keep(
        batch: Iterable[Any], decode: Callable[[bytes], Event | Assist], invalid: Topic | None
    ) -> list[Event | Assist]:
        messages: list[Event | Assist] = []
        offsets: list[int] = []
        positions: dict[tuple[str, int], int] = {}
        for event in batch:
            message = event.message
            positions[message.topic, message.partition] = message.offset + 1
            if not message.value:
                continue
            try:
                messages.append(decode(message.value))
                offsets.append(message.offset)
            except WireError as error:
                if invalid is not None:
                    await worker.refuse(invalid, event, error)
        await _until_written(lambda: asyncio.to_thread(store, messages, positions, offsets))
        metrics.STORED.inc(len(messages))
        return messages

    async def look_after(call_id: str) -> None:
        if care is None:
            return
        try:
            due = await asyncio.to_thread(care, call_id)
        except SQLAlchemyError as error:
            metrics.FAILED.labels("care").inc()
            log.warning("care_failed", call=call_id, error=type(error).__name__)
        else:
            if due is not None:
                await publish(due)

    @app.agent(events, concurrency=1)
    async def keep_events(stream: Any) -> None:
        # What cannot be read is put aside once, by advise.
        async for batch in stream.take_events(200, within=0.1):
            for message in await keep(batch, decode_event, None):
                if isinstance(message, CallStarted):
                    knowing.begun(message.call_id, datetime.now(UTC))
                elif isinstance(message, CallEnded):
                    await look_after(message.call_id)

    @app.agent(assists, concurrency=1)
    async def keep_assists(stream: Any) -> None:
        async for batch in stream.take_events(200, within=0.1):
            await keep(batch, decode_assist, topics.ASSIST_INVALID)

    async def keep_told(told: list[CustomerEvent]) -> None:
        await _until_written(lambda: asyncio.to_thread(customers, told))

    @app.agent(worker.topic(topics.CUSTOMERS), concurrency=1)
    async def keep_customers(stream: Any) -> None:
        async for batch in stream.take_events(500, within=0.1):
            told: list[tuple[CustomerEvent, datetime]] = []
            for event in batch:
                try:
                    if event.message.value:
                        since = datetime.fromtimestamp(event.message.timestamp, UTC)
                        told.append((decode_customer(event.message.value), since))
                except WireError as error:
                    await worker.refuse(topics.CUSTOMERS_INVALID, event, error)
            await keep_told([event for event, _ in told])
            knowing.told(told)

    @app.task
    async def know() -> None:
        await knowing.run()

    @app.task
    async def run_beside() -> None:
        await asyncio.gather(*(each(publish) for each in beside))

    @app.timer(60.0)
    async def forget() -> None:
        adviser.forget(time.time())

    @app.timer(_LOOK_EVERY_S)
    async def look() -> None:
        try:
            await asyncio.to_thread(playbooks.refresh)
        except Exception as error:
            # What is in force stays so: files that cannot be read must stop no call.
            log.error("playbooks_kept", error=type(error).__name__, reason=str(error))

    worker.watch(topics.EVENTS)
    return cast("faust.App", app)


async def _until_written(write: Callable[[], Awaitable[object]]) -> None:
    """Try until the store takes it: nothing final may be dropped, and offsets wait."""
    delay = 0.1
    while True:
        try:
            await write()
            return
        except Exception:
            log.exception("store_failed", retry_in_s=delay)
            metrics.FAILED.labels("store").inc()
            await asyncio.sleep(delay)
            delay = min(2 * delay, 10.0)


def run(app: Any, *, ready: Callable[[], None]) -> None:
    """Run an app until SIGINT or SIGTERM; ``ready`` is called when its partitions are assigned and recovered."""

    @app.on_partitions_assigned.connect
    async def announce(*_: Any, **__: Any) -> None:
        ready()

    worker = faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None
    worker.execute_from_commandline()
