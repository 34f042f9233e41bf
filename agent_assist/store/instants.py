"""Moments as the databases give them back."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(microseconds=1)


def utc(at: datetime | None) -> datetime | None:
    """SQLite forgets the zone; we write UTC alone."""
    return None if at is None else at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def to_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _SECOND


def from_us(us: int) -> datetime:
    """Of microseconds since 1970."""
    return _EPOCH + us * _SECOND
