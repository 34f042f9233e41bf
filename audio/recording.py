"""Recordings as if they were calls: files to records of 200 ms."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from audio.codecs import encode
from audio.errors import NotAudio
from audio.quality import is_dead
from audio.types import RECORD_MS, AudioRecord, Encoding, Pcm

_RATES = range(4_000, 192_001)
_G711 = {"ULAW": Encoding.PCMU, "ALAW": Encoding.PCMA}
_FLOAT = {"FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"}
"""Full scale is 1, and may be passed."""
_BLOCK = 1 << 16


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded call."""

    rate: int
    encoding: Encoding
    """As it stands in the file: records of a G.711 file decode to the very samples that the telephone sent."""
    customer: Pcm | None
    """Shape (n,); None where the recording has no such channel."""
    agent: Pcm | None
    warnings: tuple[str, ...] = ()

    @property
    def samples(self) -> int:
        return max(0 if pcm is None else len(pcm) for pcm in (self.customer, self.agent))

    @property
    def duration_ms(self) -> int:
        return self.samples * 1000 // self.rate


def read_recording(paths: Sequence[Path], *, customer_channel: int = 0) -> Recording:
    """
    Read one file of one or two channels, or two files of one channel each, the customer's first.

    Args:
        customer_channel: Index of the customer's channel in a file of two; the agent's is the other one. A file of
            one channel is the customer's.

    Raises:
        NotAudio: If a file is none, holds no audio, or does not fit.
    """
    if len(paths) == 1:
        return _one(paths[0], customer_channel)
    if len(paths) != 2:
        raise NotAudio(", ".join(map(str, paths)), "one file, or two of one channel each", f"{len(paths)} files")
    customer, agent = (_read(path) for path in paths)
    for path, (pcm, *_) in zip(paths, (customer, agent), strict=True):
        if pcm.shape[1] != 1:
            raise NotAudio(str(path), "one channel in each of two files", f"{pcm.shape[1]} channels")
    if customer[1] != agent[1]:
        raise NotAudio(str(paths[1]), f"{customer[1]} Hz like the other file", f"{agent[1]} Hz")
    same = customer[2] is agent[2]
    notes = tuple(
        f"the channel of the {name} file is empty"
        for name, (pcm, *_) in zip(("first", "second"), (customer, agent), strict=True)
        if is_dead(pcm[:, 0])
    )
    return Recording(
        rate=customer[1],
        encoding=customer[2] if same else Encoding.PCM16,
        customer=customer[0][:, 0],
        agent=agent[0][:, 0],
        warnings=customer[3] + agent[3] + notes,
    )


def _one(path: Path, customer_channel: int) -> Recording:
    pcm, rate, encoding, warnings = _read(path)
    channels = pcm.shape[1]
    if channels > 2:
        raise NotAudio(str(path), "one channel, or two", f"{channels} channels")
    if not 0 <= customer_channel < 2:
        raise NotAudio(str(path), "a customer's channel of 0 or 1", str(customer_channel))
    if channels == 1:
        warnings += ("the channel is empty",) if is_dead(pcm[:, 0]) else ()
        return Recording(rate=rate, encoding=encoding, customer=pcm[:, 0], agent=None, warnings=warnings)
    notes = tuple(f"the {name} channel is empty" for n, name in enumerate(("first", "second")) if is_dead(pcm[:, n]))
    return Recording(
        rate=rate,
        encoding=encoding,
        customer=pcm[:, customer_channel],
        agent=pcm[:, 1 - customer_channel],
        warnings=warnings + notes,
    )


def _read(path: Path) -> tuple[Pcm, int, Encoding, tuple[str, ...]]:
    """Samples of shape (n, channels), rate, encoding, warnings."""
    if not path.is_file():
        raise NotAudio(str(path), "a file", "a directory" if path.is_dir() else "nothing there")
    try:
        with soundfile.SoundFile(path) as file:
            rate, encoding = file.samplerate, _G711.get(file.subtype, Encoding.PCM16)
            pcm = _samples(file)
            subtype = f"{file.format} {file.subtype}"
    except soundfile.LibsndfileError as error:
        with path.open("rb") as raw:
            head = raw.read(8)
        got = f"{path.stat().st_size} bytes that begin with {head!r} ({error.error_string.strip().rstrip('.')})"
        raise NotAudio(str(path), "a recording in WAV, FLAC or another format that libsndfile reads", got) from error
    if rate not in _RATES:
        raise NotAudio(str(path), "a rate from 4 to 192 kHz", f"{rate} Hz")
    if len(pcm) == 0:
        raise NotAudio(str(path), "audio", f"a header of {subtype} without any")
    return pcm, rate, encoding, _cut_short(path)


def _samples(file: soundfile.SoundFile) -> Pcm:
    """All that can be read, shape (n, channels)."""
    scaled = file.subtype in _FLOAT
    blocks: list[Pcm] = [np.zeros((0, file.channels), np.int16)]
    # By block: some formats do not know their length, or cannot seek to find it out.
    while len(block := np.asarray(file.read(_BLOCK, dtype="float64" if scaled else "int16", always_2d=True))) > 0:
        # libsndfile would take floats for whole numbers, and let what is too loud wrap around.
        level = np.clip(np.rint(np.nan_to_num(block) * 32768), -32768, 32767) if scaled else block
        blocks.append(level.astype(np.int16))
    return np.concatenate(blocks)


def _cut_short(path: Path) -> tuple[str, ...]:
    """A warning where a WAV's header promises more than the file holds."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return ()
        at = 12
        while True:
            file.seek(at)
            name, length = file.read(4), int.from_bytes(file.read(4), "little")
            at += 8
            if name == b"data" or at >= size:
                break
            # Chunks begin at even places.
            at += length + length % 2
    there = size - at
    # Recorders that could not seek back leave 0 or the largest number: nothing is missing then.
    if name != b"data" or length <= there or length >= 0xFFFF_0000:
        return ()
    return (f"the file is cut short: its header promises {length} bytes of audio, it holds {there}",)


def records(recording: Recording, call_id: str) -> Iterator[AudioRecord]:
    """The records that the gateway would have made of this call; the last one may be short."""
    step = recording.rate * RECORD_MS // 1000
    # Telephone audio passes as it came; whatever else is in a file becomes PCM16.
    encoding = recording.encoding if recording.rate == 8_000 else Encoding.PCM16
    for seq, offset in enumerate(range(0, recording.samples, step)):
        yield AudioRecord(
            call_id=call_id,
            seq=seq,
            offset=offset,
            rate=recording.rate,
            encoding=encoding,
            customer=_payload(encoding, recording.customer, offset, step),
            agent=_payload(encoding, recording.agent, offset, step),
        )


def _payload(encoding: Encoding, pcm: Pcm | None, offset: int, step: int) -> bytes:
    return b"" if pcm is None else encode(encoding, pcm[offset : offset + step])
