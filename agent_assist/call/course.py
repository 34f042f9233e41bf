"""How far a call has come in its standard flow, as its state keeps it."""

from typing import Literal

import msgspec

Why = Literal["words", "intent", "emotion", "risk", "profile", "rule"]
"""By what a branch was taken."""


class Stepped(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was done."""

    utterance_id: str
    at_ms: int


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A branch that was taken."""

    why: Why
    words: str
    """What was heard; empty where no words decided."""
    utterance_id: str
    """Empty where it was taken at the start of the call."""
    at_ms: int


class Course(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Only grows: what was done stays done, a branch once taken stays taken."""

    flow: str = ""
    """Id of the flow; empty before one was chosen, and where none fits."""
    done: dict[str, Stepped] = {}
    """By the id of the step."""
    taken: dict[str, Taken] = {}
    """By the id of the branch."""
