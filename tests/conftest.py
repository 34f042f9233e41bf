"""What the tests of more than one room share."""

from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """Recordings that the project carries."""
    return DATA
