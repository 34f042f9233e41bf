"""What every stage of a call's audio shares."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

SAMPLE_RATE: Final = 16_000
"""Samples a second inside Warmline."""
RECORD_MS: Final = 200
"""Audio in one record of the topic ``call.audio``."""

Pcm = npt.NDArray[np.int16]
"""Shape (n,), one channel."""


class Channel(StrEnum):
    """Who is heard."""

    CUSTOMER = "customer"
    AGENT = "agent"


class Encoding(StrEnum):
    """How samples are written on the wire."""

    PCMU = "pcmu"
    PCMA = "pcma"
    PCM16 = "pcm16"
    """Little-endian."""

    @property
    def sample_bytes(self) -> int:
        return 2 if self is Encoding.PCM16 else 1


@dataclass(frozen=True, slots=True, eq=False)
class AudioRecord:
    """Up to 200 ms of one call, both channels as received."""

    call_id: str
    seq: int
    """Position of the record in the call, from 0: ``offset // (rate * RECORD_MS // 1000)``."""
    offset: int
    """First sample since the call began, at ``rate``."""
    rate: int
    encoding: Encoding
    customer: bytes
    """Empty where the channel does not exist."""
    agent: bytes

    def payload(self, channel: Channel) -> bytes:
        return self.customer if channel is Channel.CUSTOMER else self.agent
