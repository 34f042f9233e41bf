"""The lines that docs/routing.md shows are run, by a real curl, against the running program."""

import asyncio
import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.idle]

PAGE = Path(__file__).parents[2] / "docs" / "routing.md"


async def run(line: str, program: Any, token: str) -> dict[str, Any]:
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"WARMLINE": program.addresses["api"], "TOKEN": token},
    )  # fmt: skip
    out, err = await shell.communicate()
    assert shell.returncode == 0, err.decode() + out.decode()
    return dict(json.loads(out))


async def test_the_lines_of_the_page_do_what_it_says(start: Any) -> None:
    if shutil.which("curl") is None:
        pytest.fail("expected curl: install it, or leave the tests marked broker out")
    agent, hint, handoff = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    program = await start(recogniser="none")
    token = await program.grant("switch", "acd")
    assert (await run(agent, program, token))["id"] == "anna"
    found = await run(hint, program, token)
    assert (found["call_id"], found["skill"]) == ("c-81", "technical")
    assert [one["agent_id"] for one in found["agents"]] == ["anna"]
    # The page's hand-off has a time of its own, which may lie ahead, or be long ago.
    today = re.sub(r"2026-11-25T14:0\d:\d\dZ", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", handoff)
    assert today != handoff
    assert (await run(today, program, token))["id"] == "bot-4711"
