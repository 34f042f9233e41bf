"""Synopses worded anew beside the stream, so that a slow endpoint holds no call up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from agent_assist.types import CallSynopsis

log = structlog.get_logger()

_AT_ONCE: Final = 4
_WAITING: Final = 100
"""More are left as they are."""

Rewrite = Callable[[CallSynopsis], CallSynopsis]


class Rewording:
    """
    Words the synopses of calls that ended anew, and publishes them.

    What is under way when the process ends is lost: the synopsis as it was drawn stays.

    Args:
        rewrite: Blocking.
    """

    def __init__(self, rewrite: Rewrite, publish: Callable[[CallSynopsis], Awaitable[None]]) -> None:
        self._rewrite = rewrite
        self._publish = publish
        self._tasks: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(_AT_ONCE)

    def begin(self, synopsis: CallSynopsis) -> None:
        """Take one up."""
        if len(self._tasks) >= _WAITING:
            log.warning("synopsis_not_reworded", call=synopsis.call_id, reason="too many wait")
            return
        task = asyncio.get_running_loop().create_task(self._one(synopsis))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, synopsis: CallSynopsis) -> None:
        async with self._free:
            found = await asyncio.to_thread(self._rewrite, synopsis)
        if found.rejected:
            # The reason may quote what was said.
            log.warning("synopsis_rejected", call=synopsis.call_id, pii_reason=found.rejected)
        await self._publish(found)

    async def finish(self) -> None:
        """Wait for all that are under way."""
        await asyncio.gather(*self._tasks)
