"""Voice activity: how likely each 32 ms window holds speech."""

from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import faster_whisper
import numpy as np
import numpy.typing as npt
import onnxruntime

from audio.types import Pcm

WINDOW: Final = 512
"""Samples of a window, at 16 kHz."""

_CONTEXT: Final = 64
_GATE: Final = 40
"""Peak, of 32768 (-58 dBFS): G.711 codes of 0 to 4 steps. A window below holds nothing that a person said."""
_HANGOVER: Final = 16
"""Windows below the gate before the model is left out (0.5 s), so that its view of a pause inside speech is whole."""
_SETTLED: Final = 32
"""Windows of silence (1 s) after which a stream begins. From the zero state the model misses the first seconds of a
quiet caller: of calls turned down by 20 dB 277 windows in 3632, from here 20; from 1000 windows on 1040."""


class VadStream(Protocol):
    """One channel's detector: holds its state."""

    def push(self, pcm: Pcm) -> list[float]:
        """
        Give samples; take one probability for each window that is full.

        Args:
            pcm: Shape (n,), 16 kHz.
        """
        ...


class VoiceActivity(Protocol):
    """A detector that all channels share."""

    def stream(self) -> VadStream:
        """A new stream, in the state of silence."""
        ...


class _Windows:
    """Cuts pieces of any size into windows."""

    def __init__(self) -> None:
        self._rest: Pcm = np.zeros(0, np.int16)

    def push(self, pcm: Pcm) -> Pcm:
        """Shape (windows, WINDOW)."""
        pcm = np.concatenate([self._rest, pcm])
        whole = len(pcm) // WINDOW * WINDOW
        self._rest = pcm[whole:]
        return pcm[:whole].reshape(-1, WINDOW)


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class _State(NamedTuple):
    """What the model remembers."""

    h: npt.NDArray[np.float32]
    """Shape (1, 1, 128), as ``c``."""
    c: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]
    """Shape (_CONTEXT,): the end of the window before."""


def _run(
    session: onnxruntime.InferenceSession, state: _State, audio: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], _State]:
    """Probabilities of consecutive windows, of shape (n, WINDOW), and the state behind them."""
    before = np.concatenate([state.context[None], audio[:-1, -_CONTEXT:]])
    batch: npt.NDArray[np.float32] = np.concatenate([before, audio], axis=1)
    outputs = session.run(None, {"input": batch, "h": state.h, "c": state.c})
    found, h, c = (np.asarray(output, np.float32) for output in outputs)
    return found.reshape(-1), _State(h, c, audio[-1, -_CONTEXT:])


@lru_cache(maxsize=1)
def _settled() -> _State:
    zero = np.zeros((1, 1, 128), np.float32)
    state = _State(zero, zero, np.zeros(_CONTEXT, np.float32))
    return _run(_session(), state, np.zeros((_SETTLED, WINDOW), np.float32))[1]


class SileroVad:
    """
    Silero VAD v6, in the copy that faster-whisper carries, behind a gate that lets silence cost nothing.

    Args:
        gate: Peak of 32768; a window below may be left out. 0 leaves out none.

    Source: https://github.com/snakers4/silero-vad (MIT).
    """

    def __init__(self, *, gate: int = _GATE) -> None:
        self._session = _session()
        self._silence = _settled()
        self._gate = gate

    def stream(self) -> VadStream:
        return _SileroStream(self._session, self._silence, self._gate)


class _SileroStream:
    def __init__(self, session: onnxruntime.InferenceSession, silence: _State, gate: int) -> None:
        self._session = session
        self._silence = silence
        self._gate = gate
        self._windows = _Windows()
        self._quiet = _HANGOVER
        self._state = silence

    def push(self, pcm: Pcm) -> list[float]:
        windows = self._windows.push(pcm)
        probabilities = [0.0] * len(windows)
        run: list[int] = []
        for n, peak in enumerate(np.abs(windows.astype(np.int32)).max(axis=1, initial=0)):
            self._quiet = self._quiet + 1 if peak < self._gate else 0
            if self._quiet < _HANGOVER:
                run.append(n)
                continue
            self._detect(windows, run, probabilities)
            run = []
            if self._quiet == _HANGOVER:
                self._state = self._silence
        self._detect(windows, run, probabilities)
        return probabilities

    def _detect(self, windows: Pcm, run: list[int], probabilities: list[float]) -> None:
        """Fill in the probabilities of consecutive windows."""
        if not run:
            return
        audio = windows[run].astype(np.float32) / np.float32(32768)
        found, self._state = _run(self._session, self._state, audio)
        for n, probability in zip(run, found, strict=True):
            probabilities[n] = float(probability)


class LevelVad:
    """Speech by level alone, to measure everything around the model; takes any loud noise for speech."""

    def stream(self) -> VadStream:
        return _LevelStream()


class _LevelStream:
    _LOUD = 32768 * 10 ** (-45 / 20)

    def __init__(self) -> None:
        self._windows = _Windows()

    def push(self, pcm: Pcm) -> list[float]:
        windows = self._windows.push(pcm).astype(np.float64)
        return [float(rms > self._LOUD) for rms in np.sqrt(np.mean(windows**2, axis=1))]
