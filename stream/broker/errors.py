"""What can be wrong between the broker, its clients and its disk."""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from stream.errors import StreamError


class ErrorCode(IntEnum):
    """Kafka's error codes, as far as this broker answers them (protocol guide, "Error Codes")."""

    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    MESSAGE_TOO_LARGE = 10
    OFFSET_METADATA_TOO_LARGE = 12
    INVALID_TOPIC = 17
    INVALID_REQUIRED_ACKS = 21
    ILLEGAL_GENERATION = 22
    INCONSISTENT_GROUP_PROTOCOL = 23
    INVALID_GROUP_ID = 24
    UNKNOWN_MEMBER_ID = 25
    INVALID_SESSION_TIMEOUT = 26
    REBALANCE_IN_PROGRESS = 27
    INVALID_TIMESTAMP = 32
    UNSUPPORTED_VERSION = 35
    TOPIC_ALREADY_EXISTS = 36
    INVALID_PARTITIONS = 37
    INVALID_REPLICATION_FACTOR = 38
    INVALID_CONFIG = 40
    INVALID_REQUEST = 42
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
    POLICY_VIOLATION = 44
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    DUPLICATE_SEQUENCE_NUMBER = 46
    INVALID_PRODUCER_EPOCH = 47
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    STORAGE_ERROR = 56
    MEMBER_ID_REQUIRED = 79
    GROUP_MAX_SIZE_REACHED = 81
    INVALID_RECORD = 87


class BrokerError(StreamError):
    """Root of the broker's errors."""


@dataclass(eq=False)
class ProtocolError(BrokerError):
    """A request that cannot be read; it costs the connection that it came on."""

    expected: str
    got: str
    where: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} ({self.where})"


@dataclass(eq=False)
class Refused(BrokerError):
    """A part of a request that is answered with an error code."""

    code: ErrorCode
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} ({self.code.name})"


@dataclass(eq=False)
class DirectoryTaken(BrokerError):
    """Another broker writes into the directory."""

    directory: Path

    def __str__(self) -> str:
        return f"expected {self.directory} to be free, got a lock that another broker holds"


@dataclass(eq=False)
class TooManyPartitions(BrokerError):
    """More than the policy allows, found when the directory was read."""

    got: int
    allowed: int

    def __str__(self) -> str:
        return f"expected at most {self.allowed} partitions, got {self.got}"
