"""
One queue for all calls of a device, earliest deadline first, in batches.

Utterances and partials are jobs. Finals go before partials; a newer partial takes the place of an older one that still
waits, and so does the final of the same utterance. What goes together in a batch has the same shape: the caller says
which jobs may. No clock is read here: deadlines come in with the jobs.
"""

import asyncio
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

import structlog

from models.types import Capacity

log = structlog.get_logger()

T = TypeVar("T")
R = TypeVar("R")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


class Order(NamedTuple):
    """Which job is first."""

    partial: bool
    deadline: float
    """Seconds on the caller's clock."""


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """One piece of work that waits for a device."""

    key: str
    """Of the utterance: one job of a key waits at a time."""
    item: T
    shape: Hashable
    """Jobs of one shape and kind may share a batch."""
    order: Order


class Queue(Generic[T]):
    """What waits, and what goes next; knows no device, thread or clock."""

    def __init__(self) -> None:
        self._waiting: dict[str, Job[T]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def finals(self) -> int:
        """How many of what waits are finals."""
        return sum(not job.order.partial for job in self._waiting.values())

    def first_deadline(self) -> float | None:
        """The earliest of all that wait, finals and partials alike."""
        return min((job.order.deadline for job in self._waiting.values()), default=None)

    def put(self, job: Job[T]) -> Job[T] | None:
        """
        Add a job.

        Returns:
            The one whose place it takes, which need not be done any more. The newer partial keeps the older one's
            deadline: whoever speaks on and on must not wait for ever. A partial of what has its final waiting is
            itself returned.
        """
        before = self._waiting.get(job.key)
        if before is not None and job.order.partial:
            if not before.order.partial:
                return job
            job.order = min(job.order, before.order)
        self._waiting[job.key] = job
        return before

    def withdraw(self, job: Job[T]) -> None:
        """Take a job back that nobody needs any more; nothing where it does not wait."""
        if self._waiting.get(job.key) is job:
            del self._waiting[job.key]

    def take(self, capacity: Capacity) -> list[Job[T]]:
        """The next batch: the first job, and those that follow it and have its shape; empty where nothing waits."""
        ordered = sorted(self._waiting.values(), key=lambda job: job.order)
        if not ordered:
            return []
        first = ordered[0]
        alike = (job for job in ordered if job.shape == first.shape and job.order.partial == first.order.partial)
        batch = list(islice(alike, capacity.partials if first.order.partial else capacity.finals))
        for job in batch:
            del self._waiting[job.key]
        return batch


class _Submitted(NamedTuple, Generic[T, R]):
    item: T
    result: "asyncio.Future[R | None]"


class Work(Protocol[Item_contra, Result_co]):
    """What a device does."""

    def __call__(self, items: Sequence[Item_contra], /, *, hurried: bool) -> Sequence[Result_co]:
        """
        Do a batch.

        Args:
            items: Of one shape and kind.
            hurried: Whether finals are left for which no worker is free.

        Returns:
            One for each, in the same order.
        """
        ...


class Scheduler(Generic[T, R]):
    """
    Hand jobs to the workers of a device, each with a thread of its own; the event loop is never blocked.

    Args:
        work: Does a batch.
        capacity: How many batches at once, and how large.
    """

    def __init__(self, work: Work[T, R], capacity: Capacity) -> None:
        self._device = work
        self._capacity = capacity
        self._queue: Queue[_Submitted[T, R]] = Queue()
        self._work = asyncio.Condition()
        self._busy = 0
        """Batches that are being done."""

    def __len__(self) -> int:
        """Jobs that wait."""
        return len(self._queue)

    def late_by(self, now: float) -> float:
        """Seconds by which the job that waits longest is over its deadline; 0 where none is."""
        first = self._queue.first_deadline()
        return 0.0 if first is None else max(0.0, now - first)

    async def submit(self, key: str, item: T, *, shape: Hashable, final: bool, deadline: float) -> R | None:
        """
        Wait for a job to be done.

        Returns:
            Its result; None where a newer job of the same key took its place.

        Raises:
            Exception: What the device raised for this item alone.
        """
        submitted = _Submitted(item, asyncio.get_running_loop().create_future())
        job = Job(key, submitted, shape, Order(not final, deadline))
        replaced = self._queue.put(job)
        if replaced is not None:
            _answer(replaced.item, None)
        async with self._work:
            self._work.notify()
        try:
            return await submitted.result
        finally:
            self._queue.withdraw(job)

    async def run(self) -> None:
        """Keep all workers busy until cancelled."""
        workers = self._capacity.workers
        threads = ThreadPoolExecutor(workers, thread_name_prefix="device")
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._serve(threads))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, threads: ThreadPoolExecutor) -> None:
        while True:
            async with self._work:
                await self._work.wait_for(lambda: len(self._queue) > 0)
                batch = [job.item for job in self._queue.take(self._capacity)]
                self._busy += 1
                idle = self._capacity.workers - self._busy
                hurried = self._queue.finals > idle * self._capacity.finals
            try:
                await self._do(batch, hurried, threads)
            finally:
                self._busy -= 1
            async with self._work:
                self._work.notify_all()

    async def drained(self) -> None:
        """Wait until nothing waits and nothing is being done."""
        async with self._work:
            await self._work.wait_for(lambda: len(self._queue) == 0 and self._busy == 0)

    async def _do(self, batch: Sequence[_Submitted[T, R]], hurried: bool, threads: ThreadPoolExecutor) -> None:
        items = [each.item for each in batch]
        try:
            results = await asyncio.get_running_loop().run_in_executor(
                threads, partial(self._device, items, hurried=hurried)
            )
        except Exception as error:
            if len(batch) == 1:
                if not batch[0].result.done():
                    batch[0].result.set_exception(error)
                return
            # One item must not cost the others their words.
            log.warning("batch_failed", error=type(error).__name__, jobs=len(batch))
            for each in batch:
                await self._do([each], hurried, threads)
            return
        for each, result in zip(batch, results, strict=True):
            _answer(each, result)


def _answer(submitted: _Submitted[T, R], result: R | None) -> None:
    if not submitted.result.done():
        submitted.result.set_result(result)
