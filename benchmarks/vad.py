"""
Cost of finding speech: ``python -m benchmarks.vad [--calls tests/data]``.

``core`` is processor time over audio time of one channel, in percent of a core, of which repetitions have the median
and the spread; the detectors take turns. ``speech`` are the turns of the calls, ``silence`` is digital, ``call`` both
channels of each call. ``found`` and ``false`` are the shares of windows within the calls' turns, and outside by more
than 0.4 s, that are taken for speech; turns hold pauses, so nobody reaches 100 %. A miss of the gate is a window that
the model takes for speech where it hears everything, and does not where it is spared what is below the gate; the calls
are turned down to find out where that begins, and coded in mu-law again.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from audio.codecs import decode, encode
from audio.recording import read_recording
from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Encoding, Pcm
from audio.vad import WINDOW, LevelVad, SileroVad
from benchmarks.environment import Environment, Spread, environment, spread, write

_PIECE: Final = SAMPLE_RATE // 5
"""A record's audio."""
_SPEECH: Final = 0.5
_MARGIN_S: Final = 0.4
_DOWN_DB: Final = (0, 10, 20, 30, 40)
_PEER: Final = "webrtcvad"
_PEER_FRAME: Final = 480
_PEER_MODE: Final = 2

Flags = npt.NDArray[np.bool_]
_Detector = Callable[[Pcm], tuple[Sequence[float], int]]
"""Samples at 16 kHz to probabilities, and how many samples each stands for."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One detector on one sound."""

    detector: str
    sound: str
    seconds: float
    core: Spread
    """In percent."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """One detector on the calls."""

    detector: str
    inside: int
    """Windows, as ``outside``."""
    found: float
    outside: int
    false: float


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """The calls turned down."""

    down_db: int
    speech: int
    """Windows that the model takes for speech where it hears everything."""
    missed: int
    """Of these."""
    spared: float
    """Share of all windows for which the model did not run."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    environment: Environment
    costs: tuple[Cost, ...]
    qualities: tuple[Quality, ...]
    gate: tuple[Gate, ...]
    not_run: tuple[str, ...]


class Turn(msgspec.Struct, frozen=True):
    channel: int
    start: float
    end: float


class Truth(msgspec.Struct, frozen=True):
    turns: tuple[Turn, ...]


class Side(msgspec.Struct, frozen=True):
    """One channel of a call."""

    line: Pcm
    """As it came, at 8 kHz."""
    pcm: Pcm
    """At 16 kHz."""
    turns: tuple[Turn, ...]


def _wide(line: Pcm, rate: int) -> Pcm:
    resampler = Resampler(rate)
    return np.concatenate([resampler.push(line), resampler.flush()])


def _sides(calls: Path) -> list[Side]:
    sides: list[Side] = []
    for path in sorted(calls.glob("*.wav")):
        recording = read_recording([path])
        turns = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Truth).turns
        for channel, line in enumerate((recording.customer, recording.agent)):
            if line is not None:
                own = tuple(turn for turn in turns if turn.channel == channel)
                sides.append(Side(line, _wide(line, recording.rate), own))
    return sides


def _ours(vad: SileroVad | LevelVad) -> _Detector:
    def detect(pcm: Pcm) -> tuple[Sequence[float], int]:
        stream = vad.stream()
        return [p for at in range(0, len(pcm), _PIECE) for p in stream.push(pcm[at : at + _PIECE])], WINDOW

    return detect


def _webrtc(pcm: Pcm) -> tuple[Sequence[float], int]:
    import webrtcvad

    vad = webrtcvad.Vad(_PEER_MODE)
    content, size = pcm.tobytes(), 2 * _PEER_FRAME
    whole = len(content) // size * size
    frames = (content[at : at + size] for at in range(0, whole, size))
    return [float(vad.is_speech(frame, SAMPLE_RATE)) for frame in frames], _PEER_FRAME


def _costs(detectors: dict[str, _Detector], sounds: dict[str, list[Pcm]], repeat: int) -> Iterable[Cost]:
    for sound, tracks in sounds.items():
        seconds = sum(map(len, tracks)) / SAMPLE_RATE
        taken: dict[str, list[float]] = {name: [] for name in detectors}
        for turn in range(repeat + 1):
            for name, detect in detectors.items():
                began = time.process_time()
                for pcm in tracks:
                    detect(pcm)
                # The first turn warms up.
                if turn:
                    taken[name].append(100 * (time.process_time() - began) / seconds)
        for name, values in taken.items():
            yield Cost(detector=name, sound=sound, seconds=round(seconds, 1), core=spread(values, 4))


def _quality(name: str, detect: _Detector, sides: Sequence[Side]) -> Quality:
    found: list[Flags] = []
    false: list[Flags] = []
    for side in sides:
        probabilities, width = detect(side.pcm)
        speech = np.array(probabilities) >= _SPEECH
        at = (np.arange(len(speech)) + 0.5) * width / SAMPLE_RATE
        inside, near = np.zeros(len(speech), np.bool_), np.zeros(len(speech), np.bool_)
        for turn in side.turns:
            inside |= (at >= turn.start) & (at < turn.end)
            near |= (at >= turn.start - _MARGIN_S) & (at < turn.end + _MARGIN_S)
        found.append(speech[inside])
        false.append(speech[~near])
    hits, alarms = np.concatenate(found), np.concatenate(false)
    return Quality(
        detector=name,
        inside=len(hits),
        found=round(float(hits.mean()), 4),
        outside=len(alarms),
        false=round(float(alarms.mean()), 4),
    )


def _gate(sides: Sequence[Side], down_db: int) -> Gate:
    gated, plain = _ours(SileroVad()), _ours(SileroVad(gate=0))
    speech = missed = silent = windows = 0
    for side in sides:
        quiet = np.rint(side.line * 10 ** (-down_db / 20)).astype(np.int16)
        pcm = _wide(decode(Encoding.PCMU, encode(Encoding.PCMU, quiet)), SAMPLE_RATE // 2)
        with_gate, without = np.array(gated(pcm)[0]), np.array(plain(pcm)[0])
        speech += int(np.sum(without >= _SPEECH))
        missed += int(np.sum((without >= _SPEECH) & (with_gate < _SPEECH)))
        # The model never says exactly 0.
        silent += int(np.sum(with_gate == 0))
        windows += len(without)
    return Gate(down_db=down_db, speech=speech, missed=missed, spared=round(silent / windows, 4))


def measure(calls: Path, repeat: int) -> Result:
    """Run everything."""
    sides = _sides(calls)
    turns = [
        side.pcm[int(turn.start * SAMPLE_RATE) : int(turn.end * SAMPLE_RATE)] for side in sides for turn in side.turns
    ]
    sounds = {
        "speech": turns,
        "silence": [np.zeros(60 * SAMPLE_RATE, np.int16)],
        "call": [side.pcm for side in sides],
    }
    detectors = {
        "silero, gated": _ours(SileroVad()),
        "silero, no gate": _ours(SileroVad(gate=0)),
        "level": _ours(LevelVad()),
    }
    peer = find_spec(_PEER) is not None
    if peer:
        detectors[f"{_PEER}, mode {_PEER_MODE}"] = _webrtc
    packages = ("onnxruntime", "faster-whisper", *(("webrtcvad-wheels",) if peer else ()))
    return Result(
        environment=environment(f"python -m benchmarks.vad --repeat {repeat}", packages),
        costs=tuple(_costs(detectors, sounds, repeat)),
        qualities=tuple(_quality(name, detect, sides) for name, detect in detectors.items()),
        gate=tuple(_gate(sides, down_db) for down_db in _DOWN_DB),
        not_run=() if peer else (f"{_PEER}: not installed",),
    )


def _print(result: Result) -> None:
    costs = Table(title="One channel, in percent of a core")
    for heading in ("sound", "detector", "s", "n", "median", "p95", "max"):
        costs.add_column(heading)
    for cost in result.costs:
        core = cost.core
        figures = ["-" if value is None else f"{value:.3f}" for value in (core.p50, core.p95, core.max)]
        costs.add_row(cost.sound, cost.detector, f"{cost.seconds:.0f}", str(core.n), *figures)
    quality = Table(title="Windows of the calls taken for speech")
    for heading in ("detector", "in turns", "found", "outside", "false"):
        quality.add_column(heading)
    for one in result.qualities:
        quality.add_row(one.detector, str(one.inside), f"{one.found:.1%}", str(one.outside), f"{one.false:.2%}")
    gate = Table(title="The gate, with the calls turned down")
    for heading in ("dB", "windows of speech", "missed", "windows spared"):
        gate.add_column(heading)
    for row in result.gate:
        gate.add_row(str(row.down_db), str(row.speech), str(row.missed), f"{row.spared:.1%}")
    for table in (costs, quality, gate):
        Console(width=120).print(table)
    for name in result.not_run:
        print(f"not run: {name}")


def main() -> None:
    """Measure, print, and write the result where ``--out`` says."""
    parser = argparse.ArgumentParser(description="Cost of finding speech.")
    parser.add_argument("--calls", type=Path, default=Path(__file__).resolve().parents[1] / "tests" / "data")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    result = measure(given.calls, given.repeat)
    write(result, given.out)
    _print(result)


if __name__ == "__main__":
    main()
