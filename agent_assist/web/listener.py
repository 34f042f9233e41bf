"""One end of a live channel: a bounded queue of what is to be told."""

import asyncio
from collections import deque
from typing import Any, Final, NamedTuple

import msgspec

from agent_assist.errors import SlowListener

QUEUE: Final = 512
"""Messages that wait for a listener; past them partials are dropped, and then the listener."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What goes over the live channel."""

    kind: str
    """"snapshot", "waiting", "ping", "calls", "call", or the tag of the event in ``data``."""
    seq: int = 0
    """Of the call's durable messages, from 1; a partial carries the last one's."""
    epoch: str = ""
    """Of the hub: after a restart numbers begin anew."""
    data: Any = None


class Told(NamedTuple):
    """A message, encoded once for all who listen."""

    kind: str
    seq: int
    text: str


def tell(message: Message) -> Told:
    """Encode a message."""
    return Told(message.kind, message.seq, msgspec.json.encode(message).decode())


class Listener:
    """Bounded: partials give way first; who still does not keep up is cut off and has to come again."""

    def __init__(self, agent_id: str | None = None) -> None:
        self.agent_id = agent_id
        """Who listens, where it is an agent."""
        self._queue: deque[Told] = deque()
        self._there = asyncio.Event()
        self._overrun = False

    def put(self, told: Told) -> None:
        """Queue a message."""
        if self._overrun:
            return
        if len(self._queue) >= QUEUE:
            if told.kind == "partial":
                return
            kept = [waiting for waiting in self._queue if waiting.kind != "partial"]
            if len(kept) >= QUEUE:
                self._overrun = True
                self._there.set()
                return
            self._queue = deque(kept)
        self._queue.append(told)
        self._there.set()

    async def get(self, timeout_s: float) -> Told | None:
        """
        The next message; None after ``timeout_s`` without one.

        Raises:
            SlowListener: If more than partials had to be dropped.
        """
        if not self._queue and not self._overrun:
            self._there.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._there.wait()
            except TimeoutError:
                return None
        if self._overrun:
            raise SlowListener(len(self._queue))
        return self._queue.popleft()
