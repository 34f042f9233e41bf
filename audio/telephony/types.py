"""What every door reduces its protocol to."""

from dataclasses import dataclass
from typing import Literal, Protocol

from audio.types import Encoding

Track = Literal["inbound", "outbound"]
"""Inbound is what the telephone side hears from the party on that leg, outbound what it plays to them."""


@dataclass(frozen=True, slots=True)
class StreamStarted:
    protocol: str
    call_id: str
    stream_id: str
    tracks: tuple[Track, ...]
    encoding: Encoding
    rate: int
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Media:
    track: Track
    payload: bytes
    at: int
    """First sample, at the stream's rate, since the stream began."""


@dataclass(frozen=True, slots=True)
class Dtmf:
    track: Track
    digit: str


@dataclass(frozen=True, slots=True)
class StreamEnded:
    clean: bool
    """False where the protocol has an end and it did not come."""


TelephonyEvent = StreamStarted | Media | Dtmf | StreamEnded


@dataclass(slots=True, eq=False)
class Counts:
    """What was odd about a connection, or all of them."""

    messages: int = 0
    malformed: int = 0
    """Not of the protocol."""
    dropped: int = 0
    """Media that could not be used: before the start, after the end, undecodable, seen before."""
    reordered: int = 0
    clamped: int = 0
    """Timestamps that jumped where no audio could."""

    def add(self, other: "Counts") -> None:
        self.messages += other.messages
        self.malformed += other.malformed
        self.dropped += other.dropped
        self.reordered += other.reordered
        self.clamped += other.clamped


class Adapter(Protocol):
    """One connection of one protocol: messages in, events out; knows no socket."""

    @property
    def counts(self) -> Counts:
        """Of this connection, so far."""
        ...

    def receive(self, message: str | bytes) -> list[TelephonyEvent]:
        """
        Take the next message.

        Raises:
            audio.errors.ProtocolError: If the peer breaks the protocol so that the connection must close.
        """
        ...

    def closed(self) -> list[TelephonyEvent]:
        """The connection is gone: the rest, with a ``StreamEnded`` where a stream was open."""
        ...
