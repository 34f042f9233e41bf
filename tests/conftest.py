"""What the tests of more than one room share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair.
settings.register_profile("warmline", deadline=None)
settings.load_profile("warmline")

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """Recordings that the project carries."""
    return DATA


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Public corpora beside the checkout; tests that ask for them are marked `corpus`."""
    path = Path(os.environ.get("WARMLINE_CORPUS") or Path(__file__).parents[2] / "shared" / "data")
    if not path.is_dir():
        pytest.fail(f"expected the corpora at {path}: see docs/benchmarks.md, or leave the tests marked corpus out")
    return path
