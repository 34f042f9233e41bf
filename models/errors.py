"""What can be wrong with a model."""


class ModelError(Exception):
    """Root of this package's errors."""


class OutOfRange(ModelError):
    """A number that no measure can have: our fault."""

    def __init__(self, name: str, value: float, low: float, high: float) -> None:
        super().__init__(name, value, low, high)
        self.name, self.value, self.low, self.high = name, value, low, high

    def __str__(self) -> str:
        return f"expected {self.low} <= {self.name} <= {self.high}, got {self.value}"
