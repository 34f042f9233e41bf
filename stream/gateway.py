"""The gateway: telephone media in, the API, the pages and the live channel out."""

import asyncio
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

import structlog
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.advice.playbook import Playbook
from agent_assist.advice.tenants import Shelved
from agent_assist.call.before import OFFERS, written
from agent_assist.call.handoff import KEY, shown
from agent_assist.customer.events import CustomerEvent
from agent_assist.customer.pop import pop
from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.quality.replay import Replayed
from agent_assist.routing.policy import Policy
from agent_assist.routing.types import RoutingHint
from agent_assist.store.calls import CallStore
from agent_assist.store.handoffs import Handoffs, Ringing
from agent_assist.store.offered import offered
from agent_assist.store.profiles import Profiles
from agent_assist.store.recordings import Recordings
from agent_assist.store.routing import Routing
from agent_assist.types import Assist, CallRecord
from agent_assist.web.access import Office, RoutingDesk
from agent_assist.web.live import Live
from agent_assist.web.server import application
from audio.errors import Busy
from audio.telephony.server import CallStart, MediaPolicy, MediaServer
from audio.types import AudioRecord
from models.reading import Read
from models.types import Utterance
from stream import metrics, topics
from stream.errors import WireError
from stream.hints import send_hints
from stream.overload import Admission
from stream.wire import AudioEnd, AudioStart, decode_assist, decode_event, decode_load, encode, encode_audio

log = structlog.get_logger()

_LOOK_S: Final = 1.0
_MOST_NAMED: Final = 5


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


@dataclass(slots=True, eq=False)
class _Line:
    """A call in progress, as the telephone side sees it."""

    start: CallStart
    at: datetime
    broken: asyncio.Task[None] | None = None
    """Ends the call, unless it reconnects first."""


class Known(NamedTuple):
    """Who calls, as far as the store tells."""

    customer_id: str | None
    name: str
    attributes: dict[str, str]


def who_calls(profiles: Profiles, call: CallStart, at: datetime) -> Known:
    """By the customer's id, or by the attribute ``phone`` where it belongs to one customer; blocks."""
    customer_id, phone = call.customer_id, call.attributes.get("phone", "")
    if customer_id is None and phone:
        found = profiles.store.whose("phone", phone)
        if len(found) > 1:
            return Known(None, "", {"customers_of_phone": ",".join(found[:_MOST_NAMED])})
        customer_id = found[0] if found else None
    seen = None if customer_id is None else profiles.of(customer_id, at)
    if seen is None:
        return Known(customer_id, "", {})
    language = call.attributes.get("language") or seen.language
    return Known(seen.customer_id, seen.name, pop(seen, "en" if language.startswith("en") else "zh"))


def before(profiles: Profiles, engine: Engine, call: CallStart, at: datetime) -> Known:
    """Who calls, what a bot handed over, and earlier offers unless the telephone side tells them; blocks."""
    known = who_calls(profiles, call, at)
    known = known._replace(attributes=known.attributes | handed_over(engine, call, known, at))
    if known.customer_id is None or OFFERS in call.attributes:
        return known
    found = offered(engine, known.customer_id, call.attributes.get("tenant"), at)
    return known._replace(attributes=known.attributes | {OFFERS: written(found)}) if found else known


def handed_over(engine: Engine, call: CallStart, known: Known, at: datetime) -> dict[str, str]:
    """What a bot did with the customer before the call; blocks."""
    key, phone = call.attributes.get(KEY, ""), call.attributes.get("phone", "")
    ringing = Ringing(call_id=call.call_id, at=at, key=key, customer_id=known.customer_id, phone=phone)
    found = Handoffs(engine).begin(ringing)
    if found is None:
        return {}
    language = call.attributes.get("language") or found.language
    return shown(found, "en" if language.startswith("en") else "zh")


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
        known: Callable[[CallStart, datetime], Known],
    ) -> None:
        self._producer = producer
        self._known = known
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
        before = await self._before(call, line.at)
        await self._send(
            call.call_id,
            encode_audio(
                AudioStart(
                    at=line.at,
                    protocol=call.protocol,
                    customer_id=call.customer_id or before.customer_id,
                    customer_name=call.customer_name or before.name or None,
                    agent_id=call.agent_id,
                    queue=call.queue,
                    attributes=before.attributes | call.attributes,
                )
            ),
        )
        metrics.CALLS.set(len(self._lines))
        return 0

    async def _before(self, call: CallStart, at: datetime) -> Known:
        """What is known of the customer: a store that is slow or away must not keep a caller."""
        try:
            async with asyncio.timeout(_LOOK_S):
                return await asyncio.to_thread(self._known, call, at)
        except (TimeoutError, SQLAlchemyError) as error:
            log.warning("customer_unknown", error=type(error).__name__)
            return Known(call.customer_id, "", {})

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

    async def hint(self, hint: RoutingHint) -> None:
        await self._producer.send_and_wait(topics.ROUTING.name, encode(hint), key=hint.call_id.encode())

    async def tell(self, event: CustomerEvent) -> None:
        await self._producer.send_and_wait(topics.CUSTOMERS.name, encode(event), key=event.customer_id.encode())


async def follow(consumer: AIOKafkaConsumer, live: Live, admission: Admission) -> None:
    """Feed the live channel from events and assists, and the admission from the workers' load, for ever."""
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
                            live.publish(decode_event(message.value))
                        case topics.ASSIST.name:
                            live.publish(decode_assist(message.value))
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
    counts = await topics.partitions(broker, (topics.EVENTS, topics.ASSIST, topics.LOAD))
    partitions = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
    consumer.assign(partitions)
    for partition in partitions:
        position = positions.get((partition.topic, partition.partition))
        if partition.topic == topics.LOAD.name:
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
    routing: tuple[Policy, Callable[[str], Read]],
    replay: Callable[[CallRecord, Sequence[Utterance]], Replayed],
    playbook: Callable[[str | None], Playbook],
    playbooks: Callable[[], Sequence[Shelved]],
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

    intake = Intake(producer, policy, live, admission, partial(before, profiles, store.engine))
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
            profiles=profiles,
            playbooks=playbooks,
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
    forgetting = asyncio.create_task(_forget(live, Handoffs(store.engine)))
    hinting = asyncio.create_task(send_hints(hints, intake.hint, hinted))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        if not server.started:
            raise OSError(f"the API could not listen on {policy.host}:{policy.port}")
        listening.set()
        ready(server.servers[0].sockets[0].getsockname()[1], media_port)
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, follower, serving, hinting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    finally:
        await doors.close()
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        follower.cancel()
        forgetting.cancel()
        hinting.cancel()
        await asyncio.gather(follower, forgetting, hinting, return_exceptions=True)
        await consumer.stop()
        await producer.stop()
