"""Passages that are searched together: postings and vectors in memory, never changed but for what dies."""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from agent_assist.knowledge.base import Published, embedded_text
from agent_assist.knowledge.passages import Passage
from agent_assist.knowledge.terms import terms
from agent_assist.knowledge.types import Node, NodeKind

Floats = npt.NDArray[np.float32]

_K1: Final = 1.2
_B: Final = 0.75
"""As in Robertson and Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009."""

_FEW: Final = 100
"""Passages that a base is taken to have at least: fewer do not tell which words are rare."""


class Row(NamedTuple):
    """One passage of a node."""

    node: Node
    version: int
    passage: Passage


class Segment:
    """Some published nodes."""

    def __init__(self, published: Sequence[Published]) -> None:
        told = [(one.stored, piece) for one in published if _says_something(one) for piece in one.pieces]
        self.rows = [Row(stored.node, stored.version, piece.passage) for stored, piece in told]
        self.alive = np.ones(len(self.rows), dtype=bool)
        self._of_node: dict[str, list[int]] = defaultdict(list)
        lengths = np.zeros(len(self.rows), dtype=np.float32)
        places: dict[str, array[int]] = defaultdict(lambda: array("i"))
        counts: dict[str, array[int]] = defaultdict(lambda: array("i"))
        for at, row in enumerate(self.rows):
            self._of_node[row.node.node_id].append(at)
            found = Counter(term.text for term in terms(embedded_text(row.node.title, row.passage, row.node.body)))
            lengths[at] = found.total()
            for text, count in found.items():
                places[text].append(at)
                counts[text].append(count)
        self.lengths = lengths
        self._postings = {
            text: (np.frombuffer(found, np.int32), np.frombuffer(counts[text], np.int32).astype(np.float32))
            for text, found in places.items()
        }
        vectors = [piece.vector for _, piece in told]
        self.has_vector = np.array([vector is not None for vector in vectors], dtype=bool)
        width = next((len(vector) for vector in vectors if vector is not None), 1)
        self.vectors = np.zeros((len(vectors), width), dtype=np.float32)
        for at, vector in enumerate(vectors):
            if vector is not None:
                self.vectors[at] = vector
        self._is_chinese = np.array([row.node.language == "zh" for row in self.rows], dtype=bool)
        self.lots = np.array([_lot(row) for row in self.rows], dtype=np.int64)
        """A number of each passage that has nothing to do with it."""

    def __len__(self) -> int:
        return len(self.rows)

    def bury(self, node_id: str) -> None:
        """Take a node out; a search that has begun may still see it."""
        self.alive[self._of_node.pop(node_id, [])] = False

    def of_node(self, node_id: str) -> list[int]:
        """Places of its passages here; none of the dead."""
        return self._of_node.get(node_id, [])

    def searched(self, language: str) -> npt.NDArray[np.bool_]:
        """Which passages of a language are alive and have a vector."""
        here: npt.NDArray[np.bool_] = self.alive & self.has_vector & (self._is_chinese == (language == "zh"))
        return here

    def vector(self, at: int) -> Floats:
        """Of one passage."""
        found: Floats = self.vectors[at]
        return found

    def has(self, text: str, at: int) -> bool:
        """Whether a term stands in a passage."""
        found = self._postings.get(text)
        if found is None:
            return False
        place = int(np.searchsorted(found[0], at))
        return place < len(found[0]) and int(found[0][place]) == at

    def holding(self, text: str) -> int:
        """Passages with a term, the dead too."""
        found = self._postings.get(text)
        return 0 if found is None else len(found[0])

    def bm25(self, weights: Mapping[str, float], mean_length: float) -> Floats:
        """
        How well the words fit, of each passage.

        Args:
            weights: Of the question's terms.
        """
        scores = np.zeros(len(self.rows), dtype=np.float32)
        norm = _K1 * (1 - _B + _B * self.lengths / max(mean_length, 1.0))
        for text, weight in weights.items():
            found = self._postings.get(text)
            if found is not None:
                places, counts = found
                scores[places] += weight * counts * (_K1 + 1) / (counts + norm[places])
        return scores

    def cosines(self, question: Floats) -> Floats:
        """Of each passage's vector with the question's; 0 where it has none."""
        if len(question) != self.vectors.shape[1]:
            return np.zeros(len(self.rows), dtype=np.float32)
        return self.vectors @ question


def _says_something(one: Published) -> bool:
    """A product's name alone, or a code's, answers nothing."""
    node = one.stored.node
    return bool(node.body.strip()) or node.kind in (NodeKind.ARTICLE, NodeKind.SOLUTION)


def _lot(row: Row) -> int:
    return crc32(f"{row.node.node_id} {row.version} {row.passage.start}".encode())


class Statistics(NamedTuple):
    """Of all segments together, the dead too: they are few."""

    passages: int
    mean_length: float

    @classmethod
    def of(cls, segments: Sequence[Segment]) -> "Statistics":
        count = sum(len(one) for one in segments)
        return cls(count, sum(float(one.lengths.sum()) for one in segments) / max(count, 1))

    def weights(self, texts: set[str], segments: Sequence[Segment]) -> dict[str, float]:
        """Of each term the less, the more passages have it."""
        return {text: self._weight(sum(one.holding(text) for one in segments)) for text in sorted(texts)}

    def _weight(self, holding: int) -> float:
        return math.log(1 + (max(self.passages, _FEW) - holding + 0.5) / (holding + 0.5))
