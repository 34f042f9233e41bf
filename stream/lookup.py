"""From ``call.events`` to articles: a consumer of its own, so that no card waits for a search."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.proactive import Proactive
from agent_assist.types import Article, CallEnded
from agent_assist.types import Final as FinalEvent
from models.errors import ModelError
from stream import metrics, topics
from stream.errors import WireError
from stream.wire import decode_event

log = structlog.get_logger()

GROUP: Final = "warmline-lookup"
_STALE_MS: Final = 15 * 60_000
"""An article on what was said so long ago helps nobody: what waits from before a start is let go."""
_MOST_CALLS: Final = 1_000
"""What a call was shown is asked of the store again where it is not among the last so many."""


class Lookup:
    """
    What the calls of our partitions were shown, and what they are to be shown next.

    Args:
        shown: Of a call that is met for the first time here, the id of each article it was shown, and when; blocks.
    """

    def __init__(self, index: KnowledgeIndex, shown: Callable[[str], Mapping[str, int]]) -> None:
        self._index = index
        self._shown = shown
        self._calls: dict[str, Proactive] = {}

    def take(self, value: bytes) -> list[Article]:
        """
        Take a message in; blocks for a search's time.

        Raises:
            SQLAlchemyError: If the store is away; the message is to be taken again.
        """
        try:
            event = decode_event(value)
        except WireError:
            # Said and put aside by the app that advises.
            return []
        match event:
            case FinalEvent():
                try:
                    return self._call(event.call_id).push(event.utterance)
                except ModelError as error:
                    metrics.FAILED.labels("lookup").inc()
                    log.warning("lookup_failed", call=event.call_id, error=type(error).__name__, reason=str(error))
                    return []
            case CallEnded():
                self._calls.pop(event.call_id, None)
                return []
            case _:
                return []

    def _call(self, call_id: str) -> Proactive:
        call = self._calls.pop(call_id, None)
        if call is None:
            call = Proactive(self._index, call_id, shown=self._shown(call_id))
        self._calls[call_id] = call
        if len(self._calls) > _MOST_CALLS:
            self._calls.pop(next(iter(self._calls), ""), None)
        return call

    def drop(self) -> None:
        """Others may have some of the calls now."""
        self._calls.clear()


class _Handover(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    # aiokafka awaits what these return, if it can be awaited.
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        revoked: Iterable[TopicPartition],  # noqa: ARG002 - as aiokafka calls it
    ) -> None:
        self._lookup.drop()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        pass


async def look_up(
    broker: str,
    lookup: Lookup,
    publish: Callable[[Article], Awaitable[None]],
    *,
    session_timeout_s: float,
) -> None:
    """Publish articles for all calls, until cancelled; while the broker or the store is away, wait."""
    while True:
        consumer: Any = AIOKafkaConsumer(
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
            consumer.subscribe([topics.EVENTS.name], listener=_Handover(lookup))
            while True:
                batches = await consumer.getmany(timeout_ms=1_000)
                fresh = time.time() * 1000 - _STALE_MS
                for message in (message for batch in batches.values() for message in batch):
                    if not message.value or message.timestamp < fresh:
                        continue
                    for article in await asyncio.to_thread(lookup.take, message.value):
                        await publish(article)
                        metrics.ARTICLES.labels(article.reason).inc()
                if batches:
                    # What was published and not committed is published again, under the same id.
                    await consumer.commit()
        except (KafkaError, SQLAlchemyError, OSError) as error:
            metrics.FAILED.labels("lookup").inc()
            log.warning("lookup_waits", error=type(error).__name__, pii_detail=str(error))
            await asyncio.sleep(1.0)
        finally:
            lookup.drop()
            await consumer.stop()
