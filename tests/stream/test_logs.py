import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from stream import logs


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    file = tmp_path / "logs" / "x.log"
    logs.configure("info", file)
    yield file
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_what_a_call_says_never_reaches_the_log(lines: Path) -> None:
    structlog.get_logger("warmline.test").error("refused", call="c-1", pii_detail="my card is 4242")
    logging.getLogger("some.library").warning("its own words")
    first, second = [json.loads(line) for line in lines.read_text().splitlines()]
    assert first["event"] == "refused"
    assert first["call"] == "c-1"
    assert "4242" not in lines.read_text()
    assert second["event"] == "its own words"
