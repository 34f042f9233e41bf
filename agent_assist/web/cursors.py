"""Where a page of a list ended, as it goes over the wire and comes back."""

import base64
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec
from litestar.exceptions import HTTPException

_MOST: Final = 2**63
"""Numbers from here on are none of a database's."""

T = TypeVar("T", bound=tuple[object, ...])


def written(place: tuple[object, ...]) -> str:
    """A place as text that may stand in an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(text: str, shape: type[T], name: str) -> T:
    """
    A place as it was written.

    Args:
        name: Of the parameter.

    Raises:
        HTTPException: If it is not as ``written`` gave it.
    """
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=shape)
        for part in place:
            _check(part)
    except (ValueError, OverflowError, msgspec.DecodeError) as error:
        raise HTTPException(f"expected {name} as `next` gave it, got {text[:80]!r}", status_code=400) from error
    return place


def _check(part: object) -> None:
    match part:
        case datetime():
            if part.tzinfo is None:
                raise ValueError("expected a time with its offset")
            part.astimezone(UTC)
        case int():
            if not -_MOST <= part < _MOST:
                raise ValueError("expected a number of 64 bits")
        case str():
            if "\0" in part:
                raise ValueError("PostgreSQL knows no NUL")
        case _:
            pass
