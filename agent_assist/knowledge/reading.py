"""Nodes from files: Markdown, HTML, PDF, CSV, JSON Lines. What cannot be used is told with its reason."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import msgspec
import nh3
import yaml

from agent_assist.errors import KnowledgeError
from agent_assist.knowledge.types import EdgeKind, Link, Node, NodeKind, Rejected

LARGEST: Final = 20_000_000
"""Bytes of a file."""
SUFFIXES: Final = (".md", ".markdown", ".html", ".htm", ".pdf", ".csv", ".jsonl")
ELEMENTS: Final = 10_000
"""Of a file in HTML: cleaning takes the square of their number where they lie in one another."""
DEPTH: Final = 300
"""Elements within elements."""
_BLOCKS: Final = frozenset({"p", "div", "li", "tr", "br", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"})


def read(path: Path, name: str) -> Iterator[Node | Rejected]:
    """
    What a file holds, row by row.

    Args:
        name: Of the file, as it is told as a source and makes the key of an article.
    """
    try:
        content = _content(path, name)
        match path.suffix.lower():
            case ".md" | ".markdown":
                yield _markdown(_decoded(content, name), name)
            case ".html" | ".htm":
                yield _html(_decoded(content, name), name)
            case ".pdf":
                yield _pdf(content, name)
            case ".csv":
                yield from _rows(_decoded(content, name), name)
            case ".jsonl":
                yield from _lines(_decoded(content, name), name)
            case other:
                raise KnowledgeError(name, f"one of {', '.join(SUFFIXES)}", other or "no suffix")
    except KnowledgeError as error:
        yield Rejected(source=name, reason=str(error))


def _content(path: Path, name: str) -> bytes:
    if (size := path.stat().st_size) > LARGEST:
        raise KnowledgeError(name, f"at most {LARGEST} bytes", str(size))
    return path.read_bytes()


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError as error:
        raise KnowledgeError(name, "text in UTF-8", f"another encoding at byte {error.start}") from error


def _language(text: str) -> str:
    han = sum("一" <= character <= "鿿" for character in text)
    return "zh" if han * 5 > len(text.strip()) else "en"


def _node(given: dict[str, object], name: str) -> Node:
    try:
        return msgspec.convert(given, Node)
    except msgspec.ValidationError as error:
        raise KnowledgeError(name, "a node", str(error)) from error


def _article(name: str, title: str, body: str, front: dict[str, object] | None = None) -> Node:
    front = front or {}
    links = [
        Link(kind=EdgeKind.ABOUT, to_kind=kind, to_key=str(key))
        for field, kind in (("products", NodeKind.PRODUCT), ("codes", NodeKind.CODE))
        for key in _listed(front.get(field))
    ]
    return _node(
        {
            "kind": str(front.get("kind", "article")),
            "key": str(front.get("key", Path(name).with_suffix("")))[:200],
            "title": str(front.get("title", title))[:300],
            "language": front.get("language", _language(title + body)),
            "body": body.strip(),
            "links": msgspec.to_builtins(links),
            "source": name,
        },
        name,
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _markdown(text: str, name: str) -> Node:
    front: object = {}
    if text.startswith("---\n") and "\n---" in text[4:]:
        head, _, text = text[4:].partition("\n---")
        try:
            front = yaml.safe_load(head)
        # A day that is none is a ValueError, and what is too deep a RecursionError.
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise KnowledgeError(name, "front matter in YAML", type(error).__name__) from error
    if not isinstance(front, dict):
        raise KnowledgeError(name, "front matter with names and values", type(front).__name__)
    heading = next((line.lstrip("# ") for line in text.splitlines() if line.startswith("# ")), Path(name).stem)
    return _article(name, heading, text, {str(field): value for field, value in front.items()})


class _Text(HTMLParser):
    """The text of HTML that is clean already; headings become those of Markdown."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - of the parser
        if tag in _BLOCKS:
            self.parts.append("\n\n" + (f"{'#' * int(tag[1])} " if tag[0] == "h" and tag[1:].isdigit() else ""))

    def handle_data(self, data: str) -> None:
        self.parts.append(" ".join(data.split("\n")))


_ELEMENT: Final = re.compile(r"<[a-z]", re.IGNORECASE)
_MARKUP: Final = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))|=\s*(?:\"[^\"]*\"|'[^']*')|</?([a-z][^\s/>]*)", re.DOTALL | re.IGNORECASE
)
"""A comment, a quoted value, or a tag."""
_ENDS_ITSELF: Final = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"),
        *("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option"),
    )
)
"""Without an end tag: void, or ended by the next of its kind."""


def _bounded(text: str, name: str) -> None:
    """Refuse HTML of which the cleaning would take long, before it begins."""
    # Wherever they stand, in comments too: no trick of writing gets around this bound.
    if sum(1 for _ in _ELEMENT.finditer(text)) > ELEMENTS:
        raise KnowledgeError(name, f"HTML of at most {ELEMENTS} elements", "more")
    depth = 0
    begun: Counter[str] = Counter()
    for found in _MARKUP.finditer(text):
        tag = (found[1] or "").lower()
        if not tag or tag in _ENDS_ITSELF:
            continue
        step = 1 if found.group()[1] != "/" else -1
        # An end tag of nothing ends nothing.
        if step > 0 or begun[tag] > 0:
            begun[tag] += step
            depth += step
        if depth > DEPTH:
            raise KnowledgeError(name, f"elements at most {DEPTH} deep in one another", "deeper ones")


def _html(text: str, name: str) -> Node:
    _bounded(text, name)
    # Scripts, styles and whatever runs are taken out with their content before a word is read.
    title = text.partition("<title>")[2].partition("</title>")[0].strip()
    reader = _Text()
    reader.feed(nh3.clean(text, tags=set(_BLOCKS), clean_content_tags={"script", "style", "title"}, attributes={}))
    reader.close()
    return _article(name, nh3.clean(title, tags=set()) or Path(name).stem, "".join(reader.parts))


def _pdf(content: bytes, name: str) -> Node:
    from pypdf import PdfReader  # noqa: PLC0415 - seldom needed
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise KnowledgeError(name, "a PDF without password", "an encrypted one")
        text = "\n\n".join(page.extract_text() for page in reader.pages).replace("\0", "")
    except (PyPdfError, ValueError, KeyError, RecursionError) as error:
        raise KnowledgeError(name, "a whole PDF", type(error).__name__) from error
    if not text.strip():
        raise KnowledgeError(name, "a PDF with text", "pictures alone")
    return _article(name, Path(name).stem, text)


def _rows(text: str, name: str) -> Iterator[Node | Rejected]:
    """Columns code, title, solution, product, language: each row a code, its product and its solution."""
    table = csv.DictReader(io.StringIO(text))
    if "code" not in (table.fieldnames or []):
        raise KnowledgeError(name, "columns code, title, solution, product, language", str(table.fieldnames)[:200])
    for number, row in enumerate(table, start=2):
        source = f"{name}:{number}"
        try:
            yield from _coded({field: (value or "").strip() for field, value in row.items() if field}, source)
        except KnowledgeError as error:
            yield Rejected(source=source, reason=str(error))


def _coded(row: dict[str, str], source: str) -> Iterator[Node]:
    code, product = row["code"], row.get("product", "")
    title = row.get("title") or code
    rest = {"language": row.get("language") or _language(title), "source": source}
    of = [{"kind": "part_of", "to_kind": "product", "to_key": product}] if product else []
    if product:
        yield _node({"kind": "product", "key": product, "title": product, **rest, "source": ""}, source)
    yield _node({"kind": "code", "key": code, "title": title, "links": of, **rest}, source)
    if solution := row.get("solution"):
        links = [{"kind": "solves", "to_kind": "code", "to_key": code}]
        links += [{"kind": "about", "to_kind": "product", "to_key": product}] if product else []
        yield _node({"kind": "solution", "key": code, "title": title, "body": solution, "links": links, **rest}, source)


def _lines(text: str, name: str) -> Iterator[Node | Rejected]:
    for number, line in enumerate(text.splitlines(), start=1):
        source = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            yield msgspec.structs.replace(msgspec.json.decode(line, type=Node), source=source)
        except msgspec.MsgspecError as error:
            yield Rejected(source=source, reason=str(KnowledgeError(source, "a node in JSON", str(error))))
