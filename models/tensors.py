"""
Arrays in files of the format safetensors: a header in JSON, then plain numbers. Nothing in them can run.

Source: https://github.com/huggingface/safetensors, README, "Format".
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.errors import WeightsDamaged

_KINDS: Final = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I8": "|i1", "U8": "|u1"}
_LENGTH: Final = struct.Struct("<Q")


class _Tensor(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def read_tensors(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """
    The arrays of a file by name, read-only, and its notes.

    Raises:
        WeightsDamaged: If it is not of the format.
    """
    raw = path.read_bytes()
    try:
        (length,) = _LENGTH.unpack_from(raw)
        header = msgspec.json.decode(raw[_LENGTH.size : _LENGTH.size + length], type=dict[str, msgspec.Raw])
        notes = msgspec.json.decode(header.pop("__metadata__", msgspec.Raw(b"{}")), type=dict[str, str])
        tensors = {name: msgspec.json.decode(one, type=_Tensor) for name, one in header.items()}
        body = memoryview(raw)[_LENGTH.size + length :]
        arrays = {
            name: np.frombuffer(body[slice(*one.data_offsets)], dtype=_KINDS[one.dtype]).reshape(one.shape)
            for name, one in tensors.items()
        }
    except (struct.error, msgspec.MsgspecError, KeyError, ValueError) as error:
        raise WeightsDamaged(str(path), "a file of the format safetensors", str(error)) from error
    return arrays, notes


def write_tensors(path: Path, arrays: Mapping[str, npt.NDArray[Any]], notes: Mapping[str, str]) -> None:
    """Write arrays, the same bytes for the same arrays and notes."""
    names = {np.dtype(kind): name for name, kind in _KINDS.items()}
    header: dict[str, Any] = {"__metadata__": dict(sorted(notes.items()))}
    at = 0
    for name, array in sorted(arrays.items()):
        kind = names[array.dtype]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": (at, at + array.nbytes)}
        at += array.nbytes
    head = msgspec.json.encode(header)
    head += b" " * (-len(head) % 8)
    with path.open("wb") as out:
        out.write(_LENGTH.pack(len(head)) + head)
        for _, array in sorted(arrays.items()):
            out.write(np.ascontiguousarray(array).tobytes())
