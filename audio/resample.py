"""
Resampling to 16 kHz, piece by piece.

A polyphase filter with whole taps, summed in doubles that hold every such sum exactly: the result depends on the
samples alone, to the last bit, and not on the pieces they come in, so that a worker that takes a call over hears
exactly what the one before it heard. (The streams of libsoxr dither and buffer by piece.)

Source: Crochiere and Rabiner, Multirate Digital Signal Processing, 1983, ch. 3; Kaiser window.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np
import numpy.typing as npt

from audio.types import SAMPLE_RATE, Pcm

_CROSSINGS = 16
"""Zero crossings of the sinc on each side."""
_BETA = 8.0
"""Kaiser: about 80 dB of stop band."""
_SCALE = 1 << 15


@lru_cache(maxsize=16)
def _taps(up: int, down: int) -> npt.NDArray[np.float64]:
    """Shape (up, width): the filter of each phase, in units of 1 / 32768; each phase passes a constant unchanged."""
    stretch = max(1.0, down / up)
    half = ceil(_CROSSINGS * stretch)
    phases = np.arange(up)[:, None] / up
    time = np.arange(-half + 1, half + 1)[None, :] - phases
    cutoff = 0.94 / stretch
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (time / half) ** 2, 0, None))) / np.i0(_BETA)
    taps = cutoff * np.sinc(cutoff * time) * window
    whole = np.rint(taps / taps.sum(axis=1, keepdims=True) * _SCALE).astype(np.int64)
    whole[:, half - 1] += _SCALE - whole.sum(axis=1)
    filters: npt.NDArray[np.float64] = whole.astype(np.float64)
    return filters


class Resampler:
    """
    One channel to 16 kHz; output sample n is the input at the time n / 16000.

    Args:
        rate: Of the input, in Hz.
    """

    def __init__(self, rate: int) -> None:
        if rate <= 0:
            raise ValueError(f"expected a rate above 0 Hz, got {rate}")
        divisor = gcd(SAMPLE_RATE, rate)
        self._up, self._down = SAMPLE_RATE // divisor, rate // divisor
        self._pass = self._up == self._down
        self._filter = _taps(self._up, self._down)
        self._half = self._filter.shape[1] // 2
        # The filter looks half its width back: before the first sample there was silence.
        self._buffer = np.zeros(self._half - 1, np.float64)
        self._base = -(self._half - 1)
        """Input index of the buffer's first sample."""
        self._taken = 0
        self._given = 0

    def push(self, pcm: Pcm) -> Pcm:
        """
        Give samples; take what can be told of the output so far.

        Args:
            pcm: Shape (n,).
        """
        if self._pass:
            return pcm
        self._taken += len(pcm)
        self._buffer = np.concatenate([self._buffer, pcm])
        # Output n needs input up to floor(n * down / up) + half.
        known = self._base + len(self._buffer)
        end = max(self._given, ((known - self._half) * self._up - 1) // self._down + 1)
        return self._filtered(end)

    def flush(self) -> Pcm:
        """The rest, as if silence followed; in all, ceil(n * 16000 / rate) samples."""
        if self._pass:
            return np.zeros(0, np.int16)
        end = -(-self._taken * self._up // self._down)
        self._buffer = np.concatenate([self._buffer, np.zeros(2 * self._half, np.float64)])
        return self._filtered(max(end, self._given))

    def _filtered(self, end: int) -> Pcm:
        if end <= self._given:
            return np.zeros(0, np.int16)
        total = self._whole(end) if self._down == 1 else self._gathered(end)
        self._given = end
        keep = end * self._down // self._up - self._half + 1 - self._base
        if keep > 0:
            self._buffer = self._buffer[keep:]
            self._base += keep
        rounded: Pcm = np.clip(np.floor((total + _SCALE / 2) / _SCALE), -32768, 32767).astype(np.int16)
        return rounded

    def _whole(self, end: int) -> npt.NDArray[np.float64]:
        """To a multiple of the rate: each phase is a plain convolution."""
        first = self._given // self._up - self._half + 1 - self._base
        last = end // self._up + self._half - self._base
        buffer = self._buffer[first:last]
        phases = [np.correlate(buffer, taps, "valid") for taps in self._filter]
        return np.stack(phases, axis=1).reshape(-1)

    def _gathered(self, end: int) -> npt.NDArray[np.float64]:
        """In general: each output picks its window and its phase."""
        position = np.arange(self._given, end, dtype=np.int64) * self._down
        index, phase = position // self._up, position % self._up
        windows = np.lib.stride_tricks.sliding_window_view(self._buffer, 2 * self._half)
        first = index - self._half + 1 - self._base
        total: npt.NDArray[np.float64] = np.einsum("ij,ij->i", windows[first], self._filter[phase])
        return total
