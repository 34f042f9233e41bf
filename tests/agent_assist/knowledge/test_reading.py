"""Files that become knowledge, and those that do not."""

from pathlib import Path

import nh3
import pytest

from agent_assist.knowledge import reading
from agent_assist.knowledge.reading import read
from agent_assist.knowledge.types import Node, Rejected


def given(path: Path, content: bytes) -> list[Node | Rejected]:
    path.write_bytes(content)
    return list(read(path, path.name))


def test_front_matter_gives_title_language_and_links(tmp_path: Path) -> None:
    text = "---\ntitle: 退款\nlanguage: zh\nproducts: [p]\ncodes: [E-1]\n---\n# 退款\n\n三天。\n"
    (node,) = given(tmp_path / "a.md", text.encode())
    assert isinstance(node, Node)
    assert (node.key, node.title, node.language, node.body) == ("a", "退款", "zh", "# 退款\n\n三天。")
    assert [link.to_id for link in node.links] == ["product:p", "code:E-1"]


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<style>*{background:url(javascript:alert(1))}</style>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
    ],
)
def test_no_script_survives_from_html(tmp_path: Path, evil: str) -> None:
    (node,) = given(tmp_path / "a.html", f"<title>T</title><h2>Head</h2><p>Kept</p>{evil}".encode())
    assert isinstance(node, Node)
    assert "## Head" in node.body
    assert "Kept" in node.body
    assert not any(word in node.body.lower() for word in ("<script", "onerror", "onload", "javascript:", "srcdoc"))


def test_a_table_gives_codes_products_and_solutions(tmp_path: Path) -> None:
    found = given(tmp_path / "c.csv", "code,title,solution,product,language\nE-1,堵,换,净化器,zh\n,空,,,xx\n".encode())
    assert [one.node_id for one in found if isinstance(one, Node)] == ["product:净化器", "code:E-1", "solution:E-1"]
    assert [one.source for one in found if isinstance(one, Rejected)] == ["c.csv:3"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "代码".encode("gbk"), "UTF-8"),
        ("a.csv", b"x,y\n1,2\n", "columns code"),
        ("a.pdf", b"not a pdf", "a whole PDF"),
        ("a.md", b"---\n[: x\n---\ny", "YAML"),
        ("a.md", b"---\nupdated: 2024-02-30\n---\ny", "front matter in YAML, got ValueError"),
        ("a.md", b"---\nx: " + b"[" * 5_000 + b"\n---\ny", "front matter in YAML, got RecursionError"),
        ("a.jsonl", b'{"kind": "article"}\n', "a node"),
        ("a.exe", b"x", "one of"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (one,) = given(tmp_path / name, content)
    assert isinstance(one, Rejected)
    assert reason in one.reason


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", 10)
    (one,) = given(tmp_path / "a.md", b"x" * 11)
    assert isinstance(one, Rejected)
    assert "at most 10 bytes" in one.reason


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<div>" * 200_000, "10000 elements"),
        ("<div>" * 301, "300 deep"),
        ("<title>" + "<span>" * 301, "300 deep"),
        ("<div></x>" * 301, "300 deep"),
        ("<div><!-- </div> -->" * 301, "300 deep"),
        ("<div title='</div>'>" * 301, "300 deep"),
        ("<p>x</p>" * 10_001, "10000 elements"),
        ("<title><!--</title>" + "<b>" * 10_001, "10000 elements"),
        ("<!-->" + "<b>" * 301, "300 deep"),
    ],
)
def test_html_that_is_too_deep_or_too_much_is_refused_before_it_is_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, html: str, reason: str
) -> None:
    cleaned: list[object] = []
    monkeypatch.setattr(nh3, "clean", lambda text, **_: cleaned.append(text) or text)
    (one,) = given(tmp_path / "a.html", html.encode())
    assert isinstance(one, Rejected)
    assert reason in one.reason
    assert cleaned == []


def test_html_of_many_elements_side_by_side_is_read(tmp_path: Path) -> None:
    (node,) = given(tmp_path / "a.html", ("<ul>" + "<li><p>x<br>" * 1_000 + "</ul>" + "<div>y</div>" * 1_000).encode())
    assert isinstance(node, Node)
    assert (node.body.count("x"), node.body.count("y")) == (1_000, 1_000)
