"""What can be wrong with advice, storage or the API."""


class AssistError(Exception):
    """Root of this package's errors."""
