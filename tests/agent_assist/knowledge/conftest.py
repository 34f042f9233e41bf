"""A small base, and an embedding that knows a few synonyms."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pytest

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.types import EdgeKind, Link, Node, NodeKind
from agent_assist.store.calls import CallStore

SENSES = [
    ("refund", "money back", "退款", "退钱"),
    ("cancel", "terminate", "取消", "解约"),
    ("late", "delay", "延误", "还没到"),
]


def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Near where texts share a sense, at right angles where they share none."""
    found = np.zeros((len(texts), len(SENSES) + 64), dtype=np.float32)
    for row, text in enumerate(texts):
        for at, words in enumerate(SENSES):
            found[row, at] = any(word in text.lower() for word in words)
        if not found[row].any():
            found[row, len(SENSES) + crc32(text.encode()) % 64] = 1.0
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
def vectors() -> Vectors:
    return Vectors("synonyms", embed)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'knowledge.db'}"
    store = CallStore(url)
    store.upgrade()
    store.close()
    return url


@pytest.fixture
def base(url: str) -> Iterator[KnowledgeBase]:
    base = KnowledgeBase(url)
    yield base
    base.close()


@pytest.fixture
def article() -> Callable[..., Node]:
    def make(key: str, title: str, body: str = "", *links: tuple[str, str, str], **more: object) -> Node:
        return Node(
            kind=NodeKind(str(more.pop("kind", "article"))),
            key=key,
            title=title,
            body=body,
            language="zh" if any("一" <= letter <= "鿿" for letter in title) else "en",
            links=tuple(Link(kind=EdgeKind(k), to_kind=NodeKind(t), to_key=to) for k, t, to in links),
            **more,  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
def catalogue(article: Callable[..., Node]) -> list[Node]:
    """Two products, codes that are nearly alike, their solutions, and articles."""
    return [
        article("purifier", "空气净化器", kind="product", attributes={"aliases": "净化器, air purifier"}),
        article("printer", "Printer", kind="product"),
        article("E-123", "E-123", "", ("part_of", "product", "purifier"), kind="code"),
        article("E-124", "E-124", "", ("part_of", "product", "purifier"), kind="code"),
        article(
            "printer/E-123", "E-123", "", ("part_of", "product", "printer"), kind="code", attributes={"code": "E-123"}
        ),
        article("filter", "更换滤网", "空气净化器报错时请更换滤网。", ("solves", "code", "E-123"), kind="solution"),
        article("fan", "清洁风扇", "空气净化器报错时请清洁风扇。", ("solves", "code", "E-124"), kind="solution"),
        article("tray", "Empty the tray", "Open it.", ("solves", "code", "printer/E-123"), kind="solution"),
        article("refund", "退款多久到账", "# 时间\n\n退款会在三个工作日内到账。\n\n# 方式\n\n原路退回。"),
        article(
            "cancel", "Cancel a plan", "Open the account page and choose cancel. A plan ends at the end of the month."
        ),
    ]
