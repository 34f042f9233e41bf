"""Another model takes over while a call goes on."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from models.weights import locate

pytestmark = [pytest.mark.broker, pytest.mark.weights]

WARMLINE = str(Path(sys.executable).with_name("warmline"))


def model_of(program: Any) -> str:
    with urlopen(program.addresses["metrics"]["listen"]) as page:
        [line] = [line for line in page.read().decode().splitlines() if line.startswith("warmline_model_info")]
    return str(line)


def reload(home: Path, config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [WARMLINE, "reload", "--home", str(home)], capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "WARMLINE_CONFIG": str(config)},
    )  # fmt: skip


async def test_a_model_is_changed_in_mid_call_and_no_word_is_lost(
    start: Any, data: Path, tmp_path: Path, make_watcher: Any, analyze: Any
) -> None:
    # The same weights under the name of another model: what is told must not change.
    weights, config = tmp_path / "weights", tmp_path / "warmline.toml"
    weights.mkdir()
    (weights / "large-v3-turbo").symlink_to(locate("whisper-base", directory=None, cache=tmp_path / "cache"))
    config.write_text(f'model = "whisper-base"\nweights = "{weights}"\n')
    program = await start(config=str(config))
    assert 'model="whisper-base"' in model_of(program)
    call, watcher = data / "zh_late_order.wav", make_watcher()
    following = asyncio.create_task(watcher.follow(program, "c"))
    playing = asyncio.create_task(program.play(call, "c", 3))
    while len(watcher.finals) < 4:  # noqa: ASYNC110
        await asyncio.sleep(0.1)

    config.write_text(f'model = "large-v3"\nweights = "{weights}"\n')
    refused = await asyncio.to_thread(reload, program.home, config)
    assert refused.returncode == 1
    assert "large-v3" in refused.stderr
    config.write_text(f'model = "large-v3-turbo"\nweights = "{weights}"\n')
    asked = await asyncio.to_thread(reload, program.home, config)
    assert asked.returncode == 0, asked.stderr
    async with asyncio.timeout(60):
        while 'model="large-v3-turbo"' not in await asyncio.to_thread(model_of, program):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert not playing.done()

    await playing
    async with asyncio.timeout(120):
        await following
    expected = await asyncio.to_thread(analyze, call, "c")
    assert {key: one["text"] for key, one in watcher.finals.items()} == {
        u["id"]: u["text"] for u in expected["utterances"]
    }
    assert not watcher.twice
