"""
What a telephone does to a voice, and other voices made of one.

All audio is 8 kHz. A line belongs to a call: all utterances of a speaker go through one line, as they would live.
"""

import io
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import butter, lfilter, resample_poly

from audio.codecs.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from audio.types import Pcm

RATE: Final = 8_000
_PACKET: Final = RATE // 50
_FADE: Final = 0.6
"""Of a packet repeated in the place of a lost one, for each repetition; after G.711 appendix I, much simplified."""
_Wave = npt.NDArray[np.float64]


class Line(NamedTuple):
    """One telephone line and who speaks on it."""

    codec: str = "ulaw"
    """"ulaw", "alaw" or "gsm"."""
    gain_db: float = 0.0
    highpass_hz: float | None = None
    """Of an old handset; None leaves the low voice in."""
    tilt_db: float = 0.0
    """Of a microphone: from 300 Hz to 3.4 kHz."""
    snr_db: float | None = None
    """Against the utterance's own level."""
    loss: float = 0.0
    """Share of packets."""
    clip: float | None = None
    """Share of the peak above which it is cut."""
    voice: float = 1.0
    """Factor on pitch and formants."""
    tempo: float = 1.0


TELEPHONE: Final = Line()
"""A clean line."""


def draw(rng: np.random.Generator, sex_free: float = 0.12) -> Line:
    """
    A line by chance, and a voice by chance.

    Args:
        sex_free: Most that pitch and formants may move, as a share.
    """
    return Line(
        codec=str(rng.choice(["ulaw", "alaw", "gsm"], p=[0.45, 0.35, 0.2])),
        gain_db=float(rng.uniform(-12, 6)),
        highpass_hz=float(rng.uniform(150, 320)) if rng.random() < 0.4 else None,
        tilt_db=float(rng.normal(0, 3)),
        snr_db=float(rng.uniform(12, 35)) if rng.random() < 0.5 else None,
        loss=float(rng.uniform(0.01, 0.06)) if rng.random() < 0.25 else 0.0,
        clip=float(rng.uniform(0.5, 0.9)) if rng.random() < 0.1 else None,
        voice=float(np.exp(rng.uniform(-sex_free, sex_free))),
        tempo=float(np.exp(rng.uniform(-0.08, 0.08))),
    )


def through(pcm: Pcm, line: Line, rng: np.random.Generator) -> Pcm:
    """
    An utterance as it comes out of a line.

    Args:
        pcm: Shape (n,), 8 kHz.

    Returns:
        Shape (m,), 8 kHz; as long as before where the line leaves voice and tempo alone.
    """
    wave = pcm.astype(np.float64)
    if line.voice != 1.0 or line.tempo != 1.0:
        wave = _other_voice(wave, line.voice, line.tempo)
    if line.tilt_db:
        wave = _tilted(wave, line.tilt_db)
    if line.highpass_hz is not None:
        b, a = np.asarray(butter(2, line.highpass_hz / (RATE / 2), "highpass"))
        wave = np.asarray(lfilter(b, a, wave), np.float64)
    if line.clip is not None:
        most = line.clip * float(np.abs(wave).max())
        wave = np.clip(wave, -most, most)
    if line.snr_db is not None:
        wave = wave + _noise(wave, line.snr_db, rng)
    wave = wave * 10 ** (line.gain_db / 20)
    sent = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
    return concealed(coded(sent, line.codec), line.loss, rng)


def coded(pcm: Pcm, codec: str) -> Pcm:
    """Round trip through a codec; as long as before."""
    if codec == "ulaw":
        return decode_ulaw(encode_ulaw(pcm))
    if codec == "alaw":
        return decode_alaw(encode_alaw(pcm))
    assert codec == "gsm", codec
    file = io.BytesIO()
    soundfile.write(file, pcm, RATE, format="WAV", subtype="GSM610")
    file.seek(0)
    heard, _ = soundfile.read(file, dtype="int16")
    # The codec works in blocks of 320 samples.
    found: Pcm = np.concatenate([np.asarray(heard, np.int16), np.zeros(max(0, len(pcm) - len(heard)), np.int16)])[
        : len(pcm)
    ]
    return found


def concealed(pcm: Pcm, loss: float, rng: np.random.Generator) -> Pcm:
    """With packets of 20 ms lost by chance, half of them in bursts, each replaced by the one before it, fading."""
    if loss <= 0:
        return pcm
    out = pcm.copy()
    faded = 0
    lost = False
    for at in range(_PACKET, len(out), _PACKET):
        lost = bool(rng.random() < (0.5 if lost else loss / 2))
        if not lost:
            faded = 0
            continue
        faded += 1
        before = out[at - _PACKET : at]
        piece = out[at : at + _PACKET]
        piece[:] = (before[: len(piece)] * _FADE ** min(faded, 3)).astype(np.int16)
    return out


def _tilted(wave: _Wave, tilt_db: float) -> _Wave:
    spectrum = np.fft.rfft(wave)
    hz = np.maximum(np.fft.rfftfreq(len(wave), 1 / RATE), 50.0)
    gain = tilt_db * (np.log2(hz / 1000) / np.log2(3400 / 300))
    tilted: _Wave = np.fft.irfft(spectrum * 10 ** (gain / 20), len(wave))
    return tilted


def _noise(wave: _Wave, snr_db: float, rng: np.random.Generator) -> _Wave:
    """Between white and pink, at a level against the utterance's."""
    white = np.fft.rfft(rng.standard_normal(len(wave)))
    hz = np.maximum(np.fft.rfftfreq(len(wave), 1 / RATE), 50.0)
    coloured = np.fft.irfft(white * hz ** (-0.5 * rng.uniform(0, 1.2)), len(wave))
    level = np.sqrt(np.mean(wave**2)) * 10 ** (-snr_db / 20)
    noise: _Wave = coloured / (np.sqrt(np.mean(coloured**2)) + 1e-9) * level
    return noise


def _other_voice(wave: _Wave, voice: float, tempo: float) -> _Wave:
    """Pitch and formants times ``voice``, by resampling; then the tempo set right by overlapping pieces."""
    up = round(1000 / voice)
    moved = resample_poly(wave, up, 1000)
    return stretched(moved, voice / tempo)


def stretched(wave: _Wave, factor: float) -> _Wave:
    """
    Longer by a factor at the same pitch.

    Source: Verhelst, Roelands: An overlap-add technique based on waveform similarity (WSOLA), ICASSP 1993.
    """
    window, hop, reach = 320, 160, 80
    hann = np.hanning(window + 1)[:-1]
    count = int((len(wave) * factor - window) // hop)
    if count < 2 or abs(factor - 1) < 1e-3:
        return wave
    padded = np.concatenate([np.zeros(reach), wave, np.zeros(window + hop + 2 * reach)])
    out = np.zeros((count - 1) * hop + window)
    at = reach
    out[:window] += hann * padded[at : at + window]
    for n in range(1, count):
        wanted = padded[at + hop : at + hop + window]
        middle = reach + int(n * hop / factor)
        around = padded[middle - reach : middle + reach + window]
        at = middle - reach + int(np.argmax(np.correlate(around, wanted, "valid")))
        out[n * hop : n * hop + window] += hann * padded[at : at + window]
    return out
