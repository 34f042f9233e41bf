"""Arrays in files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import WeightsDamaged
from models.tensors import read_tensors, write_tensors


def test_what_is_written_is_read(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([-1, 2], dtype=np.int8)}
    write_tensors(tmp_path / "x", arrays, {"kind": "open"})
    read, notes = read_tensors(tmp_path / "x")
    assert notes == {"kind": "open"}
    assert all(np.array_equal(read[name], array) and read[name].dtype == array.dtype for name, array in arrays.items())


@given(cut=st.integers(0, 150))
def test_a_file_cut_short_is_damaged(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cut") / "x"
    write_tensors(path, {"a": np.zeros(40, dtype=np.float32)}, {"kind": "open"})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(WeightsDamaged):
        read_tensors(path)
