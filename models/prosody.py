"""Prosody: how an utterance sounds, in a handful of numbers that the telephone leaves intact."""

import math
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from audio.types import SAMPLE_RATE, Pcm

_Frames = npt.NDArray[np.float32]
"""Shape (frames, samples) or (frames, bins)."""
_Series = npt.NDArray[np.float32]
"""Shape (frames,)."""

HOP: Final = SAMPLE_RATE // 100
"""Samples between frames (10 ms)."""
_WINDOW: Final = SAMPLE_RATE // 25
"""Samples of a frame (40 ms), three periods of the lowest pitch."""
_FFT: Final = 1024
_DECIMATION: Final = 4
_PITCH_RATE: Final = SAMPLE_RATE // _DECIMATION
_PITCH_FFT: Final = 512
_LOWEST_HZ, _HIGHEST_HZ = 75.0, 500.0
_VOICED_FROM: Final = 0.5
"""Periodicity from which a frame is voiced; Boersma's default is 0.45 on clean speech."""
_OCTAVE_COST: Final = 0.02
_BELOW_PEAK_DB: Final = 25.0
"""A frame further below the utterance's loud frames than this is a pause."""
_SILENCE_DBFS: Final = -96.0
_FULL_SCALE: Final = 32_768.0
_LONGEST: Final = 30 * SAMPLE_RATE
"""Samples that are measured at most, the first ones."""


class Prosody(msgspec.Struct, frozen=True, kw_only=True):
    """One utterance. What needs voice is None where too little was voiced."""

    speech_ms: int
    """Frames that are no pause."""
    loudness_dbfs: float
    """Median level of those frames; digital silence is -96."""
    voiced_share: float
    """0 ... 1, of those frames."""
    pitch_hz: float | None
    """Median F0."""
    pitch_p95_hz: float | None
    pitch_range_st: float | None
    """From the 5th to the 95th percentile of F0, in semitones."""
    hf500_db: float | None
    """Energy of voiced frames from 500 Hz to 3.4 kHz over that from 80 to 500 Hz."""
    hf1000_db: float | None
    """The same, split at 1 kHz."""
    syllables_per_s: float | None
    """Syllable nuclei a second of speech."""

    @property
    def voiced_ms(self) -> int:
        return round(self.speech_ms * self.voiced_share)


class Contour(NamedTuple):
    """An utterance frame by frame, 10 ms apart."""

    frames: npt.NDArray[np.float32]
    """Shape (frames, 640): 40 ms of samples each, full scale being 1."""
    level_db: npt.NDArray[np.float32]
    """Shape (frames,), dBFS."""
    active: npt.NDArray[np.bool_]
    """Shape (frames,): no pause."""
    pitch_hz: npt.NDArray[np.float32]
    """Shape (frames,): F0, or NaN where a frame is not voiced."""
    strength: npt.NDArray[np.float32]
    """Shape (frames,): periodicity, 0 ... 1 or a little more."""


def trace(pcm: Pcm) -> Contour | None:
    """
    Follow an utterance through time.

    F0 comes from the autocorrelation of 40 ms frames divided by that of the window, on speech brought to 4 kHz, so
    that the fundamental is found from its harmonics where the telephone cuts it off; a second pass keeps to the
    speaker's own range, which removes most octave errors. Only what lies below 3.4 kHz is used.

    Args:
        pcm: Shape (n,), 16 kHz, any length; what comes after 30 s is left out.

    Returns:
        None where there is nothing to hear: shorter than a frame, or silent.

    Source: Boersma: Accurate short-term analysis of the fundamental frequency, IFA Proceedings 17, 1993; De Looze,
        Hirst: Detecting changes in key and range, Speech Prosody 2008 (two passes).
    """
    if len(pcm) < _WINDOW:
        return None
    samples = pcm[:_LONGEST].astype(np.float32) / np.float32(_FULL_SCALE)
    frames = _framed(samples, _WINDOW, HOP)
    levels = 10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12, dtype=np.float32)
    loud = float(np.percentile(levels, 95))
    if loud < -75.0:
        return None
    active = levels > loud - _BELOW_PEAK_DB
    return Contour(frames, levels, active, *_pitch(samples, len(frames), active))


def measure(pcm: Pcm) -> Prosody:
    """
    Measure an utterance, by its contour.

    Args:
        pcm: Shape (n,), 16 kHz, any length; what comes after 30 s is left out.

    Returns:
        Never fails: of an empty or silent utterance all that needs voice is None.
    """
    return summarise(trace(pcm))


def summarise(contour: Contour | None) -> Prosody:
    """
    A contour in a handful of numbers; None is silence.

    Source: de Jong, Wempe: Praat script to detect syllable nuclei, Behavior Research Methods 41, 2009; Bone, Lee,
        Narayanan 2014 (HF500).
    """
    if contour is None:
        return _nothing()
    frames, levels, active, pitch, _ = contour
    voiced = ~np.isnan(pitch)
    count, speech = int(voiced.sum()), int(active.sum())
    enough = count >= 10
    found = pitch[voiced]
    low, median, high = (float(q) for q in np.percentile(found, (5, 50, 95))) if enough else (1.0, 1.0, 1.0)
    hf500, hf1000 = _high_over_low(frames[voiced]) if enough else (None, None)
    return Prosody(
        speech_ms=speech * 10,
        loudness_dbfs=max(float(np.median(levels[active])), _SILENCE_DBFS),
        voiced_share=count / speech,
        pitch_hz=median if enough else None,
        pitch_p95_hz=high if enough else None,
        pitch_range_st=12 * math.log2(high / low) if enough else None,
        hf500_db=hf500,
        hf1000_db=hf1000,
        syllables_per_s=_nuclei(levels, voiced) * 100 / speech if enough else None,
    )


def _nothing() -> Prosody:
    return Prosody(
        speech_ms=0,
        loudness_dbfs=_SILENCE_DBFS,
        voiced_share=0.0,
        pitch_hz=None,
        pitch_p95_hz=None,
        pitch_range_st=None,
        hf500_db=None,
        hf1000_db=None,
        syllables_per_s=None,
    )


def _framed(samples: _Series, window: int, hop: int) -> _Frames:
    frames: _Frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    return frames


def _lowpass() -> _Series:
    """Windowed sinc, 1.2 kHz at 16 kHz: five harmonics of a high voice, and nothing that decimation would fold."""
    n = np.arange(-32, 33)
    taps = np.sinc(2 * 1_200 / SAMPLE_RATE * n) * np.hamming(len(n))
    scaled: _Series = (taps / taps.sum()).astype(np.float32)
    return scaled


_TAPS: Final = _lowpass()
_PITCH_WINDOW: Final = np.hanning(_WINDOW // _DECIMATION).astype(np.float32)


def _autocorrelation(frames: _Frames) -> _Frames:
    power = np.square(np.abs(np.fft.rfft(frames, _PITCH_FFT, axis=-1)))
    raw = np.fft.irfft(power, _PITCH_FFT, axis=-1)[..., : _WINDOW // _DECIMATION]
    normal: _Frames = (raw / (raw[..., :1] + 1e-9)).astype(np.float32)
    return normal


_WINDOW_AUTOCORRELATION: Final = _autocorrelation(_PITCH_WINDOW)


def _pitch(samples: _Series, count: int, active: npt.NDArray[np.bool_]) -> tuple[_Series, _Series]:
    """F0 of each frame in Hz, NaN where it is not voiced, and its strength."""
    slow = np.convolve(samples, _TAPS, mode="same")[::_DECIMATION].astype(np.float32)
    frames = _framed(slow, _WINDOW // _DECIMATION, HOP // _DECIMATION)[:count]
    pitch, strengths = np.full(count, np.nan, dtype=np.float32), np.zeros(count, dtype=np.float32)
    chosen = np.flatnonzero(active[: len(frames)])
    if len(chosen) == 0:
        return pitch, strengths
    centred = frames[chosen] - frames[chosen].mean(axis=1, keepdims=True)
    longest = int(_PITCH_RATE / _LOWEST_HZ) + 2
    normal = _autocorrelation(centred * _PITCH_WINDOW)[:, :longest] / _WINDOW_AUTOCORRELATION[:longest]
    first, strength = _best(normal, _LOWEST_HZ, _HIGHEST_HZ)
    sure = first[strength >= _VOICED_FROM]
    strengths[chosen] = strength
    if len(sure) < 5:
        return pitch, strengths
    quarter, three_quarters = np.percentile(sure, (25, 75))
    low, high = max(_LOWEST_HZ, 0.70 * float(quarter)), min(_HIGHEST_HZ, 1.6 * float(three_quarters))
    second, strength = _best(normal, low, high)
    voiced = strength >= _VOICED_FROM
    pitch[chosen[voiced]], strengths[chosen] = second[voiced], strength
    return pitch, strengths


def _best(normal: _Frames, low_hz: float, high_hz: float) -> tuple[_Series, _Series]:
    """The strongest lag of each frame between two pitches: its F0 in Hz and its strength."""
    shortest = max(2, math.floor(_PITCH_RATE / high_hz))
    longest = min(normal.shape[1] - 2, math.ceil(_PITCH_RATE / low_hz))
    lags = np.arange(shortest, longest + 1)
    before, here, after = (normal[:, shortest + step : longest + 1 + step] for step in (-1, 0, 1))
    peak = (here >= before) & (here >= after)
    # At 4 kHz a high voice's peaks fall between samples: without the parabola its subharmonics would win.
    bend = np.minimum(before - 2 * here + after, -1e-6)
    shift = np.where(peak, 0.5 * (before - after) / bend, 0.0)
    height = here - 0.25 * (before - after) * shift
    # Boersma's octave cost prefers the shorter of two lags that are as good.
    cost = (_OCTAVE_COST * np.log2(_LOWEST_HZ * lags / _PITCH_RATE)).astype(np.float32)
    at = np.argmax(np.where(peak, height - cost, -1.0), axis=1)
    rows = np.arange(len(normal))
    found = (_PITCH_RATE / (at + shortest + shift[rows, at])).astype(np.float32)
    return found, np.where(peak.any(axis=1), height[rows, at], 0.0).astype(np.float32)


_HANN: Final = np.hanning(_WINDOW).astype(np.float32)


def _high_over_low(frames: _Frames) -> tuple[float, float]:
    """HF500 and its sibling at 1 kHz, in dB."""
    power = np.square(np.abs(np.fft.rfft(frames[::2] * _HANN, _FFT, axis=1))).sum(axis=0)
    edges = [round(hz * _FFT / SAMPLE_RATE) for hz in (80, 500, 1_000, 3_400)]
    low, middle, high = (float(power[a:b].sum()) + 1e-9 for a, b in pairwise(edges))
    return 10 * math.log10((middle + high) / low), 10 * math.log10(high / (low + middle))


def _nuclei(levels: _Series, voiced: npt.NDArray[np.bool_]) -> int:
    """Peaks of intensity in voiced frames with a dip of at least 2 dB before each."""
    smooth = np.convolve(levels, np.full(5, 0.2, dtype=np.float32), mode="same")
    turns = np.flatnonzero((smooth[1:-1] >= smooth[:-2]) & (smooth[1:-1] > smooth[2:])) + 1
    count, dip, last = 0, 0, -1
    for at in turns:
        if last >= 0:
            dip = int(smooth[last : at + 1].argmin()) + last
        deep = last < 0 or smooth[at] - smooth[dip] >= 2.0
        if deep and voiced[at]:
            count += 1
            last = int(at)
        elif last >= 0 and smooth[at] > smooth[last]:
            last = int(at)
    return count
