"""Figures of a voice model on labelled rows, each speaker's baseline as in a call or known beforehand."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.acoustic import AcousticModel
from models.emotion import Baseline, Sound, Voice
from models.training.corpora import LABELS, Row
from models.training.hearing import Heard
from models.types import EmotionLabel

_Array = npt.NDArray[np.float64]

CLASSES: Final = (EmotionLabel.ANGRY, EmotionLabel.SATISFIED, EmotionLabel.NEUTRAL, EmotionLabel.DISAPPOINTED)
"""Angry, happy, neutral, sad: those that the corpora share."""
AROUSED: Final = frozenset({"angry", "happy", "fear", "surprise"})
CALM: Final = frozenset({"neutral", "calm", "sad", "boredom"})
"""Disgust is neither."""
_ROUNDS: Final = 1_000
_COVERED: Final = 0.7


class Judged(NamedTuple):
    """A row and what was made of it."""

    row: Row
    sound: Sound
    baseline: Baseline
    voice: Voice


def follow(model: AcousticModel, heard: Heard, *, known: bool) -> list[Judged]:
    """
    Judge all rows, speaker by speaker in their order.

    Args:
        known: With a baseline of all of the speaker's rows, mixed, without their labels, that stays as it is;
            otherwise from none, growing as in a call.
    """
    judged: list[Judged] = []
    for index in _speakers(heard.rows):
        sounds = [model.sound(heard.prosody[i], _vector(heard, i)) for i in index]
        baseline = Baseline()
        if known:
            for i in np.random.default_rng(0).permutation(len(sounds)):
                baseline = baseline.learn(sounds[i], model.judge(sounds[i], baseline))
        for i, sound in zip(index, sounds, strict=True):
            voice = model.judge(sound, baseline)
            judged.append(Judged(heard.rows[i], sound, baseline, voice))
            if not known:
                baseline = baseline.learn(sound, voice)
    return judged


def _vector(heard: Heard, i: int) -> npt.NDArray[np.float32] | None:
    vector = heard.vectors[0, i]
    return None if np.isnan(vector[0]) else vector


def _speakers(rows: Sequence[Row]) -> Iterable[list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        found.setdefault((row.corpus, row.speaker), []).append(i)
    return found.values()


class Interval(msgspec.Struct, frozen=True, array_like=True):
    """A figure and where 95 % of it lies when files are drawn anew."""

    value: float
    low: float
    high: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one set, one way."""

    set: str
    known: bool
    n: int
    """Files of the four classes."""
    uar: Interval | None
    """None where the model names no classes, as for the next."""
    accuracy: float | None
    ece: float | None
    """Expected calibration error of the best of the four, ten bins."""
    gain: float | None
    """What accuracy gains where only the surest 70 % are judged."""
    arousal_n: int
    arousal: Interval
    """Balanced accuracy of arousal above or below 0."""
    recalls: dict[str, float]


def figures(name: str, judged: Sequence[Judged], *, known: bool) -> Figures:
    """Take the figures of a set."""
    spoken = [one for one in judged if LABELS.get(one.row.emotion) in CLASSES]
    lively = [one for one in judged if one.row.emotion in AROUSED | CALM]
    high = np.array([one.row.emotion in AROUSED for one in lively])
    said = np.array([(one.voice.arousal or 0.0) > 0 for one in lively])
    arousal = _interval(high.astype(np.int64), said.astype(np.int64))
    truth = np.array([CLASSES.index(LABELS[one.row.emotion]) for one in spoken])
    chances = np.array([[(one.voice.classes or {}).get(label, 0.0) for label in CLASSES] for one in spoken])
    bare = Figures(
        set=name,
        known=known,
        n=len(spoken),
        uar=None,
        accuracy=None,
        ece=None,
        gain=None,
        arousal_n=len(lively),
        arousal=arousal,
        recalls={},
    )
    if not any(one.voice.classes for one in spoken):
        return bare
    chances = np.where(chances.sum(axis=1, keepdims=True) > 0, chances, 0.25)
    chances = chances / chances.sum(axis=1, keepdims=True)
    best, sure = chances.argmax(axis=1), chances.max(axis=1)
    right = best == truth
    surest = np.argsort(-sure, kind="stable")[: round(_COVERED * len(sure))]
    return msgspec.structs.replace(
        bare,
        uar=_interval(truth, best),
        accuracy=round(float(right.mean()), 4),
        ece=round(calibration_error(sure, right), 4),
        gain=round(float(right[surest].mean() - right.mean()), 4),
        recalls={label.value: round(float(right[truth == i].mean()), 3) for i, label in enumerate(CLASSES)},
    )


def calibration_error(sure: _Array, right: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """
    Expected calibration error.

    Source: Guo et al.: On calibration of modern neural networks, ICML 2017.
    """
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    return sum(
        float((place == b).mean()) * abs(float(right[place == b].mean()) - float(sure[place == b].mean()))
        for b in np.unique(place)
    )


def mean_recall(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> float:
    """UAR, over the classes that occur."""
    return float(np.mean([np.mean(said[truth == c] == c) for c in np.unique(truth)]))


def _interval(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> Interval:
    rng = np.random.default_rng(0)
    drawn = [mean_recall(truth[at], said[at]) for at in rng.integers(len(truth), size=(_ROUNDS, len(truth)))]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(*(round(float(x), 4) for x in (mean_recall(truth, said), low, high)))
