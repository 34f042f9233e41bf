"""
How an utterance sounds, as a fixed number of statistics over its frames: what a model of emotion reads.

Only what lies between 80 Hz and 3.6 kHz is used, so that a telephone and a wideband door sound alike. All are in
logarithms (dB, semitones) or shares; a change of level or of a line's frequency response adds a constant, which the
speaker's baseline takes away.

Source: the kinds of descriptors and functionals are those of Eyben et al.: The Geneva Minimalistic Acoustic Parameter
Set (GeMAPS) for Voice Research and Affective Computing, IEEE Transactions on Affective Computing 7(2), 2016.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from audio.types import SAMPLE_RATE
from models.prosody import Contour

_Array = npt.NDArray[np.float32]

BANDS: Final = 30
_CEPSTRA: Final = 12
_FFT: Final = 512
_EDGE: Final = 64
"""Samples of a 40 ms frame left out on either side: 32 ms remain."""
_LOW_HZ, _HIGH_HZ = 80.0, 3_600.0
_LEAST_FRAMES: Final = 20
_BLOCKS: Final = 4
"""Groups of bands whose modulation is measured."""
_MODULATION: Final = 128
_REFERENCE_HZ: Final = 100.0


def _filters() -> tuple[_Array, npt.NDArray[np.float64]]:
    """Triangles on the mel scale of HTK, shape (257, BANDS), each adding up to 1; and their centres in Hz."""
    mel = np.linspace(2595 * np.log10(1 + _LOW_HZ / 700), 2595 * np.log10(1 + _HIGH_HZ / 700), BANDS + 2)
    hz = 700 * (10 ** (mel / 2595) - 1)
    bins = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
    up = (bins[:, None] - hz[None, :-2]) / (hz[1:-1] - hz[:-2])
    down = (hz[None, 2:] - bins[:, None]) / (hz[2:] - hz[1:-1])
    triangles = np.maximum(0.0, np.minimum(up, down))
    return (triangles / triangles.sum(axis=0)).astype(np.float32), hz[1:-1]


_FILTERS, _CENTRES = _filters()
_HANN: Final = np.hanning(_FFT).astype(np.float32)
_COSINES: Final = np.cos(
    np.pi / BANDS * (np.arange(BANDS)[:, None] + 0.5) * np.arange(1, _CEPSTRA + 1)[None, :]
).astype(np.float32) * np.float32(np.sqrt(2 / BANDS))
_LOWER_BINS: Final = slice(3, 17)
"""80 to 530 Hz."""


def log_mel(contour: Contour) -> _Array:
    """Shape (frames, BANDS), dB."""
    spectrum = np.fft.rfft(contour.frames[:, _EDGE : _EDGE + _FFT] * _HANN, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    logarithm: _Array = 10 * np.log10(power @ _FILTERS + np.float32(1e-9))
    return logarithm


def describe(contour: Contour | None) -> _Array | None:
    """
    All statistics of an utterance.

    Returns:
        Shape (271,), finite; None where less than 200 ms is voiced.
    """
    if contour is None:
        return None
    voiced = ~np.isnan(contour.pitch_hz)
    if int(voiced.sum()) < _LEAST_FRAMES:
        return None
    first, last = np.flatnonzero(contour.active)[[0, -1]]
    span = slice(first, last + 1)
    mel = log_mel(contour)[span]
    active, voiced = contour.active[span], voiced[span]
    level = 10 * np.log10(np.mean(10 ** (mel / 10), axis=1))
    values = [
        *_spectral(mel, active, voiced, level),
        *_levels(level, active, voiced),
        *_pitches(contour.pitch_hz[span], voiced),
        *_quality(contour.strength[span], mel, level, voiced),
        *_rhythm(level, active, voiced),
        *_modulation(mel, level),
    ]
    found: _Array = np.concatenate(values).astype(np.float32)
    return found


def _spread(x: npt.NDArray[np.floating], quantiles: tuple[int, ...] = (10, 50, 90)) -> _Array:
    """Quantiles along the first axis, by rank, flattened."""
    ordered = np.sort(x, axis=0)
    ranks = [round(q / 100 * (len(x) - 1)) for q in quantiles]
    found: _Array = ordered[ranks].reshape(-1)
    return found


def _spectral(mel: _Array, active: npt.NDArray[np.bool_], voiced: npt.NDArray[np.bool_], level: _Array) -> list[_Array]:
    """The shape of the spectrum, without its level, and how it moves."""
    shape = mel - level[:, None]
    spoken, sung = shape[active], shape[voiced]
    step = np.diff(mel, axis=0)[active[1:] & active[:-1]]
    step = step if len(step) else np.zeros((1, BANDS), np.float32)
    unvoiced = active & ~voiced
    noise = shape[unvoiced].mean(axis=0) if unvoiced.any() else spoken.mean(axis=0)
    cepstra = sung @ _COSINES
    moving = np.diff(shape @ _COSINES, axis=0)[voiced[1:] & voiced[:-1]]
    moving = moving if len(moving) else np.zeros((1, _CEPSTRA), np.float32)
    return [
        sung.mean(axis=0),
        sung.std(axis=0),
        mel[active].std(axis=0),
        np.abs(step).mean(axis=0),
        noise @ _COSINES,
        _spread(cepstra, (10, 90)),
        np.abs(moving).mean(axis=0),
        _tilts(sung),
    ]


def _tilts(sung: _Array) -> _Array:
    """Energy above 500 Hz and 1 kHz, slopes, centroid: mean and spread over voiced frames."""
    power = 10 ** (sung / 10) * _WIDTHS
    total = power.sum(axis=1)
    high500 = 10 * np.log10(power[:, _AT_500:].sum(axis=1) / (power[:, :_AT_500].sum(axis=1) + 1e-9) + 1e-6)
    high1000 = 10 * np.log10(power[:, _AT_1000:].sum(axis=1) / (power[:, :_AT_1000].sum(axis=1) + 1e-9) + 1e-6)
    hammarberg = sung[:, :_AT_2000].max(axis=1) - sung[:, _AT_2000:].max(axis=1)
    centroid = 12 * np.log2((power @ _CENTRES.astype(np.float32)) / total / np.float32(_REFERENCE_HZ))
    low_slope = sung[:, :_AT_500] @ _slope(_AT_500)
    high_slope = sung[:, _AT_500:] @ _slope(BANDS - _AT_500)
    peak = sung.max(axis=1)
    measures = np.stack([high500, high1000, hammarberg, centroid, low_slope, high_slope, peak], axis=1)
    found: _Array = np.concatenate([measures.mean(axis=0), measures.std(axis=0), _spread(measures, (10, 90))])
    return found


def _slope(n: int) -> _Array:
    """What a series is multiplied with to have its slope a step."""
    x = np.arange(n) - (n - 1) / 2
    slope: _Array = (x / np.sum(x**2)).astype(np.float32)
    return slope


_WIDTHS: Final = np.gradient(_CENTRES).astype(np.float32)
_AT_500, _AT_1000, _AT_2000 = (int(np.searchsorted(_CENTRES, hz)) for hz in (500, 1_000, 2_000))


def _runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Shape (runs, 2): begin and end of every stretch of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2)


def _levels(level: _Array, active: npt.NDArray[np.bool_], voiced: npt.NDArray[np.bool_]) -> list[_Array]:
    spoken, sung = level[active], level[voiced]
    step = np.diff(level)[active[1:] & active[:-1]]
    step = step if len(step) else np.zeros(1, np.float32)
    low, median, high = _spread(spoken, (10, 50, 95))
    x = np.flatnonzero(active)
    slope = _trend(x, spoken)
    peaks = [float(level[a:b].max()) for a, b in _runs(voiced)]
    return [
        np.array(
            [
                median,
                high,
                high - median,
                median - low,
                spoken.std(),
                sung.mean(),
                sung.std(),
                np.abs(step).mean(),
                step.std(),
                np.maximum(step, 0).mean(),
                slope,
                float(np.std(peaks)),
                peaks[-1] - max(peaks),
                peaks[0] - max(peaks),
            ],
            np.float32,
        )
    ]


def _trend(at: npt.NDArray[np.int64], y: _Array) -> float:
    """Slope of a line through the points, a second."""
    x = (at - at.mean()) / 100
    return float((x @ (y - y.mean())) / (x @ x + 1e-3))


def _pitches(pitch_hz: _Array, voiced: npt.NDArray[np.bool_]) -> list[_Array]:
    """F0 in semitones: where it lies, how far it goes, how fast it moves, how phrases begin and end."""
    at = np.flatnonzero(voiced)
    tone = 12 * np.log2(pitch_hz[at] / np.float32(_REFERENCE_HZ))
    low, quarter, median, three, high = _spread(tone, (5, 25, 50, 75, 95))
    close = np.diff(at) == 1
    step = np.diff(tone)[close]
    step = step[np.abs(step) < 3]
    step = step if len(step) else np.zeros(1, np.float32)
    third = max(1, len(tone) // 3)
    runs = [tone[a:b] for a, b in _split(at)]
    slopes = [float(run @ _slope(len(run)) * 100) for run in runs if len(run) >= 6]
    slopes = slopes or [0.0]
    ranges = [float(run.max() - run.min()) for run in runs if len(run) >= 6] or [0.0]
    means = [float(run.mean()) for run in runs if len(run) >= 4] or [float(median)]
    bend = np.diff(step) if len(step) > 1 else np.zeros(1, np.float32)
    return [
        np.array(
            [
                tone.mean(),
                low,
                median,
                high,
                tone.std(),
                high - low,
                three - quarter,
                np.abs(step).mean(),
                np.maximum(step, 0).mean(),
                np.maximum(-step, 0).mean(),
                step.std(),
                np.abs(bend).mean(),
                _trend(at, tone),
                tone[:third].mean() - tone[third:].mean() if len(tone) > third else 0.0,
                tone[-third:].mean() - tone[:-third].mean() if len(tone) > third else 0.0,
                float(np.mean(slopes)),
                float(np.std(slopes)),
                float(np.mean(ranges)),
                float(np.max(ranges)),
                float(np.std(means)),
                float(np.argmax(tone) / len(tone)),
                float(((tone - tone.mean()) ** 3).mean() / (tone.std() ** 3 + 0.1)),
            ],
            np.float32,
        )
    ]


def _split(at: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Stretches of neighbouring frames, as positions in ``at``."""
    cuts = [0, *(np.flatnonzero(np.diff(at) > 1) + 1).tolist(), len(at)]
    return list(pairwise(cuts))


def _quality(strength: _Array, mel: _Array, level: _Array, voiced: npt.NDArray[np.bool_]) -> list[_Array]:
    """Harmonicity of the voice and how it trembles."""
    held = np.clip(strength[voiced], 0.3, 0.995)
    harmonics = 10 * np.log10(held / (1 - held))
    both = voiced[2:] & voiced[1:-1] & voiced[:-2]
    tremble = (level[2:] - 2 * level[1:-1] + level[:-2])[both]
    flux = np.abs(mel[2:] - 2 * mel[1:-1] + mel[:-2]).mean(axis=1)[both]
    if not both.any():
        tremble, flux = np.zeros(1, np.float32), np.zeros(1, np.float32)
    return [
        np.array(
            [harmonics.mean(), harmonics.std(), np.abs(tremble).mean(), flux.mean(), flux.std()],
            np.float32,
        ),
        _spread(harmonics),
    ]


def _rhythm(level: _Array, active: npt.NDArray[np.bool_], voiced: npt.NDArray[np.bool_]) -> list[_Array]:
    """How fast, how broken."""
    seconds = len(level) / 100
    runs, gaps = _runs(voiced), _runs(~voiced)
    lengths = (runs[:, 1] - runs[:, 0]) / 100
    pauses = (gaps[:, 1] - gaps[:, 0]) / 100 if len(gaps) else np.zeros(1)
    smooth = np.convolve(level, np.full(7, 1 / 7, np.float32), mode="same")
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & voiced[1:-1]
    return [
        np.array(
            [
                np.log(len(runs) / seconds),
                np.log(lengths.mean()),
                lengths.std(),
                np.log(lengths.max()),
                pauses.mean(),
                pauses.std(),
                float(voiced.mean()),
                float(active.mean()),
                float(voiced.sum() / active.sum()),
                np.log((peaks.sum() + 1) / seconds),
                np.log(seconds),
            ],
            np.float32,
        )
    ]


_PARTS: Final = np.array_split(np.arange(BANDS), _BLOCKS)
_RATES: Final = ((1, 3), (3, 6), (6, 10), (10, 16), (16, 26))
"""Lines of a spectrum of 128 frames: 0.8 to 2, 2 to 5, 5 to 8, 8 to 12, 12 to 20 Hz."""


def _modulation(mel: _Array, level: _Array) -> list[_Array]:
    """How strongly the bands rise and fall at the rates of phrases, syllables and sounds."""
    peak = float(level.max())
    bounded = np.maximum(mel, peak - 45)
    tracks = np.stack([bounded[:, part].mean(axis=1) for part in _PARTS], axis=1)
    tracks = tracks - tracks.mean(axis=0)
    size = max(len(tracks), _MODULATION)
    power = np.abs(np.fft.rfft(tracks, size, axis=0)) ** 2 / len(tracks)
    scale = size / _MODULATION
    found = [power[round(a * scale) : round(b * scale)].mean(axis=0) for a, b in _RATES]
    return [(10 * np.log10(np.stack(found) + 1e-3)).reshape(-1).astype(np.float32)]
