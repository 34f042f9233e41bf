"""
Baselines as a call may bring them: what a speaker said before, how much of it, and in which mood.

Every training utterance is judged against a baseline drawn anew: none at all, a few utterances, or many; of all moods,
of one mood above others, or mostly calm. A model that has seen all of these works from the first second on.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.emotion import MEMORY

_Array = npt.NDArray[np.float32]
_Mask = npt.NDArray[np.bool_]

LIMIT: Final = 8.0
"""Standard deviations beyond which nothing counts more."""


class Scale(NamedTuple):
    """What is believed of voices before one is heard; all of shape (d,)."""

    centre: _Array
    """Mean of the speakers' means."""
    width: _Array
    """Standard deviation within a speaker."""
    doubt: _Array
    """Utterances that the prior of the mean counts as: variance within speakers over that between them."""

    def standard(self, vectors: _Array) -> _Array:
        """In standard deviations from the centre, as a model's sound is kept."""
        scaled: _Array = np.clip((vectors - self.centre) / self.width, -LIMIT, LIMIT).astype(np.float32)
        return scaled


def measure_scale(vectors: _Array, speakers: npt.NDArray[np.int64]) -> Scale:
    """
    From training speakers.

    Args:
        vectors: Shape (passes, rows, d); a speaker in a pass is a voice of its own.
        speakers: Shape (rows,).
    """
    means, variances = [], []
    for speaker in np.unique(speakers):
        of = vectors[:, speakers == speaker]
        means.append(of.mean(axis=(0, 1)))
        variances.append(of.var(axis=1).mean(axis=0))
    width = np.sqrt(np.mean(variances, axis=0)) + 1e-3
    between = np.std(means, axis=0) / width
    doubt = 1 / np.maximum(between, 0.2) ** 2
    return Scale(*(np.asarray(x, np.float32) for x in (np.mean(means, axis=0), width, doubt)))


class Moment(NamedTuple):
    """Baselines, in standard units."""

    mean: _Array
    """Shape (n, d), as the next."""
    variance: _Array
    weight: _Array
    """Shape (n, 1): utterances."""


def moments(weights: npt.NDArray[np.float64], sounds: _Array) -> Moment:
    """
    Baselines of weighted utterances.

    Args:
        weights: Shape (n, utterances).
        sounds: Shape (utterances, d).
    """
    total = weights.sum(axis=1, keepdims=True)
    share = weights / np.maximum(total, 1e-6)
    mean = share @ sounds
    variance = np.maximum(share @ np.square(sounds) - mean**2, 0.0)
    return Moment(*(x.astype(np.float32) for x in (mean, variance, np.minimum(total, MEMORY))))


def draw(
    rng: np.random.Generator, count: int, emotions: npt.NDArray[np.int64], calm: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """
    Weights of one speaker's utterances in ``count`` baselines.

    Args:
        emotions: Shape (utterances,).
        calm: Shape (utterances,): what each weighs in a baseline, 0 ... 1.

    Returns:
        Shape (count, utterances).
    """
    size = len(emotions)
    kind = rng.random(count)[:, None]
    moods = rng.dirichlet(np.full(int(emotions.max()) + 1, 0.5), count)[:, emotions] + 1e-4
    liking = np.where(kind < 0.3, moods, np.where(kind < 0.5, calm**2 + 1e-4, 1.0))
    liking = liking / liking.mean(axis=1, keepdims=True)
    # The n least of exponential variables divided by weights are a weighted sample without replacement.
    order = np.argsort(rng.exponential(size=(count, size)) / liking, axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(size), order.shape), axis=1)
    some = np.exp(rng.uniform(0, np.log(MEMORY), (count, 1))).astype(np.int64)
    full = np.full(size, min(size, MEMORY) / size)
    amount = rng.random((count, 1))
    weights = np.where(
        amount < 0.1, 0.0, np.where(amount < 0.5, rank < some, np.where(amount < 0.75, liking, 1.0) * full)
    )
    found: npt.NDArray[np.float64] = weights * calm
    return found
