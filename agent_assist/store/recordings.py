"""Sound of calls as FLAC, on a disk or wherever fsspec reaches. Blocking: run it in a thread beside an event loop."""

import io
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import fsspec
import msgspec
import numpy as np
import soundfile

from audio.recorder import BLOCK_S, Block, Stereo

PEAK_MS: Final = 100
_WHOLE: Final = "call.flac"
_PEAKS: Final = "peaks.json"
_DONE: Final = frozenset({_WHOLE, _PEAKS})


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """How loud a recording is, to draw it before it is heard."""

    duration_ms: int
    every_ms: int
    customer: tuple[int, ...]
    """Largest level of each stretch, 0 ... 127."""
    agent: tuple[int, ...]


class Recordings:
    """
    One directory a call.

    While it runs it holds blocks, each written whole and under its number, so that one that is written twice is the
    same. After its end there is one file, in one stereo FLAC with the customer on the left, and its peaks.

    Args:
        url: A directory, or anything else that fsspec knows: ``s3://bucket/calls``.
    """

    def __init__(self, url: str) -> None:
        files, self._root = fsspec.core.url_to_fs(url)
        self._files: Any = files

    def write(self, call_id: str, block: Block) -> None:
        """Keep one block; what is known of it already stays where this one does not know it."""
        path = f"{self._place(call_id)}/{block.number:06d}.flac"
        pcm = block.pcm
        if block.begin and self._files.exists(path):
            known, _ = _read(self._files.cat_file(path))
            pcm = np.concatenate([known[: block.begin], pcm[min(len(known), block.begin) :]])
        self._put(path, _flac(pcm, block.rate))

    def finish(self, call_id: str) -> None:
        """Make one file of the blocks; again where more came since, and nothing where none did."""
        place = self._place(call_id)
        blocks = self._blocks(place)
        if not blocks:
            return
        with io.BytesIO() as made:
            peaks = _join(self._parts(place, blocks), made)
            self._put(f"{place}/{_WHOLE}", made.getvalue())
        self._put(f"{place}/{_PEAKS}", msgspec.json.encode(peaks))
        for name in blocks:
            self._files.rm_file(f"{place}/{name}")

    def _parts(self, place: str, blocks: list[str]) -> Iterator[tuple[int, int, Stereo]]:
        """What was joined before, then the blocks; each with its first sample and its rate."""
        whole = f"{place}/{_WHOLE}"
        if self._files.exists(whole):
            pcm, rate = _read(self._files.cat_file(whole))
            yield 0, rate, pcm
        for name in blocks:
            pcm, rate = _read(self._files.cat_file(f"{place}/{name}"))
            yield int(name.partition(".")[0]) * rate * BLOCK_S, rate, pcm

    def is_there(self, call_id: str) -> bool:
        """Whether any sound of a call is kept."""
        place = self._place(call_id)
        return bool(self._files.exists(f"{place}/{_WHOLE}") or self._blocks(place))

    def size(self, call_id: str) -> int | None:
        """Bytes of the one file; None where there is none, yet or ever."""
        whole = f"{self._place(call_id)}/{_WHOLE}"
        return int(self._files.size(whole)) if self._files.exists(whole) else None

    def read(self, call_id: str, start: int, end: int) -> bytes:
        """Bytes of the one file from ``start`` up to ``end``."""
        found: bytes = self._files.cat_file(f"{self._place(call_id)}/{_WHOLE}", start=start, end=end)
        return found

    def peaks(self, call_id: str) -> Peaks | None:
        """None where there is no file yet or ever."""
        path = f"{self._place(call_id)}/{_PEAKS}"
        return msgspec.json.decode(self._files.cat_file(path), type=Peaks) if self._files.exists(path) else None

    def cut(self, call_id: str, start_ms: int, end_ms: int) -> bytes:
        """
        Part of a recording, as FLAC.

        Raises:
            FileNotFoundError: If there is none.
        """
        with self._files.open(f"{self._place(call_id)}/{_WHOLE}", "rb") as file, soundfile.SoundFile(file) as sound:
            start, end = (min(ms * sound.samplerate // 1000, sound.frames) for ms in (start_ms, end_ms))
            sound.seek(start)
            pcm: Any = sound.read(end - start, dtype="int16", always_2d=True)
            return _flac(pcm, sound.samplerate)

    def delete(self, call_id: str) -> None:
        """Let go of all sound of a call."""
        place = self._place(call_id)
        if self._files.exists(place):
            self._files.rm(place, recursive=True)

    def _place(self, call_id: str) -> str:
        # No id leaves the directory, whatever the telephone side made of it.
        return f"{self._root}/{quote(call_id, safe='').replace('.', '%2E')}"

    def _blocks(self, place: str) -> list[str]:
        if not self._files.exists(place):
            return []
        # What is listed may be remembered: another process writes here, too.
        self._files.invalidate_cache(place)
        names = (str(path).rpartition("/")[2] for path in self._files.ls(place, detail=False))
        return sorted(name for name in names if name.endswith(".flac") and name not in _DONE)

    def _put(self, path: str, content: bytes) -> None:
        """Whole or not at all."""
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(f"{path}.part", content)
        self._files.mv(f"{path}.part", path)


def _read(flac: bytes) -> tuple[Stereo, int]:
    read: Any = soundfile.read(io.BytesIO(flac), dtype="int16", always_2d=True)
    pcm, rate = read
    return pcm, rate


def _flac(pcm: Stereo, rate: int) -> bytes:
    with io.BytesIO() as made:
        soundfile.write(made, pcm, rate, format="FLAC", subtype="PCM_16")
        return made.getvalue()


def _join(parts: Iterator[tuple[int, int, Stereo]], target: io.BytesIO) -> Peaks:
    """Write parts one behind the other, with silence where one is missing."""
    sound: soundfile.SoundFile | None = None
    levels: list[Stereo] = []
    at = 0
    rest = np.zeros((0, 2), np.int16)
    for start, rate, pcm in parts:
        if sound is None:
            sound = soundfile.SoundFile(target, "w", rate, 2, format="FLAC", subtype="PCM_16")
        step = sound.samplerate * PEAK_MS // 1000
        # A part that lies behind the end repeats what is written.
        pieces = [np.zeros((max(start - at, 0), 2), np.int16), pcm[max(at - start, 0) :]]
        for piece in pieces:
            sound.write(piece)
            at += len(piece)
            rest = np.concatenate([rest, piece])
            whole = len(rest) // step * step
            levels.append(_levels(rest[:whole], step))
            rest = rest[whole:]
    assert sound is not None, "there is a part at least"
    rate = sound.samplerate
    sound.close()
    levels.append(_levels(rest, max(len(rest), 1)))
    loud = np.concatenate(levels)
    return Peaks(
        duration_ms=at * 1000 // rate,
        every_ms=PEAK_MS,
        customer=tuple(loud[:, 0].tolist()),
        agent=tuple(loud[:, 1].tolist()),
    )


def _levels(pcm: Stereo, step: int) -> Stereo:
    """Largest level of each ``step`` samples, shape (n, 2), 0 ... 127."""
    size: Stereo = np.abs(pcm.reshape(-1, step, 2).astype(np.int32)).max(axis=1, initial=0) >> 8
    return np.minimum(size, 127).astype(np.int16)
