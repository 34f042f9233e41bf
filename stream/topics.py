"""The topics: names, keys, how many partitions, how long they are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; keys are UTF-8, partitioned by murmur2 over the key."""

    name: str
    retention_ms: int | None
    """None: compacted, the last value of each key is kept."""
    retention_bytes: int | None = None
    """Cap for each partition."""

    def config(self) -> dict[str, str]:
        if self.retention_ms is None:
            return {"cleanup.policy": "compact"}
        config = {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}
        if self.retention_bytes is not None:
            config["retention.bytes"] = str(self.retention_bytes)
        # Kafka drops whole segments: with the default of 1 GiB a cap of that size would never bite.
        config["segment.bytes"] = str(min(64 << 20, max(1 << 20, (self.retention_bytes or 256 << 20) // 8)))
        return config


AUDIO: Final = Topic("call.audio", 30 * _MINUTE, 1 << 30)
"""Key: call id. 200 ms of the call in each record, and its start and end."""
EVENTS: Final = Topic("call.events", 7 * _DAY, 1 << 30)
"""Key: call id. agent_assist.types.Event."""
ASSIST: Final = Topic("call.assist", 7 * _DAY, 1 << 30)
"""Key: call id. agent_assist.types.Assist."""
SIGNALS: Final = Topic("churn.signals", None)
"""
Key: customer id, stream.wire.ChurnSignal; ``alert:`` and the customer id, agent_assist.customer.alerts.AlertChange: so
that of both the last is kept.
"""
CUSTOMERS: Final = Topic("customer.events", 30 * _DAY, 1 << 30)
"""Key: customer id. agent_assist.customer.events.CustomerEvent: what other systems tell of customers, and calls add."""
ROUTING: Final = Topic("routing.hints", 7 * _DAY, 256 << 20)
"""Key: call id. agent_assist.routing.types.RoutingHint."""
LOAD: Final = Topic("listen.load", 10 * _MINUTE, 16 << 20)
"""Key: worker. stream.wire.ListenLoad, every two seconds."""
AUDIO_INVALID: Final = Topic("call.audio.invalid", 14 * _DAY, 256 << 20)
EVENTS_INVALID: Final = Topic("call.events.invalid", 14 * _DAY, 256 << 20)
ASSIST_INVALID: Final = Topic("call.assist.invalid", 14 * _DAY, 256 << 20)
CUSTOMERS_INVALID: Final = Topic("customer.events.invalid", 14 * _DAY, 256 << 20)

TOPICS: Final = (
    AUDIO,
    EVENTS,
    ASSIST,
    SIGNALS,
    CUSTOMERS,
    ROUTING,
    LOAD,
    AUDIO_INVALID,
    EVENTS_INVALID,
    ASSIST_INVALID,
    CUSTOMERS_INVALID,
)


async def create(broker: str, *, partitions: int, replication: int, topics: Iterable[Topic] = TOPICS) -> None:
    """
    Create what is not there yet; what is there is left as it is.

    Args:
        broker: ``host:port`` of one or more nodes, separated by commas.

    Raises:
        aiokafka.errors.KafkaError: If a topic cannot be created.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        wanted = [NewTopic(t.name, partitions, replication, topic_configs=t.config()) for t in topics]
        response: Any = await admin.create_topics(wanted)
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}")
    finally:
        await admin.close()


async def partitions(broker: str, topics: Iterable[Topic]) -> dict[str, int]:
    """How many partitions each topic has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        described = await admin.describe_topics([topic.name for topic in topics])
        return {topic["topic"]: len(topic["partitions"]) for topic in described}
    finally:
        await admin.close()
