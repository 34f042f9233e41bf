"""Errors of the API in one shape, RFC 9457."""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

log = structlog.get_logger()


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


def problem(status: int, detail: str) -> Response[Problem]:
    """An error as it goes out."""
    return Response(
        Problem(title=HTTPStatus(status).phrase, status=status, detail=detail[:1_000]),
        status_code=status,
        media_type="application/problem+json",
        headers={"www-authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None,
    )


def answer_error(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Tell the other side's fault in full, and ours without its words."""
    if not isinstance(error, HTTPException):
        log.error("request_failed", error=type(error).__name__, pii_detail=str(error), exc_info=error)
        return problem(500, "the fault is ours; the log says more")
    detail = str(error.detail)
    return problem(error.status_code, f"{detail}: {error.extra}" if error.extra else detail)
