"""What can be wrong with a model."""

from dataclasses import dataclass


class ModelError(Exception):
    """Root of this package's errors."""


@dataclass(eq=False)
class WeightsMissing(ModelError):
    """Weights that are nowhere."""

    name: str
    expected: str
    hint: str

    def __str__(self) -> str:
        return f"expected {self.expected} for the weights {self.name}, found none; {self.hint}"


@dataclass(eq=False)
class WeightsDamaged(ModelError):
    """A file that is not the one it should be."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (file={self.path}); remove it and fetch it again"


@dataclass(eq=False)
class ComputeUnsupported(ModelError):
    """A kind of arithmetic that the device does not have."""

    device: str
    supported: tuple[str, ...]
    got: str

    def __str__(self) -> str:
        return f"expected compute of {', '.join(self.supported)}, got {self.got} (device={self.device})"


@dataclass(eq=False)
class OutOfRange(ModelError):
    """A number that no measure can have: our fault."""

    name: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"expected {self.low} <= {self.name} <= {self.high}, got {self.value}"


@dataclass(eq=False)
class VocabularyError(ModelError):
    """A vocabulary that cannot be used."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (file={self.path})"


@dataclass(eq=False)
class VoiceModelError(ModelError):
    """A directory with a public model of voices that cannot be used."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (path={self.path})"


@dataclass(eq=False)
class FitError(ModelError):
    """Data to which a model cannot be fitted, or a model that cannot answer."""

    expected: str
    got: str
    n: int
    """Customers."""

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got} (n={self.n})"


@dataclass(eq=False)
class TooFewOutcomes(ModelError):
    """Outcomes of which nothing can be learned."""

    fewest: int
    left: int
    stayed: int

    def __str__(self) -> str:
        return (
            f"expected {self.fewest} customers who left and as many who stayed, got {self.left} and {self.stayed}; "
            "with fewer the shipped model is the better guess"
        )
