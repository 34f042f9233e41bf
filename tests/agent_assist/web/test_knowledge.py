"""Knowledge over HTTP."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.rendering import rendered
from agent_assist.knowledge.types import Node, NodeKind
from agent_assist.web.passes import Pass, Role, issue

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


def auth(role: Role) -> dict[str, str]:
    who = Pass(role=role, name="somebody", expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}", "host": "127.0.0.1"}


EXPERT = auth(Role.EXPERT)


@pytest.fixture
def client(make_site: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
    base = KnowledgeBase(f"sqlite:///{tmp_path / 'calls.db'}")
    with make_site(knowledge=(base, KnowledgeIndex(base))) as site, TestClient(site.app) as client:
        yield client
    base.close()


def upload(client: Any, name: str, content: bytes, **query: object) -> Any:
    return client.post("/v1/knowledge/import", params={"name": name, **query}, content=content, headers=EXPERT)


def found(client: Any, question: str) -> list[str]:
    answer = client.get("/v1/knowledge/search", params={"q": question}, headers=auth(Role.AGENT)).json()
    return [hit["key"] for hit in answer["hits"]]


def test_an_upload_is_a_draft_until_it_is_published_and_gone_when_withdrawn(client: Any) -> None:
    text = b"# Resetting the router\n\nHold the button on the back of the router for ten seconds."
    assert upload(client, "router.md", text).json()["added"] == 1
    assert found(client, "resetting the router") == []
    (draft,) = client.get("/v1/knowledge/versions?how=draft", headers=EXPERT).json()["versions"]
    assert (draft["key"], draft["version"], draft["source"]) == ("router", 1, "router.md")
    shown = client.get("/v1/knowledge/versions/1/article/router", headers=EXPERT).json()
    assert "ten seconds" in shown["html"]
    ids = {"ids": ["article:router"]}
    assert client.post("/v1/knowledge/publish", json=ids, headers=EXPERT).json() == ids
    assert found(client, "resetting the router") == ["router"]
    assert client.post("/v1/knowledge/withdraw", json=ids, headers=EXPERT).json() == ids
    assert found(client, "resetting the router") == []
    assert client.get("/v1/knowledge/versions/2/article/router", headers=EXPERT).status_code == 404


def test_what_cannot_be_taken_in_says_why(client: Any) -> None:
    assert upload(client, "a.exe", b"x").status_code == 400
    assert "one of .md" in upload(client, "a.exe", b"x").json()["detail"]
    (bad,) = upload(client, "../../etc/a.pdf", b"not a pdf").json()["rejected"]
    assert (bad["source"], "expected a whole PDF" in bad["reason"]) == ("a.pdf", True)
    rejected = client.get("/v1/knowledge/versions", headers=EXPERT).json()["rejected"]
    assert [one["source"] for one in rejected] == ["a.pdf"]
    assert upload(client, "a.md", b"x" * 20_000_001).status_code == 413
    assert upload(client, "b.md", b"# Title\n\nwords", dry_run=True).json()["added"] == 1
    assert client.get("/v1/knowledge/versions", headers=EXPERT).json()["versions"] == []


def test_a_draft_is_written_by_hand(client: Any) -> None:
    node = {"kind": "article", "key": "hours", "title": "Opening hours", "language": "en", "body": "Nine to five."}
    assert client.post("/v1/knowledge/drafts", json=node, headers=EXPERT).json()["added"] == 1
    changed = node | {"body": "Nine to six."}
    assert client.post("/v1/knowledge/drafts", json=changed, headers=EXPERT).json()["changed"] == 1
    assert client.post("/v1/knowledge/drafts", json=node | {"title": ""}, headers=EXPERT).status_code == 400


def test_agents_read_and_do_not_write(client: Any) -> None:
    agent = auth(Role.AGENT)
    assert client.get("/v1/knowledge/search", params={"q": "x"}, headers=agent).status_code == 200
    assert client.get("/v1/knowledge/versions", headers=agent).status_code == 403
    for path in ("drafts", "import?name=a.md", "publish", "withdraw"):
        assert client.post(f"/v1/knowledge/{path}", json={"ids": ["article:a"]}, headers=agent).status_code == 403
