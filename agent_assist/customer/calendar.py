"""Months and years as people count them, in the time zone of the business."""

import calendar
from datetime import UTC, datetime, time, timedelta, tzinfo


def months_before(at: datetime, months: int, zone: tzinfo) -> datetime:
    """
    The same wall time so many calendar months earlier; on the last day of a month that has no such day.

    Args:
        at: With a time zone.
        zone: In which months are counted.

    Returns:
        In UTC. Of a wall time that comes twice, the first; of one that is skipped, as if the clock had not changed.
    """
    return _moved(at, -months, zone)


def last_with_months_before(since: datetime, months: int, zone: tzinfo) -> datetime:
    """The latest time whose ``months_before`` is not after ``since``: until then ``since`` lies in the window."""
    local = since.astimezone(zone)
    after = _moved(since, months, zone).astimezone(zone)
    # 28 February is three months before each of 28 to 31 May; 30 December lies two months before no time at all, and
    # is in the window until the last day of February ends.
    times = [
        candidate
        for more in range(4)
        for clock in (local.time(), time.max)
        if months_before(candidate := _at(after, more, clock, zone), months, zone) <= since
    ]
    return max(times, default=_moved(since, months, zone))


def _at(day: datetime, more: int, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day.date() + timedelta(days=more), clock, zone).astimezone(UTC)


def _moved(at: datetime, months: int, zone: tzinfo) -> datetime:
    local = at.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)
