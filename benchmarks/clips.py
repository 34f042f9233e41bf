"""Labelled speech of a manifest, as the telephone would bring it."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import soxr

from audio.codecs import decode, encode
from audio.recording import read_recording
from audio.resample import Resampler
from audio.types import Encoding, Pcm

Codec = Literal["pcmu", "pcma", "none"]
"""Of the telephone, at 8 kHz; "none" for the files as they are."""
_TELEPHONE: Final = 8_000
_LIMIT: Final = 32_767


class Clip(NamedTuple):
    """One file."""

    speaker: str
    """The path where nobody is named."""
    emotion: str
    """As in the manifest; empty where it says nothing."""
    text: str
    language: str
    detail: dict[str, str]
    pcm: Pcm
    """Shape (n,), 16 kHz."""

    @property
    def length_ms(self) -> int:
        return len(self.pcm) // 16


def splits(manifest: Path) -> set[str]:
    """What the column split says; empty where there is no such column."""
    return {line["split"] for line in _lines(manifest) if line.get("split")}


def clips(manifest: Path, *, split: str | None, limit: int | None, codec: Codec) -> Iterator[Clip]:
    """
    The files of a manifest, in its order.

    Raises:
        NotAudio: If one of them is none.
    """
    chosen = [line for line in _lines(manifest) if split is None or line.get("split") == split]
    for line in chosen[:limit]:
        pairs = (pair.partition("=") for pair in (line.get("detail") or "").split(";") if "=" in pair)
        yield Clip(
            speaker=line.get("speaker") or line["path"],
            emotion=line.get("emotion") or "",
            text=line.get("transcript") or "",
            language=line.get("language") or "unknown",
            detail={key.strip(): value.strip() for key, _, value in pairs},
            pcm=sound(manifest.parent / line["path"], codec),
        )


def sound(path: Path, codec: Codec) -> Pcm:
    """The file's first channel at 16 kHz, through the codec."""
    recording = read_recording([path])
    assert recording.customer is not None, "the first channel is the customer's"
    if codec != "none":
        return telephoned(recording.customer, recording.rate, Encoding(codec))
    return _wide(recording.customer, recording.rate)


def telephoned(pcm: Pcm, rate: int, encoding: Encoding) -> Pcm:
    """Samples as the telephone brings them, at 16 kHz."""
    return _wide(_telephone(pcm, rate, encoding), _TELEPHONE)


def _wide(pcm: Pcm, rate: int) -> Pcm:
    resampler = Resampler(rate)
    return np.concatenate([resampler.push(pcm), resampler.flush()])


def _telephone(pcm: Pcm, rate: int, encoding: Encoding) -> Pcm:
    if rate != _TELEPHONE:
        narrow = soxr.resample(pcm.astype(np.float64), rate, _TELEPHONE)
        pcm = np.clip(np.rint(narrow), -_LIMIT, _LIMIT).astype(np.int16)
    return decode(encoding, encode(encoding, pcm))


def _lines(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
