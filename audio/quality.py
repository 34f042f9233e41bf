"""Simple measures of a channel's sound."""

from typing import Final

import numpy as np
import numpy.typing as npt

from audio.types import Pcm

_FULL: Final = 32_124
"""The loudest code of mu-law; that of A-law is 32256."""
_IDLE: Final = 8
"""The softest code of A-law, which has no zero."""


def rms_dbfs(pcm: Pcm) -> float:
    """
    Level of a window.

    Args:
        pcm: Shape (n,), n > 0.

    Returns:
        dB relative to full scale, at most 0; digital silence is -96.

    Raises:
        ValueError: If the window is empty.

    Source: AES17-2020, without its +3 dB offset for sines.
    """
    if pcm.size == 0:
        raise ValueError("expected a window of at least 1 sample, got 0")
    rms = float(np.sqrt(np.mean(np.square(pcm, dtype=np.float64))))
    return max(20 * float(np.log10(max(rms, 1e-9) / 32768)), -96.0)


def clipped_share(pcm: Pcm) -> float:
    """
    How much of a window is cut off at full scale.

    Args:
        pcm: Shape (n,), as it came: resampling rounds the corners off.

    Returns:
        0 ... 1; an empty window has none.
    """
    return float(np.mean(_magnitude(pcm) >= _FULL)) if pcm.size else 0.0


def is_dead(pcm: Pcm) -> bool:
    """
    Whether nothing is heard at all, not even the noise of a line.

    Args:
        pcm: Shape (n,); an empty one is dead.
    """
    return int(_magnitude(pcm).max(initial=0)) <= _IDLE


def _magnitude(pcm: Pcm) -> npt.NDArray[np.int32]:
    # Wide first: the magnitude of -32768 does not fit.
    return np.abs(pcm.astype(np.int32))
