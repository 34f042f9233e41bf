"""
Words where nobody speaks: silence, tones, noises and music through the production chain and plain faster-whisper.

The sounds are generated, at telephone band and levels, from a fixed seed; recordings of real music on hold, none of
which the project carries, can be added from a directory. Ours hears them as in a call: voice detector,
endpointing, recogniser, once told Chinese and once English and once nothing. faster-whisper hears the same stretch with
its defaults, and once more with its own voice detector on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from audio.cutter import Cutter
from audio.endpoint import EndpointPolicy
from audio.types import SAMPLE_RATE, Encoding, Pcm
from audio.vad import SileroVad
from benchmarks.asr import read
from benchmarks.environment import Environment, environment, report
from benchmarks.peers import weights
from models.asr import BEAM, WhisperRecogniser
from models.textnorm import normalise
from models.types import Spoken
from models.weights import find

_SEED: Final = 11
_LANGUAGES: Final = ("zh", "en", None)


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of sound."""

    name: str
    minutes: float
    """Heard by each, over all languages; noises are others for each."""
    words_an_hour: float
    """Ours; of a final and its partial the one with more words."""
    plain_words_an_hour: float
    """faster-whisper with its defaults."""
    filtered_words_an_hour: float
    """The same with its voice detector on."""
    invented: tuple[str, ...]
    """What ours said, a few of them."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench silence --json`` prints."""

    environment: Environment
    model: str
    sounds: tuple[Sound, ...]


def _pcm(samples: npt.NDArray[np.float64]) -> Pcm:
    return np.clip(np.round(samples), -32768, 32767).astype(np.int16)


def _time(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _tones(seconds: float, frequencies: tuple[float, ...], on: float, period: float, level: float = 3000) -> Pcm:
    time = _time(seconds)
    tones = [np.sin(2 * np.pi * frequency * time) for frequency in frequencies]
    return _pcm(level * np.sum(tones, axis=0) / len(tones) * (time % period < on))


def _coloured(seconds: float, slope: float, level: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise within the telephone band whose power falls with the frequency to the power of ``slope``."""
    spectrum = np.fft.rfft(rng.normal(size=int(seconds * SAMPLE_RATE)))
    frequency = np.fft.rfftfreq(int(seconds * SAMPLE_RATE), 1 / SAMPLE_RATE)
    spectrum *= np.where((frequency > 300) & (frequency < 3400), np.maximum(frequency, 1.0) ** (-slope / 2), 0)
    noise = np.fft.irfft(spectrum, int(seconds * SAMPLE_RATE))
    return np.asarray(level * noise / noise.std())


def _music(seconds: float, rng: np.random.Generator) -> Pcm:
    """Plucked chords over a bass, a new one every second: what a queue is put on hold with."""
    out = np.zeros(int(seconds * SAMPLE_RATE))
    scale = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    beat = _time(1.0)
    for second in range(int(seconds)):
        notes = [*rng.choice(scale, 3, replace=False), rng.choice(scale[:3]) / 2]
        chord = sum(
            np.sin(2 * np.pi * note * harmonic * beat) * np.exp(-beat * 3 * harmonic) / harmonic
            for note in notes
            for harmonic in (1, 2, 3, 4)
        )
        out[second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE] = chord
    return _pcm(4000 * out / max(np.abs(out).max(), 1e-9))


def _keys(seconds: float, rng: np.random.Generator) -> Pcm:
    """Keyboard clicks and the bumps of a handset over the noise of a room."""
    out = _coloured(seconds, 1.0, 60, rng)
    for at in rng.integers(0, len(out) - 800, int(seconds * 4)):
        length = int(rng.integers(80, 800))
        out[at : at + length] += rng.normal(0, rng.uniform(300, 3000), length) * np.exp(-np.arange(length) / length * 5)
    return _pcm(out)


def sounds(seconds: float, number: int = 0) -> dict[str, Pcm]:
    """Name to sound, each so long; noises differ by the number."""
    rng = np.random.default_rng(_SEED + number)
    return {
        "digital silence": np.zeros(int(seconds * SAMPLE_RATE), np.int16),
        "dial tone": _tones(seconds, (350, 440), on=1, period=1),
        "ringing": _tones(seconds, (440, 480), on=2, period=6),
        "ringing, China": _tones(seconds, (450,), on=1, period=5),
        "busy": _tones(seconds, (480, 620), on=0.5, period=1),
        "keys pressed": _tones(seconds, (770, 1336), on=0.1, period=0.5),
        "hold beep": _tones(seconds, (1000,), on=0.3, period=10),
        "line noise": _pcm(_coloured(seconds, 0.0, 30, rng)),
        "loud noise": _pcm(_coloured(seconds, 0.0, 2000, rng)),
        "pink noise": _pcm(_coloured(seconds, 1.0, 600, rng)),
        "noise in gusts": _pcm(
            _coloured(seconds, 1.0, 1200, rng) * (0.5 + 0.5 * np.sin(2 * np.pi * 0.37 * _time(seconds))) ** 4
        ),
        "keyboard and handset": _keys(seconds, rng),
        "hold music": _music(seconds, rng),
    }


def _ours(recogniser: WhisperRecogniser, sound: Pcm, language: str | None) -> list[str]:
    cutter = Cutter(Encoding.PCM16, SAMPLE_RATE, SileroVad(), EndpointPolicy())
    speeches = cutter.push(sound.astype("<i2").tobytes()) + cutter.flush()
    found = []
    for speech in speeches:
        final, partial = Spoken(speech.pcm, language), Spoken(speech.pcm, language, final=False)
        ways = ((final, False), (final, True), (partial, False))
        texts = [recogniser.transcribe([spoken], hurried=hurried)[0].text for spoken, hurried in ways]
        found.append(max(texts, key=lambda text: len(normalise(text).split())))
    return [text for text in found if text]


def _plain(model: WhisperModel, sound: Pcm, language: str | None, *, filtered: bool) -> list[str]:
    segments, _ = model.transcribe(sound / np.float32(32768), language=language, beam_size=BEAM, vad_filter=filtered)
    return [segment.text for segment in segments]


def _rate(texts: Sequence[str], minutes: float) -> float:
    return round(sum(len(normalise(text).split()) for text in texts) / minutes * 60, 1)


def recorded(directory: Path) -> dict[str, Pcm]:
    """Name to sound of a directory's recordings, at 16 kHz."""
    return {path.stem: read(path) for path in sorted(directory.rglob("*.wav"))}


def run(*, minutes: float, music: Path | None, out: Path | None, json: bool) -> None:
    """Measure and print."""
    path = weights()
    recogniser = WhisperRecogniser(path, device="cpu", workers=1, window_s=find("whisper-base").window_s)
    model = WhisperModel(str(path), device="cpu", compute_type="int8", local_files_only=True)
    seconds = minutes * 60 / len(_LANGUAGES)
    played = {} if music is None else recorded(music)
    chosen = [sounds(seconds, number) | played for number in range(len(_LANGUAGES))]
    heard: dict[str, Sound] = {}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sounds", total=len(chosen[0]) * len(_LANGUAGES))
        for name in chosen[0]:
            heard_minutes = sum(len(each[name]) for each in chosen) / SAMPLE_RATE / 60
            said: dict[str, list[str]] = {"ours": [], "plain": [], "filtered": []}
            for language, each in zip(_LANGUAGES, chosen, strict=True):
                said["ours"] += _ours(recogniser, each[name], language)
                said["plain"] += _plain(model, each[name], language, filtered=False)
                said["filtered"] += _plain(model, each[name], language, filtered=True)
                progress.advance(task)
            heard[name] = Sound(
                name=name,
                minutes=round(heard_minutes, 1),
                words_an_hour=_rate(said["ours"], heard_minutes),
                plain_words_an_hour=_rate(said["plain"], heard_minutes),
                filtered_words_an_hour=_rate(said["filtered"], heard_minutes),
                invented=tuple(said["ours"][:5]),
            )
    command = f"warmline bench silence --minutes {minutes:g}" + ("" if music is None else f" --music {music.name}")
    result = Result(
        environment=environment(command, ("faster-whisper", "ctranslate2", "onnxruntime")),
        model="whisper-base",
        sounds=tuple(heard.values()),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("words an hour", "warmline", "faster-whisper", "with its VAD", "invented", box=None)
    for sound in result.sounds:
        table.add_row(
            sound.name,
            str(sound.words_an_hour),
            str(sound.plain_words_an_hour),
            str(sound.filtered_words_an_hour),
            " / ".join(sound.invented)[:60],
        )
    console.print(table)
