"""A caller that somebody else wrote: streamdouble's simulation of Twilio Media Streams."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.codecs import decode, encode
from audio.recording import read_recording
from audio.types import Channel, Encoding, Pcm

TOKEN = "one-use-token"
SECONDS = 4

pytestmark = pytest.mark.broker


@pytest.fixture
def voices(data: Path, tmp_path: Path) -> tuple[Path, Path, Pcm, Pcm]:
    """Files of both sides, and what is in them."""
    recording = read_recording([data / "en_cancel_plan.wav"])
    assert recording.customer is not None
    assert recording.agent is not None
    customer, agent = recording.customer[: SECONDS * 8_000], recording.agent[: SECONDS * 8_000]
    soundfile.write(tmp_path / "customer.wav", customer, 8_000)
    soundfile.write(tmp_path / "agent.wav", agent, 8_000)
    return tmp_path / "customer.wav", tmp_path / "agent.wav", customer, agent


async def streamdouble(url: str, voices: tuple[Path, Path, Pcm, Pcm], *options: str) -> tuple[int, dict[str, Any]]:
    program = Path(sys.executable).parent / "streamdouble"
    process = await asyncio.create_subprocess_exec(
        program,
        *("call", url, "--audio", str(voices[0]), "--agent-audio", str(voices[1])),
        *("--fork", "--track", "both", "--strict-fork", "--allow-no-audio", "--json"),
        *("--param", f"token={TOKEN}", "--param", "customer_id=c-7", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out) if out.strip() else {}


async def test_its_call_is_heard_whole(serve: Any, sink: Any, voices: tuple[Path, Path, Pcm, Pcm]) -> None:
    server, url = await serve()
    code, told = await streamdouble(url, voices)
    assert code == 0, told
    assert told["media_frames_received"] == 0
    assert told["violations"] == []
    ((call_id, duration_ms, clean),) = sink.ends
    assert clean
    assert sink.started_calls[0].customer_id == "c-7"
    assert server.totals.messages.malformed == server.totals.messages.dropped == server.totals.messages.clamped == 0
    assert abs(duration_ms - SECONDS * 1000) <= 200
    for channel, pcm in ((Channel.CUSTOMER, voices[2]), (Channel.AGENT, voices[3])):
        heard = decode(Encoding.PCMU, sink.heard(call_id, channel))
        expected = decode(Encoding.PCMU, encode(Encoding.PCMU, pcm))
        length = min(len(heard), len(expected))
        assert length >= (SECONDS - 1) * 8_000
        assert np.array_equal(heard[:length], expected[:length])


async def test_packets_lost_on_the_way_are_silence_and_time_stays(
    serve: Any, sink: Any, voices: tuple[Path, Path, Pcm, Pcm]
) -> None:
    server, url = await serve()
    code, told = await streamdouble(url, voices, "--packet-loss", "0.05", "--jitter", "15", "--chaos-seed", "7")
    assert code == 0, told
    ((_, duration_ms, clean),) = sink.ends
    assert clean
    assert abs(duration_ms - SECONDS * 1000) <= 200
    assert told["frames_dropped"] > 0
    # What is missing at the very end of a track is not filled.
    assert 0 <= told["frames_dropped"] * 160 - server.totals.filled <= 5 * 160
    assert server.totals.messages.malformed == server.totals.messages.clamped == 0


async def test_it_is_sent_away_without_the_token(serve: Any, sink: Any, voices: tuple[Path, Path, Pcm, Pcm]) -> None:
    _, url = await serve(token="another")
    _, told = await streamdouble(url, voices)
    assert told["closed_by"] == "agent", told
    assert told["frames_sent"] < 20
    assert sink.started_calls == []
