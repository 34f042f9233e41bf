"""What the broker is told: by its operator, and by the configuration of a topic."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stream.broker.errors import ErrorCode, Refused

_DAY_MS: Final = 24 * 60 * 60 * 1_000
_LEAST_SEGMENT: Final = 64 << 10
_SEGMENTS: Final = 8
"""Retention drops whole segments: a limit is cut into so many, and overshot by a part of it."""
_NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
"""Kafka's rule (org.apache.kafka.common.internals.Topic)."""


@dataclass(frozen=True, slots=True)
class BrokerPolicy:
    """Where the broker keeps its data, where it listens, and what it refuses."""

    directory: Path
    host: str = "127.0.0.1"
    """Where it listens, and what it tells clients to connect to."""
    port: int = 0
    """0 takes a free one."""
    partitions: int = 4
    """Of a topic that is created without a number."""
    segment_bytes: int = 8 << 20
    """Of a topic without ``segment.bytes``."""
    retention_ms: int = 7 * _DAY_MS
    """Of a topic without ``retention.ms``."""
    retention_bytes: int = 1 << 30
    """Of each partition of a topic without ``retention.bytes``."""
    max_request_bytes: int = 16 << 20
    """A connection that announces more is closed."""
    max_batch_bytes: int = 4 << 20
    """Of a topic without ``max.message.bytes``."""
    max_fetch_bytes: int = 16 << 20
    """One answer holds no more, if its first batch is not larger."""
    max_wait_s: float = 30.0
    """A fetch waits no longer for a record."""
    max_connections: int = 512
    max_partitions: int = 2_000
    """Of all topics together."""
    max_members: int = 256
    """Of one group."""
    max_groups: int = 1_000
    offsets_kept_ms: int = 7 * _DAY_MS
    """Committed offsets of a group without members are forgotten after so long."""
    join_delay_s: float = 0.2
    """A new group waits so long for its other members."""
    maintain_every_s: float = 1.0
    """Between two looks at what has to be dropped, compacted or rewritten."""

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65_536:
            raise ValueError(f"expected a port from 0 to 65535, got {self.port}")
        if self.max_batch_bytes > self.max_request_bytes:
            raise ValueError(
                f"expected batches of at most {self.max_request_bytes} bytes, a request's limit, "
                f"got {self.max_batch_bytes}"
            )


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """How the log of a partition is kept."""

    segment_bytes: int = 8 << 20
    max_batch_bytes: int = 4 << 20
    deletes: bool = True
    """``cleanup.policy`` names ``delete``."""
    retention_ms: int | None = None
    retention_bytes: int | None = None
    """At most, while Kafka keeps at least so much: here the point is that a laptop's disk does not fill."""
    compacts: bool = False
    """``cleanup.policy`` names ``compact``."""
    dirty_ratio: float = 0.5
    """Part of the log that has to be new before it is compacted again."""
    tombstone_ms: int = _DAY_MS
    """A key's deletion is kept so long for readers that lag."""

    @property
    def roll_ms(self) -> int | None:
        """Age at which a segment is sealed, so that it can be dropped in time."""
        return None if self.retention_ms is None else max(self.retention_ms // _SEGMENTS, 1)


def check_name(name: str) -> None:
    """
    Raises:
        Refused: If it is no topic name; it becomes a part of a path.
    """
    if _NAME.fullmatch(name) is None or name in {".", ".."}:
        raise Refused(ErrorCode.INVALID_TOPIC, "a name of letters, digits, '.', '_' and '-'", repr(name[:80]))


def log_policy(config: Mapping[str, str], broker: BrokerPolicy) -> LogPolicy:
    """
    Read a topic's configuration; names that are not known here are kept and have no effect.

    Raises:
        Refused: If a value cannot be used.
    """
    cleanup = {word.strip() for word in config.get("cleanup.policy", "delete").split(",")}
    if not cleanup <= {"delete", "compact"}:
        raise Refused(ErrorCode.INVALID_CONFIG, "cleanup.policy of delete, compact or both", repr(sorted(cleanup)))
    retention_bytes = _integer(config, "retention.bytes", broker.retention_bytes, -1)
    retention_ms = _integer(config, "retention.ms", broker.retention_ms, -1)
    segment_bytes = _integer(config, "segment.bytes", broker.segment_bytes, 1)
    if retention_bytes >= 0:
        segment_bytes = min(segment_bytes, retention_bytes // _SEGMENTS)
    try:
        dirty_ratio = float(config.get("min.cleanable.dirty.ratio", "0.5"))
    except ValueError:
        raise Refused(ErrorCode.INVALID_CONFIG, "min.cleanable.dirty.ratio of 0 to 1", "no number") from None
    return LogPolicy(
        segment_bytes=max(segment_bytes, _LEAST_SEGMENT),
        max_batch_bytes=_integer(config, "max.message.bytes", broker.max_batch_bytes, 0),
        deletes="delete" in cleanup,
        retention_ms=None if retention_ms < 0 else retention_ms,
        retention_bytes=None if retention_bytes < 0 else retention_bytes,
        compacts="compact" in cleanup,
        dirty_ratio=dirty_ratio,
        tombstone_ms=_integer(config, "delete.retention.ms", _DAY_MS, 0),
    )


def _integer(config: Mapping[str, str], name: str, default: int, least: int) -> int:
    try:
        value = int(config.get(name, default))
    except ValueError:
        raise Refused(ErrorCode.INVALID_CONFIG, f"{name} as a whole number", repr(config[name])) from None
    if value < least:
        raise Refused(ErrorCode.INVALID_CONFIG, f"{name} of at least {least}", f"{value}")
    return value
