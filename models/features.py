"""Log-mel features as Whisper takes them, computed for the speech alone: silence behind it is the same everywhere."""

from typing import Final

import numpy as np
import numpy.typing as npt

from audio.types import SAMPLE_RATE, Pcm

HOP: Final = SAMPLE_RATE // 100
"""Samples from one frame to the next."""
_FRAME: Final = SAMPLE_RATE // 40
_EDGE: Final = _FRAME // 2
_LEAST: Final = 1e-10
_RANGE: Final = 8.0
"""Of the logarithm: what lies further below the loudest is raised to it."""


class LogMel:
    """
    Features of utterances.

    Args:
        filters: The model's mel filters, of shape (mels, 201).

    Source: ``log_mel_spectrogram`` of openai/whisper.
    """

    def __init__(self, filters: npt.NDArray[np.float32]) -> None:
        self._filters = np.ascontiguousarray(filters, np.float32)
        self._hann = np.hanning(_FRAME + 1)[:-1].astype(np.float32)

    def __call__(self, pcm: Pcm, window_s: int) -> npt.NDArray[np.float32]:
        """
        Those of an utterance at the beginning of a silent window.

        Args:
            pcm: Shape (n,), 16 kHz, at most as long as the window.

        Returns:
            Shape (mels, 100 * window_s).
        """
        frames = window_s * SAMPLE_RATE // HOP
        # The last frame that holds any of the speech, and no more.
        spoken = min(frames, (len(pcm) + _EDGE) // HOP + 1)
        samples = np.zeros((spoken - 1) * HOP + _FRAME, np.float32)
        speech = samples[_EDGE:]
        heard = pcm[: len(speech)]
        speech[: len(heard)] = heard * np.float32(1 / 32768)
        # The beginning is mirrored, as if somebody had spoken before.
        samples[:_EDGE] = speech[_EDGE:0:-1]
        views = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::HOP]
        spectrum = np.fft.rfft(views * self._hann, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        logarithm = np.full((len(self._filters), frames), np.log10(_LEAST), np.float32)
        logarithm[:, :spoken] = np.log10(np.maximum(self._filters @ power.T.astype(np.float32), _LEAST))
        floor = logarithm.max() - np.float32(_RANGE)
        features: npt.NDArray[np.float32] = (np.maximum(logarithm, floor) + np.float32(4)) / np.float32(4)
        return features
