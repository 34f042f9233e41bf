"""
The model that judges: regression on kernels around landmarks, on sounds seen from a speaker's baseline.

Convex, so that a fit takes seconds and comes out the same every time. Source: Williams, Seeger: Using the Nystroem
method to speed up kernel machines, NIPS 2000; Zhu, Hastie: Kernel logistic regression and the import vector machine,
Journal of Computational and Graphical Statistics 14(1), 2005.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# The extra `train` is seldom installed where types are checked.

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
_SMOOTHING: Final = 0.05
_SINCE: Final = 4.0
_KNOWN: Final = 4.0
"""How far a speaker never heard stands apart from a known one."""


class Policy(NamedTuple):
    """How the model is fitted; chosen by cross-validation on training speakers."""

    landmarks: int = 1000
    width: float = 0.5
    """Of the kernel: gamma times the number of features."""
    ridge: float = 1e-4


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
    near = kernels(x, landmarks, judge.gamma)
    # In this basis the ridge is on the function's norm.
    smooth = kernels(landmarks, landmarks, judge.gamma).double()
    root = torch.linalg.cholesky(smooth + 1e-4 * torch.eye(len(smooth), device=device, dtype=torch.float64))
    basis = near @ torch.linalg.inv(root).T.float()
    classes = _logistic(basis, lesson, policy.ridge)
    lines = [_least_squares(basis, lesson, column, policy.ridge) for column in (-2, -1)]
    solved = torch.cat([classes, *lines], dim=1)
    weights = torch.cat([torch.linalg.solve_triangular(root.T, solved[:-1].double(), upper=True), solved[-1:]])
    fitted = Judge(scale, gate, landmarks.cpu().numpy(), weights.float().cpu().numpy(), policy.width)
    fitted.eval()
    return fitted


def _logistic(basis: Tensor, lesson: Lesson, ridge: float) -> Tensor:
    """Softmax regression on the rows that have a class, shape (basis + 1, classes)."""
    truth = torch.tensor(lesson.targets[:, :-2], device=basis.device)
    has = ~torch.isnan(truth[:, 0])
    x, y = basis[has], truth[has].argmax(dim=1)
    share = torch.tensor(lesson.weights[:, 0], device=basis.device)[has]
    share = share / share.sum()
    free = torch.zeros(x.shape[1] + 1, truth.shape[1], device=basis.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([free], max_iter=80, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        losses = nn.functional.cross_entropy(x @ free[:-1] + free[-1], y, reduction="none", label_smoothing=_SMOOTHING)
        loss = (share * losses).sum() + ridge / 2 * (free[:-1] ** 2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return free.detach()


def _least_squares(basis: Tensor, lesson: Lesson, column: int, ridge: float) -> Tensor:
    """A value on the rows where it is known, shape (basis + 1, 1)."""
    target = torch.tensor(lesson.targets[:, column], device=basis.device)
    has = ~torch.isnan(target)
    x = torch.cat([basis[has], torch.ones(int(has.sum()), 1, device=basis.device)], dim=1)
    share = torch.tensor(lesson.weights[:, column], device=basis.device)[has][:, None]
    share = share / share.sum()
    hold = torch.eye(x.shape[1], device=basis.device, dtype=torch.float64) * ridge
    hold[-1, -1] = 0
    left, right = (x * share).T @ x, (x * share).T @ target[has][:, None]
    found: Tensor = torch.linalg.solve(left.double() + hold, right.double()).float()
    return found


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
