"""Where media belongs, from timestamps that need not be true."""

from typing import Final

from audio.telephony.types import Counts, Track

_ROUNDING_MS: Final = 2
"""Timestamps are whole milliseconds: audio this close to the end of what came before follows it without a seam."""
_BACK_MS: Final = 1_000
_AHEAD_MS: Final = 30_000
_LAST_MS: Final = 24 * 3600 * 1000


class MediaClock:
    """
    Timestamps of one stream to positions.

    No frame moves the clock alone: one that lies more than 1 s back, or more than 30 s ahead of all that was heard, is
    put behind what its track had before, and counted. A jump ahead is believed when the track goes on from there; one
    beyond 24 h never.

    Args:
        rate: Samples a second.
    """

    def __init__(self, rate: int, counts: Counts) -> None:
        self._rate = rate
        self._counts = counts
        self._ends: dict[Track, int] = {}
        self._jumped: dict[Track, int] = {}
        """End of a frame that lay too far ahead, the last one of the track."""

    def place(self, track: Track, at_ms: int, samples: int) -> int:
        """Position of a frame, in samples since the stream began."""
        end = self._ends.get(track, 0)
        at = at_ms * self._rate // 1000
        if abs(at - end) <= self._samples(_ROUNDING_MS):
            at = end
        elif not self._plausible(track, at, end):
            self._counts.clamped += 1
            self._jumped[track] = at + samples
            at = end
        else:
            self._jumped.pop(track, None)
        self._ends[track] = max(end, at + samples)
        return at

    def _plausible(self, track: Track, at: int, end: int) -> bool:
        if at < end - self._samples(_BACK_MS) or at < 0 or at > self._samples(_LAST_MS):
            return False
        if at <= max(self._ends.values(), default=0) + self._samples(_AHEAD_MS):
            return True
        jumped = self._jumped.get(track)
        return jumped is not None and 0 <= at - jumped + self._samples(_ROUNDING_MS) <= self._samples(_BACK_MS)

    def _samples(self, ms: int) -> int:
        return ms * self._rate // 1000
