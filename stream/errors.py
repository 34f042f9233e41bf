"""What can be wrong between processes."""

from dataclasses import dataclass


class StreamError(Exception):
    """Root of this package's errors."""


@dataclass(eq=False)
class WireError(StreamError):
    """A message that cannot be read."""

    expected: str
    got: str
    where: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} ({self.where})"


@dataclass(eq=False)
class SettingsError(StreamError):
    """A setting that cannot be used."""

    name: str
    expected: str
    got: str
    source: str

    def __str__(self) -> str:
        return f"expected {self.expected} for the setting {self.name}, got {self.got} (in {self.source})"


@dataclass(eq=False)
class PortTaken(StreamError):
    """Another program listens where we should."""

    host: str
    port: int
    purpose: str

    def __str__(self) -> str:
        return (
            f"expected {self.host}:{self.port} to be free for the {self.purpose}, "
            "got a port that another program uses; choose another with --port"
        )


@dataclass(eq=False)
class NotRunning(StreamError):
    """No gateway answers."""

    address: str
    hint: str

    def __str__(self) -> str:
        return f"expected a running gateway at {self.address}, got no answer; {self.hint}"
