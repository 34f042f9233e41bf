"""The talk track for a customer who is about to leave, as a playbook writes it."""

from typing import Final

import msgspec

from agent_assist.advice.conditions import Risk, Texts, check_texts
from models.types import RiskLevel

RULE: Final = "retention"
"""Under which the card goes, as if a rule had given it."""


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to say about one reason."""

    name: Texts
    """Of the reason, for the card."""
    say: Texts

    def __post_init__(self) -> None:
        check_texts(self.name)
        check_texts(self.say)


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the talk track is shown, and what it says."""

    risk: Risk = Risk(level=RiskLevel.CRITICAL)
    """At least; of the call, or known before it."""
    title: Texts
    text: Texts
    """Said in any case, before the lines."""
    reason: Texts
    """``{words}`` are the names of the reasons."""
    lines: dict[str, Line] = {}
    """By the name of the risk's reason: "price", "competitor" ..."""
    most: int = 2
    """Lines shown."""
    priority: int = 850

    def __post_init__(self) -> None:
        for texts in (self.title, self.text, self.reason):
            check_texts(texts)
        if not (self.title and self.text and self.reason):
            raise ValueError("expected a title, a text and a reason of retention, got less")
        if not 0 <= self.priority <= 1000 or self.most < 0:
            raise ValueError(
                f"expected priority from 0 to 1000 and most of at least 0, got {self.priority}, {self.most}"
            )
