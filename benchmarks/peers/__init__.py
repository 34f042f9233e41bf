"""Other systems, run beside ours on the same calls and weights."""

import tempfile
from pathlib import Path

from models.weights import locate


def weights() -> Path:
    """The directory of the default weights."""
    return locate(
        "whisper-base", directory=None, cache=Path(tempfile.gettempdir()) / "warmline-bench-models" / "weights"
    )
