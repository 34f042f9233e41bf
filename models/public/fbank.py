"""What SenseVoice hears: Kaldi's log mel energies, stacked and scaled as FunASR does."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from audio.types import SAMPLE_RATE
from models.errors import VoiceModelError
from models.public.network import Floats

_MELS: Final = 80
_STACKED, _STEP = 7, 6
"""Frames of 10 ms that one step of the network sees, and by how many the next is further on."""
WIDTH: Final = _MELS * _STACKED
_LIBRARY: Final = "kaldi_native_fbank"


class Scale(NamedTuple):
    """Added to the features, then multiplied with: mean 0 and variance 1 over the training data."""

    shift: Floats
    """Shape (WIDTH,), as ``factor``."""
    factor: Floats


class Fbank:
    """
    From a signal to the network's input.

    The window is a Hamming one of 25 ms, and no noise is added ("dither"), so that the same sound always gives the same
    features; FunASR adds some by default.

    Raises:
        VoiceModelError: If the library is not installed.

    Source: ``WavFrontend`` of funasr_onnx; compute-fbank-feats of Kaldi, by kaldi-native-fbank.
    """

    def __init__(self, scale: Scale) -> None:
        if find_spec(_LIBRARY) is None:
            raise VoiceModelError(_LIBRARY, "kaldi-native-fbank, for SenseVoice", "none; pip install 'warmline[gpu]'")
        import kaldi_native_fbank  # noqa: PLC0415 - optional

        self._library: Any = kaldi_native_fbank
        self._scale = scale

    def __call__(self, signal: Floats) -> Floats:
        """
        Features of an utterance.

        Args:
            signal: Shape (n,), -1 ... 1, 16 kHz, at least 400 samples.

        Returns:
            Shape (steps, WIDTH), a step each 60 ms.
        """
        scaled: Floats = (stacked(self.energies(signal)) + self._scale.shift) * self._scale.factor
        return scaled

    def energies(self, signal: Floats) -> Floats:
        """Log mel energies, shape (frames, 80), a frame each 10 ms."""
        options = self._library.FbankOptions()
        options.frame_opts.samp_freq = SAMPLE_RATE
        options.frame_opts.dither = 0.0
        options.frame_opts.window_type = "hamming"
        options.frame_opts.snip_edges = True
        options.mel_opts.num_bins = _MELS
        options.energy_floor = 0.0
        online = self._library.OnlineFbank(options)
        online.accept_waveform(SAMPLE_RATE, (signal * 32_768).tolist())
        return np.stack([np.array(online.get_frame(n), np.float32) for n in range(online.num_frames_ready)])


def stacked(frames: Floats) -> Floats:
    """
    Seven frames at each step, three of them before it; the first and the last frame stand for what lies outside.

    Args:
        frames: Shape (frames, d), frames > 0.

    Returns:
        Shape (frames / 6, rounded up, 7 d).
    """
    steps = -(-len(frames) // _STEP)
    places = np.arange(steps)[:, None] * _STEP + np.arange(_STACKED) - _STACKED // 2
    inside = np.clip(places, 0, len(frames) - 1)
    return np.reshape(frames[inside], (steps, -1))


def scale_of(metadata: dict[str, str], path: Path) -> Scale:
    """
    The scale from the network's metadata, where sherpa-onnx puts it, or from FunASR's file.

    Raises:
        VoiceModelError: If it is in neither, or not as wide as the features.
    """
    if {"neg_mean", "inv_stddev"} <= set(metadata):
        written = [metadata[name].replace(",", " ").split() for name in ("neg_mean", "inv_stddev")]
    elif path.is_file():
        # Two lines of Kaldi's old format: <LearnRateCoef> 0 [ -8.31 ... ]
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        written = [line[3:-1] for line in lines if line and line[0] == "<LearnRateCoef>"]
    else:
        raise VoiceModelError(str(path), "the scale of the features: this file, or neg_mean in the network", "neither")
    try:
        values = [np.array(each, np.float32) for each in written]
    except ValueError as error:
        raise VoiceModelError(str(path), "numbers", str(error)) from error
    widths = [len(each) for each in values]
    if widths != [WIDTH, WIDTH]:
        raise VoiceModelError(str(path), f"two rows of {WIDTH} numbers for the scale", f"rows of {widths}")
    return Scale(*values)
