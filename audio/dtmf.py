"""
Keys pressed on a telephone, found by their two tones.

A frame of 25 ms holds a key when nearly all of its energy lies at one of the four low and one of the four high
frequencies of ITU-T Q.23, in a proportion that telephones make, without overtones. Three such frames in a row, 10 ms
apart, are a key: that takes the 40 ms that ITU-T Q.24 asks for, and speech and music do not do it.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audio.types import SAMPLE_RATE, Pcm

_LOW: Final = (697, 770, 852, 941)
_HIGH: Final = (1209, 1336, 1477, 1633)
_SYMBOLS: Final = ("123A", "456B", "789C", "*0#D")
"""By low, then high frequency."""

_FRAME: Final = SAMPLE_RATE // 40
_HOP: Final = SAMPLE_RATE // 100
_PROBES: Final = (0.99, 1.0, 1.01)
"""Telephones are allowed 1.5 % beside the frequency: the nearest of these sees most of the energy."""
_SHARE: Final = 0.7
"""Of the frame's energy that the two tones hold at least."""
_PURE: Final = 0.85
"""The same of one frame of a key at least: the others may lie half beside it."""
_TWIST: Final = (10 ** (-1.0), 10**0.6)
"""Power of the high tone over the low: from -10 to +6 dB, a little more than ITU-T Q.24 asks for."""
_ALONE: Final = 0.16
"""Of a tone's power, what the next strongest of its group may have (-8 dB)."""
_OVERTONE: Final = 0.1
"""Of the louder tone's power, what a first overtone may have: voices and instruments have more."""
_QUIET: Final = 32768 * 10 ** (-42 / 20)
"""Level of a frame below which nobody has pressed a key."""
_LEAST: Final = 3
"""Frames of a key."""
_MISSED: Final = 2
"""Frames without it that end a key."""
_RUN_S: Final = 2.0
"""So long after a key, no other key belongs to it."""


class Pressed(NamedTuple):
    """Keys pressed one after the other."""

    start: int
    """In samples at 16 kHz since the stream began, as ``end``."""
    end: int
    keys: str
    """Of 0 to 9, *, # and A to D."""


def _waves() -> npt.NDArray[np.float32]:
    """Shape (_FRAME, 2 * 8 * probes + 2 * 8): cosines and sines of all frequencies, then of their overtones."""
    time = np.arange(_FRAME) / SAMPLE_RATE
    frequencies = [f * probe for f in (*_LOW, *_HIGH) for probe in _PROBES] + [2 * f for f in (*_LOW, *_HIGH)]
    angles = 2 * np.pi * np.outer(time, frequencies)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


_WAVES: Final = _waves()


class KeyDetector:
    """
    Find the keys in one channel; what it finds does not depend on how the audio is cut into pieces.

    Source: ITU-T Q.23 and Q.24; the correlation with each tone is Goertzel's, written as one product of matrices.
    """

    def __init__(self) -> None:
        self._pcm: Pcm = np.zeros(0, np.int16)
        self._at = 0
        """Where ``_pcm`` begins, in samples since the stream began: the start of the next frame."""
        self._symbol = ""
        """Of the frames in a row that are counted."""
        self._seen = 0
        self._pure = False
        """Whether one of them is."""
        self._missed = 0
        self._first = 0
        """Where the first of these frames begins."""
        self._run: Pressed | None = None

    @property
    def open(self) -> bool:
        """Whether a key is down, or another may follow the last."""
        return self._run is not None or self._seen > 0

    def push(self, pcm: Pcm) -> list[Pressed]:
        """
        Take the next samples.

        Args:
            pcm: Shape (n,), 16 kHz.

        Returns:
            The runs of keys that are over.
        """
        self._pcm = np.concatenate([self._pcm, pcm])
        count = (len(self._pcm) - _FRAME) // _HOP + 1
        if count <= 0:
            return []
        over: list[Pressed] = []
        frames = np.lib.stride_tricks.sliding_window_view(self._pcm, _FRAME)[: count * _HOP : _HOP]
        for symbol, pure in _symbols(frames):
            over += self._count(symbol, pure)
            self._at += _HOP
        self._pcm = self._pcm[count * _HOP :]
        return over

    def flush(self) -> list[Pressed]:
        """End: nothing more belongs to the last run."""
        run, self._run, self._seen, self._symbol = self._run, None, 0, ""
        return [] if run is None else [run]

    def _count(self, symbol: str, pure: bool) -> list[Pressed]:
        """One more frame, which begins at ``_at``."""
        over: list[Pressed] = []
        if self._run is not None and self._at - self._run.end > _RUN_S * SAMPLE_RATE and not self._seen:
            over, self._run = [self._run], None
        if symbol and symbol == self._symbol:
            told = self._is_key
            self._seen, self._missed, self._pure = self._seen + 1, 0, self._pure or pure
            if self._is_key:
                self._note(new=not told)
        elif symbol and not self._is_key:
            self._symbol, self._seen, self._missed, self._first, self._pure = symbol, 1, 0, self._at, pure
        elif self._seen:
            self._missed += 1
            if self._missed >= _MISSED or not self._is_key:
                self._symbol, self._seen = "", 0
        return over

    @property
    def _is_key(self) -> bool:
        return self._pure and self._seen >= _LEAST

    def _note(self, *, new: bool) -> None:
        end, run = self._at + _FRAME, self._run
        if run is None:
            self._run = Pressed(self._first, end, self._symbol)
        else:
            self._run = Pressed(run.start, end, run.keys + self._symbol if new else run.keys)


def _symbols(frames: npt.NDArray[np.int16]) -> list[tuple[str, bool]]:
    """The key that each frame, of shape (n, _FRAME), sounds like, empty where it is none; and whether it is pure."""
    loud = np.abs(frames).max(axis=1, initial=0) >= _QUIET
    found = [("", False)] * len(frames)
    if not loud.any():
        return found
    samples = frames[loud].astype(np.float32)
    energy = np.einsum("ij,ij->i", samples, samples)
    both = samples @ _WAVES
    half = both.shape[1] // 2
    # Of a frame that is one sine alone, all its energy.
    power = (both[:, :half] ** 2 + both[:, half:] ** 2) * (2 / _FRAME)
    tones = power[:, :-8].reshape(len(samples), 8, len(_PROBES)).max(axis=2)
    overtones = power[:, -8:]
    rows = np.arange(len(samples))
    low, high = tones[:, :4].argmax(axis=1), 4 + tones[:, 4:].argmax(axis=1)
    a, b = tones[rows, low], tones[rows, high]
    ranked = np.sort(tones.reshape(len(samples), 2, 4), axis=2)
    fits = (a + b >= _SHARE * energy) & (b >= _TWIST[0] * a) & (b <= _TWIST[1] * a)
    fits &= (ranked[:, :, 2] <= _ALONE * ranked[:, :, 3]).all(axis=1)
    # Of the louder: a frame this short sees a part of the high tone where the overtone of the low one would be.
    fits &= np.maximum(overtones[rows, low], overtones[rows, high]) <= _OVERTONE * np.maximum(a, b)
    pure = a + b >= _PURE * energy
    for place, n in zip(np.flatnonzero(loud), rows, strict=True):
        if fits[n]:
            found[place] = _SYMBOLS[low[n]][high[n] - 4], bool(pure[n])
    return found
