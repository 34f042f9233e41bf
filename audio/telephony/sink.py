"""What the doors and the rest of the program say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from audio.telephony.types import Counts, StreamStarted
from audio.types import AudioRecord, Encoding

_FIELDS: Final = frozenset({"token", "customer_id", "customer_name", "agent_id", "queue"})
_ATTRIBUTES, _NAME, _TEXT = 40, 64, 256
"""Attributes of a call, characters of a name and of a text; ours."""


@dataclass(frozen=True, slots=True)
class CallStart:
    """A call as the telephone side announces it."""

    call_id: str
    protocol: str
    encoding: Encoding
    rate: int
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    queue: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    """What else its parameters tell, without secrets: ``tenant``, ``customer_tier`` ..."""

    @classmethod
    def of(cls, event: StreamStarted) -> Self:
        """With what the stream's parameters tell of the call."""
        given = event.parameters
        return cls(
            call_id=event.call_id,
            protocol=event.protocol,
            encoding=event.encoding,
            rate=event.rate,
            customer_id=given.get("customer_id"),
            customer_name=given.get("customer_name"),
            agent_id=given.get("agent_id"),
            queue=given.get("queue"),
            attributes=_attributes(given),
        )


def _attributes(given: Mapping[str, str]) -> dict[str, str]:
    """The parameters that have no field of their own, as many and as long as fit in a message of a call."""
    others = {name: text for name, text in given.items() if name not in _FIELDS and len(name) <= _NAME}
    return {name: text[:_TEXT] for name, text in sorted(others.items())[:_ATTRIBUTES]}


class MediaSink(Protocol):
    """Where calls go; what it is told of one call comes in order, one thing at a time."""

    async def started(self, call: CallStart) -> int:
        """
        A call begins, or comes back.

        Returns:
            Where this stream continues the call, in milliseconds; 0 for a new one.

        Raises:
            Busy: If no more calls are taken.
            Refused: If this one is not.
        """
        ...

    async def audio(self, record: AudioRecord) -> None:
        """The next audio; may take its time, and then the telephone side waits."""
        ...

    async def ended(self, call_id: str, duration_ms: int, clean: bool) -> None:
        """
        The stream is over.

        Args:
            duration_ms: From the start of the call.
            clean: False where the stream broke off: the call may come back.
        """
        ...


@dataclass(frozen=True, slots=True)
class MediaPolicy:
    """
    Whom the doors let in, and for how long.

    Raises:
        ValueError: If it would leave a door open by mistake.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    """Wanted in the custom parameter ``token`` of each stream; None takes anybody."""
    twilio_auth_token: str | None = None
    """Wanted in the signature of each upgrade, where set."""
    public_url: str | None = None
    """As Twilio was given it."""
    max_message: int = 65_536
    first_message_s: float = 5.0
    """Until a stream has started."""
    idle_s: float = 15.0
    close_s: float = 3.0
    """For a closing handshake, and for calls to be handed over when the doors close."""
    max_waiting: int = 200
    """Connections that have not started a stream yet."""
    max_waiting_per_address: int = 10
    shared_addresses: frozenset[str] = field(default=frozenset({"127.0.0.1", "::1"}))
    """Addresses with no limit of their own: a proxy on this machine brings everybody from one."""

    def __post_init__(self) -> None:
        if self.token == "":
            raise ValueError("expected a token, or None to take anybody, got an empty one")
        if self.twilio_auth_token is not None and not (self.twilio_auth_token and self.public_url):
            raise ValueError("expected twilio_auth_token together with public_url, got one of them")


@dataclass(slots=True)
class Totals:
    """All connections since the start."""

    connections: int = 0
    refused: int = 0
    """Turned away before the upgrade, or before their stream began."""
    streams: int = 0
    unclean: int = 0
    """Streams that broke off."""
    superseded: int = 0
    """Streams that another connection of the same call took over."""
    late: int = 0
    """Samples that came too late to be used."""
    filled: int = 0
    """Samples of silence put where audio was missing."""
    messages: Counts = field(default_factory=Counts)
