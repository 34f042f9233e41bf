"""Versions of knowledge in SQL."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import create_engine

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.types import EdgeKind, Link, Node, NodeKind, Rejected, State
from agent_assist.store.calls import CallStore
from agent_assist.store.tables import metadata


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    of_sqlite = f"sqlite:///{tmp_path / 'knowledge.db'}"
    url = of_sqlite if request.param == "sqlite" else request.getfixturevalue("postgres")
    store = CallStore(url)
    store.upgrade()
    yield url
    store.close()
    if request.param == "postgres":
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            metadata.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        engine.dispose()


@pytest.fixture
def base(url: str) -> Iterator[KnowledgeBase]:
    base = KnowledgeBase(url)
    yield base
    base.close()


def node(key: str, body: str = "三天。", title: str = "退款多久到账") -> Node:
    link = Link(kind=EdgeKind.ABOUT, to_kind=NodeKind.PRODUCT, to_key="p")
    return Node(
        kind=NodeKind.ARTICLE, key=key, title=title, language="zh", body=body, links=(link,), attributes={"a": "b"}
    )


def test_what_says_the_same_is_not_taken_in_twice(base: KnowledgeBase) -> None:
    assert base.draft([node("a"), node("b")]).added == 2
    again = base.draft([node("a"), node("b", "五天。")])
    assert (again.added, again.changed, again.unchanged) == (0, 1, 1)
    assert [(one.key, one.version) for one in base.listed()] == [("a", 1), ("b", 2), ("b", 1)]


def test_a_dry_run_leaves_nothing(base: KnowledgeBase) -> None:
    assert base.draft([node("a")], dry_run=True).added == 1
    assert base.listed() == []


def test_states_go_from_draft_to_published_to_withdrawn(base: KnowledgeBase) -> None:
    base.draft([node("a")])
    assert base.published("article:a") is None
    assert base.publish() == ["article:a"]
    assert base.publish() == []
    found = base.published("article:a")
    assert found is not None
    assert (found.version, found.node) == (1, node("a"))
    base.draft([node("a", "五天。")])
    base.publish(["article:a", "article:nowhere"])
    assert [one.state for one in base.listed()] == [State.PUBLISHED, State.WITHDRAWN]
    assert base.withdraw(["article:a"]) == ["article:a"]
    assert base.withdraw(["article:a"]) == []
    assert base.published("article:a") is None
    assert [one.key for one in base.listed(how=State.WITHDRAWN)] == ["a", "a"]


def test_vectors_are_read_again_and_those_of_another_embedding_are_not(base: KnowledgeBase) -> None:
    asked: list[str] = []

    def embed(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return np.tile(np.array([0.6, 0.8], dtype=np.float32), (len(texts), 1))

    base.draft([node("a")])
    base.publish(vectors=Vectors("one", embed))  # type: ignore[arg-type]
    assert asked == ["退款多久到账\n三天。"]
    found = base.changes(-1, "one").published[0].pieces[0].vector
    assert found is not None
    assert found.tolist() == pytest.approx([0.6, 0.8], abs=1e-3)
    assert base.changes(-1, "other").published[0].pieces[0].vector is None
    assert len(asked) == 1


def test_what_another_embedding_made_is_embedded_anew_and_is_found_by_an_index_that_stands(base: KnowledgeBase) -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        asked.extend(texts)
        return np.tile(np.array([0.6, 0.8], dtype=np.float32), (len(texts), 1))

    old, new = Vectors("six layers", embed), Vectors("twelve layers", embed)
    base.draft([node("a"), node("b", title="取消套餐")])
    base.publish(vectors=old)
    base.draft([node("c", title="开发票")])
    base.publish()
    base.draft([node("a", body="五天。"), node("d")])
    base.publish(["article:a"], vectors=new)
    index = KnowledgeIndex(base, new)
    assert index.refresh() == 3
    asked.clear()
    assert base.stale(new.name) == 2
    assert base.reindex(new) == ["article:b", "article:c"]
    assert asked == ["取消套餐\n三天。", "开发票\n三天。"]
    assert (base.stale(new.name), base.reindex(new)) == (0, [])
    assert index.refresh() == base.revision() == 4
    assert all(piece.vector is not None for one in base.changes(-1, new.name).published for piece in one.pieces)
    versions = {one.key: (one.version, one.state) for one in base.listed() if one.latest}
    assert versions["b"] == (1, State.PUBLISHED)
    assert versions["d"] == (1, State.DRAFT)


def test_what_was_rejected_is_kept_until_it_is_taken_in(base: KnowledgeBase) -> None:
    base.reject([Rejected(source="a.md", reason="no title"), Rejected(source="b.md", reason="empty")])
    base.reject([Rejected(source="a.md", reason="no language")])
    assert [(one.source, one.reason) for one in base.rejected()] == [("a.md", "no language"), ("b.md", "empty")]
    base.draft([Node(kind=NodeKind.ARTICLE, key="a", title="t", language="en", source="a.md")])
    assert [one.source for one in base.rejected()] == ["b.md"]


def test_a_publication_of_several_is_seen_whole_or_not_at_all(url: str, base: KnowledgeBase) -> None:
    """A reader that looks all the while never finds two of one publication apart."""
    base.draft([node("a", "版本0"), node("b", "版本0")])
    base.publish()
    done = threading.Event()
    apart: list[list[str]] = []
    seen: set[str] = set()

    def read() -> None:
        other = KnowledgeBase(url)
        index = KnowledgeIndex(other)
        while not done.is_set():
            said = [hit.passage for hit in index.search("退款多久到账").hits]
            seen.update(said)
            if len(said) != 2 or len(set(said)) != 1:
                apart.append(said)
        other.close()

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 9):
        base.draft([node("a", f"版本{number}"), node("b", f"版本{number}")])
        base.publish()
    done.set()
    reader.join(30)
    assert apart == []
    assert seen


def test_two_who_publish_at_once_leave_one_order(url: str, base: KnowledgeBase) -> None:
    def work(name: str) -> None:
        mine = KnowledgeBase(url)
        for number in range(5):
            mine.draft([node(f"{name}{number}"), node("shared", f"{name}{number}")])
            mine.publish()
        mine.close()

    workers = [threading.Thread(target=work, args=(name,)) for name in "xy"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    base.publish()
    published = base.listed(how=State.PUBLISHED, limit=1_000)
    assert len(published) == 11
    latest = max(one.version for one in base.listed(limit=1_000) if one.key == "shared")
    assert [one.version for one in published if one.key == "shared"] == [latest]
