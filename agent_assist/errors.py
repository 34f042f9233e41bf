"""What can be wrong with advice, storage or the API."""

from dataclasses import dataclass
from typing import Literal


class AssistError(Exception):
    """Root of this package's errors."""


@dataclass(eq=False)
class PlaybookError(AssistError):
    """A playbook that cannot be used."""

    path: str
    expected: str
    got: str
    line: int | None = None
    """Of the file; None for the whole of it."""
    rule: str = ""
    """Id, where it is of one rule."""

    def __str__(self) -> str:
        line = "" if self.line is None else f", line={self.line}"
        rule = f" at rule {self.rule}" if self.rule else ""
        return f"expected {self.expected}, got {self.got}{rule} (file={self.path}{line})"


@dataclass(eq=False)
class MeaningMissing(AssistError):
    """An utterance whose vectors are not known, where a rule asks what it means."""

    utterance_id: str
    got: str

    def __str__(self) -> str:
        return f"expected vectors of what was said, got {self.got} (utterance={self.utterance_id})"


@dataclass(eq=False)
class SlowListener(AssistError):
    """A listener that does not read what it is told."""

    waiting: int

    def __str__(self) -> str:
        return f"expected a listener that keeps up, got one with {self.waiting} messages unread (live channel)"


@dataclass(eq=False)
class ClipError(AssistError):
    """A clip that is none of any call."""

    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got}"


@dataclass(eq=False)
class UnknownCall(AssistError):
    """A call that is not in the store."""

    call_id: str

    def __str__(self) -> str:
        return f"expected the id of a stored call, got {self.call_id[:128]!r}; `warmline calls list` shows them"


@dataclass(eq=False)
class UnknownCustomer(AssistError):
    """A customer of whom nothing was told."""

    customer_id: str

    def __str__(self) -> str:
        return f"expected the id of a customer of whom something was told, got {self.customer_id[:128]!r}"


@dataclass(eq=False)
class TurnsError(AssistError):
    """Turns of a call that cannot be scored."""

    path: str
    expected: str
    got: str
    turn: int | None = None
    """From 1."""
    field: str = ""

    def __str__(self) -> str:
        places = [f"file={self.path}"]
        places += [] if self.turn is None else [f"turn={self.turn}"]
        places += [f"field={self.field}"] if self.field else []
        return f"expected {self.expected}, got {self.got} ({', '.join(places)})"


@dataclass(eq=False)
class KnowledgeError(AssistError):
    """Knowledge that cannot be taken in."""

    source: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (source={self.source})"


@dataclass(eq=False)
class TaskChanged(AssistError):
    """A task that somebody else changed meanwhile."""

    task_id: str
    expected: int
    got: int | None
    """Its version now; None where it is gone."""

    def __str__(self) -> str:
        now = "none" if self.got is None else f"version {self.got}"
        return f"expected version {self.expected} of the task {self.task_id[:256]!r}, got {now}"


@dataclass(eq=False)
class AlertContested(AssistError):
    """An alert that others changed each time when it was to be changed."""

    customer_id: str

    def __str__(self) -> str:
        return f"expected the alert of {self.customer_id[:256]!r} as it was read, got one that was changed meanwhile"


@dataclass(eq=False)
class ReceiverError(AssistError):
    """Receivers of webhooks that cannot be used."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (file={self.path})"


@dataclass(eq=False)
class LedgerError(AssistError):
    """A compensation that cannot be asked for, or decided, like that."""

    kind: Literal["unknown", "forbidden", "conflict"]
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got}"


@dataclass(eq=False)
class CustomerTableError(AssistError):
    """A table about customers (segments, stages, festivals) that cannot be used."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (file={self.path})"


@dataclass(eq=False)
class UnknownTrial(AssistError):
    """A trial that is neither set nor was ever begun."""

    trial_id: str

    def __str__(self) -> str:
        return f"expected a trial of the setting outreach, or one that was begun, got {self.trial_id[:256]!r}"


@dataclass(eq=False)
class HandoffConflict(AssistError):
    """A hand-off under an id that another one has."""

    handoff_id: str

    def __str__(self) -> str:
        return f"expected the hand-off that is known as {self.handoff_id!r}, got another one"
