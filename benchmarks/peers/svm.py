"""
Emotion the plain trained way: an SVM on statistics of the log-mel spectrum and on prosody.

Every speaker's vectors are brought to mean 0 and deviation 1 over all files of his at once, which no live call has: an
upper bound for what the features give, to be set beside ``speaker_known``. No speaker is in training and test. The cost
of the SVM is chosen on the training speakers alone, by leaving some of them out.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audio.types import SAMPLE_RATE, Pcm
from benchmarks.clips import Clip
from benchmarks.figures import uar
from models.prosody import measure
from stream.errors import StreamError

Floats = npt.NDArray[np.float64]

_WINDOW, _HOP, _FFT = SAMPLE_RATE // 40, SAMPLE_RATE // 100, 512
"""Samples: 25 ms, 10 ms, and 32 ms."""
_MELS: Final = 40
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 3_800.0
_PAUSE: Final = 4.0
"""Nats of mean log-energy below the loudest frame from which it is a pause: 35 dB."""
_COSTS: Final = (0.3, 1.0, 3.0, 10.0)
_FOLDS: Final = 5


class Described(NamedTuple):
    """Files as vectors."""

    vectors: Floats
    """Shape (n, d), normal for each speaker."""
    labels: list[str]
    speakers: list[str]

    def of(self, rows: Sequence[int]) -> "Described":
        return Described(self.vectors[list(rows)], [self.labels[n] for n in rows], [self.speakers[n] for n in rows])

    def labelled(self, classes: Sequence[str]) -> "Described":
        """Those of the classes alone."""
        return self.of([n for n, label in enumerate(self.labels) if label in classes])


def describe(clips: Sequence[Clip], labels: Sequence[str]) -> Described:
    """All files of some speakers; those without a label count for their speaker's normal as well."""
    speakers = [clip.speaker for clip in clips]
    raw = np.stack([vector(clip.pcm) for clip in clips])
    normal = np.empty_like(raw)
    for speaker in set(speakers):
        rows = [n for n, one in enumerate(speakers) if one == speaker]
        known = np.ma.masked_invalid(raw[rows])
        mean, deviation = known.mean(axis=0).filled(0.0), known.std(axis=0).filled(0.0)
        normal[rows] = (known.filled(mean) - mean) / np.where(deviation > 1e-6, deviation, 1.0)
    return Described(normal, list(labels), speakers)


def predicted(train: Described, test: Described) -> list[str]:
    """
    Labels of the test's files.

    Raises:
        StreamError: If a speaker is in both, or the training has fewer than two classes.
    """
    if both := set(train.speakers) & set(test.speakers):
        raise StreamError(f"expected other speakers in training than in test, got {', '.join(sorted(both))} in both")
    return [str(label) for label in _trained(train).predict(test.vectors)]


def folded(described: Described) -> list[str]:
    """
    Labels of all files, each by a model that never heard its speaker.

    Raises:
        StreamError: If there is one speaker alone, or a training has fewer than two classes.
    """
    from sklearn.model_selection import GroupKFold

    found = [""] * len(described.labels)
    folds = GroupKFold(min(_FOLDS, len(set(described.speakers))))
    for train, test in folds.split(described.vectors, groups=described.speakers):
        for row, label in zip(test, predicted(described.of(train), described.of(test)), strict=True):
            found[row] = label
    return found


def _trained(train: Described) -> Any:
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.svm import SVC

    plain = SVC(C=1.0, class_weight="balanced")
    speakers = len(set(train.speakers))
    if speakers < 2:
        return plain.fit(train.vectors, train.labels)
    folds = GroupKFold(min(_FOLDS, speakers))
    search = GridSearchCV(plain, {"C": _COSTS}, scoring=_recall, cv=folds)
    return search.fit(train.vectors, train.labels, groups=train.speakers).best_estimator_


def _recall(model: Any, vectors: Floats, labels: Sequence[str]) -> float:
    return uar(labels, model.predict(vectors)) or 0.0


def vector(pcm: Pcm) -> Floats:
    """
    One file.

    Args:
        pcm: Shape (n,), 16 kHz.

    Returns:
        Shape (d,): means and deviations of the log-mel bands and deviations of their differences from frame to frame,
        then prosody; NaN where there is too little voice for it.
    """
    bands = _log_mel(pcm)
    spoken = bands[bands.mean(axis=1) > bands.mean(axis=1).max() - _PAUSE]
    steps = np.diff(spoken, axis=0) if len(spoken) > 1 else np.zeros((1, _MELS))
    prosody = measure(pcm)
    pitches = [12 * np.log2(hz / 100) if hz else None for hz in (prosody.pitch_hz, prosody.pitch_p95_hz)]
    told = (
        prosody.loudness_dbfs,
        prosody.voiced_share,
        *pitches,
        prosody.pitch_range_st,
        prosody.hf500_db,
        prosody.hf1000_db,
        prosody.syllables_per_s,
    )
    plain = [np.nan if one is None else float(one) for one in told]
    return np.concatenate([spoken.mean(axis=0), spoken.std(axis=0), steps.std(axis=0), plain])


def _log_mel(pcm: Pcm) -> Floats:
    """Shape (frames, 40), at least one frame."""
    samples = np.pad(pcm.astype(np.float64) / 32_768, (0, max(0, _WINDOW - len(pcm))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), _FFT)) ** 2
    return np.log(power @ _bank().T + 1e-8)


def _bank() -> Floats:
    """
    Triangles on the mel scale, shape (40, bins).

    Source: O'Shaughnessy: Speech Communication, 1987: 2595 log10(1 + f / 700).
    """
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    corners = 700 * (10 ** (np.linspace(low, high, _MELS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return np.maximum(0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))
