"""Moments as the databases give them back."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def utc(at: datetime | None) -> datetime | None:
    """SQLite forgets the zone; we write UTC alone."""
    return None if at is None else at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def moment(us: int) -> datetime:
    """The time of so many microseconds since 1970."""
    return _EPOCH + us * _MICROSECOND
