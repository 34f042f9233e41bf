"""What the knowledge base holds and answers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

TITLE = 300
BODY = 200_000
"""Characters of one article at most."""

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=TITLE)]


class NodeKind(StrEnum):
    ARTICLE = "article"
    PRODUCT = "product"
    CODE = "code"
    SOLUTION = "solution"


class EdgeKind(StrEnum):
    ABOUT = "about"
    """An article, of a product or code."""
    SOLVES = "solves"
    """A solution, a code."""
    REPLACES = "replaces"
    PART_OF = "part_of"
    """A code or product, of a product."""


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An edge of the graph, as its beginning knows it."""

    kind: EdgeKind
    to_kind: NodeKind
    to_key: Key

    @property
    def to_id(self) -> str:
        return f"{self.to_kind.value}:{self.to_key}"


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of an article, a product, an error code or a solution; the same wording for every channel."""

    kind: NodeKind
    key: Key
    title: Name
    language: Literal["zh", "en"]
    body: Annotated[str, msgspec.Meta(max_length=BODY)] = ""
    """Markdown; never HTML that a browser would run."""
    links: tuple[Link, ...] = ()
    attributes: Mapping[str, str] = {}
    """Of a product ``aliases``, parted by commas."""
    source: str = ""
    """File and row that it was imported from."""

    @property
    def node_id(self) -> str:
        return f"{self.kind.value}:{self.key}"


class State(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One version in a list."""

    kind: NodeKind
    key: str
    version: int
    state: State
    latest: bool
    """Whether the node has no later version: of drafts, the one that would be published."""
    title: str
    language: str
    source: str


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A published node, and which version it is."""

    node: Node
    version: int


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A file or row that was not taken in."""

    source: str
    reason: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    added: int
    changed: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    dry_run: bool = False


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Characters of a passage that a word of the question stands in."""

    start: int
    end: int


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, with its source."""

    kind: NodeKind
    key: str
    version: int
    title: str
    language: str
    source: str
    heading: str
    passage: str
    start: int
    """Place of the passage in the body, in characters."""
    end: int
    marks: tuple[Mark, ...]
    score: float
    """Chance that it answers, or without an embedding the share of the question's words; 1 for an exact code."""
    why: Literal["code", "text"]
    """"code" where an error code named in the question leads there."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known on a question."""

    question: str
    hits: tuple[Hit, ...]
    """The best first; empty where nothing is good enough."""
    codes: tuple[str, ...]
    """Error codes that the question names, as the base writes them, or as asked where it does not know them."""
    revision: int
    """Of the base: how often anything was published or withdrawn before this answer."""
