"""The live channel without sockets: what listeners of a call get, in order, and again where they lost the thread."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from agent_assist.call.record import NO_MEASURES, NO_RISK, add, empty, summary
from agent_assist.customer.alerts import AlertChange
from agent_assist.types import (
    Assist,
    Break,
    CallFlow,
    CallMeasures,
    CallMood,
    CallRecord,
    CallRisk,
    CallStarted,
    CallSummary,
    CallSynopsis,
    CustomerKnown,
    Event,
    Partial,
)
from agent_assist.types import Final as FinalEvent
from agent_assist.web.listener import QUEUE, Listener, Message, Told, tell
from models.types import shown

_LOG: Final = QUEUE - 12
"""Messages of a call that can be given again, with room for the partials; who missed more gets a snapshot."""
_PARTIALS: Final = 8
_LIST_EVERY_S: Final = 0.5
_KEEP_ENDED_S: Final = 900.0
_KEEP_SILENT_S: Final = 3_600.0
"""A call in progress of which nothing was heard: its end is lost, or it is long on hold and the store has it."""
_MOST_ENDED: Final = 500
_STALE_S: Final = 120.0
"""A call so long without a message does not keep a newer one from who follows the latest."""


class Snapshot(CallRecord, frozen=True, kw_only=True):
    """A call as it stands, with what is being said."""

    partials: tuple[Partial, ...] = ()


@dataclass(slots=True, eq=False)
class _Call:
    record: CallRecord
    touched: float
    whole: bool
    """Whether the record begins with the call's start; else it waits for it, or for what the store knows."""
    epoch: str = ""
    """Of the numbers: a call that was let go and comes again counts from 0."""
    seq: int = 0
    log: deque[Told] = field(default_factory=lambda: deque(maxlen=_LOG))
    finals: set[str] = field(default_factory=set)
    partials: dict[str, Partial] = field(default_factory=dict)
    listeners: set[Listener] = field(default_factory=set)
    pause: Break | None = None
    """For its agent alone."""
    reached: dict[type, int] = field(default_factory=dict)
    """Time of the latest risk, measures and mood: those of a worker that goes over a call again are old."""


class Live:
    """
    All calls in progress and those just ended.

    Messages may come twice, and cards before their call; each is told once. Used from one event loop.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.epoch = uuid.uuid4().hex[:12]
        self._let_go = 0
        self._clock = clock
        self._calls: dict[str, _Call] = {}
        self._all: dict[Listener, str | None] = {}
        """Those of the list, each with the agent whose calls it is told of; None for all."""
        self._resting: dict[str, bool] = {}
        """Calls just told to the listeners of the list, and whether they changed since."""

    def load(self, records: Iterable[CallRecord]) -> None:
        """Take in what the store knows; what is known here already is newer, and stays."""
        for record in records:
            call = self._calls.get(record.call_id)
            if call is None:
                call = self._calls[record.call_id] = self._begin(record, whole=True)
            elif not call.whole:
                call.record, call.whole = _merge(record, call.record), True
            call.finals = {utterance.id for utterance in call.record.utterances}

    def record(self, call_id: str) -> CallRecord | None:
        """One call as it stands; None where it is neither in progress nor just ended."""
        call = self._calls.get(call_id)
        return call.record if call is not None and call.whole else None

    def records(self) -> list[CallRecord]:
        """The calls in progress and those just ended."""
        return [call.record for call in self._calls.values() if call.whole]

    def newest(self, agent_id: str | None = None) -> str | None:
        """The call that began last and is in progress, of one agent or of all."""
        running = [
            (not self._is_stale(call), call.record.started_at.timestamp(), call_id)
            for call_id, call in self._calls.items()
            if call.whole
            and call.record.status == "live"
            and call.record.started_at is not None
            and agent_id in {None, call.record.agent_id}
        ]
        return max(running)[2] if running else None

    def is_over(self, call_id: str) -> bool:
        """Whether who follows the latest call need not stay with this one."""
        call = self._calls.get(call_id)
        return call is None or call.record.status != "live" or self._is_stale(call)

    def _is_stale(self, call: _Call) -> bool:
        return self._clock() - call.touched > _STALE_S

    def publish(self, message: Event | Assist) -> None:
        """Tell everybody who listens to that call, unless it is known already."""
        if isinstance(message, FinalEvent):
            message = msgspec.structs.replace(message, utterance=shown(message.utterance))
        call = self._calls.get(message.call_id)
        if call is None:
            call = self._calls[message.call_id] = self._begin(empty(message.call_id), whole=False)
        call.touched = self._clock()
        if isinstance(message, Partial | Break):
            self._in_passing(call, message)
            return
        is_later = False
        if isinstance(message, CallRisk | CallMeasures | CallMood | CallFlow | CallSynopsis):
            reached = call.reached.get(type(message), -1)
            if message.at_ms < reached:
                return
            is_later = message.at_ms > reached
            call.reached[type(message)] = message.at_ms
        before = call.record
        call.record = add(before, message)
        # The same measures at a later time say something: that the call has come so far, or is over.
        if call.record is before and not is_later:
            return
        if isinstance(message, CallStarted):
            call.whole = True
        if isinstance(message, FinalEvent):
            said = message.utterance
            call.finals.add(said.id)
            # Finals of a channel come in order: what was being said before this one, and has no final, was nothing.
            for known in list(call.partials.values()):
                if known.channel == said.channel and known.start_ms <= said.start_ms:
                    del call.partials[known.utterance_id]
        if call.record.status != "live":
            call.partials.clear()
        call.seq += 1
        told = tell(Message(kind=str(message.__struct_config__.tag), seq=call.seq, epoch=call.epoch, data=message))
        call.log.append(told)
        for listener in call.listeners:
            listener.put(told)
        self._change(message.call_id)

    def warn(self, change: AlertChange) -> None:
        """Tell the listeners of all calls what happened to an alert of a customer; it is of no call."""
        told = tell(Message(kind="alert", epoch=self.epoch, data=change))
        for listener, agent_id in self._all.items():
            if agent_id is None:
                listener.put(told)

    def _partial(self, call: _Call, message: Partial) -> None:
        if message.utterance_id in call.finals or call.record.status != "live":
            return
        known = call.partials.pop(message.utterance_id, None)
        # A worker that takes a call over counts revisions anew, so the one that has heard more counts as well.
        if known is not None and known.revision >= message.revision and known.end_ms >= message.end_ms:
            call.partials[known.utterance_id] = known
            return
        if message.text:
            call.partials[message.utterance_id] = message
        while len(call.partials) > _PARTIALS:
            del call.partials[next(iter(call.partials))]
        if call.listeners:
            told = self._tell_partial(call, message)
            for listener in call.listeners:
                listener.put(told)

    def _in_passing(self, call: _Call, message: Partial | Break) -> None:
        """What no record has."""
        if isinstance(message, Partial):
            self._partial(call, message)
            return
        call.pause = message
        for listener in call.listeners:
            self._tell_pause(call, listener)

    def _tell_pause(self, call: _Call, listener: Listener) -> None:
        """A break is the agent's own affair: no record has it, and nobody else is told."""
        if call.pause is not None and call.pause.agent_id == listener.agent_id:
            listener.put(tell(Message(kind="break", seq=call.seq, epoch=call.epoch, data=call.pause)))

    def _tell_partial(self, call: _Call, partial: Partial) -> Told:
        return tell(Message(kind="partial", seq=call.seq, epoch=call.epoch, data=partial))

    def _change(self, call_id: str) -> None:
        """Tell the list of a change: at once, but each call at most twice a second, and its last state always."""
        if call_id in self._resting:
            self._resting[call_id] = True
        elif self._all:
            self._tell_all(call_id)

    def _tell_all(self, call_id: str) -> None:
        record = self.record(call_id)
        line = None if record is None else summary(record)
        if line is None:
            return
        told = tell(Message(kind="call", epoch=self.epoch, data=line))
        for listener, agent_id in self._all.items():
            if agent_id in {None, line.agent_id}:
                listener.put(told)
        self._resting[call_id] = False
        asyncio.get_running_loop().call_later(_LIST_EVERY_S, self._rested, call_id)

    def _rested(self, call_id: str) -> None:
        if self._resting.pop(call_id, False):
            self._tell_all(call_id)

    def listen(self, call_id: str, *, epoch: str = "", after: int = 0, agent_id: str | None = None) -> Listener | None:
        """
        Listen to a call.

        Args:
            epoch: That came with ``after``.
            after: Number of the last message seen.
            agent_id: Who listens, where it is an agent.

        Returns:
            A listener whose queue holds what was missed, or else a snapshot; None where the call is not known here.
        """
        call = self._calls.get(call_id)
        if call is None or not call.whole:
            return None
        listener = Listener(agent_id)
        missed = [told for told in call.log if told.seq > after]
        if epoch == call.epoch and call.seq - after == len(missed):
            for told in missed:
                listener.put(told)
            for partial in call.partials.values():
                listener.put(self._tell_partial(call, partial))
        else:
            data = Snapshot(**msgspec.structs.asdict(call.record), partials=tuple(call.partials.values()))
            listener.put(tell(Message(kind="snapshot", seq=call.seq, epoch=call.epoch, data=data)))
        self._tell_pause(call, listener)
        call.listeners.add(listener)
        return listener

    def listen_all(self, lines: Iterable[CallSummary], agent_id: str | None = None) -> Listener:
        """Listen to the list of calls, of one agent or of all; ``lines`` are those of the store."""
        listener = Listener()
        known = {line.call_id: line for line in lines}
        known |= {line.call_id: line for record in self.records() if (line := summary(record)) is not None}
        theirs = [line for line in known.values() if agent_id in {None, line.agent_id}]
        newest_first = sorted(theirs, key=lambda line: (line.started_at, line.call_id), reverse=True)
        listener.put(tell(Message(kind="calls", epoch=self.epoch, data=newest_first)))
        self._all[listener] = agent_id
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop listening."""
        self._all.pop(listener, None)
        for call in self._calls.values():
            call.listeners.discard(listener)

    def forget(self) -> None:
        """Let go of calls that ended or fell silent a while ago and that nobody listens to; the store has them."""
        now = self._clock()
        kept: list[tuple[float, str]] = []
        for call_id, call in list(self._calls.items()):
            if call.listeners:
                continue
            is_live = call.whole and call.record.status == "live"
            if now - call.touched > (_KEEP_SILENT_S if is_live else _KEEP_ENDED_S):
                self._drop(call_id)
            elif not is_live:
                kept.append((call.touched, call_id))
        for _, call_id in sorted(kept)[: max(len(kept) - _MOST_ENDED, 0)]:
            self._drop(call_id)

    def _begin(self, record: CallRecord, *, whole: bool) -> _Call:
        # What one who was away saw of a call that was let go since must not pass for what is numbered anew.
        epoch = f"{self.epoch}.{self._let_go}" if self._let_go else self.epoch
        return _Call(record, self._clock(), whole=whole, epoch=epoch)

    def _drop(self, call_id: str) -> None:
        del self._calls[call_id]
        self._let_go += 1


def _merge(stored: CallRecord, later: CallRecord) -> CallRecord:
    """What the store knows of a call, with what came of it since."""
    record = stored
    messages: list[Event | Assist] = [FinalEvent(call_id=later.call_id, utterance=said) for said in later.utterances]
    messages += [*later.acknowledged, *later.asked, *later.whispers, *later.articles, *later.hints]
    messages += [
        *later.keys,
        *later.cards,
        *later.feedback,
        *later.degraded,
        *later.synopsis_edits,
        *later.compensations,
    ]
    messages += [] if later.synopsis is None else [later.synopsis]
    if later.caller is not None:
        messages.append(CustomerKnown(call_id=later.call_id, caller=later.caller, arrived_at=later.caller.at))
    for message in messages:
        record = add(record, message)
    return msgspec.structs.replace(
        record,
        risk=record.risk if later.risk == NO_RISK else later.risk,
        turns=later.turns or record.turns,
        flow=later.flow or record.flow,
        measures=record.measures if later.measures == NO_MEASURES else later.measures,
        status=record.status if later.status == "live" else later.status,
        duration_ms=max(record.duration_ms, later.duration_ms),
    )
