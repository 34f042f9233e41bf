"""Knowledge over HTTP."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import QUESTION, KnowledgeIndex
from agent_assist.knowledge.reading import LARGEST, SUFFIXES, read
from agent_assist.knowledge.rendering import rendered
from agent_assist.knowledge.types import Answer, Imported, Listed, Node, NodeKind, Rejected
from agent_assist.knowledge.types import State as VersionState
from agent_assist.web.access import needs, needs_token, office
from agent_assist.web.passes import Role

_EDITORS: Final = (Role.EXPERT, Role.SUPERVISOR)
"""Who may write; everybody may read."""
_BODY: Final = 1_000_000
"""Bytes of an article that is written here, at most."""


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a node, whole."""

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


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What the base holds, by node, the latest version first; and what could not be taken in."""

    versions: Sequence[Listed]
    rejected: Sequence[Rejected]


class Ids(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of nodes, as ``article:reset-router``."""

    ids: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=256)], ...], msgspec.Meta(min_length=1, max_length=1_000)
    ]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that were changed."""

    ids: Sequence[str]


@get("/v1/knowledge/versions", guards=[needs(*_EDITORS)])
async def list_versions(
    request: Request[Any, Any, State],
    how: FromQuery[VersionState | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1_000)] = 500,
) -> Versions:
    """Drafts, what is published, and what was withdrawn."""
    base, _ = _known(request)
    found = await asyncio.to_thread(base.listed, how=how, limit=limit)
    return Versions(versions=found, rejected=await asyncio.to_thread(base.rejected, 100))


@get("/v1/knowledge/versions/{version:int}/{kind:str}/{key:path}", guards=[needs(*_EDITORS)])
async def get_version(
    request: Request[Any, Any, State], version: FromPath[int], kind: FromPath[str], key: FromPath[str]
) -> Article:
    """One version, also of a draft."""
    base, _ = _known(request)
    stored = await asyncio.to_thread(base.version, f"{kind}:{key.removeprefix('/')}"[:256].replace("\0", ""), version)
    if stored is None:
        raise NotFoundException(f"expected a version that there is, got {version} of {kind[:20]!r} {key[1:201]!r}")
    return Article(node=stored.node, version=stored.version, html=rendered(stored.node.body))


@post("/v1/knowledge/drafts", guards=[needs(*_EDITORS)], status_code=201, request_max_body_size=_BODY)
async def write_draft(request: Request[Any, Any, State], data: JSONBody[Node]) -> Imported:
    """Keep a draft of an article; nobody finds it until it is published."""
    base, _ = _known(request)
    return await asyncio.to_thread(base.draft, [data])


@post("/v1/knowledge/import", guards=[needs(*_EDITORS)], status_code=201, request_max_body_size=LARGEST)
async def import_file(
    request: Request[Any, Any, State],
    name: Annotated[str, QueryParameter(min_length=1, max_length=200)],
    dry_run: FromQuery[bool] = False,
) -> Imported:
    """Take the file that is the body of the request in, as drafts; what is rejected is told with its reason."""
    base, _ = _known(request)
    own = Path(name.replace("\\", "/").replace("\0", "")).name
    if Path(own).suffix.lower() not in SUFFIXES:
        raise HTTPException(f"expected a name that ends in one of {', '.join(SUFFIXES)}, got {own!r}", status_code=400)
    return await asyncio.to_thread(_import, base, own, await request.body(), dry_run)


def _import(base: KnowledgeBase, name: str, content: bytes, dry_run: bool) -> Imported:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{Path(name).suffix.lower()}"
        path.write_bytes(content)
        found = list(read(path, name))
    rejected = [one for one in found if isinstance(one, Rejected)]
    done = base.draft((one for one in found if isinstance(one, Node)), dry_run=dry_run)
    if not dry_run:
        base.reject(rejected)
    return msgspec.structs.replace(done, rejected=tuple(rejected))


@post("/v1/knowledge/publish", guards=[needs(*_EDITORS)], status_code=200)
async def publish(request: Request[Any, Any, State], data: JSONBody[Ids]) -> Done:
    """Publish the latest drafts of nodes, all at once."""
    base, index = _known(request)
    return Done(ids=await asyncio.to_thread(base.publish, data.ids, vectors=index.vectors))


@post("/v1/knowledge/withdraw", guards=[needs(*_EDITORS)], status_code=200)
async def withdraw(request: Request[Any, Any, State], data: JSONBody[Ids]) -> Done:
    """Take nodes out of every answer, at once; their versions stay."""
    base, _ = _known(request)
    return Done(ids=await asyncio.to_thread(base.withdraw, data.ids))


HANDLERS: Final = (
    search_knowledge,
    get_node,
    list_versions,
    get_version,
    write_draft,
    import_file,
    publish,
    withdraw,
)
