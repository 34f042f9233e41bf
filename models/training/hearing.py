"""Corpora heard through telephone lines: rows to vectors, the slow part of training."""

import zlib
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import soundfile
from rich.progress import Progress
from scipy.signal import resample_poly

from audio.resample import Resampler
from audio.types import Pcm
from models.functionals import describe
from models.prosody import Prosody, summarise, trace
from models.training.augment import RATE, TELEPHONE, draw, through
from models.training.corpora import Row

LONGEST_S: Final = 15


class Heard(NamedTuple):
    """Rows through several passes of lines."""

    rows: tuple[Row, ...]
    vectors: npt.NDArray[np.float32]
    """Shape (passes, rows, d); the first pass is a clean line of mu-law. NaN where there was too little voice."""
    prosody: tuple[Prosody, ...]
    """Of the first pass."""


def save(heard: Heard, path: Path) -> None:
    """Keep what was heard, so that training again need not hear again."""
    names = [f"{row.corpus}/{_place(row)}" for row in heard.rows]
    prosody = msgspec.json.encode(heard.prosody)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        np.savez(out, vectors=heard.vectors, names=np.array(names), prosody=np.frombuffer(prosody, np.uint8))


def load(rows: Sequence[Row], passes: int, path: Path) -> Heard | None:
    """What was kept of these very rows, or None where it is of others or of fewer passes."""
    with np.load(path) as kept:
        names = [f"{row.corpus}/{_place(row)}" for row in rows]
        if list(kept["names"]) != names or len(kept["vectors"]) < passes:
            return None
        prosody = msgspec.json.decode(kept["prosody"].tobytes(), type=tuple[Prosody, ...])
        return Heard(tuple(rows), kept["vectors"][:passes], prosody)


class _Job(NamedTuple):
    row: Row
    turn: int
    seed: int


def hear(rows: Sequence[Row], passes: int, seed: int, workers: int) -> Heard:
    """
    Send every row through ``passes`` lines.

    In each pass a speaker has a line of its own, and from the second pass on another voice as well.
    """
    jobs = [_Job(row, turn, seed) for turn in range(passes) for row in rows]
    vectors: list[npt.NDArray[np.float32] | None] = []
    prosody: list[Prosody] = []
    # Processes are spawned: threads of numeric libraries do not survive a fork.
    with Progress() as progress, get_context("spawn").Pool(workers) as pool:
        task = progress.add_task("hearing", total=len(jobs))
        for vector, spoken in pool.imap(_one, jobs, chunksize=16):
            vectors.append(vector)
            prosody.append(spoken)
            progress.advance(task)
    size = next(len(vector) for vector in vectors if vector is not None)
    silent = np.full(size, np.nan, np.float32)
    stacked = np.stack([silent if vector is None else vector for vector in vectors])
    return Heard(tuple(rows), stacked.reshape(passes, len(rows), size), tuple(prosody[: len(rows)]))


def read(row: Row) -> Pcm:
    """The file's first channel at 8 kHz, shape (n,), at most 15 s."""
    samples, rate = soundfile.read(row.path, dtype="float64", always_2d=True, frames=-1)
    wave = samples[: LONGEST_S * rate, 0]
    slow = wave if rate == RATE else resample_poly(wave, RATE, rate)
    found: Pcm = np.clip(np.rint(slow * 32768), -32768, 32767).astype(np.int16)
    return found


def _one(job: _Job) -> tuple[npt.NDArray[np.float32] | None, Prosody]:
    row, turn, seed = job
    line = TELEPHONE if turn == 0 else draw(_chance(seed, f"{row.corpus}/{row.speaker}/{turn}"))
    heard = through(read(row), line, _chance(seed, f"{row.corpus}/{_place(row)}/{turn}"))
    resampler = Resampler(RATE)
    contour = trace(np.concatenate([resampler.push(heard), resampler.flush()]))
    return describe(contour), summarise(contour)


def _place(row: Row) -> str:
    """The file below the folder of its corpus, wherever that lies."""
    parts = row.path.parts
    return "/".join(parts[parts.index(row.corpus) + 1 :]) if row.corpus in parts else row.path.name


def _chance(seed: int, name: str) -> np.random.Generator:
    """The same for the same name, wherever and in whichever order it is asked for."""
    return np.random.default_rng(zlib.crc32(name.encode()) + seed)
