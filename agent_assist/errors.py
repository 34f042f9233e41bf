"""What can be wrong with advice, storage or the API."""

from dataclasses import dataclass


class AssistError(Exception):
    """Root of this package's errors."""


@dataclass(eq=False)
class PlaybookError(AssistError):
    """A playbook that cannot be used."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (file={self.path})"


@dataclass(eq=False)
class SlowListener(AssistError):
    """A listener that does not read what it is told."""

    waiting: int

    def __str__(self) -> str:
        return f"expected a listener that keeps up, got one with {self.waiting} messages unread (live channel)"


@dataclass(eq=False)
class KnowledgeError(AssistError):
    """Knowledge that cannot be taken in."""

    source: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (source={self.source})"
