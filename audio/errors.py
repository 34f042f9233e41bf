"""What can be wrong with audio."""


class AudioError(Exception):
    """Root of this package's errors."""
