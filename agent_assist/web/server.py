"""The application: API, live channel and pages behind one port."""

from collections.abc import Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final

from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.response import File
from litestar.static_files import create_static_files_router

from agent_assist.web import (
    alerts,
    api,
    callers,
    care,
    compensation,
    customers,
    desk,
    handoffs,
    health,
    knowledge,
    library,
    playbooks,
    routing,
    segments,
    sound,
    tasks,
    trials,
)
from agent_assist.web.access import Office, needs_token, only
from agent_assist.web.channel import live_channel
from agent_assist.web.problem import answer_error

STATIC: Final = Path(__file__).parent / "static"
"""Where ``make web`` puts the pages."""

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; img-src 'self' data:; "
        "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
}
_UNBUILT: Final = "<!doctype html><title>Warmline</title><p>The pages are not built: run <code>make web</code>.</p>"
_NAMES: Final = ("overlay", "replay", "search", "rules", "knowledge", "customer", "segments")
_PAGES: Final = {"/": "index.html"} | {f"/{name}": f"{name}.html" for name in _NAMES} | {"/data-health": "health.html"}


def _pages(static: Path) -> list[Any]:
    """Handlers of the pages, of what lies beside them and of their assets."""

    @get(list(_PAGES), include_in_schema=False, sync_to_thread=False)
    def page(request: Request[Any, Any, State]) -> Response[str] | File:
        """One of the pages; none of them holds data."""
        path = static / _PAGES[request.url.path.rstrip("/") or "/"]
        if not path.is_file():
            return Response(_UNBUILT, media_type=MediaType.HTML, status_code=503)
        return File(
            path, content_disposition_type="inline", media_type=MediaType.HTML, headers={"cache-control": "no-cache"}
        )

    handlers: list[Any] = [page]
    beside = {f"/{path.name}": path for path in static.glob("*.*") if path.is_file() and path.suffix != ".html"}
    if beside:

        @get(list(beside), include_in_schema=False, sync_to_thread=False)
        def file(request: Request[Any, Any, State]) -> File:
            """A file to be embedded elsewhere, or an icon."""
            path = beside[request.url.path]
            return File(path, content_disposition_type="inline", media_type=guess_type(path.name)[0])

        handlers.append(file)
    if (static / "assets").is_dir():
        handlers.append(
            create_static_files_router(path="/assets", directories=[static / "assets"], include_in_schema=False)
        )
    return handlers


def application(us: Office, *, hosts: Sequence[str], static: Path = STATIC) -> Litestar:
    """
    The ASGI application.

    Args:
        hosts: Names under which it may be asked for; others are refused, against rebinding of names. "0.0.0.0"
            stands for all.
        static: Of the built pages; where they are absent, a page says how to build them.
    """
    guarded = Router("/openapi", route_handlers=[], guards=[needs_token], include_in_schema=False)
    return Litestar(
        [
            *alerts.HANDLERS,
            *api.HANDLERS,
            *care.HANDLERS,
            *desk.HANDLERS,
            *compensation.HANDLERS,
            *library.HANDLERS,
            *customers.HANDLERS,
            *callers.HANDLERS,
            *health.HANDLERS,
            *handoffs.HANDLERS,
            *routing.HANDLERS,
            *knowledge.HANDLERS,
            *playbooks.HANDLERS,
            *segments.HANDLERS,
            *sound.HANDLERS,
            *tasks.HANDLERS,
            *trials.HANDLERS,
            live_channel,
            *_pages(static),
        ],
        state=State({"office": us}),
        middleware=[] if "0.0.0.0" in hosts else [only(frozenset(name.lower() for name in hosts))],  # noqa: S104 - compared, not bound
        exception_handlers={HTTPException: answer_error, Exception: answer_error},
        cors_config=CORSConfig(
            allow_origins=sorted(us.origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["authorization", "content-type"],
        )
        if us.origins
        else None,
        openapi_config=OpenAPIConfig(
            title="Warmline", version="1", openapi_router=guarded, render_plugins=[JsonRenderPlugin()]
        ),
        request_max_body_size=65_536,
        response_headers=_HEADERS,
        logging_config=None,
    )
