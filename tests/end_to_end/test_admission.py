"""The gateway takes no new call where every worker has given up all that it can."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from stream.wire import ListenLoad, encode

pytestmark = [pytest.mark.broker, pytest.mark.idle]

WARMLINE = str(Path(sys.executable).with_name("warmline"))


@asynccontextmanager
async def part(*arguments: str, home: Path) -> AsyncIterator[dict[str, Any]]:
    """One process of Warmline; gives what it announces."""
    process = await asyncio.create_subprocess_exec(
        WARMLINE, *arguments, "--home", str(home),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"WARMLINE_TOKEN": "secret"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield msgspec.json.decode(await asyncio.wait_for(process.stdout.readline(), 60))
    finally:
        process.terminate()
        await process.wait()


async def play(path: Path, door: str, call_id: str, home: Path) -> tuple[int | None, str]:
    player = await asyncio.create_subprocess_exec(
        WARMLINE, "play", str(path), "--url", door, "--token", "secret", "--call-id", call_id,
        "--speed", "100", "--home", str(home),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await asyncio.wait_for(player.communicate(), 60)
    return player.returncode, err.decode()


async def test_a_call_is_refused_while_no_worker_keeps_up_and_taken_when_one_does(data: Path, tmp_path: Path) -> None:
    path = data / "en_cancel_plan.wav"
    async with part("broker", home=tmp_path) as broker:
        address = broker["broker"]
        async with part("gateway", "--broker", address, "--port", "0", "--media-port", "0", home=tmp_path) as gateway:
            producer = AIOKafkaProducer(bootstrap_servers=address, acks="all")
            await producer.start()

            async def tell(worker: str, step: int) -> None:
                load = ListenLoad(worker=worker, calls=9, step=step, late_ms=1_000 * step)
                await producer.send_and_wait("listen.load", encode(load), key=worker.encode())
                await asyncio.sleep(2)

            try:
                await tell("a", 3)
                code, said = await play(path, gateway["twilio"], "refused", tmp_path)
                assert code == 1
                assert "got 1013 expected a worker with room for one more call" in said
                assert "Traceback" not in said
                # One that keeps up is enough.
                await tell("b", 1)
                code, said = await play(path, gateway["twilio"], "taken", tmp_path)
                assert code == 0, said
            finally:
                await producer.stop()
