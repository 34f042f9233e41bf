"""What is wrong with the sound of a call, from what the pipeline tells and from the level of what was said."""

from typing import Final

import msgspec

from agent_assist.types import AudioFault, Degraded
from audio.types import Channel

QUIET_DBFS: Final = -41.0
LOUD_DBFS: Final = -11.0
"""
Mean level of a speaker's utterances beyond which it is a fault: 15 dB about the level of active speech that telephone
networks aim at, -26 dBov (ITU-T P.56, G.169). The 15 dB are ours.
"""

CLIPPING: Final = tuple(f"clipping_{channel}" for channel in Channel)
"""Stages of what the pipeline tells of it, once a minute."""


class SoundFaults(msgspec.Struct, frozen=True, kw_only=True):
    """Faults told so far; those told again change nothing."""

    gaps: int = 0
    lost_ms: int = 0
    gap_at_ms: int = -1
    clipped_minutes: tuple[int, ...] = (0, 0)
    """Of the customer and the agent."""
    clipped_last: tuple[int, ...] = (-1, -1)

    def add(self, event: Degraded) -> "SoundFaults":
        """With one more; the same object where it is of another kind, or known."""
        if event.stage == "gap" and event.at_ms > self.gap_at_ms:
            return msgspec.structs.replace(
                self, gaps=self.gaps + 1, lost_ms=self.lost_ms + (event.ms or 0), gap_at_ms=event.at_ms
            )
        if event.stage in CLIPPING:
            who, minute = CLIPPING.index(event.stage), event.at_ms // 60_000
            if minute > self.clipped_last[who]:
                return msgspec.structs.replace(
                    self,
                    clipped_minutes=tuple(n + (i == who) for i, n in enumerate(self.clipped_minutes)),
                    clipped_last=tuple(minute if i == who else n for i, n in enumerate(self.clipped_last)),
                )
        return self

    def told(self) -> list[AudioFault]:
        """Those that there are."""
        faults: list[AudioFault] = []
        if self.gaps:
            faults.append(AudioFault(kind="loss", channel=None, count=self.gaps, ms=self.lost_ms))
        faults += [
            AudioFault(kind="clipping", channel=channel, count=minutes)
            for channel, minutes in zip(Channel, self.clipped_minutes, strict=True)
            if minutes
        ]
        return faults


NO_FAULTS: Final = SoundFaults()


def levels(customer_dbfs: float | None, agent_dbfs: float | None) -> list[AudioFault]:
    """Speakers who are heard too softly or too loudly; one who is not heard at all is none of them."""
    faults: list[AudioFault] = []
    for channel, level in zip(Channel, (customer_dbfs, agent_dbfs), strict=True):
        if level is not None and not QUIET_DBFS <= level <= LOUD_DBFS:
            faults.append(AudioFault(kind="quiet" if level < QUIET_DBFS else "loud", channel=channel, count=1))
    return faults
