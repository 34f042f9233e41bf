"""Which weights a figure is of."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from stream.errors import StreamError

SHIPPED: Final = Path(__file__).resolve().parents[1] / "models" / "shipped"


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was made of."""

    name: str
    sha256: str | None
    """None where it has no weights."""


def find(asked: str, kind: str, ending: str, without: str) -> Path:
    """
    The file of weights that was asked for.

    Args:
        asked: The file, a directory that has one such file, or the name of one in
            ``models/shipped``, with its kind or without.
        kind: "voice" or "text", with which the names of those begin.
        ending: Of such files.
        without: What else could have been asked for.

    Raises:
        StreamError: If there is none, or more than one.
    """
    path = Path(asked)
    shipped = [SHIPPED / f"{name}.{ending}" for name in (f"{kind}-{asked}", asked)]
    found = sorted(path.glob(f"*.{ending}")) if path.is_dir() else [path, *shipped]
    files = [one for one in found if one.is_file()]
    if len(files) != 1:
        raise StreamError(f"expected {without}, a file *.{ending}, or a directory with one of them, got {asked}")
    return files[0]


def of(path: Path) -> Weights:
    """A file's name and SHA-256."""
    return Weights(name=path.stem, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
