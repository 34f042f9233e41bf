"""What can be wrong with a model."""


class ModelError(Exception):
    """Root of this package's errors."""
