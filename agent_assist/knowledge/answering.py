"""
Whether what was found answers: a logistic function of a few signs, each measured by the base itself.

All vectors of the embedding lie in a narrow cone, and how near strangers come to each other differs from one base to
the next. So a cosine is compared with those between the passages of the base: how far it stands out among them, in
their own spread, and how far neighbours stand out that answer different questions. That needs no labels.

Source: local scaling as in Zelnik-Manor and Perona: Self-Tuning Spectral Clustering, NeurIPS 2004, and Conneau et al.:
Word Translation Without Parallel Data (CSLS), ICLR 2018; here with mean and spread.
"""

import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from agent_assist.knowledge.segment import Floats, Segment
from agent_assist.knowledge.space import Vectors

_SAMPLE: Final = 256
"""Passages of a language that others are compared with."""
_ANCHORS: Final = 128
"""Of these, whose neighbours are looked for in the whole base."""
_NEIGHBOUR: Final = 5
"""Which of the neighbours."""
_FIELD: Final = 20
"""Which of what was found stands for the field that the best is ahead of."""
_NEAREST: Final = 100
"""Passages among which it is looked for: an article may have many."""
_PRIOR: Final = 20
"""Passages that what is known of strangers in general counts for: a few of a base do not tell."""
_TYPICAL: Final = 2.5
"""How far the fifth neighbour stands out, where a base does not tell."""


class Signs(NamedTuple):
    """What speaks for an answer."""

    near: float
    """How far its cosine stands out among those of its passage with others of the base, 1 as far as neighbours do."""
    ahead: float
    """How far it is before the twentieth of other articles, in spreads of the base."""
    agreed: float
    """1 where the words alone put the same article first."""
    covered: float
    """Share of the question's words in it, the rarer the more."""
    lead: float
    """By how much words and meaning together put it before the next article."""


class _Fitted(msgspec.Struct, frozen=True, kw_only=True):
    weights: dict[str, float]
    bias: float
    trained_on: tuple[str, ...]
    command: str


_SUREST: Final = 9.0
"""Log-odds, a chance of 0.9999: 1 is of exact codes alone."""

_FITTED: Final = msgspec.json.decode(
    files("agent_assist.knowledge").joinpath("answering.json").read_bytes(), type=_Fitted
)
_WEIGHTS: Final = tuple(_FITTED.weights[name] for name in Signs._fields)


def chance(signs: Signs) -> float:
    """That it answers, where as many questions have an answer as have none."""
    exponent = sum(weight * sign for weight, sign in zip(_WEIGHTS, signs, strict=True)) + _FITTED.bias
    return 1 / (1 + math.exp(-min(max(exponent, -50.0), _SUREST)))


class _Field(NamedTuple):
    """The passages of one language, by a sample of them."""

    sample: Floats
    """Shape (k, width)."""
    nodes: tuple[str, ...]
    """Of each row of the sample."""
    spread: float
    typical: float


class Surroundings:
    """How near the passages of a base come to each other; of one moment, never changed."""

    def __init__(self, segments: Sequence[Segment], vectors: Vectors) -> None:
        self._strangers = vectors.strangers
        self._segments = segments
        self._fields = {language: self._field(language) for language in ("zh", "en")}

    def _field(self, language: str) -> _Field:
        # By a number of its own each, so that the same passages give the same sample however they came in.
        places = [
            (int(segment.lots[at]), number, int(at))
            for number, segment in enumerate(self._segments)
            for at in _first(segment.lots, segment.searched(language))
        ]
        chosen = [(self._segments[number], at) for _, number, at in sorted(places)[:_SAMPLE]]
        if not chosen:
            return _Field(np.zeros((0, 1), dtype=np.float32), (), self._strangers.spread, _TYPICAL)
        sample = np.stack([segment.vector(at) for segment, at in chosen])
        nodes = tuple(segment.rows[at].node.node_id for segment, at in chosen)
        moments = np.array([self._moments(sample, nodes, one, node) for one, node in zip(sample, nodes, strict=True)])
        fifth = self._fifth(sample[:_ANCHORS], nodes[:_ANCHORS], language)
        far = (fifth - moments[: len(fifth), 0]) / moments[: len(fifth), 1]
        known = far[fifth > -1]
        typical = (known.sum() + _PRIOR * _TYPICAL) / (len(known) + _PRIOR)
        return _Field(sample, nodes, float(moments[:, 1].mean()), max(float(typical), 1.0))

    def _moments(self, sample: Floats, nodes: Sequence[str], one: Floats, node: str) -> tuple[float, float]:
        """Mean and spread of the cosines of a passage with those of other articles."""
        strangers = self._strangers
        others = (sample @ one)[[other != node for other in nodes]]
        share = len(others) / (len(others) + _PRIOR)
        if not len(others):
            return strangers.mean, strangers.spread
        mean = share * float(others.mean()) + (1 - share) * strangers.mean
        variance = share * float(others.var()) + (1 - share) * strangers.spread**2
        return mean, math.sqrt(variance)

    def _fifth(self, anchors: Floats, nodes: Sequence[str], language: str) -> Floats:
        """Cosine of each passage with its fifth neighbour of another article; -1 where there are fewer."""
        best = np.full((len(anchors), _NEIGHBOUR), -1, dtype=np.float32)
        for segment in self._segments:
            if not (here := segment.searched(language)).any():
                continue
            found = np.where(here, anchors @ segment.vectors.T, np.float32(-1))
            for row, node in enumerate(nodes):
                found[row, segment.of_node(node)] = -1
            both = np.concatenate([best, found], axis=1)
            best = np.partition(both, -_NEIGHBOUR, axis=1)[:, -_NEIGHBOUR:]
        fifth: Floats = best.min(axis=1)
        return fifth

    def nearest(self, language: str, cosines: Sequence[Floats]) -> list[tuple[float, str]]:
        """
        The best passages of a language, each with its cosine and its article.

        Args:
            cosines: Of the question with the passages of each segment.
        """
        found: list[tuple[float, str]] = []
        for segment, near in zip(self._segments, cosines, strict=True):
            here = np.flatnonzero(segment.searched(language))
            if len(here) > _NEAREST:
                here = here[np.argpartition(-near[here], _NEAREST)[:_NEAREST]]
            found += [(float(near[at]), segment.rows[at].node.node_id) for at in here]
        return sorted(found, reverse=True)[:_NEAREST]

    def stand_out(
        self, segment: Segment, at: int, cosine: float, nearest: Sequence[tuple[float, str]]
    ) -> tuple[float, float]:
        """
        How near and how far ahead a passage is, as ``Signs`` has it.

        Args:
            nearest: The best of its language.
        """
        node = segment.rows[at].node
        field = self._fields[node.language]
        mean, spread = self._moments(field.sample, field.nodes, segment.vector(at), node.node_id)
        others = [near for near, other in nearest if other != node.node_id][:_FIELD]
        # A base that has fewer ends where strangers are.
        behind = others[-1] if len(others) == _FIELD or len(nearest) == _NEAREST else mean
        return (cosine - mean) / spread / field.typical, (cosine - behind) / field.spread


def _first(lots: npt.NDArray[np.int64], here: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The passages with the smallest numbers."""
    places = np.flatnonzero(here)
    return places[np.argsort(lots[places], kind="stable")[:_SAMPLE]]
