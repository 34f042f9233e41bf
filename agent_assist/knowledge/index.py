"""Search: words, meaning, exact codes and the graph together, never staler than the base."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from agent_assist.knowledge.answering import Signs, Surroundings, chance
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
    How words and meaning are joined, by a convex combination (Bruch et al.: An Analysis of Fusion Functions for Hybrid
    Retrieval, ACM TOIS 2023), and from which chance on something is told. The weight was chosen on the training files
    of ATEC and BANKING77, the bounds on what ``benchmarks/answering.py`` prints.
    """

    meaning: float = 0.8
    """Share of the cosine; the rest is of the words."""
    enough: float = 0.25
    """Chance of being an answer from which on something is told."""
    beside: float = 0.33
    """Share of the bound from which on others are told beside the best."""
    unasked: float = 0.8
    """The same of what is shown before anybody asks."""
    enough_words: float = 0.35
    """Share of the question's words from which on, where there is no embedding."""
    product: float = 0.05
    """Added for the product that is named."""


class _Found(NamedTuple):
    row: Row
    """What is shown."""
    score: float
    """Of the passage that fits best."""
    segment: Segment
    at: int


class Scored(NamedTuple):
    """The passages of a segment."""

    segment: Segment
    words: Floats
    """Of the question, the share that each fits: BM25 by the most that there can be."""
    cosines: Floats
    joined: Floats


class Search:
    """A question against all passages."""

    def __init__(self, weights: dict[str, float], scored: Sequence[Scored]) -> None:
        self.scored = scored
        self._weights = weights
        self._nearest: dict[str, list[tuple[float, str]]] = {}
        self.most_words = max(
            (float(np.max(one.words, initial=0, where=one.segment.alive)) for one in scored), default=0
        )

    def nearest(self, surroundings: Surroundings, language: str) -> list[tuple[float, str]]:
        """The best of a language by meaning alone, sought once."""
        if language not in self._nearest:
            self._nearest[language] = surroundings.nearest(language, [one.cosines for one in self.scored])
        return self._nearest[language]

    def covered(self, segment: Segment, at: int) -> float:
        """Share of the question's words that a passage has, the rarer the more."""
        has = sum(weight for text, weight in self._weights.items() if segment.has(text, at))
        return has / max(sum(self._weights.values()), 1e-9)


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
        self._surroundings: Surroundings | None = None
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
        if self._vectors is not None:
            self._surroundings = Surroundings(self._segments, self._vectors)
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
            looked = self._look(asked, vector)
            ranked = self._ranked(asked, looked, named, language, limit)
            found = self._good([one for one in ranked if one.row.node.node_id not in known], looked, vector)
            seen = tuple(self._graph.nodes[code].node.key for code in named.codes)
        words = _words(asked)
        hits = [_hit(_best(one, words), 1.0, words, "code") for one in exact]
        hits += [_hit(one.row, one.score, words, "text") for one in found]
        return Answer(question=question, hits=tuple(hits[:limit]), codes=(*seen, *named.unknown), revision=revision)

    def signs(self, question: str) -> tuple[str, Signs] | None:
        """What speaks for the best that its words and meaning find, and its key; None where there is nothing."""
        vector = self._embedded(question)
        with self._lock:
            self._refresh()
            looked = self._look(question, vector)
            ranked = self._ranked(question, looked, self._graph.named(""), None, 1)
            others = ranked[1].score if len(ranked) > 1 else 0.0
            signs = self._signs(ranked[0], looked, others) if ranked else None
        return None if signs is None else (ranked[0].row.node.key, signs)

    def _embedded(self, asked: str) -> Floats | None:
        """None where there is no embedding, or nothing that a question could be near to."""
        if self._vectors is None or not asked:
            return None
        self.refresh()
        return self._vectors.embed([asked])[0] if self._segments else None

    def _good(self, ranked: list[_Found], looked: Search, vector: Floats | None) -> list[_Found]:
        """What may be told, scored by its chance; by its share of the words where there is no embedding."""
        if vector is None:
            return [one for one in ranked if one.score >= self.policy.enough_words]
        told: list[_Found] = []
        best, next_best = ([one.score for one in ranked] + [0.0, 0.0])[:2]
        for at, one in enumerate(ranked):
            score = self._chance(one, looked, best if at else next_best)
            if told and score < self.policy.beside * self.policy.enough:
                continue
            if not told and score < self.policy.enough:
                return []
            # In the order in which they fit; the first decides.
            told.append(one._replace(score=min(score, told[-1].score) if told else score))
        return told

    def _chance(self, one: _Found, looked: Search, others: float) -> float:
        """That it answers, where the best of the others fits so well."""
        signs = self._signs(one, looked, others)
        if signs is not None:
            return chance(signs)
        # Without a vector there is nothing to go by but its words.
        return one.score if one.score >= self.policy.enough_words else 0.0

    def _signs(self, one: _Found, looked: Search, others: float) -> Signs | None:
        """What speaks for an answer; None where it has no vector."""
        surroundings, segment, at = self._surroundings, one.segment, one.at
        if surroundings is None or not segment.has_vector[at]:
            return None
        cosine = next(float(each.cosines[at]) for each in looked.scored if each.segment is segment)
        near, ahead = surroundings.stand_out(segment, at, cosine, looked.nearest(surroundings, one.row.node.language))
        own = max(
            float(each.words[place]) for each in looked.scored for place in each.segment.of_node(one.row.node.node_id)
        )
        agreed = float(own == looked.most_words > 0)
        return Signs(near, ahead, agreed, looked.covered(segment, at), one.score - others)

    def _ranked(self, asked: str, looked: Search, named: Named, language: str | None, limit: int) -> list[_Found]:
        """Nodes by their best passage, the best first, each with the passage to be shown."""
        nodes: dict[str, list[_Found]] = defaultdict(list)
        for score, segment, at in _pooled(looked.scored):
            row = segment.rows[at]
            if language in (None, row.node.language) and not self._is_other(row, named):
                better = score + self.policy.product * self._graph.is_about(row.node, named.products)
                nodes[row.node.node_id].append(_Found(row, min(max(better, 0.0), 1.0), segment, at))
        ranked = sorted(nodes.items(), key=lambda one: (-max(each.score for each in one[1]), one[0]))
        words = _words(asked)
        return [_shown(found, words) for _, found in ranked[: limit + len(named.codes) + 5]]

    def _is_other(self, row: Row, named: Named) -> bool:
        """Of another code than the one that is named, or replaced."""
        if (named.codes or named.unknown) and self._graph.is_about_code(row.node):
            return True
        return self._graph.is_replaced(row.node.node_id)

    def _look(self, asked: str, vector: Floats | None) -> Search:
        """Every passage: words and meaning, joined."""
        statistics = Statistics.of(self._segments)
        weights = statistics.weights({term.text for term in terms(asked)}, self._segments)
        most = max(sum(weights.values()), 1e-9)
        found: list[Scored] = []
        for segment in self._segments:
            words = np.minimum(segment.bm25(weights, statistics.mean_length) / np.float32(most), np.float32(1))
            cosines, joined = np.zeros_like(words), words.copy()
            if vector is not None and self._vectors is not None:
                share = np.float32(self.policy.meaning)
                cosines = segment.cosines(vector)
                near = self._vectors.nearness(cosines)
                # What was published without an embedding, or with another one, is found by its words.
                joined = np.where(segment.has_vector, share * near + (1 - share) * words, words)
            found.append(Scored(segment, words, cosines, joined))
        return Search(weights, found)


def _pooled(scored: Sequence[Scored]) -> Iterator[tuple[float, Segment, int]]:
    """The best of each segment."""
    for segment, _, _, joined in scored:
        joined[~segment.alive] = -np.inf
        pool = np.argpartition(-joined, _POOL)[:_POOL] if len(joined) > _POOL else np.arange(len(joined))
        for at in pool:
            if np.isfinite(joined[at]):
                yield float(joined[at]), segment, int(at)


def _shown(found: list[_Found], words: set[str]) -> _Found:
    """The passage that says most of what was asked, of those nearly as good as the best: all have the title's words."""
    score = max(one.score for one in found)
    near = [one for one in found if one.score >= score - _NEARLY]
    row = max(near, key=lambda one: (_spoken_of(one.row, words), one.score, -one.row.passage.start)).row
    return max(found, key=lambda one: one.score)._replace(row=row)


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
