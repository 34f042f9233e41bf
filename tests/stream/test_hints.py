"""Hints reach their topic at least once, whatever fails between."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from agent_assist.routing.asking import Asking
from agent_assist.routing.policy import load
from agent_assist.routing.types import Agent, HintRequest, RoutingHint
from agent_assist.store.calls import CallStore
from agent_assist.store.routing import Given, Routing
from models.reading import NOTHING_READ
from stream.hints import send_hints


@pytest.fixture
def hints(tmp_path: Path) -> Iterator[Routing]:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    yield Routing(store.engine)
    store.close()


def keep(hints: Routing, call_id: str) -> None:
    asking = Asking(load(), None, lambda _: NOTHING_READ)
    hints.keep(Given(*asking.answer(HintRequest(call_id=call_id), [Agent(id="a")], datetime.now(UTC))))


async def test_what_failed_is_sent_again_and_what_was_sent_is_not(
    hints: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.hints._AGAIN_S", 0.01)
    sent: list[str] = []
    given, all_there = asyncio.Event(), asyncio.Event()
    failures = iter([True, False, True, True])

    async def send(hint: RoutingHint) -> None:
        if next(failures, False):
            raise KafkaConnectionError
        sent.append(hint.call_id)
        if hint.call_id == "c":
            all_there.set()

    keep(hints, "a")
    keep(hints, "b")
    sending = asyncio.create_task(send_hints(hints, send, given))
    while len(sent) < 2:  # noqa: ASYNC110 - the first is sent again by itself
        await asyncio.sleep(0.01)
    keep(hints, "c")
    given.set()
    async with asyncio.timeout(30):
        await all_there.wait()
        while hints.unsent():  # noqa: ASYNC110 - noted after it was sent
            await asyncio.sleep(0.01)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    assert sent == ["a", "b", "c"]
