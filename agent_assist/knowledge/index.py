"""Search: words, meaning, exact codes and the graph together, never staler than the base."""

import math
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from agent_assist.knowledge.base import KnowledgeBase, embedded_text
from agent_assist.knowledge.graph import Graph, Named
from agent_assist.knowledge.passages import passages
from agent_assist.knowledge.segment import Floats, Row, Segment, Statistics
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.terms import terms
from agent_assist.knowledge.types import Answer, Hit, Mark, Stored

QUESTION: Final = 1_000
"""Characters of a question that are read."""
_POOL: Final = 200
"""Passages that are looked at closely."""
_NEARLY: Final = 0.2
_MERGE: Final = 4_000
"""Passages changed since the last whole build from which on all is built anew."""


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """
    How the signals are joined, by a convex combination (Bruch et al.: An Analysis of Fusion Functions for Hybrid
    Retrieval, ACM TOIS 2023). Weight and bounds were chosen on
    the training files of ATEC and BANKING77.
    """

    meaning: float = 0.8
    """Share of the cosine; the rest is of the words."""
    enough: float = 0.15
    """Chance of being right from which on something is an answer."""
    beside: float = 0.33
    """Share of the bound from which on others are told beside the best."""
    unasked: float = 0.6
    """The same of what is shown before anybody asks."""
    enough_words: float = 0.35
    """Share of the question's words from which on, where there is no embedding."""
    product: float = 0.05
    """Added for the product that is named."""


_FIT: Final = 5.5
_LEAD: Final = 11.1
_BASE: Final = {"zh": -6.7, "en": -3.0}
"""A logistic function of how well something fits, and how much better than the next best; fitted on questions of the
training files of ATEC (zh, two in three without an answer), CLINC150 and BANKING77, each set with the same weight."""


class _Found(NamedTuple):
    row: Row
    score: float

    def chance(self, others: float) -> float:
        """That it is right, where the best of the others scores so much."""
        exponent = _FIT * self.score + _LEAD * (self.score - others) + _BASE[self.row.node.language]
        return 1 / (1 + math.exp(-exponent))


class KnowledgeIndex:
    """
    An index in memory over what is published. May be used from any thread.

    Before each search it asks the base whether anything was published or withdrawn, here or by another process, and
    takes that in first: what was replaced is never told again.
    """

    def __init__(
        self, base: KnowledgeBase, vectors: Vectors | None = None, policy: SearchPolicy = SearchPolicy()
    ) -> None:
        self._base = base
        self._vectors = vectors
        self.policy = policy
        self._lock = threading.Lock()
        self._segments: tuple[Segment, ...] = ()
        self._graph = Graph()
        self._revision = -1

    @property
    def vectors(self) -> Vectors | None:
        """The embedding, with which what is published is embedded, too."""
        return self._vectors

    def refresh(self) -> int:
        """Take in what has changed; the revision that it stands at now."""
        with self._lock:
            return self._refresh()

    def _refresh(self) -> int:
        if self._base.revision() == self._revision:
            return self._revision
        name = None if self._vectors is None else self._vectors.name
        changes = self._base.changes(self._revision, name)
        changed = sum(len(one.pieces) for one in changes.published)
        if self._segments and changed + sum(len(one) for one in self._segments[1:]) > _MERGE:
            changes = self._base.changes(-1, name)
            self._segments, self._graph = (), Graph()
        ids = [*changes.gone, *(one.stored.node.node_id for one in changes.published)]
        for node_id in ids:
            for segment in self._segments:
                segment.bury(node_id)
            self._graph.remove(node_id)
        for one in changes.published:
            self._graph.add(one.stored)
        if changes.published:
            self._segments = (*self._segments, Segment(changes.published))
        self._revision = changes.revision
        return self._revision

    def search(self, question: str, *, language: str | None = None, limit: int = 5) -> Answer:
        """
        What is known on a question; nothing where nothing is good enough.

        Args:
            question: In plain words; what comes after 1,000 characters is not read.
            language: Of the answers, "zh" or "en"; either where it is None.
        """
        asked = question[:QUESTION].strip()
        vector = self._embedded(asked)
        with self._lock:
            revision = self._refresh()
            named = self._graph.named(asked)
            exact = [one for one in self._graph.answers(named) if language in (None, one.node.language)]
            known = {one.node.node_id for one in exact}
            ranked = self._ranked(asked, vector, named, language, limit)
            found = self._good([one for one in ranked if one.row.node.node_id not in known], vector)
            seen = tuple(self._graph.nodes[code].node.key for code in named.codes)
        words = _words(asked)
        hits = [_hit(_best(one, words), 1.0, words, "code") for one in exact]
        hits += [_hit(one.row, one.score, words, "text") for one in found]
        return Answer(question=question, hits=tuple(hits[:limit]), codes=(*seen, *named.unknown), revision=revision)

    def _embedded(self, asked: str) -> Floats | None:
        """None where there is no embedding, or nothing that a question could be near to."""
        if self._vectors is None or not asked:
            return None
        self.refresh()
        return self._vectors.embed([asked])[0] if self._segments else None

    def _good(self, ranked: list[_Found], vector: Floats | None) -> list[_Found]:
        """What may be told, scored by its chance; by its share of the words where there is no embedding."""
        if vector is None:
            return [one for one in ranked if one.score >= self.policy.enough_words]
        best, next_best = ([one.score for one in ranked] + [0.0, 0.0])[:2]
        told = [one._replace(score=one.chance(best if at else next_best)) for at, one in enumerate(ranked)]
        if not told or told[0].score < self.policy.enough:
            return []
        return [one for one in told if one.score >= self.policy.beside * self.policy.enough]

    def _ranked(
        self, asked: str, vector: Floats | None, named: Named, language: str | None, limit: int
    ) -> list[_Found]:
        """Nodes by their best passage, the best first, each with the passage to be shown."""
        nodes: dict[str, list[_Found]] = defaultdict(list)
        for score, segment, at in self._passages(asked, vector):
            row = segment.rows[at]
            if language in (None, row.node.language) and not self._is_other(row, named):
                better = score + self.policy.product * self._graph.is_about(row.node, named.products)
                nodes[row.node.node_id].append(_Found(row, min(max(better, 0.0), 1.0)))
        ranked = sorted(nodes.items(), key=lambda one: (-max(each.score for each in one[1]), one[0]))
        words = _words(asked)
        return [_shown(found, words) for _, found in ranked[: limit + len(named.codes) + 5]]

    def _is_other(self, row: Row, named: Named) -> bool:
        """Of another code than the one that is named, or replaced."""
        if (named.codes or named.unknown) and self._graph.is_about_code(row.node):
            return True
        return self._graph.is_replaced(row.node.node_id)

    def _passages(self, asked: str, vector: Floats | None) -> Iterator[tuple[float, Segment, int]]:
        for segment, scores in self.scores(asked, vector):
            scores[~segment.alive] = -np.inf
            pool = np.argpartition(-scores, _POOL)[:_POOL] if len(scores) > _POOL else np.arange(len(scores))
            for at in pool:
                if np.isfinite(scores[at]):
                    yield float(scores[at]), segment, int(at)

    def scores(self, asked: str, vector: Floats | None) -> list[tuple[Segment, Floats]]:
        """Of every passage: words and meaning, joined."""
        statistics = Statistics.of(self._segments)
        weights = statistics.weights({term.text for term in terms(asked)}, self._segments)
        most = max(sum(weights.values()), 1e-9)
        found: list[tuple[Segment, Floats]] = []
        for segment in self._segments:
            joined = np.minimum(segment.bm25(weights, statistics.mean_length) / np.float32(most), np.float32(1))
            if vector is not None and self._vectors is not None:
                share = np.float32(self.policy.meaning)
                near = self._vectors.nearness(segment.cosines(vector))
                # What was published without an embedding, or with another one, is found by its words.
                joined = np.where(segment.has_vector, share * near + (1 - share) * joined, joined)
            found.append((segment, joined))
        return found


def _shown(found: list[_Found], words: set[str]) -> _Found:
    """The passage that says most of what was asked, of those nearly as good as the best: all have the title's words."""
    score = max(one.score for one in found)
    near = [one for one in found if one.score >= score - _NEARLY]
    row = max(near, key=lambda one: (_spoken_of(one.row, words), one.score, -one.row.passage.start)).row
    return _Found(row, score)


def _spoken_of(row: Row, words: set[str]) -> int:
    return len(words & _words(embedded_text("", row.passage, row.node.body)))


def _best(stored: Stored, words: set[str]) -> Row:
    """The passage of a node that has most of the words."""
    node = stored.node
    rows = [Row(node, stored.version, passage) for passage in passages(node.body)]
    return max(rows, key=lambda row: _spoken_of(row, words))


def _words(text: str) -> set[str]:
    return {term.text for term in terms(text)}


def _hit(row: Row, score: float, words: set[str], why: str) -> Hit:
    node, passage = row.node, row.passage
    text = node.body[passage.start : passage.end]
    return Hit(
        kind=node.kind,
        key=node.key,
        version=row.version,
        title=node.title,
        language=node.language,
        source=node.source,
        heading=passage.heading,
        passage=text,
        start=passage.start,
        end=passage.end,
        marks=marks(text, words),
        score=round(score, 4),
        why="code" if why == "code" else "text",
    )


def marks(text: str, words: set[str]) -> tuple[Mark, ...]:
    """
    Where words of a question stand, those that touch joined; single ideographs say too little.

    Args:
        words: As ``terms`` gives them.
    """
    found: list[list[int]] = []
    for term in terms(text):
        if term.text not in words or (len(term.text) == 1 and "㐀" <= term.text <= "鿿"):
            continue
        if found and term.start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], term.end)
        else:
            found.append([term.start, term.end])
    return tuple(Mark(start=start, end=end) for start, end in found)
