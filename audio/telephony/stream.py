"""A call on a connection."""

import asyncio
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection

from audio.assemble import RecordAssembler
from audio.telephony.sink import CallStart
from audio.telephony.types import StreamStarted, Track
from audio.types import Channel


def channels_of(event: StreamStarted) -> dict[Track, Channel]:
    """
    Who is heard on which track.

    The customer is the one whom Twilio hears; on a call that we made to the customer, with the parameter
    ``direction=outbound``, the leg is the agent's.
    """
    if event.parameters.get("direction") == "outbound":
        return {"inbound": Channel.AGENT, "outbound": Channel.CUSTOMER}
    return {"inbound": Channel.CUSTOMER, "outbound": Channel.AGENT}


@dataclass(slots=True, eq=False)
class Stream:
    """What the server knows of a call that is being heard."""

    connection: ServerConnection
    call: CallStart
    channels: dict[Track, Channel]
    assembler: RecordAssembler
    idle: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    """Of the message that is waited for."""
    receiving: bool = False
    """Whether ``idle`` runs."""
    drained: asyncio.Event = field(default_factory=asyncio.Event)
    """All its audio is with the sink."""
    superseded: bool = False

    def supersede(self) -> None:
        """Another connection of the call has come: take no further message."""
        self.superseded = True
        if self.receiving:
            self.idle.reschedule(asyncio.get_running_loop().time())
