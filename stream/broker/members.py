"""Members of consumer groups: what they ask, and what they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from stream.broker.errors import ErrorCode


class Protocol(NamedTuple):
    """A way to share partitions that a member knows."""

    name: str
    metadata: bytes


class Joined(NamedTuple):
    """Answer to a join."""

    code: ErrorCode
    generation: int = -1
    protocol: str = ""
    leader: str = ""
    member_id: str = ""
    members: tuple[tuple[str, bytes], ...] = ()
    """Id and metadata of all, told to the leader alone."""


class Synced(NamedTuple):
    """Answer to a sync."""

    code: ErrorCode
    assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class Join:
    """Who wants to be a member."""

    member_id: str
    client_id: str
    session_s: float
    """Without a sign of life for so long, the member is out."""
    rebalance_s: float
    """How long the others wait for it to join again."""
    protocol_type: str
    protocols: tuple[Protocol, ...]
    """The preferred one first."""


@dataclass(slots=True, eq=False)
class Member:
    """One consumer."""

    join: Join
    seen_s: float
    joining: Callable[[Joined], None] | None = None
    """Set while it waits for the others to join."""
    syncing: Callable[[Synced], None] | None = None
    """Set while it waits for the leader's assignment."""
    assignment: bytes = b""

    @property
    def waits(self) -> bool:
        return self.joining is not None or self.syncing is not None

    def metadata(self, protocol: str) -> bytes:
        return next(known.metadata for known in self.join.protocols if known.name == protocol)


def answer_sync(member: Member, synced: Synced) -> None:
    """Answer a sync that waits, if there is one."""
    if member.syncing is not None:
        answer, member.syncing = member.syncing, None
        answer(synced)
