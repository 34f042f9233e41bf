"""What a playbook may recommend: solutions, products and services, as they are written."""

import re
from typing import Final, Literal

import msgspec

from agent_assist.advice.conditions import Language, Texts, check_texts
from agent_assist.advice.flow import When
from agent_assist.advice.profile import ProfileCondition

PREFIX: Final = "recommend."
"""Of the rules under which the cards go."""
_ID: Final = re.compile(r"[a-z0-9_][a-z0-9_-]{0,53}")


class Candidate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that may be recommended."""

    id: str
    kind: Literal["solution", "product", "service"]
    title: Texts
    text: Texts = {}
    reason: Texts
    """``{words}`` is what was heard."""
    topics: tuple[str, ...] = ()
    """As of an offer: a customer may not want to hear of them."""
    languages: tuple[Language, ...] = ()
    """Of the call; any where none is given."""
    when: When
    only: str | None = None
    """In CEL: only where this holds."""
    after_steps: tuple[str, ...] = ()
    """Steps of the flow that are done first."""
    weight: float = 0.5
    """How good it is where it fits, above 0, up to 1."""
    priority: int = 300

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.id) is None:
            raise ValueError(f"expected an id of small letters, digits, '_' and '-', got {self.id!r}")
        for texts in (self.title, self.text, self.reason):
            check_texts(texts)
        if not (self.title and self.reason):
            raise ValueError(f"expected a title and a reason of {self.id}, got less")
        if self.only is not None:
            ProfileCondition(self.only)
        if not 0 < self.weight <= 1 or not 0 <= self.priority <= 1000:
            raise ValueError(f"expected weight above 0, up to 1, and priority from 0 to 1000, got others of {self.id}")

    @property
    def rule(self) -> str:
        """Under which its card goes."""
        return f"{PREFIX}{self.id}"


class Recommendations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be recommended, and how much of it at once."""

    at_most: int = 1
    """With one utterance; the rest may come later."""
    candidates: tuple[Candidate, ...] = ()

    def __post_init__(self) -> None:
        if self.at_most < 1:
            raise ValueError(f"expected at_most of at least 1, got {self.at_most}")
        ids = [each.id for each in self.candidates]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"expected each candidate's id once, got {name} twice")
