"""Simple measures of a channel's sound."""

import numpy as np

from audio.types import Pcm


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
