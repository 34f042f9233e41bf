"""Times that somebody asks for."""

from datetime import datetime

from litestar.exceptions import HTTPException

from agent_assist.customer.events import YEARS


def asked(at: datetime | None, name: str) -> datetime | None:
    """
    A time as it was asked for; None where none was.

    Args:
        name: Of the parameter.

    Raises:
        HTTPException: If it has no offset, or lies where no time is reckoned.
    """
    if at is None:
        return None
    if at.tzinfo is None:
        raise HTTPException(f"expected {name} with its offset from UTC, got {at.isoformat()}", status_code=400)
    if at.year not in YEARS:
        raise HTTPException(
            f"expected {name} in a year from {YEARS[0]} to {YEARS[-1]}, got {at.isoformat()}", status_code=400
        )
    return at
