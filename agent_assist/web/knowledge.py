"""Knowledge over HTTP."""

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery, QueryParameter

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import QUESTION, KnowledgeIndex
from agent_assist.knowledge.rendering import rendered
from agent_assist.knowledge.types import Answer, Node, NodeKind
from agent_assist.web.access import needs_token, office


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """A published node, whole."""

    node: Node
    version: int
    html: str
    """Of its body, sanitised."""


def _known(request: Request[Any, Any, State]) -> tuple[KnowledgeBase, KnowledgeIndex]:
    found = office(request.app).knowledge
    if found is None:
        raise HTTPException("expected a knowledge base, got a gateway without one", status_code=503)
    return found


@get("/v1/knowledge/search", guards=[needs_token])
async def search_knowledge(
    request: Request[Any, Any, State],
    q: Annotated[str, QueryParameter(min_length=1, max_length=QUESTION)],
    language: FromQuery[Literal["zh", "en"] | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=50)] = 5,
) -> Answer:
    """What is known on a question in plain words."""
    _, index = _known(request)
    return await asyncio.to_thread(index.search, q, language=language, limit=limit)


@get("/v1/knowledge/nodes/{kind:str}/{key:path}", guards=[needs_token])
async def get_node(request: Request[Any, Any, State], kind: FromPath[str], key: FromPath[str]) -> Article:
    """What is published of an article, product, code or solution."""
    base, _ = _known(request)
    name = key.removeprefix("/")
    known = kind in set(NodeKind) and len(name) <= 200 and "\0" not in name
    stored = await asyncio.to_thread(base.published, f"{kind}:{name}") if known else None
    if stored is None:
        raise NotFoundException(f"expected what is published, got {kind[:20]!r} {name[:200]!r}, which is not")
    return Article(node=stored.node, version=stored.version, html=rendered(stored.node.body))


HANDLERS: Final = (search_knowledge, get_node)
