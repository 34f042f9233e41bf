"""Which weights a figure is of."""

import hashlib
from pathlib import Path

import msgspec


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was made of."""

    name: str
    sha256: str | None
    """None where it has no weights."""


def of_directory(directory: Path) -> Weights:
    """The SHA-256 is of all files of the directory, one after the other in the order of their names."""
    found = hashlib.sha256()
    for path in sorted(path for path in directory.iterdir() if path.is_file()):
        found.update(path.read_bytes())
    return Weights(name=directory.resolve().name, sha256=found.hexdigest())
