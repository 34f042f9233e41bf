"""From ``call.audio`` to ``call.events``: the calls of one worker, one recogniser for all of them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import structlog

from agent_assist.types import CallEnded, CallStarted, Degraded, Event, Final
from audio.types import SAMPLE_RATE, AudioRecord
from audio.vad import VoiceActivity
from models.batching import Scheduler
from stream import metrics
from stream.hearing import NOTHING_HEARD, Excerpt, Heard, Hearing
from stream.logs import where
from stream.overload import STEPS, Overload
from stream.pipeline import CallPipeline, Checkpoint, PipelinePolicy
from stream.wire import AudioEnd, AudioMessage, AudioStart

log = structlog.get_logger()

Publish = Callable[[Event], Awaitable[None]]
"""Returns once the broker has the event."""
Acknowledge = Callable[[], object]
"""Lets the message's offset be committed."""

_BROKEN = 5
"""So many finals that fail one after the other say that the device is broken, not the speech."""


@dataclass(frozen=True, slots=True)
class ListenPolicy:
    pipeline: PipelinePolicy = field(default_factory=PipelinePolicy)
    idle_timeout_s: float = 40.0
    """Without audio for so long, a call counts as lost."""
    pause_ms: int = 120_000
    """With more speech than this waiting for each final that is heard at once, no more audio is taken; it waits in the
    topic."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A call's checkpoint as it stands in the table."""

    checkpoint: Checkpoint
    at: float
    """When it was saved, in seconds since the epoch."""


@dataclass(slots=True, eq=False)
class _Taken:
    acknowledge: Acknowledge
    done: bool = False


class Offsets:
    """
    Acknowledgement in the order of the offsets, for each partition.

    Faust takes a single message that is held between acknowledged ones for none (it looks for gaps of more than one),
    and before its first commit it looks for no gap at all: so nothing behind a held message is acknowledged.
    """

    def __init__(self) -> None:
        self._queues: dict[int, deque[_Taken]] = {}

    def __len__(self) -> int:
        """Messages that are not acknowledged yet."""
        return sum(map(len, self._queues.values()))

    def take(self, partition: int, acknowledge: Acknowledge) -> Acknowledge:
        """
        Note the next message of a partition.

        Returns:
            What to call, in any order, when the message is done with.
        """
        queue = self._queues.setdefault(partition, deque())
        taken = _Taken(acknowledge)
        queue.append(taken)

        def done() -> None:
            taken.done = True
            while queue and queue[0].done:
                queue.popleft().acknowledge()

        return done

    def clear(self) -> None:
        """Forget all that is held; it will be read again."""
        for queue in self._queues.values():
            queue.clear()
        self._queues.clear()


@dataclass(slots=True, eq=False)
class _Call:
    partition: int
    pipeline: CallPipeline
    heard_at: float
    saved: Checkpoint
    held: deque[tuple[int, Acknowledge]] = field(default_factory=deque)
    """Records that a successor would have to read, oldest first."""
    cut_at: deque[float] = field(default_factory=deque)
    """When each utterance that is not understood yet was complete, oldest first."""
    ending: tuple[AudioEnd, Acknowledge] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while something of the call is told and saved: one thing after the other, the end last."""


class Listener:
    """
    The calls of one worker.

    An offset is acknowledged only when the finals that need its audio are published and the restart point behind it
    is saved: a worker killed at any moment loses none, and its successor publishes the same ids again.

    Args:
        checkpoints: Call id to ``Kept`` as JSON; written before offsets are acknowledged.
        clock: Seconds, monotonic.
        today: Seconds since the epoch, for what outlives this worker.
    """

    def __init__(
        self,
        *,
        hearing: Hearing,
        vad: VoiceActivity,
        publish: Publish,
        checkpoints: MutableMapping[str, bytes],
        policy: ListenPolicy,
        clock: Callable[[], float],
        today: Callable[[], float],
    ) -> None:
        self._hearing = hearing
        self._vad = vad
        self._publish = publish
        self._checkpoints = checkpoints
        self._policy = policy
        self._clock = clock
        self._today = today
        self._calls: dict[str, _Call] = {}
        self._scheduler: Scheduler[Excerpt, Heard] = Scheduler(hearing.hear, hearing.capacity)
        self._tasks: set[asyncio.Task[None]] = set()
        self._device: asyncio.Task[None] | None = None
        self._overload = Overload()
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._failed_finals = 0
        """One after the other, up to now."""
        self._behind: set[_Call] = set()
        """Calls with utterances that are being understood."""
        self._room = asyncio.Event()
        self._room.set()
        self._paused = False
        """Whether no audio was taken for a time since the last sweep, or is not now."""

    async def receive(self, call_id: str, partition: int, message: AudioMessage, acknowledge: Acknowledge) -> None:
        """Take the next message of a call; returns late while too much speech is waiting."""
        await self._room.wait()
        call = self._calls.get(call_id)
        if call is None:
            checkpoint = self._restore(call_id)
            if checkpoint.ended and not isinstance(message, AudioStart):
                acknowledge()
                return
            call = self._open(call_id, partition, Checkpoint() if checkpoint.ended else checkpoint)
        call.heard_at = self._clock()
        match message:
            case AudioStart():
                call.pipeline.begin(message.queue, (message.customer_name,) if message.customer_name else ())
                await self._started(call_id, message)
                call.held.append((0, acknowledge))
            case AudioRecord():
                metrics.RECORDS.inc()
                told = call.pipeline.push(message)
                self._stamp(call)
                for event in told:
                    metrics.GAPS.inc(isinstance(event, Degraded))
                    await self._publish(event)
                call.held.append((message.seq, acknowledge))
            case AudioEnd():
                call.ending = (message, acknowledge)
                await self._flush(call)
        async with call.turn:
            await self._settle(call_id, call)
        self._queue(call)
        if slower := self._overload.step.slower:
            for excerpt in call.pipeline.partials(slower):
                self._start(self._partial(call, excerpt))

    @property
    def load(self) -> tuple[int, int, float]:
        """Calls, the step of ``stream.overload``, and how many seconds the most urgent job has waited."""
        return len(self._calls), self._overload.number, self._late()

    def _late(self) -> float:
        """
        Behind the utterance that the scheduler has of a call, others of the call may wait; how long what is not taken
        waits, nobody knows, but it is too long.
        """
        now = self._clock()
        waiting = [now - call.cut_at[1] for call in self._behind if len(call.cut_at) > 1]
        return max(self._scheduler.late_by(now), *waiting, STEPS[-1].late_s if self._paused else 0.0)

    async def _weigh(self) -> None:
        """See how late we are; tell all calls when something is given up or comes back."""
        now, late = self._clock(), self._late()
        self._paused = not self._room.is_set()
        metrics.LATE.set(late)
        if not self._overload.observe(late, now):
            return
        number = self._overload.number
        metrics.OVERLOAD.set(number)
        log.warning("overload", step=number, late_s=round(late, 2), calls=len(self._calls))
        for call_id, call in list(self._calls.items()):
            reason = self._overload.step.told
            at_ms = call.pipeline.duration_ms
            await self._publish(Degraded(call_id=call_id, at_ms=at_ms, stage="load", reason=reason, over=number == 0))

    def _restore(self, call_id: str) -> Checkpoint:
        saved = self._checkpoints.get(call_id)
        return Checkpoint() if saved is None else msgspec.json.decode(saved, type=Kept).checkpoint

    def _open(self, call_id: str, partition: int, checkpoint: Checkpoint) -> _Call:
        pipeline = CallPipeline(call_id, self._vad, self._policy.pipeline, checkpoint)
        call = _Call(partition=partition, pipeline=pipeline, heard_at=self._clock(), saved=checkpoint)
        self._calls[call_id] = call
        metrics.CALLS.set(len(self._calls))
        return call

    async def _started(self, call_id: str, start: AudioStart) -> None:
        await self._publish(
            CallStarted(
                call_id=call_id,
                at=start.at,
                protocol=start.protocol,
                customer_id=start.customer_id,
                customer_name=start.customer_name,
                agent_id=start.agent_id,
                queue=start.queue,
                attributes=start.attributes,
                caller=start.caller,
            )
        )

    def _queue(self, call: _Call) -> None:
        if call not in self._behind and call.pipeline.next() is not None:
            self._behind.add(call)
            self._start(self._finals(call))
        self._make_room()

    def _make_room(self) -> None:
        waiting = sum(call.pipeline.backlog_ms for call in self._behind)
        metrics.BACKLOG.set(waiting / 1000)
        capacity = self._hearing.capacity
        if waiting > self._policy.pause_ms * capacity.workers * capacity.finals:
            self._room.clear()
            self._paused = True
        else:
            self._room.set()

    async def _settle(self, call_id: str, call: _Call) -> None:
        """Save the call's restart points and acknowledge what lies before them."""
        pipeline = call.pipeline
        checkpoint = pipeline.checkpoint
        if self._calls.get(call_id) is not call:
            return
        if call.ending is not None and pipeline.next() is None:
            end, acknowledge = call.ending
            await self._publish(CallEnded(call_id=call_id, duration_ms=end.duration_ms, reason=end.reason))
            if self._calls.get(call_id) is not call:
                return
            # That it has ended is all that is kept: neither names nor anything of the customer's voice.
            self._save(call_id, call, Checkpoint(ended=True))
            for _, held in call.held:
                held()
            acknowledge()
            del self._calls[call_id]
            metrics.CALLS.set(len(self._calls))
            return
        if checkpoint != call.saved:
            self._save(call_id, call, checkpoint)
        while call.held and call.held[0][0] < checkpoint.first_needed:
            call.held.popleft()[1]()

    def _save(self, call_id: str, call: _Call, checkpoint: Checkpoint) -> None:
        call.saved = checkpoint
        self._checkpoints[call_id] = msgspec.json.encode(Kept(checkpoint=checkpoint, at=self._today()))

    def forget(self, after_s: float = 3_600.0) -> None:
        """Drop what was saved of calls that nothing more comes of: the topic keeps audio half as long."""
        before = self._today() - after_s
        for call_id, saved in list(self._checkpoints.items()):
            if call_id not in self._calls and msgspec.json.decode(saved, type=Kept).at < before:
                del self._checkpoints[call_id]

    async def listen(self) -> None:
        """Understand what is waiting, until cancelled or until something could not be published."""
        self._run_device()
        try:
            await self._failed.wait()
            assert self._failure is not None
            raise self._failure
        finally:
            if self._device is not None:
                self._device.cancel()

    def _run_device(self) -> None:
        self._device = asyncio.create_task(self._scheduler.run())
        self._device.add_done_callback(self._finish)

    async def change(self, hearing: Hearing, policy: ListenPolicy) -> None:
        """
        Understand with another recogniser from now on, while calls go on; new calls are treated by the new policy.

        What is waiting for the old one is done by it; returns when that is so, and it is no longer needed.
        """
        old, device = self._scheduler, self._device
        self._hearing, self._policy = hearing, policy
        self._scheduler = Scheduler(hearing.hear, hearing.capacity)
        if device is not None:
            self._run_device()
            await old.drained()
            device.cancel()

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._failed.set()

    async def _finals(self, call: _Call) -> None:
        """Understand the call's utterances one after the other: what is known of its language and voice grows."""
        pipeline = call.pipeline
        try:
            while (excerpt := pipeline.next()) is not None:
                heard = await self._hear(excerpt, pipeline, call.cut_at[0])
                if heard is None or self._calls.get(pipeline.call_id) is not call:
                    return
                async with call.turn:
                    call.cut_at.popleft()
                    for event in pipeline.complete(heard):
                        await self._publish(event)
                        metrics.FINALS.inc(isinstance(event, Final))
                    await self._settle(pipeline.call_id, call)
                self._make_room()
        finally:
            self._behind.discard(call)
            self._make_room()

    async def _partial(self, call: _Call, excerpt: Excerpt) -> None:
        heard = await self._hear(excerpt, call.pipeline, self._clock())
        if heard is None:
            metrics.SUPERSEDED.inc()
            return
        if self._calls.get(call.pipeline.call_id) is not call:
            return
        for event in call.pipeline.partial(excerpt, heard):
            await self._publish(event)
            metrics.PARTIALS.inc()

    async def _hear(self, excerpt: Excerpt, pipeline: CallPipeline, since: float) -> Heard | None:
        """
        None where a newer one took its place; a model that fails costs this utterance its words, not the call, and
        one that does nothing but fail stops the worker.

        Args:
            since: When it was complete, or wished for.
        """
        shape = self._hearing.shape(excerpt)
        try:
            heard = await self._scheduler.submit(
                excerpt.utterance_id, excerpt, shape=shape, final=excerpt.final, deadline=since
            )
        except Exception as error:
            failure = type(error).__name__
            log.error("hearing_failed", utterance=excerpt.utterance_id, error=failure, at=where(error))
            self._failed_finals += excerpt.final
            if self._failed_finals >= _BROKEN:
                # A new worker gets the device anew and hears this again, or does not start and says why.
                raise
        else:
            self._failed_finals = 0 if excerpt.final else self._failed_finals
            for reason in heard.hypothesis.guarded if heard is not None else ():
                metrics.GUARDED.labels(reason).inc()
            return heard
        finally:
            metrics.HEARD.labels("final" if excerpt.final else "partial").observe(self._clock() - since)
        metrics.FAILED.labels("asr").inc()
        reason = f"an utterance could not be understood ({failure})"
        at_ms = excerpt.speech.end * 1000 // SAMPLE_RATE
        await self._publish(Degraded(call_id=pipeline.call_id, at_ms=at_ms, stage="asr", reason=reason))
        return NOTHING_HEARD

    async def sweep(self) -> None:
        """Once a second: see how late we are, and end the calls that have sent nothing for too long."""
        await self._weigh()
        now = self._clock()
        for call_id, call in list(self._calls.items()):
            if call.ending is None and now - call.heard_at > self._policy.idle_timeout_s:
                log.warning("call_lost", call=call_id)
                await self._end(call_id, call, "lost")

    async def _end(self, call_id: str, call: _Call, reason: Literal["hangup", "lost"]) -> None:
        call.ending = (AudioEnd(duration_ms=call.pipeline.duration_ms, reason=reason), lambda: None)
        await self._flush(call)
        async with call.turn:
            await self._settle(call_id, call)
        self._queue(call)

    async def _flush(self, call: _Call) -> None:
        told = call.pipeline.flush()
        self._stamp(call)
        for event in told:
            await self._publish(event)

    def _stamp(self, call: _Call) -> None:
        """Note when the utterances that have just become complete did so."""
        call.cut_at.extend([self._clock()] * (call.pipeline.waiting - len(call.cut_at)))

    def drop(self) -> None:
        """Forget all calls without a word: their partitions go to another worker, or come back and are read again."""
        self._calls.clear()
        self._behind.clear()
        for task in self._tasks:
            task.cancel()
        self._room.set()
        metrics.CALLS.set(0)
