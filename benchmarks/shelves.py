"""How long a search takes over many articles, and what it costs to hold them."""

import multiprocessing
import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import psutil

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.space import vectors as space
from agent_assist.knowledge.types import Node, NodeKind
from agent_assist.store.calls import CallStore
from benchmarks.environment import Spread, spread
from models.embedding import WIDTH, Embedding

_SEED: Final = 23
_SENTENCES: Final = 4
"""Of an article."""


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """An index of one size, in a process of its own."""

    articles: int
    build_s: float
    """Processor time from the base to an index that answers."""
    memory_mb: float
    """By which the process grew, RSS."""
    search_ms: Spread
    """Processor time of a search, with the embedding of the question."""
    ranking_ms: Spread
    """Without."""


def shelf(articles: int, texts: Sequence[str], embedding: Path | None, rounds: int) -> Shelf:
    """
    Measure one size.

    Args:
        texts: Articles are made of four of them; the others are asked.
        embedding: Directory of multilingual-e5-small; without it a question's vector costs nothing.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, articles, list(texts), embedding, rounds).result()


def _measured(articles: int, texts: Sequence[str], embedding: Path | None, rounds: int) -> Shelf:
    chance = random.Random(_SEED)
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/knowledge.db"
        store = CallStore(url)
        store.upgrade()
        store.close()
        base = KnowledgeBase(url)
        base.draft(_article(number, chance.choices(texts, k=_SENTENCES)) for number in range(articles))
        # How long a search takes does not depend on the numbers in the vectors.
        base.publish(vectors=space(_Random()))
        embed = _Random() if embedding is None else Embedding(embedding, deep=True)
        embed(["warm"])
        found = _timed(base, space(embed), chance.choices(texts, k=rounds))
        base.close()
    return msgspec.structs.replace(found, articles=articles)


def _timed(base: KnowledgeBase, vectors: Vectors, questions: Sequence[str]) -> Shelf:
    process, before, began = psutil.Process(), psutil.Process().memory_info().rss, time.process_time()
    index = KnowledgeIndex(base, vectors)
    index.refresh()
    build_s, after = time.process_time() - began, process.memory_info().rss
    whole: list[float] = []
    ranking: list[float] = []
    for question in questions:
        began = time.process_time()
        index.search(question)
        between = time.process_time()
        vectors.embed([question])
        whole.append((between - began) * 1_000)
        ranking.append(max(whole[-1] - (time.process_time() - between) * 1_000, 0.0))
    return Shelf(
        articles=0,
        build_s=round(build_s, 2),
        memory_mb=round((after - before) / 2**20, 1),
        search_ms=spread(whole, 2),
        ranking_ms=spread(ranking, 2),
    )


def _article(number: int, sentences: Sequence[str]) -> Node:
    is_chinese = any("一" <= letter <= "鿿" for letter in sentences[0])
    return Node(
        kind=NodeKind.ARTICLE,
        key=f"a{number}",
        title=sentences[0][:300],
        language="zh" if is_chinese else "en",
        body="\n\n".join(sentences[1:]),
    )


class _Random:
    """Vectors that mean nothing."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(_SEED)

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        found = self._rng.standard_normal((len(texts), WIDTH), dtype=np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)
