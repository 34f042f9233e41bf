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


@dataclass(eq=False)
class ProtocolError(AudioError):
    """A peer broke its protocol; its connection closes, no other."""

    expected: str
    got: str
    where: str
    close_code: int = 1008

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} ({self.where})"


@dataclass(eq=False)
class Busy(AudioError):
    """No more calls are taken at the moment."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Refused(AudioError):
    """This call is not taken."""

    reason: str

    def __str__(self) -> str:
        return self.reason
