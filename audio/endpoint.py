"""Endpointing: from speech probabilities to segments."""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from audio.types import SAMPLE_RATE

_MS = SAMPLE_RATE // 1000


class Segment(NamedTuple):
    """A stretch of speech on one channel, in samples since the stream began."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """All lengths in samples at 16 kHz."""

    open_at: float = 0.50
    """Speech probability that opens a segment."""
    close_at: float = 0.35
    """Speech probability below which silence counts."""
    min_silence: int = 500 * _MS
    """Silence that closes a short segment."""
    least_silence: int = 200 * _MS
    """Silence that closes a long one: who talks long is cut where they draw breath."""
    short: int = 2_000 * _MS
    """Up to here a segment is short; the silence that it takes then falls evenly ..."""
    long: int = 5_000 * _MS
    """... until here."""
    min_speech: int = 100 * _MS
    """What has less speech is a click, and dropped."""
    pre_roll: int = 200 * _MS
    """Taken in before the first window of speech, for soft onsets."""
    post_roll: int = 100 * _MS
    """Taken in of the silence behind."""
    max_length: int = 20_000 * _MS
    """A longer segment is cut at its quietest point of the last ``look_back``."""
    look_back: int = 2_000 * _MS

    def __post_init__(self) -> None:
        if not 0 <= self.close_at <= self.open_at <= 1:
            raise ValueError(f"expected 0 <= close_at <= open_at <= 1, got {self.close_at} and {self.open_at}")
        if not 0 <= self.post_roll <= self.least_silence <= self.min_silence:
            raise ValueError(
                "expected 0 <= post_roll <= least_silence <= min_silence, "
                f"got {self.post_roll}, {self.least_silence} and {self.min_silence}"
            )
        if not self.look_back < self.max_length or not self.short < self.long:
            raise ValueError("expected look_back < max_length and short < long")


class Endpointer:
    """
    Cut one channel into segments that are ordered and disjoint.

    Args:
        floor: End of the last segment before this stream, where it reaches into it.
    """

    def __init__(self, policy: EndpointPolicy, *, floor: int = 0) -> None:
        self._policy = policy
        self._now = 0
        self._floor = floor
        self._start: int | None = None
        self._voiced = 0
        self._silent_since: int | None = None
        self._recent: deque[tuple[float, int]] = deque()
        """Probability and end of the last windows of the open segment."""

    @property
    def start(self) -> int | None:
        """Where the open segment began; None where nobody speaks."""
        return self._start

    @property
    def confirmed(self) -> bool:
        """Whether the open segment has enough speech to be kept."""
        return self._start is not None and self._voiced >= self._policy.min_speech

    @property
    def floor(self) -> int:
        """End of the last segment, also of one that was dropped: the next begins no earlier."""
        return self._floor

    @property
    def earliest(self) -> int:
        """Where a segment that opened now would begin: audio before is not needed any more."""
        begin = max(self._floor, self._now - self._policy.pre_roll) if self._start is None else self._start
        # The floor may lie ahead: in audio that is still to come.
        return min(begin, self._now)

    def skip(self, samples: int) -> None:
        """Advance without listening."""
        self._now += samples

    def push(self, probability: float, samples: int) -> list[Segment]:
        """Advance by a window; return the segment that it closed, if any."""
        policy = self._policy
        begin, self._now = self._now, self._now + samples
        if self._start is None:
            if probability < policy.open_at:
                return []
            self._start = max(self._floor, begin - policy.pre_roll)
        self._recent.append((probability, self._now))
        while self._recent[0][1] <= self._now - policy.look_back:
            self._recent.popleft()
        if probability >= policy.close_at:
            self._voiced += samples
            self._silent_since = None
        else:
            if self._silent_since is None:
                self._silent_since = begin
            if self._now - self._silent_since >= self._needed(self._silent_since - self._start):
                return self.flush()
        if self._now - self._start >= policy.max_length:
            return self._cut()
        return []

    def _needed(self, length: int) -> int:
        """Silence that closes a segment of this length."""
        policy = self._policy
        share = min(max((length - policy.short) / (policy.long - policy.short), 0.0), 1.0)
        return round(policy.min_silence - share * (policy.min_silence - policy.least_silence))

    def _cut(self) -> list[Segment]:
        """Close the open segment in the middle of speech, and go on with a new one."""
        assert self._start is not None
        # The last one of equals: as much as possible stays together.
        _, at = min(self._recent, key=lambda window: (window[0], -window[1]))
        segment = Segment(self._start, at)
        self._start = self._floor = at
        # Of the rest, speech alone counts: a breath behind the cut is no utterance.
        self._voiced, begin = 0, at
        for probability, end in self._recent:
            if end > at:
                self._voiced += end - begin if probability >= self._policy.close_at else 0
                begin = end
        self._recent.clear()
        if self._silent_since is not None:
            self._silent_since = max(self._silent_since, at)
        return [segment]

    def flush(self) -> list[Segment]:
        """Close the open segment, as at the end of the call."""
        if self._start is None:
            return []
        end = self._now
        if self._silent_since is not None:
            end = min(self._now, self._silent_since + self._policy.post_roll)
        segment, kept = Segment(self._start, end), self._voiced >= self._policy.min_speech
        self._start, self._silent_since, self._voiced = None, None, 0
        self._recent.clear()
        self._floor = max(self._floor, end)
        return [segment] if kept and segment.end > segment.start else []
