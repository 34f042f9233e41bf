"""A recording as a live call."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen

from audio.codecs import decode
from audio.errors import Busy, ProtocolError
from audio.recording import Recording, read_recording, records
from audio.telephony.play import Played, play
from audio.types import Channel, Encoding

TOKEN = "one-use-token"


def tone(seconds: float, rate: int = 8_000, agent: bool = True) -> Recording:
    time_s = np.arange(int(seconds * rate)) / rate
    pcm = (8_000 * np.sin(2 * np.pi * 440 * time_s)).astype(np.int16)
    return Recording(rate=rate, encoding=Encoding.PCM16, customer=pcm, agent=pcm // 2 if agent else None)


async def door(talk: Callable[[ServerConnection], Awaitable[None]]) -> tuple[Server, str]:
    server = await listen(talk, "127.0.0.1", 0)
    return server, f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/twilio"


@pytest.mark.parametrize("name", ["zh_late_order", "en_cancel_plan"])
async def test_what_the_doors_hear_is_the_recording_itself(serve: Any, sink: Any, data: Path, name: str) -> None:
    server, url = await serve()
    recording = read_recording([data / f"{name}.wav"])
    played = await play(recording, url, token=TOKEN, call_id="c", speed=10_000, parameters={"queue": "q"})
    assert played == Played(recording.duration_ms, reconnects=0, lost_ms=0)
    assert sink.ends == [("c", recording.duration_ms, True)]
    assert list(map(astuple, sink.records["c"])) == list(map(astuple, records(recording, "c")))
    assert sink.started_calls[0].queue == "q"
    assert server.totals.messages.dropped == server.totals.messages.clamped == server.totals.filled == 0


async def test_the_messages_are_twilios(data: Path) -> None:
    heard: list[dict[str, Any]] = []

    async def keep(socket: ServerConnection) -> None:
        async for message in socket:
            heard.append(json.loads(message))
            if heard[-1]["event"] == "stop":
                return

    server, url = await door(keep)
    async with server:
        await play(tone(0.05), url, token=TOKEN, call_id="c", speed=1_000)
    assert [message["event"] for message in heard] == ["connected", "start"] + ["media"] * 6 + ["stop"]
    assert heard[0] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert heard[1]["start"]["tracks"] == ["inbound", "outbound"]
    assert heard[1]["start"]["customParameters"] == {"token": TOKEN}
    assert heard[1]["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert [message["sequenceNumber"] for message in heard[1:]] == [str(n) for n in range(1, 9)]
    assert {message["streamSid"] for message in heard[1:]} == {"MZc"}
    media = [message["media"] for message in heard[2:-1]]
    assert [(each["track"], each["chunk"], each["timestamp"]) for each in media] == [
        (track, str(n + 1), str(n * 20)) for n in range(3) for track in ("inbound", "outbound")
    ]
    # 50 ms are two frames and a half.
    assert [len(each["payload"]) for each in media] == [216, 216, 216, 216, 108, 108]


async def test_another_rate_is_brought_to_the_telephones(serve: Any, sink: Any) -> None:
    _, url = await serve()
    await play(tone(1.0, rate=44_100, agent=False), url, token=TOKEN, call_id="c", speed=1_000)
    heard = decode(Encoding.PCMU, sink.heard("c", Channel.CUSTOMER)).astype(np.float64)
    assert len(heard) == 8_000
    assert sink.heard("c", Channel.AGENT) == b""
    assert np.argmax(np.abs(np.fft.rfft(heard))) == 440
    assert abs(heard.std() - 8_000 / 2**0.5) < 100


async def test_frames_leave_when_they_have_been_spoken(serve: Any, sink: Any) -> None:
    _, url = await serve()
    began = time.monotonic()
    late: list[float] = []

    def progress(done_ms: int, total_ms: int) -> None:
        assert total_ms == 1_000
        late.append(time.monotonic() - began - done_ms / 2_000)

    await play(tone(1.0), url, token=TOKEN, call_id="c", speed=2.0, progress=progress)
    assert len(late) == 50
    # Never early; and what is late once is not late for ever: the schedule is absolute.
    assert min(late) > 0
    assert min(late[-10:]) < 0.1


@pytest.mark.slow
async def test_a_line_that_breaks_calls_again_and_goes_on_by_the_clock(serve: Any, sink: Any) -> None:
    cut = asyncio.Event()
    server, url = await serve()
    began = time.monotonic()

    def progress(done_ms: int, _total: int) -> None:
        if done_ms >= 400:
            cut.set()

    async def breaker() -> None:
        await cut.wait()
        for stream in list(server._streams.values()):
            stream.connection.transport.abort()

    async def started(call: Any) -> int:
        sink.started_calls.append(call)
        return int((time.monotonic() - began) * 1_000) if len(sink.started_calls) > 1 else 0

    sink.started = started
    breaking = asyncio.create_task(breaker())
    played = await play(tone(1.2), url, token=TOKEN, call_id="c", progress=progress)
    await breaking
    assert played.reconnects == 1
    assert 200 <= played.lost_ms <= 800
    assert [clean for _, _, clean in sink.ends] == [False, True]
    # The call ends where it would have ended without the outage, give or take the grid and a slow machine.
    assert 1_000 <= sink.ends[-1][1] <= 2_500
    sequence = [record.seq for record in sink.records["c"]]
    assert sequence == sorted(set(sequence))


async def test_a_line_that_breaks_may_be_told_not_to_call_again() -> None:
    calls = 0

    async def drop(socket: ServerConnection) -> None:
        nonlocal calls
        calls += 1
        await socket.recv()
        socket.transport.abort()

    server, url = await door(drop)
    async with server:
        with pytest.raises(ProtocolError):
            await play(tone(1.0), url, token=TOKEN, call_id="c", reconnect=False)
    assert calls == 1


@pytest.mark.parametrize("speed", [1, 10_000])
async def test_a_refusal_is_told_and_not_tried_again(serve: Any, sink: Any, speed: int) -> None:
    server, url = await serve()
    with pytest.raises(ProtocolError, match=r"expected the door to take the call, got 1008 .*token"):
        await play(tone(0.1), url, token="wrong", call_id="c", speed=speed)
    sink.refusal = Busy("all lines are taken")
    with pytest.raises(ProtocolError, match="got 1013 all lines are taken"):
        await play(tone(0.1), url, token=TOKEN, call_id="c", speed=speed)
    with pytest.raises(ProtocolError, match="got HTTP 404"):
        await play(tone(0.1), url + "/x", token=TOKEN, call_id="c", speed=speed)
    assert server.totals.connections == 3


async def test_a_refusal_after_the_last_word_is_told_too() -> None:
    async def refuse(socket: ServerConnection) -> None:
        async for message in socket:
            if json.loads(message)["event"] == "stop":
                await socket.close(1008, "changed our mind")

    server, url = await door(refuse)
    async with server:
        with pytest.raises(ProtocolError, match="got 1008 changed our mind"):
            await play(tone(0.1), url, token=TOKEN, call_id="c", speed=1_000)


async def test_nobody_there_is_an_os_error() -> None:
    server, url = await door(lambda socket: socket.wait_closed())
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await play(tone(0.1), url, token=TOKEN, call_id="c")


async def test_two_who_play_one_call_do_not_fight(serve: Any, sink: Any) -> None:
    _, url = await serve()
    first = asyncio.create_task(play(tone(3.0), url, token=TOKEN, call_id="c"))
    await asyncio.sleep(0.3)
    assert len(sink.started_calls) == 1
    second = await play(tone(0.2), url, token=TOKEN, call_id="c")
    with pytest.raises(ProtocolError, match="4001 superseded"):
        await first
    assert second.reconnects == 0
    assert len(sink.ends) == 1
