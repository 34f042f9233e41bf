"""One channel's chain: payload, samples at 16 kHz, probabilities of speech, stretches of speech."""

from dataclasses import dataclass

import numpy as np

from audio.codecs import decode
from audio.dtmf import KeyDetector, Pressed
from audio.endpoint import Endpointer, EndpointPolicy, Segment
from audio.resample import Resampler
from audio.types import Encoding, Pcm
from audio.vad import WINDOW, VoiceActivity


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A stretch of speech with its audio."""

    start: int
    """In samples at 16 kHz since the call began, as ``end``."""
    end: int
    pcm: Pcm
    """Shape (end - start,)."""


class Cutter:
    """
    Find speech in one channel.

    Memory is bounded by the longest segment and the pre-roll.

    Args:
        start: Where the first payload begins, in samples at 16 kHz since the call began.
        after: ``spoken_until`` of the chain before, if any: the pre-roll does not reach back behind it.
    """

    def __init__(
        self,
        encoding: Encoding,
        rate: int,
        vad: VoiceActivity,
        policy: EndpointPolicy,
        *,
        start: int = 0,
        after: int = 0,
    ) -> None:
        self._encoding = encoding
        self._start = start
        self._resampler = Resampler(rate)
        self._vad = vad.stream()
        self._endpointer = Endpointer(policy, floor=max(after - start, 0))
        self._keys = KeyDetector()
        self._pressed: list[Pressed] = []
        self._pcm: Pcm = np.zeros(0, np.int16)
        self._base = 0
        """Where ``_pcm`` begins, in samples since ``start``."""

    @property
    def open(self) -> bool:
        """Whether somebody is speaking, or just made a sound that may be speech, or pressed a key."""
        return self._endpointer.start is not None or self._keys.open

    @property
    def spoken_until(self) -> int:
        """End of the last stretch of speech, in samples since the call began; ``start`` where there was none."""
        return self._start + self._endpointer.floor

    def prime(self, payload: bytes) -> None:
        """Warm up filter, detector and pre-roll with audio that was judged before."""
        pcm = self._take(self._resampler.push(decode(self._encoding, payload)))
        self._press(self._keys.push(pcm))
        for _ in self._vad.push(pcm):
            self._endpointer.skip(WINDOW)

    def push(self, payload: bytes) -> list[Speech]:
        """
        Take the next audio.

        Returns:
            The stretches of speech that ended, in their order.

        Raises:
            audio.errors.PayloadError: If the payload is none of the encoding.
        """
        return self._listen(self._resampler.push(decode(self._encoding, payload)))

    def flush(self) -> list[Speech]:
        """End: what is being said ends here."""
        ended = self._listen(self._resampler.flush())
        self._press(self._keys.flush())
        return ended + self._cut(self._endpointer.flush())

    def pressed(self) -> list[Pressed]:
        """Runs of keys that are over and were not asked for yet, in samples at 16 kHz since the call began."""
        pressed, self._pressed = self._pressed, []
        return pressed

    def open_span(self) -> Segment | None:
        """What is being said so far, in samples since the call began; None where nobody speaks."""
        start = self._endpointer.start
        if start is None or not self._endpointer.confirmed:
            return None
        return Segment(self._start + start, self._start + self._base + len(self._pcm))

    def open_speech(self) -> Speech | None:
        """The same with its audio."""
        span = self.open_span()
        return None if span is None else self._speech(Segment(span.start - self._start, span.end - self._start))

    def _press(self, runs: list[Pressed]) -> None:
        self._pressed += [Pressed(self._start + run.start, self._start + run.end, run.keys) for run in runs]

    def _take(self, pcm: Pcm) -> Pcm:
        self._pcm = np.concatenate([self._pcm, pcm])
        return pcm

    def _listen(self, pcm: Pcm) -> list[Speech]:
        segments: list[Segment] = []
        self._press(self._keys.push(pcm))
        for probability in self._vad.push(self._take(pcm)):
            segments += self._endpointer.push(probability, WINDOW)
        return self._cut(segments)

    def _cut(self, segments: list[Segment]) -> list[Speech]:
        ended = [self._speech(segment) for segment in segments]
        surplus = self._endpointer.earliest - self._base
        if surplus > 0:
            self._pcm = self._pcm[surplus:]
            self._base += surplus
        return ended

    def _speech(self, segment: Segment) -> Speech:
        pcm = self._pcm[segment.start - self._base : segment.end - self._base].copy()
        return Speech(self._start + segment.start, self._start + segment.start + len(pcm), pcm)
