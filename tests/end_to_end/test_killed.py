"""Processes killed in mid-call: no final utterance is lost, and none is shown twice."""

import asyncio
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

CALL = "zh_late_order"
RECOGNISER = os.environ.get("WARMLINE_TEST_RECOGNISER", "whisper")
"""With "none" the path alone is tried, much faster: for many rounds."""
SPEED = 2.0 if RECOGNISER == "whisper" else 6.0
ROUNDS = range(int(os.environ.get("WARMLINE_TEST_ROUNDS", "1")))

pytestmark = [pytest.mark.kill, pytest.mark.weights]


def finals(utterances: Any) -> list[tuple[Any, ...]]:
    return sorted((u["id"], u["text"], u["end_ms"]) for u in utterances)


async def killed(role: str, start: Any, watcher: Any, data: Path, speed: float = SPEED) -> tuple[Any, str]:
    """Play a call, kill the process in its middle; returns the program and the call's id."""
    program = await start(recogniser=RECOGNISER)
    call_id = f"{CALL}-{os.urandom(3).hex()}"
    following = asyncio.create_task(watcher.follow(program, call_id))
    playing = asyncio.create_task(program.play(data / f"{CALL}.wav", call_id, speed))
    # In the middle of the angry customer's turn.
    await asyncio.sleep(40 / speed)
    program.kill(role)
    await playing
    async with asyncio.timeout(90):
        await following
    return program, call_id


@pytest.mark.broker
@pytest.mark.parametrize("role", ["listen", "assist", "broker"])
@pytest.mark.parametrize("round_", ROUNDS)
async def test_nothing_is_lost_or_shown_twice_when_a_process_is_killed(
    role: str, round_: int, start: Any, make_watcher: Any, analyze: Any, data: Path
) -> None:
    watcher = make_watcher()
    program, call_id = await killed(role, start, watcher, data)
    expected = await asyncio.to_thread(analyze, data / f"{CALL}.wav", call_id, RECOGNISER)
    assert not watcher.twice
    assert finals(watcher.finals.values()) == finals(expected["utterances"])
    assert sorted(watcher.cards) == sorted(card["id"] for card in expected["cards"])
    played, _ = soundfile.read(data / f"{CALL}.wav", dtype="int16", always_2d=True)
    assert np.array_equal(await program.recording(call_id), played)


@pytest.mark.broker
@pytest.mark.parametrize("round_", ROUNDS)
async def test_a_call_goes_on_when_the_gateway_is_killed(
    round_: int, start: Any, make_watcher: Any, analyze: Any, data: Path
) -> None:
    watcher = make_watcher()
    # A line goes on where the wall clock stands: that is true of a call at the speed of life alone.
    _, call_id = await killed("gateway", start, watcher, data, speed=1.0)
    expected = await asyncio.to_thread(analyze, data / f"{CALL}.wav", call_id, RECOGNISER)
    assert watcher.connections > 1
    assert not watcher.twice
    # What was said while there was no gateway is gone with the line; all before is there, and the call went on.
    before = [u for u in expected["utterances"] if u["end_ms"] < 34_000]
    assert set(finals(before)) <= set(finals(watcher.finals.values()))
    late = [u for u in watcher.finals.values() if u["start_ms"] > 50_000]
    assert len(late) >= 8
    if RECOGNISER == "whisper":
        assert {"closing", "greeting"} <= {card["rule"] for card in watcher.cards.values()}


@pytest.mark.kafka3
@pytest.mark.parametrize("round_", ROUNDS)
async def test_nothing_is_lost_or_shown_twice_when_a_node_of_three_is_killed(
    round_: int, start: Any, make_watcher: Any, analyze: Any, data: Path, kafka_node: Any
) -> None:
    watcher = make_watcher()
    program = await start("--broker", os.environ["WARMLINE_TEST_KAFKA3"], replication="3", recogniser=RECOGNISER)
    call_id = f"{CALL}-{os.urandom(3).hex()}"
    following = asyncio.create_task(watcher.follow(program, call_id))
    playing = asyncio.create_task(program.play(data / f"{CALL}.wav", call_id, SPEED))
    await asyncio.sleep(40 / SPEED)
    kafka_node.kill()
    await playing
    async with asyncio.timeout(120):
        await following
    kafka_node.revive()
    expected = await asyncio.to_thread(analyze, data / f"{CALL}.wav", call_id, RECOGNISER)
    assert not watcher.twice
    assert finals(watcher.finals.values()) == finals(expected["utterances"])
    assert sorted(watcher.cards) == sorted(card["id"] for card in expected["cards"])
