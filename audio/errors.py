"""What can be wrong with audio."""

from dataclasses import dataclass


class AudioError(Exception):
    """Root of this package's errors."""


@dataclass(eq=False)
class PayloadError(AudioError):
    """A payload that is no audio of its encoding."""

    expected: str
    got: str
    where: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} ({self.where})"


@dataclass(eq=False)
class NotAudio(AudioError):
    """A file that cannot be read as a recording."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (file={self.path})"
