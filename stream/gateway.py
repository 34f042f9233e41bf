"""The gateway: telephone media in, the API, the pages and the live channel out."""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

import structlog
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.advice.playbook import Playbook
from agent_assist.advice.tenants import Shelved
from agent_assist.call.handoff import KEY, shown
from agent_assist.customer.alerts import AlertChange
from agent_assist.customer.caller import Caller, in_force
from agent_assist.customer.events import CustomerEvent
from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.quality.replay import Replayed
from agent_assist.routing.policy import Policy
from agent_assist.routing.types import RoutingHint
from agent_assist.store.alerts import Alerts
from agent_assist.store.callers import Callers
from agent_assist.store.calls import CallStore
from agent_assist.store.handoffs import Handoffs, Ringing
from agent_assist.store.profiles import Profiles
from agent_assist.store.recordings import Recordings
from agent_assist.store.routing import Routing
from agent_assist.store.scheduling import Scheduler
from agent_assist.types import Assist, CallRecord, CustomerKnown, Event
from agent_assist.web.access import Office, RoutingDesk
from agent_assist.web.live import Live
from agent_assist.web.server import application
from audio.errors import Busy
from audio.telephony.server import CallStart, MediaPolicy, MediaServer
from audio.types import AudioRecord
from models.reading import Read
from stream import metrics, topics
from stream.errors import WireError
from stream.hints import send_hints
from stream.outreach import Clockwork, heed
from stream.overload import Admission
from stream.wire import (
    AudioEnd,
    AudioStart,
    decode_assist,
    decode_event,
    decode_load,
    decode_signal,
    encode,
    encode_audio,
)

log = structlog.get_logger()

_LOOK_S: Final = 1.0

_LATEST: Final = (topics.LOAD.name, topics.SIGNALS.name)
"""Of these what comes from now on."""
_OLDEST_RISK: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class GatewayPolicy:
    broker: str
    host: str
    port: int
    media_port: int
    token: str
    max_calls: int
    twilio_auth_token: str | None
    public_url: str | None
    origins: tuple[str, ...] = ()
    """Of pages elsewhere that may hold the overlay."""
    resume_within_s: float = 30.0
    """A call whose connection broke waits so long for the next one."""
    session_timeout_s: float = 6.0
    """Without a sign of life for so long, the risks of another gateway are judged here."""


@dataclass(slots=True, eq=False)
class _Line:
    """A call in progress, as the telephone side sees it."""

    start: CallStart
    at: datetime
    broken: asyncio.Task[None] | None = None
    """Ends the call, unless it reconnects first."""


class Ring(NamedTuple):
    """What is known when a call begins."""

    caller: Caller | None
    handed: dict[str, str]
    """Attributes that tell what a bot did with the customer before."""


def at_ring(callers: Callers, handoffs: Handoffs, call: CallStart, at: datetime) -> Ring:
    """Who calls, and what a bot handed over; blocks."""
    caller = callers.at_ring(call.customer_id, call.attributes, at)
    key, phone = call.attributes.get(KEY, ""), call.attributes.get("phone", "")
    customer_id = call.customer_id or (None if caller is None else caller.customer_id)
    ids = () if customer_id is None else callers.same(customer_id)
    ringing = Ringing(call_id=call.call_id, at=at, key=key, customers=ids, phone=phone)
    found = handoffs.begin(ringing)
    if found is None:
        return Ring(caller, {})
    language = call.attributes.get("language") or found.language
    return Ring(caller, shown(found, "en" if language.startswith("en") else "zh"))


class Intake:
    """
    Media into ``call.audio``.

    A call id that comes again while its call is in progress, or whose connection broke a moment ago, goes on where
    the wall clock stands: what was said meanwhile is a gap.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        policy: GatewayPolicy,
        live: Live,
        admission: Admission,
        look: Callable[[CallStart, datetime], Ring],
    ) -> None:
        self._producer = producer
        self._look = look
        self._policy = policy
        self._live = live
        self._admission = admission
        self._lines: dict[str, _Line] = {}

    async def started(self, call: CallStart) -> int:
        line = self._lines.get(call.call_id)
        if line is not None:
            if line.broken is not None:
                line.broken.cancel()
                line.broken = None
            return self._position(line.at)
        known = self._live.record(call.call_id)
        if known is not None and known.status == "live" and known.started_at is not None:
            # This gateway was started anew in mid-call.
            line = self._lines[call.call_id] = _Line(call, known.started_at)
            return self._position(line.at)
        if len(self._lines) >= self._policy.max_calls:
            metrics.REFUSED.inc()
            raise Busy(f"expected fewer than {self._policy.max_calls} calls at once, got one more")
        if self._admission.is_full(time.monotonic()):
            metrics.REFUSED.inc()
            raise Busy("expected a worker with room for one more call, got none that keeps up with those it has")
        line = self._lines[call.call_id] = _Line(call, datetime.now(UTC))
        caller, handed = await self._who(call, line.at)
        given = handed | call.attributes
        name = None if caller is None else caller.name or None
        await self._send(
            call.call_id,
            encode_audio(
                AudioStart(
                    at=line.at,
                    protocol=call.protocol,
                    customer_id=call.customer_id or (None if caller is None else caller.customer_id),
                    customer_name=call.customer_name or name,
                    agent_id=call.agent_id,
                    queue=call.queue,
                    attributes=given if caller is None else in_force(given, caller),
                    caller=caller,
                )
            ),
        )
        metrics.CALLS.set(len(self._lines))
        return 0

    async def _who(self, call: CallStart, at: datetime) -> Ring:
        """What is known of the customer: neither a store that is slow or away nor what it holds must keep a caller."""
        try:
            async with asyncio.timeout(_LOOK_S):
                return await asyncio.to_thread(self._look, call, at)
        except (TimeoutError, SQLAlchemyError) as error:
            log.warning("customer_unknown", error=type(error).__name__)
        except Exception as error:
            log.exception("customer_unknown", error=type(error).__name__)
        return Ring(None, {})

    @staticmethod
    def _position(at: datetime) -> int:
        return int((datetime.now(UTC) - at).total_seconds() * 1000)

    async def audio(self, record: AudioRecord) -> None:
        metrics.RECORDS.inc()
        await self._send(record.call_id, encode_audio(record))

    async def ended(self, call_id: str, duration_ms: int, clean: bool) -> None:
        line = self._lines.get(call_id)
        if line is None:
            return
        if clean:
            await self._end(call_id, AudioEnd(duration_ms=duration_ms, reason="hangup"))
        else:
            line.broken = asyncio.create_task(self._give_up(call_id, duration_ms))

    async def _give_up(self, call_id: str, duration_ms: int) -> None:
        await asyncio.sleep(self._policy.resume_within_s)
        await self._end(call_id, AudioEnd(duration_ms=duration_ms, reason="lost"))

    async def _end(self, call_id: str, end: AudioEnd) -> None:
        await self._send(call_id, encode_audio(end))
        self._lines.pop(call_id, None)
        metrics.CALLS.set(len(self._lines))

    async def _send(self, call_id: str, value: bytes) -> None:
        """Return when the broker has it; while it is away, wait: the line's own buffer holds the audio back."""
        while True:
            try:
                await self._producer.send_and_wait(topics.AUDIO.name, value, key=call_id.encode())
            except KafkaError as error:
                if not error.retriable:
                    raise
                log.warning("broker_away", error=type(error).__name__)
                await asyncio.sleep(0.2)
            else:
                return

    async def publish(self, message: Assist) -> None:
        await self._producer.send_and_wait(topics.ASSIST.name, encode(message), key=message.call_id.encode())

    async def know(self, message: CustomerKnown) -> None:
        await self._producer.send_and_wait(topics.EVENTS.name, encode(message), key=message.call_id.encode())

    async def hint(self, hint: RoutingHint) -> None:
        await self._producer.send_and_wait(topics.ROUTING.name, encode(hint), key=hint.call_id.encode())

    async def tell(self, event: CustomerEvent) -> None:
        await self._producer.send_and_wait(topics.CUSTOMERS.name, encode(event), key=event.customer_id.encode())

    async def warn(self, change: AlertChange) -> None:
        key = f"alert:{change.alert.customer_id}".encode()
        await self._producer.send_and_wait(topics.SIGNALS.name, encode(change), key=key)


async def follow(consumer: AIOKafkaConsumer, live: Live, admission: Admission) -> None:
    """Feed the live channel from events, assists and alerts, and the admission from the workers' load, for ever."""
    while True:
        try:
            batches = await consumer.getmany(timeout_ms=1_000)
        except KafkaError as error:
            log.warning("broker_away", error=type(error).__name__)
            await asyncio.sleep(0.2)
            continue
        for partition, messages in batches.items():
            for message in messages:
                if not message.value:
                    continue
                try:
                    match partition.topic:
                        case topics.EVENTS.name:
                            event = decode_event(message.value)
                            live.publish(event)
                            if isinstance(event, CustomerKnown):
                                metrics.FRESH.observe((datetime.now(UTC) - event.arrived_at).total_seconds())
                        case topics.ASSIST.name:
                            live.publish(decode_assist(message.value))
                        case topics.SIGNALS.name:
                            if isinstance(change := decode_signal(message.value), AlertChange):
                                live.warn(change)
                        case _:
                            load = decode_load(message.value)
                            admission.note(load.worker, load.step, time.monotonic())
                except WireError as error:
                    metrics.INVALID.labels(partition.topic).inc()
                    log.error("message_refused", topic=partition.topic, offset=message.offset, pii_detail=str(error))


async def _tail(broker: str, positions: dict[tuple[str, int], int]) -> AIOKafkaConsumer:
    """A consumer of all partitions that goes on where the store stands."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker, auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=500
    )
    await consumer.start()
    counts = await topics.partitions(broker, (topics.EVENTS, topics.ASSIST, topics.LOAD, topics.SIGNALS))
    partitions = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
    consumer.assign(partitions)
    for partition in partitions:
        position = positions.get((partition.topic, partition.partition))
        if partition.topic in _LATEST:
            await consumer.seek_to_end(partition)
        elif position is not None:
            consumer.seek(partition, position)
        else:
            await consumer.seek_to_beginning(partition)
    return consumer


async def _forget(live: Live, handoffs: Handoffs) -> None:
    while True:
        await asyncio.sleep(60)
        live.forget()
        try:
            await asyncio.to_thread(handoffs.expire, datetime.now(UTC))
        except SQLAlchemyError as error:
            log.warning("handoffs_not_expired", error=type(error).__name__)


def _of_its_own_accord(
    policy: GatewayPolicy, engine: Engine, outreach: tuple[Scheduler, Alerts], intake: Intake
) -> list[Coroutine[Any, Any, None]]:
    """What runs beside calls: the clock, and what judges the risks that they tell."""
    scheduler, alerts = outreach
    clock = Clockwork(engine, scheduler, alerts, holder=uuid.uuid4().hex, publish=intake.warn)
    judging = heed(
        policy.broker,
        alerts,
        session_timeout_s=policy.session_timeout_s,
        oldest=_OLDEST_RISK,
        now=partial(datetime.now, UTC),
    )
    return [clock.run(), judging]


def _told(ended: asyncio.Task[None]) -> None:
    """What runs beside calls ends none of them when it fails, and is heard of."""
    if not ended.cancelled() and (error := ended.exception()) is not None:
        log.error("beside_failed", error=type(error).__name__, pii_detail=str(error))


class _Server(uvicorn.Server):
    """Leaves signals to the process that it runs in."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(  # noqa: PLR0913 - what the doors work with
    policy: GatewayPolicy,
    *,
    store: CallStore,
    recordings: Recordings | None,
    knowledge: tuple[KnowledgeBase, KnowledgeIndex],
    profiles: Profiles,
    replay: Callable[[CallRecord, Sequence[Event]], Replayed],
    routing: tuple[Policy, Callable[[str], Read]],
    playbook: Callable[[str | None], Playbook],
    playbooks: Callable[[], Sequence[Shelved]],
    outreach: tuple[Scheduler, Alerts],
    ready: Callable[[int, int], None],
    stop: asyncio.Event,
) -> None:
    """
    Run the gateway until ``stop``.

    Args:
        routing: Points of hints, and what reads a caller's first words.
        ready: Called with the ports of the API and of the doors when both listen.

    Raises:
        OSError: If a port is taken.
    """
    live = Live()
    records, positions = await asyncio.to_thread(store.snapshot)
    live.load(records)
    # The first look at a customer reads tables and rules: the first caller is not to wait for that.
    await asyncio.to_thread(profiles.of, "nobody", datetime.now(UTC))
    producer = AIOKafkaProducer(
        bootstrap_servers=policy.broker, acks="all", enable_idempotence=True, max_request_size=2_000_000
    )
    await producer.start()
    consumer = await _tail(policy.broker, dict(positions))
    admission = Admission()

    callers, handoffs = Callers(profiles, store.engine), Handoffs(store.engine)
    intake = Intake(producer, policy, live, admission, partial(at_ring, callers, handoffs))
    doors = MediaServer(
        intake,
        MediaPolicy(
            host=policy.host,
            port=policy.media_port,
            token=policy.token,
            twilio_auth_token=policy.twilio_auth_token,
            public_url=policy.public_url,
        ),
    )
    media_port = await doors.start()
    listening = asyncio.Event()
    hinted, hints = asyncio.Event(), Routing(store.engine)
    app = application(
        Office(
            store=store,
            live=live,
            token=policy.token,
            publish=intake.publish,
            ready=listening.is_set,
            recordings=recordings,
            replay=replay,
            playbook=playbook,
            knowledge=knowledge,
            tell=intake.tell,
            know=intake.know,
            callers=callers,
            profiles=profiles,
            playbooks=playbooks,
            alerts=outreach[1],
            trials=outreach[0].trials,
            routing=RoutingDesk(routing[0], hints, routing[1], hinted.set),
            origins=frozenset(policy.origins),
        ),
        hosts=(policy.host, "127.0.0.1", "localhost"),
    )
    server = _Server(
        uvicorn.Config(
            app,
            host=policy.host,
            port=policy.port,
            log_config=None,
            access_log=False,
            ws_max_size=65_536,
            # Once for each listener, it would cost more than it saves on a local network.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=3,
        )
    )
    follower = asyncio.create_task(follow(consumer, live, admission))
    forgetting = asyncio.create_task(_forget(live, handoffs))
    own = _of_its_own_accord(policy, store.engine, outreach, intake)
    beside = [asyncio.create_task(each) for each in (send_hints(hints, intake.hint, hinted), *own)]
    for each in beside:
        each.add_done_callback(_told)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        if not server.started:
            raise OSError(f"the API could not listen on {policy.host}:{policy.port}")
        listening.set()
        ready(server.servers[0].sockets[0].getsockname()[1], media_port)
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, follower, serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    finally:
        await doors.close()
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        follower.cancel()
        forgetting.cancel()
        for each in beside:
            each.cancel()
        await asyncio.gather(follower, forgetting, *beside, return_exceptions=True)
        await consumer.stop()
        await producer.stop()
