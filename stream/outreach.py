"""The clock of what is done of its own accord, and the alerts: beside a gateway, until cancelled."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from agent_assist.customer.alerts import AlertChange
from agent_assist.errors import AlertContested
from agent_assist.store.alerts import Alerts, Heard, levels
from agent_assist.store.due import waiting
from agent_assist.store.leases import hold, release
from agent_assist.store.scheduling import Done, Scheduler
from stream import metrics, topics
from stream.errors import WireError
from stream.wire import ChurnSignal, decode_signal

log = structlog.get_logger()

GROUP: Final = "warmline-alerts"
_LEASE: Final = timedelta(seconds=15)
_NAME: Final = "outreach"
_MEASURE_S: Final = 15.0
_SHARE: Final = 0.2
"""Of a core at most, so that a million customers who were just taken in keep no call up."""


@dataclass(frozen=True, slots=True)
class Clockwork:
    """
    What is done with time.

    Args:
        holder: Of the lease, this process.
        publish: Tells the topic, and returns when it has it.
    """

    engine: Engine
    scheduler: Scheduler
    alerts: Alerts
    holder: str
    publish: Callable[[AlertChange], Awaitable[None]]
    every_s: float = 1.0
    at_once: int = 25
    """Customers of a tick."""

    async def run(self) -> None:
        """Tick until cancelled; while the store or the broker is away, wait."""
        measured = -_MEASURE_S
        try:
            while True:
                started, full = time.monotonic(), False
                try:
                    full = await self.tick(datetime.now(UTC))
                    if started - measured >= _MEASURE_S:
                        await asyncio.to_thread(self._measure, datetime.now(UTC))
                        measured = started
                except Exception as error:
                    # Whatever is wrong with what is done of its own accord, calls go on.
                    metrics.FAILED.labels("outreach").inc()
                    log.exception("outreach_waits", error=type(error).__name__)
                took = time.monotonic() - started
                await asyncio.sleep(max(took * (1 / _SHARE - 1), 0.0 if full else self.every_s))
        finally:
            # The next one need not wait for the end of our lease.
            release(self.engine, _NAME, self.holder)

    async def tick(self, now: datetime) -> bool:
        """Do what is due, where it is ours to do; whether more is due than was done."""
        if not await asyncio.to_thread(hold, self.engine, _NAME, self.holder, now, _LEASE):
            return False
        done = await asyncio.to_thread(self.scheduler.tick, now, self.at_once)
        await asyncio.to_thread(self.alerts.pass_by, now)
        await self._tell()
        _count(done)
        return done.looked + done.failed >= self.at_once

    async def _tell(self) -> None:
        """Tell the topic what it has not yet; after a death in between it is told once more, under the same id."""
        while changes := await asyncio.to_thread(self.alerts.untold):
            for change in changes:
                await self.publish(change)
                metrics.ALERTS.labels(change.kind, change.alert.level.value).inc()
            await asyncio.to_thread(self.alerts.told, [change.id for change in changes])

    def _measure(self, now: datetime) -> None:
        with self.engine.connect() as connection:
            metrics.WAITING.set(waiting(connection, now))
            for level, count in levels(connection).items():
                metrics.OPEN_ALERTS.labels(level.value).set(count)


def _count(done: Done) -> None:
    metrics.LOOKED.labels("done").inc(done.looked)
    metrics.LOOKED.labels("failed").inc(done.failed)
    came = {"made": done.made, "cancelled": done.cancelled, "dropped": done.dropped, "exposed": done.exposed}
    for what, counted in came.items():
        for why, count in counted.items():
            metrics.OUTREACH.labels(what, why).inc(count)


async def heed(
    broker: str, alerts: Alerts, *, session_timeout_s: float, oldest: timedelta, now: Callable[[], datetime]
) -> None:
    """
    Judge each risk that calls tell, until cancelled; of several gateways each has its own customers.

    Args:
        oldest: What was told before is left: the topic keeps the last risk of each customer for ever.
    """
    while True:
        consumer = AIOKafkaConsumer(
            topics.SIGNALS.name,
            bootstrap_servers=broker,
            group_id=GROUP,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(session_timeout_s * 1000),
            heartbeat_interval_ms=int(session_timeout_s * 250),
            max_poll_records=100,
        )
        try:
            await consumer.start()
            while True:
                batches = await consumer.getmany(timeout_ms=1_000)
                messages = [message for batch in batches.values() for message in batch]
                if messages:
                    await asyncio.to_thread(hear_all, alerts, messages, now() - oldest)
                    await consumer.commit()
        except Exception as error:
            # What was read and not judged is read again.
            metrics.FAILED.labels("alerts").inc()
            log.exception("alerts_wait", error=type(error).__name__)
            await asyncio.sleep(1.0)
        finally:
            await consumer.stop()


def hear_all(alerts: Alerts, messages: list[Any], since: datetime) -> None:
    """Judge the risks among messages of ``churn.signals``, but for those told before a time; blocks."""
    for message in messages:
        told_at = datetime.fromtimestamp(message.timestamp / 1000, UTC)
        if not message.value or told_at < since:
            continue
        try:
            signal = decode_signal(message.value)
        except WireError as error:
            metrics.INVALID.labels(message.topic).inc()
            log.error("message_refused", topic=message.topic, offset=message.offset, pii_detail=str(error))
            continue
        if isinstance(signal, ChurnSignal):
            _judge(alerts, signal, told_at)


def _judge(alerts: Alerts, signal: ChurnSignal, at: datetime) -> None:
    heard = Heard(customer_id=signal.customer_id, call_id=signal.call_id, at_ms=signal.at_ms, at=at, risk=signal.risk)
    try:
        alerts.hear(heard)
    except (OperationalError, InterfaceError, AlertContested):
        raise
    except Exception as error:
        # One risk that cannot be judged must not keep all later ones up.
        metrics.FAILED.labels("alerts").inc()
        log.exception("alert_failed", error=type(error).__name__)
