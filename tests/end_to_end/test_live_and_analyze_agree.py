"""What is said and advised live is what ``analyze`` says of the same recording."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

CALLS = ("zh_late_order", "en_cancel_plan")

BROKERS = [
    pytest.param(None, marks=pytest.mark.broker, id="embedded"),
    pytest.param("WARMLINE_TEST_KAFKA", marks=pytest.mark.kafka, id="kafka"),
]


def finals(record: dict[str, Any]) -> list[tuple[Any, ...]]:
    return sorted((u["id"], u["start_ms"], u["end_ms"], u["text"], str(u["words"])) for u in record["utterances"])


def cards(record: dict[str, Any]) -> list[tuple[Any, ...]]:
    return sorted((c["rule"], c["utterance_id"], c["text"], c["at_ms"]) for c in record["cards"])


@pytest.mark.weights
@pytest.mark.parametrize("broker", BROKERS)
async def test_the_finals_and_cards_of_both_calls_are_those_of_analyze(
    broker: str | None, start: Any, make_watcher: Any, analyze: Any, data: Path
) -> None:
    options = () if broker is None else ("--broker", os.environ[broker])
    program = await start(*options, partitions="4")
    run = os.urandom(3).hex()
    ids = {name: f"{name}-{run}" for name in CALLS}
    watchers = {name: make_watcher() for name in CALLS}
    following = [asyncio.create_task(watchers[name].follow(program, ids[name])) for name in CALLS]
    await asyncio.gather(*(program.play(data / f"{name}.wav", ids[name], speed=1.5) for name in CALLS))
    async with asyncio.timeout(90):
        await asyncio.gather(*following)
    for name in CALLS:
        expected = await asyncio.to_thread(analyze, data / f"{name}.wav", ids[name])
        watcher = watchers[name]
        assert not watcher.twice
        assert watcher.partials > 5
        assert watcher.risks
        seen = {"utterances": list(watcher.finals.values()), "cards": list(watcher.cards.values())}
        assert finals(seen) == finals(expected)
        assert cards(seen) == cards(expected)
        request = Request(
            f"{program.addresses['api']}/v1/calls/{ids[name]}",
            headers={"Authorization": f"Bearer {program.addresses['token']}"},
        )
        with await asyncio.to_thread(urlopen, request) as answer:
            stored = json.load(answer)
        assert finals(stored) == finals(expected)
        assert cards(stored) == cards(expected)
        assert stored["status"] == "ended"
        assert stored["duration_ms"] == expected["duration_ms"]
        assert stored["measures"] == expected["measures"]
        assert stored["risk"] == expected["risk"]
        assert stored["curve"] == expected["curve"] != []
        assert (stored["swings"], stored["turns"]) == (expected["swings"], expected["turns"])
