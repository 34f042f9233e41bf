"""
The model that judges: least squares on kernels around landmarks, on sounds seen from a speaker's baseline.

Closed form, so that a fit takes seconds and comes out the same every time. On corpora of a few thousand utterances it
did as well as a support vector machine and better than networks of two layers. Source: Williams, Seeger: Using the
Nystroem method to speed up kernel machines, NIPS 2000; Rifkin, Yeo, Poggio: Regularized least-squares classification,
2003.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.training.contexts import Moment, Scale

_Array = npt.NDArray[np.float32]

_STEADY: Final = 8.0
"""Utterances that the prior of a standard deviation counts as."""
_BOUND: Final = 4.0
_APART: Final = 10.0
"""How far two corpora stand apart, in standard deviations of one feature: each is judged mostly by its own kind."""
_SINCE: Final = 4.0
_KNOWN: Final = 4.0
"""How far a speaker never heard stands apart from a known one."""


class Policy(NamedTuple):
    """How the model is fitted; chosen by cross-validation on training speakers."""

    landmarks: int = 1000
    width: float = 0.5
    """Of the kernel: gamma times the number of features."""
    ridge: float = 3e-4


class Judge(nn.Module):
    """Sound and baseline to scores; see ``forward``."""

    def __init__(self, scale: Scale, gate: _Array, landmarks: _Array, weights: _Array, width: float) -> None:
        super().__init__()
        self.register_buffer("doubt", torch.tensor(scale.doubt))
        self.register_buffer("gate", torch.tensor(gate))
        self.register_buffer("landmarks", torch.tensor(landmarks))
        self.register_buffer("weights", torch.tensor(weights))
        self.gamma = width / len(scale.doubt)

    def seen(self, sound: Tensor, mean: Tensor, variance: Tensor, weight: Tensor) -> Tensor:
        """What the kernels compare: the sound from its baseline, which kind of corpus it is, how well it is known."""
        prior = mean * (weight / (weight + self.doubt))
        spread = torch.sqrt((_STEADY + weight * variance) / (_STEADY + weight))
        against = torch.clamp((sound - prior) / spread, -_BOUND, _BOUND)
        whole = (sound + weight * mean) / (1 + weight)
        kind = torch.clamp(whole @ self.gate[:-1] + self.gate[-1], 0, 1) * (_APART * 2 / 2**0.5)
        return torch.cat([against, kind, _KNOWN * weight / (weight + _SINCE)], dim=1)

    def forward(self, sound: Tensor, mean: Tensor, variance: Tensor, weight: Tensor) -> Tensor:
        """
        Scores.

        Args:
            sound: Shape (n, d), in standard units, as the next two.
            mean: Of the baseline.
            variance: Of the baseline.
            weight: Shape (n, 1), utterances in the baseline.

        Returns:
            Shape (n, outputs).
        """
        near = kernels(self.seen(sound, mean, variance, weight), self.landmarks, self.gamma)
        return near @ self.weights[:-1] + self.weights[-1]


def kernels(x: Tensor, landmarks: Tensor, gamma: float) -> Tensor:
    """Shape (n, landmarks): 1 where a sound is a landmark, less the further away."""
    squares = (x * x).sum(dim=1, keepdim=True) + (landmarks * landmarks).sum(dim=1) - 2 * (x @ landmarks.T)
    return torch.exp(-gamma * torch.clamp(squares, min=0))


class Lesson(NamedTuple):
    """Training utterances, each with a baseline."""

    sound: _Array
    """Shape (n, d), in standard units."""
    baseline: Moment
    corpus: npt.NDArray[np.int64]
    """Shape (n,)."""
    targets: _Array
    """Shape (n, outputs); NaN where not known."""
    weights: _Array
    """The same shape."""


def fit(lesson: Lesson, scale: Scale, policy: Policy, seed: int, device: str) -> Judge:
    """Fit all outputs at once, each on the rows where it is known."""
    rng = np.random.default_rng(seed)
    gate = _gate(lesson)
    judge = Judge(scale, gate, np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32), policy.width)
    inputs = [torch.tensor(x) for x in (lesson.sound, *lesson.baseline)]
    x = judge.seen(*inputs).to(device)
    chosen = rng.permutation(len(x))[: policy.landmarks]
    landmarks = x[torch.tensor(np.sort(chosen), device=device)]
    near = torch.cat([kernels(x, landmarks, judge.gamma), torch.ones(len(x), 1, device=device)], dim=1).double()
    smooth = torch.zeros(near.shape[1], near.shape[1], device=device, dtype=torch.float64)
    smooth[:-1, :-1] = kernels(landmarks, landmarks, judge.gamma).double()
    smooth += torch.eye(len(smooth), device=device, dtype=torch.float64) * 1e-3
    columns: dict[bytes, Tensor] = {}
    solved = []
    for target, weight in zip(lesson.targets.T, lesson.weights.T, strict=True):
        weight = np.where(np.isnan(target), 0.0, weight)  # noqa: PLW2901
        weight = torch.tensor(weight / weight.sum(), device=device, dtype=torch.float64)[:, None]  # noqa: PLW2901
        key = weight.cpu().numpy().tobytes()
        if key not in columns:
            columns[key] = torch.linalg.cholesky((near * weight).T @ near + policy.ridge * smooth)
        right = (near * weight).T @ torch.tensor(np.nan_to_num(target), device=device, dtype=torch.float64)[:, None]
        solved.append(torch.cholesky_solve(right, columns[key]))
    weights = torch.cat(solved, dim=1).float().cpu().numpy()
    return Judge(scale, gate, landmarks.cpu().numpy(), weights, policy.width).eval()


def _gate(lesson: Lesson) -> _Array:
    """
    A line that tells the corpora apart, by ridge regression on who speaks.

    Returns:
        Shape (d + 1, corpora), a constant last; (d + 1, 0) where there is only one.
    """
    corpora = int(lesson.corpus.max()) + 1
    if corpora == 1:
        return np.zeros((lesson.sound.shape[1] + 1, 0), np.float32)
    mean, _, weight = lesson.baseline
    whole = (lesson.sound + weight * mean) / (1 + weight)
    x = np.hstack([whole, np.ones((len(whole), 1), np.float32)]).astype(np.float64)
    kind = np.eye(corpora)[lesson.corpus]
    share = 1 / kind.sum(axis=0)[lesson.corpus]
    ridge = np.eye(x.shape[1])
    ridge[-1, -1] = 1e-6
    solved: _Array = np.linalg.solve((x * share[:, None]).T @ x + 0.3 * ridge, (x * share[:, None]).T @ kind)
    return solved.astype(np.float32)
