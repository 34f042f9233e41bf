"""Moments as the databases give them back."""

from datetime import UTC, datetime


def utc(at: datetime | None) -> datetime | None:
    """SQLite forgets the zone; we write UTC alone."""
    return None if at is None else at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
