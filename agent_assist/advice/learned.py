"""What agents made of the cards of rules, as a snapshot that stands in the playbook."""

import re
from typing import Final

import msgspec

MOST: Final = 100
"""Points by which a priority may be moved, of 1000."""
_ID: Final = re.compile(r"[0-9a-f]{8}")


class Learned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Written by ``warmline rules learned --write``; the same snapshot gives the same ranking, live and in replays."""

    id: str
    """Of its content."""
    shifts: dict[str, int]
    """By the id of the rule: points by which its cards' priority is moved."""

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.id) is None:
            raise ValueError(f"expected an id of eight digits, got {self.id!r}")
        for rule, shift in self.shifts.items():
            if abs(shift) > MOST:
                raise ValueError(f"expected shifts from {-MOST} to {MOST}, got {shift} of {rule}")
