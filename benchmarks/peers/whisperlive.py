"""
WhisperLive 0.10 with the same weights, in an environment of its own (``benchmarks/peers/whisperlive.sh``).

One connection a channel, as its own client does it: 16 kHz floats in frames of 4096, the language given, its voice
detector on. What it marks completed is final; at the end of the call the last segment it sent is taken as final, too.
"""

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import websockets

from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Channel, Pcm
from benchmarks.paced import Dial, Line, System, Text
from benchmarks.peers import weights

ENVIRONMENT: Final = Path(os.environ.get("WARMLINE_PEER_WHISPERLIVE", Path(__file__).parent / ".whisperlive"))
_FRAME: Final = 4096
_QUIET_S: Final = 6.0
"""After the end of a call: so long without a word, and nothing more is expected."""
_AFTER_S: Final = 20.0
"""After the end of a call at most."""
_SERVER: Final = """
import sys
from whisper_live.server import TranscriptionServer
TranscriptionServer().run(
    "127.0.0.1", port=int(sys.argv[1]), backend="faster_whisper", faster_whisper_custom_model_path=sys.argv[2],
    single_model=True, max_clients=1000, max_connection_time=36000, batch_enabled=sys.argv[3] == "batched",
    batch_max_queue_wait_s=1e9, batch_max_admissions_per_s=1e9, batch_beam_size=int(sys.argv[4]),
)
"""


class Setting(NamedTuple):
    """How it is run."""

    batched: bool = False
    """Over clients; else a lock."""
    vad: bool = True
    """Its voice detector."""
    repeats: int = 10
    """How often it has to hear the same before it calls it final, as its client sets it by default."""


def started(setting: Setting) -> System:
    """A server, and clients of that setting."""

    @asynccontextmanager
    async def start(calls: int) -> AsyncIterator[Dial]:  # noqa: ARG001 - of the interface
        python = ENVIRONMENT / "bin" / "python"
        if not python.exists():
            raise FileNotFoundError(f"expected WhisperLive at {ENVIRONMENT}: run sh benchmarks/peers/whisperlive.sh")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        mode = "batched" if setting.batched else "lock"
        process = await asyncio.create_subprocess_exec(
            str(python), "-c", _SERVER, str(port), str(weights()), mode, "1",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"ws://127.0.0.1:{port}"
            # The model is loaded for the first client.
            async with await _connected(url, "warm", "en", setting, patience_s=120):
                pass

            async def dial(line: Line) -> None:
                line.began = float("inf")
                ready = asyncio.Barrier(2)
                await asyncio.gather(
                    _speak(line, Channel.CUSTOMER, line.recording.customer, url, setting, ready),
                    _speak(line, Channel.AGENT, line.recording.agent, url, setting, ready),
                )

            yield dial
        finally:
            process.kill()
            await process.wait()

    return start


async def _connected(url: str, uid: str, language: str, setting: Setting, *, patience_s: float) -> Any:
    until = time.monotonic() + patience_s
    while True:
        try:
            connection = await websockets.connect(url, max_size=None, compression=None, ping_interval=None)
            break
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)
    options = {
        "uid": uid,
        "language": language,
        "task": "transcribe",
        "model": "base",
        "use_vad": setting.vad,
        "same_output_threshold": setting.repeats,
    }
    await connection.send(json.dumps(options))
    async with asyncio.timeout(patience_s):
        while json.loads(await connection.recv()).get("message") != "SERVER_READY":
            pass
    return connection


async def _speak(
    line: Line, channel: Channel, pcm: Pcm | None, url: str, setting: Setting, ready: asyncio.Barrier
) -> None:
    assert pcm is not None
    resampler = Resampler(line.recording.rate)
    samples = np.concatenate([resampler.push(pcm), resampler.flush()]).astype(np.float32) / np.float32(32768)
    async with await _connected(url, f"{line.id}:{channel}", line.language, setting, patience_s=60) as connection:
        await ready.wait()
        line.began = min(line.began, time.time())
        hearing = asyncio.create_task(_hear(line, channel, connection, said := [time.time()]))
        for at in range(0, len(samples), _FRAME):
            frame = samples[at : at + _FRAME]
            await asyncio.sleep(max(0.0, line.began + (at + len(frame)) / SAMPLE_RATE - time.time()))
            await connection.send(frame.tobytes())
        # Its tail is decoded from silence on: the end of the stream itself drops it.
        ended = time.time()
        while time.time() - max(ended, said[-1]) < _QUIET_S and time.time() - ended < _AFTER_S:
            await connection.send(np.zeros(_FRAME, np.float32).tobytes())
            await asyncio.sleep(_FRAME / SAMPLE_RATE)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    line.close(channel)


async def _hear(line: Line, channel: Channel, connection: Any, said: list[float]) -> None:
    async for message in connection:
        segments = json.loads(message).get("segments") or []
        put: dict[str, Text] = {}
        for segment in segments:
            start_ms, end_ms = (round(float(segment[edge]) * 1000) for edge in ("start", "end"))
            key = f"{channel}:{start_ms}:{end_ms}" if segment["completed"] else f"{channel}:open"
            text = Text(channel, start_ms, end_ms, segment["text"], bool(segment["completed"]))
            if line.texts.get(key) != text:
                put[key] = text
        drop = [] if f"{channel}:open" in put or not any(s["completed"] for s in segments[-1:]) else [f"{channel}:open"]
        if put or drop:
            said.append(time.time())
            line.say(said[-1], put, drop)
