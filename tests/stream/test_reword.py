"""Rewording beside the stream."""

import asyncio
import threading

import msgspec

from agent_assist.advice.digest import Digest
from agent_assist.advice.summary import synopsis
from agent_assist.types import CallSynopsis
from stream.reword import Rewording


async def test_what_takes_long_holds_nothing_up_and_is_published_when_it_is_done() -> None:
    may_go, told = threading.Event(), list[CallSynopsis]()

    def slow(one: CallSynopsis) -> CallSynopsis:
        assert may_go.wait(20)
        return msgspec.structs.replace(one, text="anew", rewritten=True)

    async def publish(one: CallSynopsis) -> None:
        told.append(one)

    rewording = Rewording(slow, publish)
    for n in range(6):
        rewording.begin(synopsis(f"c{n}", Digest(), 1, over=True))
    await asyncio.sleep(0)
    assert told == []
    may_go.set()
    await rewording.finish()
    assert sorted(one.call_id for one in told) == [f"c{n}" for n in range(6)]
    assert all(one.rewritten for one in told)


async def test_of_too_many_at_once_the_last_stay_as_they_are() -> None:
    told: list[str] = []

    async def publish(one: CallSynopsis) -> None:
        told.append(one.call_id)

    rewording = Rewording(lambda one: one, publish)
    for n in range(105):
        rewording.begin(synopsis(f"c{n}", Digest(), 1, over=True))
    await rewording.finish()
    assert len(told) == 100
