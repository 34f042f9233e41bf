"""Knowledge over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.rendering import rendered
from agent_assist.knowledge.types import Node, NodeKind

TOKEN = {"authorization": "Bearer correct-horse", "host": "127.0.0.1"}


def test_a_question_is_answered_and_an_article_read(make_site: Callable[..., Any], tmp_path: Path) -> None:
    base = KnowledgeBase(f"sqlite:///{tmp_path / 'calls.db'}")
    with make_site(knowledge=(base, KnowledgeIndex(base))) as site, TestClient(site.app) as client:
        base.draft(
            [Node(kind=NodeKind.ARTICLE, key="a/b", title="退款多久到账", language="zh", body="**三天** <script>")]
        )
        base.publish()
        assert (
            client.get("/v1/knowledge/search", params={"q": "退款"}, headers={"host": "127.0.0.1"}).status_code == 401
        )
        found = client.get("/v1/knowledge/search", params={"q": "退款多久到账"}, headers=TOKEN).json()
        assert [hit["key"] for hit in found["hits"]] == ["a/b"]
        article = client.get("/v1/knowledge/nodes/article/a/b", headers=TOKEN).json()
        assert article["html"] == "<p><strong>三天</strong> &lt;script&gt;</p>\n"
        assert client.get("/v1/knowledge/nodes/article/none", headers=TOKEN).status_code == 404
        assert client.get("/v1/knowledge/search", params={"q": "x" * 1_001}, headers=TOKEN).status_code == 400
    base.close()


@pytest.mark.parametrize(
    "evil", ["[x](javascript:alert(1))", "<img src=x onerror=alert(1)>", "<script>alert(1)</script>"]
)
def test_no_script_survives_rendering(evil: str) -> None:
    html = rendered(evil).lower()
    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html
