"""``warmline up``: starts, says where it is, and leaves nothing behind."""

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import websockets

pytestmark = [pytest.mark.broker, pytest.mark.idle]

WARMLINE = str(Path(sys.executable).with_name("warmline"))


async def up(home: Path, port: int) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        WARMLINE, "up", "--home", str(home), "--port", str(port), "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, err.decode()


async def test_a_port_that_is_taken_is_told_plainly(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, said = await up(tmp_path, port)
    assert code == 1
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said
    assert "Traceback" not in said


async def test_a_home_in_use_is_told_plainly(start: Any) -> None:
    program = await start(recogniser="none")
    code, said = await up(program.home, 0)
    assert code == 1
    assert str(program.home) in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_everything(number: signal.Signals, start: Any) -> None:
    program = await start(recogniser="none")
    family = psutil.Process(program.process.pid).children(recursive=True)
    assert len(family) >= 4
    program.process.send_signal(number)
    assert await asyncio.wait_for(program.process.wait(), 60) == 0
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 1)
    assert not alive
    assert not (program.home / "run.json").exists()


async def test_children_end_when_their_parent_is_killed(start: Any) -> None:
    program = await start(recogniser="none")
    family = psutil.Process(program.process.pid).children(recursive=True)
    program.killed = True
    program.process.send_signal(signal.SIGKILL)
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 20)
    assert not alive


async def test_garbage_at_the_door_costs_its_own_connection_alone(start: Any, data: Path, make_watcher: Any) -> None:
    program = await start(recogniser="none")
    door = program.addresses["twilio"]
    watcher = make_watcher()
    following = asyncio.create_task(watcher.follow(program, "good"))
    playing = asyncio.create_task(program.play(data / "en_cancel_plan.wav", "good", 10))
    for garbage in ("nonsense", b"\x00" * 70_000, json.dumps({"event": "start", "start": {}}), "{" * 1000):
        async with websockets.connect(door, max_size=None) as bad:
            for _ in range(20):
                try:
                    await bad.send(garbage)
                except websockets.ConnectionClosed:
                    break
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(bad.recv(), 10)
    await playing
    async with asyncio.timeout(60):
        await following
    assert len(watcher.finals) >= 10
    assert not watcher.twice
