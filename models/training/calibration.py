"""From scores to what is said: fitted on judgements of speakers that the scores were not trained on."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# The extra `train` is seldom installed where types are checked.

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from models.acoustic import AcousticModel, Scores
from models.training.corpora import LABELS, arousal, valence
from models.training.evaluation import Judged
from models.types import EmotionLabel

_Array = npt.NDArray[np.float64]

UNFITTED: Final = Scores(
    sharpness=5.0,
    sharpness_known=0.0,
    biases=(0.0,) * 5,
    arousal=(1.0, 0.0),
    valence=(1.0, 0.0),
    arousal_share=1.0,
    arousal_confidence=(0.0, 0.0),
    valence_confidence=(0.0, 0.0),
)
_SINCE: Final = 4.0
_SHARE_MOST: Final = 0.5
"""Of the trained arousal: far from all voices of its training it says next to nothing, where the rule still holds."""
_LABELS: Final = (
    EmotionLabel.ANGRY,
    EmotionLabel.SATISFIED,
    EmotionLabel.NEUTRAL,
    EmotionLabel.DISAPPOINTED,
    EmotionLabel.ANXIOUS,
)
LABELS_IN_ORDER: Final = _LABELS
"""Of the scores of a graph."""


def raw(model: AcousticModel, judged: Sequence[Judged]) -> tuple[_Array, _Array]:
    """Scores, shape (n, classes + 2), and how well each speaker was known, 0 ... 1, shape (n,)."""
    size = len(judged[0].sound.vector)
    parts = [one.baseline.timbre.moments(size) for one in judged]
    mean, variance = (np.stack([part[k] for part in parts]) for k in (0, 1))
    weight = np.array([[part[2]] for part in parts], np.float32)
    scores = model.scores(np.stack([one.sound.vector for one in judged]), mean, variance, weight)
    return scores.astype(np.float64), (weight[:, 0] / (weight[:, 0] + _SINCE)).astype(np.float64)


def fit(judged: Sequence[Judged], scores: _Array, known: _Array, ruled: _Array) -> Scores:
    """
    Fit everything.

    Args:
        judged: Of speakers out of the folds.
        scores: Shape (n, classes + 2).
        known: Shape (n,).
        ruled: Shape (n,): arousal by rule, 0 where there is none.
    """
    truth = np.array([_LABELS.index(LABELS[one.row.emotion]) if one.row.emotion in LABELS else -1 for one in judged])
    sharpness, sharpness_known, biases = _sharpness(
        scores[truth >= 0, : len(_LABELS)], known[truth >= 0], truth[truth >= 0]
    )
    excited = np.array([np.nan if (x := arousal(one.row)) is None else x for one in judged])
    liked = np.array([np.nan if (x := valence(one.row)) is None else x for one in judged])
    felt, share, felt_sure = _line_and_share(scores[:, -2], ruled, known, excited)
    pleased, pleased_sure = _line(scores[:, -1], known, liked)
    return Scores(
        sharpness=sharpness,
        sharpness_known=sharpness_known,
        biases=biases,
        arousal=felt,
        valence=pleased,
        arousal_share=share,
        arousal_confidence=felt_sure,
        valence_confidence=pleased_sure,
    )


def _sharpness(scores: _Array, known: _Array, truth: npt.NDArray[np.int64]) -> tuple[float, float, tuple[float, ...]]:
    """Least cross-entropy, every class counting the same."""
    x, k, y = torch.tensor(scores), torch.tensor(known)[:, None], torch.tensor(truth)
    counts = np.bincount(truth, minlength=scores.shape[1])
    weight = torch.tensor(1 / np.maximum(counts, 1))
    free = torch.zeros(2 + scores.shape[1], dtype=torch.float64)
    free[0] = 4.0
    free.requires_grad_()
    optimiser = torch.optim.LBFGS([free], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        logits = (free[0] + free[1] * k) * x + free[2:]
        loss = torch.nn.functional.cross_entropy(logits, y, weight=weight) + 1e-3 * (free[1:] ** 2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    first, second, *biases = (round(float(v), 4) for v in free.detach())
    return first, second, tuple(biases)


def _line(scores: _Array, known: _Array, truth: _Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """A line through the scores so that their spread is the truth's, and how it agrees with it, unknown and known."""
    ok = ~np.isnan(truth)
    x, y, k = scores[ok], truth[ok], known[ok]
    factor = float(y.std() / (x.std() + 1e-6))
    constant = float(y.mean() - factor * x.mean())
    said = np.clip(factor * x + constant, -1, 1)
    return (round(factor, 4), round(constant, 4)), (_agreement(said, y, k < 0.1), _agreement(said, y, k > 0.6))


def _line_and_share(
    scores: _Array, ruled: _Array, known: _Array, truth: _Array
) -> tuple[tuple[float, float], float, tuple[float, float]]:
    """The same, mixed with the rule's in the share that agrees best with the truth, the rule keeping at least half."""
    line, _ = _line(scores, known, truth)
    ok = ~np.isnan(truth)
    said = np.clip(line[0] * scores + line[1], -1, 1)
    shares = np.linspace(0, _SHARE_MOST, 6)
    agreed = [_agreement((s * said + (1 - s) * ruled)[ok], truth[ok], np.ones(int(ok.sum()), bool)) for s in shares]
    share = round(float(shares[int(np.argmax(agreed))]), 2)
    mixed = share * said + (1 - share) * ruled
    sure = (_agreement(mixed[ok], truth[ok], known[ok] < 0.1), _agreement(mixed[ok], truth[ok], known[ok] > 0.6))
    return line, share, sure


def _agreement(said: _Array, truth: _Array, among: npt.NDArray[np.bool_]) -> float:
    """
    Concordance correlation.

    Source: Lin: A concordance correlation coefficient to evaluate reproducibility, Biometrics 45, 1989.
    """
    x, y = said[among], truth[among]
    if len(x) < 10:
        return 0.0
    apart = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return round(max(0.0, 2 * float(np.mean((x - x.mean()) * (y - y.mean()))) / (apart + 1e-9)), 4)
