"""The live channel without sockets: what listeners of a call get, in order, and again where they lost the thread."""

import asyncio
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from agent_assist.call.record import add, empty, summary
from agent_assist.types import Assist, CallRecord, CallSummary, Event, Partial
from agent_assist.types import Final as FinalEvent

_LOG: Final = 2_000
"""Messages of a call that can be given again; who missed more gets a snapshot."""
_QUEUE: Final = 512
_KEEP_ENDED_S: Final = 900.0


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes over the live channel."""

    kind: str
    """"snapshot", "waiting", "ping", "calls", "call", or the tag of the event in ``data``."""
    seq: int = 0
    """Of the call's durable messages, from 1; a partial carries the last one's."""
    epoch: str = ""
    """Of this hub: after a restart numbers begin anew."""
    data: Any = None


class Snapshot(CallRecord, frozen=True, kw_only=True):
    """A call as it stands, with what is being said."""

    partials: tuple[Partial, ...] = ()


class Listener:
    """One end of a live channel: a bounded queue."""

    def __init__(self) -> None:
        self._queue: deque[Message] = deque()
        self._there = asyncio.Event()
        self.overrun = False
        """Set when it did not read for so long that durable messages are lost to it: it has to come again."""

    def put(self, message: Message) -> None:
        """Give a message; partials give way first."""
        if len(self._queue) >= _QUEUE:
            kept = [m for m in self._queue if m.kind != "partial"]
            if message.kind == "partial":
                return
            if len(kept) >= _QUEUE:
                self.overrun = True
            self._queue = deque(kept)
        if not self.overrun:
            self._queue.append(message)
        self._there.set()

    async def get(self, timeout_s: float) -> Message | None:
        """
        The next message; None after ``timeout_s`` without one.

        Raises:
            Overrun: If messages had to be dropped.
        """
        if not self._queue and not self.overrun:
            self._there.clear()
            try:
                await asyncio.wait_for(self._there.wait(), timeout_s)
            except TimeoutError:
                return None
        if self.overrun:
            raise Overrun
        return self._queue.popleft()


class Overrun(Exception):
    """A listener that reads too slowly."""


@dataclass(slots=True, eq=False)
class _Call:
    record: CallRecord
    seq: int = 0
    log: deque[Message] = field(default_factory=lambda: deque(maxlen=_LOG))
    partials: dict[str, Partial] = field(default_factory=dict)
    listeners: set[Listener] = field(default_factory=set)
    touched: float = 0.0


class Live:
    """
    All calls in progress and those just ended.

    Messages may come twice; each is told once.
    """

    def __init__(self) -> None:
        self.epoch = uuid.uuid4().hex[:12]
        self._calls: dict[str, _Call] = {}
        self._all: set[Listener] = set()
        self._changed: dict[str, float] = {}
        self._newest: str | None = None

    def load(self, records: Iterable[CallRecord]) -> None:
        """Begin with what the store knows."""
        for record in sorted(records, key=lambda r: (r.started_at is not None, r.started_at)):
            self._calls[record.call_id] = _Call(record)
            self._newest = record.call_id

    def record(self, call_id: str) -> CallRecord | None:
        """One call as it stands; None where it is neither in progress nor just ended."""
        call = self._calls.get(call_id)
        return None if call is None else call.record

    def live(self) -> list[CallRecord]:
        """The calls in progress."""
        return [call.record for call in self._calls.values() if call.record.status == "live"]

    def newest(self) -> str | None:
        """The call that began last and is in progress."""
        if self._newest is not None and self._is_live(self._newest):
            return self._newest
        running = [record for record in self.live() if record.started_at is not None]
        return max(running, key=lambda r: str(r.started_at)).call_id if running else None

    def _is_live(self, call_id: str) -> bool:
        call = self._calls.get(call_id)
        return call is not None and call.record.status == "live"

    def publish(self, message: Event | Assist) -> None:
        """Tell everybody who listens to that call, unless it is known already."""
        call = self._calls.get(message.call_id)
        now = asyncio.get_running_loop().time()
        if call is None:
            call = self._calls[message.call_id] = _Call(empty(message.call_id))
        call.touched = now
        if isinstance(message, Partial):
            self._partial(call, message)
            return
        before = call.record
        call.record = add(before, message)
        if call.record is before:
            return
        if isinstance(message, FinalEvent):
            call.partials.pop(message.utterance.id, None)
        if before.started_at is None and call.record.started_at is not None:
            self._newest = message.call_id
        if call.record.status != "live":
            call.partials.clear()
        call.seq += 1
        told = Message(kind=_kind(message), seq=call.seq, epoch=self.epoch, data=message)
        call.log.append(told)
        for listener in call.listeners:
            listener.put(told)
        self._tell_all(call, now)

    def _partial(self, call: _Call, message: Partial) -> None:
        known = call.partials.get(message.utterance_id)
        final = any(u.id == message.utterance_id for u in call.record.utterances[-8:])
        if final or (known is not None and known.revision >= message.revision) or call.record.status != "live":
            return
        call.partials[message.utterance_id] = message
        told = Message(kind="partial", seq=call.seq, epoch=self.epoch, data=message)
        for listener in call.listeners:
            listener.put(told)

    def _tell_all(self, call: _Call, now: float) -> None:
        """The list of calls: each call at most twice a second, and at once when it begins or ends."""
        line = summary(call.record)
        if line is None or not self._all:
            return
        due = self._changed.get(line.call_id, 0.0) + 0.5
        if now < due and line.status == "live" and line.utterances:
            return
        self._changed[line.call_id] = now
        for listener in self._all:
            listener.put(Message(kind="call", epoch=self.epoch, data=line))

    def listen(self, call_id: str, *, epoch: str = "", after: int = 0) -> Listener | None:
        """
        Listen to a call.

        Args:
            epoch: Of the hub that gave ``after``.
            after: Number of the last message seen.

        Returns:
            A listener whose queue holds what was missed, or else a snapshot; None where the call is not known here.
        """
        call = self._calls.get(call_id)
        if call is None:
            return None
        listener = Listener()
        missed = [message for message in call.log if message.seq > after]
        whole = call.seq - after == len(missed) and len(missed) < _QUEUE
        if epoch == self.epoch and whole:
            for message in missed:
                listener.put(message)
            for partial in call.partials.values():
                listener.put(Message(kind="partial", seq=call.seq, epoch=self.epoch, data=partial))
        else:
            listener.put(
                Message(
                    kind="snapshot", seq=call.seq, epoch=self.epoch, data=snapshot(call.record, call.partials.values())
                )
            )
        call.listeners.add(listener)
        return listener

    def listen_all(self, lines: Iterable[CallSummary]) -> Listener:
        """Listen to the list of calls; ``lines`` are those of the store, newest first."""
        listener = Listener()
        known = {line.call_id: line for line in lines}
        for call in self._calls.values():
            line = summary(call.record)
            if line is not None:
                known[line.call_id] = line
        listener.put(Message(kind="calls", epoch=self.epoch, data=list(known.values())))
        self._all.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop listening."""
        self._all.discard(listener)
        for call in self._calls.values():
            call.listeners.discard(listener)

    def forget(self) -> None:
        """Let go of the calls that ended a while ago; the store has them."""
        now = asyncio.get_running_loop().time()
        for call_id, call in list(self._calls.items()):
            if call.record.status != "live" and not call.listeners and now - call.touched > _KEEP_ENDED_S:
                del self._calls[call_id]
                self._changed.pop(call_id, None)


def snapshot(record: CallRecord, partials: Iterable[Partial] = ()) -> Snapshot:
    """A record with what is being said."""
    return Snapshot(**msgspec.structs.asdict(record), partials=tuple(partials))


def _kind(message: Event | Assist) -> str:
    return str(message.__struct_config__.tag)
