"""
WhisperLiveKit 0.2 with the same weights, in an environment of its own (``benchmarks/peers/whisperlivekit.sh``).

Local agreement over faster-whisper, its own settings otherwise; one engine for all calls, one connection a channel with
16-bit PCM and the language given. Of its interfaces ``/v1/listen`` is taken, because it says when each word was spoken:
words that two passes agree on are final, what follows them is shown without times. To its favour, a word counts as
shown from the first time on at which it stood in its place and stayed there, agreed on or not; and a text that went
away without another in its place counts as still standing.
"""

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import websockets

from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Channel, Pcm
from benchmarks.paced import Dial, Line, Text
from benchmarks.peers import weights

ENVIRONMENT: Final = Path(os.environ.get("WARMLINE_PEER_WHISPERLIVEKIT", Path(__file__).parent / ".whisperlivekit"))
_FRAME: Final = SAMPLE_RATE // 10
_AFTER_S: Final = 20.0
"""Grace after the end of a call for its last words, as ours has it."""
_OPTIONS: Final = "encoding=linear16&sample_rate=16000&channels=1&interim_results=true&endpointing=false"
_TOKEN: Final = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")
"""A word; an ideograph is one."""


class Shown(NamedTuple):
    """What stood on the screen after a message."""

    at: float
    """By ``time.time``."""
    tokens: list[str]
    """From the beginning of the call."""
    final: int
    """So many of them will not change."""


@asynccontextmanager
async def started(calls: int) -> AsyncIterator[Dial]:  # noqa: ARG001 - of the interface
    """One server for all calls."""
    server = ENVIRONMENT / "bin" / "whisperlivekit-server"
    if not server.exists():
        raise FileNotFoundError(f"expected WhisperLiveKit at {ENVIRONMENT}: run sh benchmarks/peers/whisperlivekit.sh")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        str(server), "--host", "127.0.0.1", "--port", str(port), "--model_dir", str(weights()), "--pcm-input",
        "--backend-policy", "localagreement", "--backend", "faster-whisper", "--warmup-file", "",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"ws://127.0.0.1:{port}/v1/listen?{_OPTIONS}"
        # Its server accepts nobody before the model is there.
        async with await _connected(url, "en", patience_s=120):
            pass

        async def dial(line: Line) -> None:
            line.began = float("inf")
            ready = asyncio.Barrier(2)
            await asyncio.gather(
                _speak(line, Channel.CUSTOMER, line.recording.customer, url, ready),
                _speak(line, Channel.AGENT, line.recording.agent, url, ready),
            )

        yield dial
    finally:
        process.kill()
        await process.wait()


async def _connected(url: str, language: str, *, patience_s: float) -> Any:
    until = time.monotonic() + patience_s
    while True:
        try:
            return await websockets.connect(
                f"{url}&language={language}", max_size=None, compression=None, ping_interval=None
            )
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)


async def _speak(line: Line, channel: Channel, pcm: Pcm | None, url: str, ready: asyncio.Barrier) -> None:
    assert pcm is not None
    resampler = Resampler(line.recording.rate)
    samples = np.concatenate([resampler.push(pcm), resampler.flush()]).astype("<i2")
    async with await _connected(url, line.language, patience_s=60) as connection:
        await ready.wait()
        line.began = min(line.began, time.time())
        finals: list[Text] = []
        shown: list[Shown] = []
        hearing = asyncio.create_task(_hear(channel, connection, finals, shown))
        for at in range(0, len(samples), _FRAME):
            frame = samples[at : at + _FRAME]
            await asyncio.sleep(max(0.0, line.began + (at + len(frame)) / SAMPLE_RATE - time.time()))
            await connection.send(frame.tobytes())
        await connection.send(json.dumps({"type": "CloseStream"}))
        await asyncio.wait([hearing], timeout=_AFTER_S)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    tell(line, channel, finals, shown)
    line.close(channel)


async def _hear(channel: Channel, connection: Any, finals: list[Text], shown: list[Shown]) -> None:
    async for raw in connection:
        message = json.loads(raw)
        if message["type"] == "Results":
            note(channel, message, time.time(), finals, shown)


def note(channel: Channel, message: dict[str, Any], now: float, finals: list[Text], shown: list[Shown]) -> None:
    """Add what a message of its shows, and its final words with their times."""
    found = message["channel"]["alternatives"][0]
    words = found["words"]
    if message["is_final"] and not words:
        # The rest at the end of the stream has no times.
        words = [{"punctuated_word": found["transcript"], "start": message["start"], "end": message["start"]}]
    agreed = [*finals, *(one for word in words for one in _pieces(channel, word))]
    # What is not agreed on follows the words in the transcript, at times without a space.
    letters = sum(len(re.findall(r"\S", word["punctuated_word"])) for word in words)
    rest = re.sub(rf"^(\s*\S){{{letters}}}", "", found["transcript"])
    shown.append(Shown(now, [one.text for one in agreed] + _TOKEN.findall(rest), len(agreed)))
    if message["is_final"]:
        finals[:] = agreed


def _pieces(channel: Channel, word: dict[str, Any]) -> list[Text]:
    start_ms, end_ms = (round(float(word[edge]) * 1000) for edge in ("start", "end"))
    return [Text(channel, start_ms, end_ms, token, True) for token in _TOKEN.findall(word["punctuated_word"])]


def tell(line: Line, channel: Channel, finals: Sequence[Text], shown: Sequence[Shown]) -> None:
    """Tell a line afterwards, when the time of every word is known, what was shown when."""
    for one in shown:
        put: dict[str, Text] = {}
        for number, token in enumerate(one.tokens):
            # What never became final has no time, and lies over no turn.
            place = finals[number] if number < len(finals) else Text(channel, 0, 0, "", False)
            text = place._replace(text=token, final=number < one.final)
            if line.texts.get(key := f"{channel}:{number}") != text:
                put[key] = text
        line.say(one.at, put)
