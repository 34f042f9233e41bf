"""Which job is next, what goes together, and that nothing is lost between the threads."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.batching import Job, Order, Queue, Scheduler
from models.types import Capacity


def job(key: str, *, final: bool = True, deadline: float = 0.0, shape: int = 10) -> Job[str]:
    return Job(key, f"{key} at {deadline:g}", shape, Order(not final, deadline))


def drain(queue: Queue[str], capacity: Capacity) -> list[list[Job[str]]]:
    batches = []
    while batch := queue.take(capacity):
        batches.append(batch)
    return batches


JOBS = st.lists(
    st.builds(
        lambda n, final, deadline, shape: job(f"u{n}", final=final, deadline=deadline, shape=shape),
        st.integers(0, 12),
        st.booleans(),
        st.floats(0, 100),
        st.sampled_from([10, 15, 30]),
    ),
    max_size=40,
)


CAPACITY = st.builds(Capacity, st.just(1), st.integers(1, 8), st.integers(1, 8))


@given(JOBS, CAPACITY)
def test_every_job_is_done_once_or_gave_its_place_to_a_newer_one(jobs: list[Job[str]], capacity: Capacity) -> None:
    queue: Queue[str] = Queue()
    replaced = [each for each in (queue.put(one) for one in jobs) if each is not None]
    batches = drain(queue, capacity)
    done = [one for batch in batches for one in batch]
    assert len(done) + len(replaced) == len(jobs)
    assert {id(one) for one in (*done, *replaced)} == {id(one) for one in jobs}
    assert len({one.key for one in done}) == len(done)


@given(JOBS, CAPACITY)
def test_a_batch_is_of_one_shape_and_kind_and_begins_with_the_most_urgent(
    jobs: list[Job[str]], capacity: Capacity
) -> None:
    queue: Queue[str] = Queue()
    for one in jobs:
        queue.put(one)
    waiting = {one.key: one for batch in drain(queue, Capacity(1, 100, 100)) for one in batch}
    for one in waiting.values():
        queue.put(one)
    for batch in drain(queue, capacity):
        most = capacity.partials if batch[0].order.partial else capacity.finals
        assert len(batch) <= most
        assert len({(one.shape, one.order.partial) for one in batch}) == 1
        assert batch[0].order == min(one.order for one in waiting.values())
        alike = [one.order for one in waiting.values() if one.shape == batch[0].shape]
        assert [one.order for one in batch] == sorted(alike)[: len(batch)]
        for one in batch:
            del waiting[one.key]


def test_a_final_goes_before_every_partial_and_takes_the_place_of_its_own() -> None:
    queue: Queue[str] = Queue()
    queue.put(job("a", final=False, deadline=1))
    queue.put(job("b", final=False, deadline=2))
    assert queue.put(job("a", deadline=9)) is not None
    late = job("a", final=False, deadline=10)
    assert queue.put(late) is late
    assert [[one.item for one in batch] for batch in drain(queue, Capacity(1, 8, 8))] == [["a at 9"], ["b at 2"]]


def test_who_speaks_on_and_on_keeps_the_place_of_the_first_partial() -> None:
    queue: Queue[str] = Queue()
    queue.put(job("talker", final=False, deadline=1))
    queue.put(job("other", final=False, deadline=2))
    queue.put(job("talker", final=False, deadline=3))
    assert [one.item for one in queue.take(Capacity(1, 8, 8))] == ["talker at 3", "other at 2"]


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), min_size=1, max_size=60),
    most=st.integers(1, 4),
)
def test_no_call_waits_for_what_another_asked_later(arrivals: list[tuple[int, int]], most: int) -> None:
    """One that asks all the time does not keep the others waiting: in each round goes what has waited longest."""
    queue: Queue[str] = Queue()
    waiting: dict[str, int] = {}
    asked = sorted((at, call, n) for n, (call, at) in enumerate(arrivals))
    for now in range(200):
        while asked and asked[0][0] <= now:
            at, call, n = asked.pop(0)
            queue.put(Job(f"{call}:{n}", "", 12, Order(False, float(at))))
            waiting[f"{call}:{n}"] = at
        taken = queue.take(Capacity(1, most, most))
        for one in taken:
            at = waiting.pop(one.key)
            assert all(at <= other for other in waiting.values())
    assert not waiting


class Device:
    """Answers with the item in capitals; can be held, and fails on what begins with "bad"."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.hurried: list[bool] = []
        self.go = threading.Event()
        self.go.set()
        self.threads: set[str] = set()

    def __call__(self, items: Sequence[str], /, *, hurried: bool) -> list[str]:
        self.go.wait(10)
        self.hurried.append(hurried)
        self.batches.append(list(items))
        self.threads.add(threading.current_thread().name)
        if any(item.startswith("bad") for item in items):
            raise RuntimeError("bad item")
        return [item.upper() for item in items]


async def answers(scheduler: Scheduler[str, str], items: Sequence[str], *, final: bool = True) -> list[object]:
    return await asyncio.gather(
        *(
            scheduler.submit(item.split(":")[0], item, shape=10, final=final, deadline=float(n))
            for n, item in enumerate(items)
        ),
        return_exceptions=True,
    )


async def test_what_waits_goes_together_and_comes_back_to_whom_it_belongs() -> None:
    device = Device()
    device.go.clear()
    scheduler = Scheduler(device, Capacity(1, 4, 1))
    running = asyncio.create_task(scheduler.run())
    first = asyncio.create_task(scheduler.submit("z", "z", shape=10, final=True, deadline=0))
    await asyncio.sleep(0.05)
    rest = asyncio.create_task(answers(scheduler, [*"abcdef"]))
    await asyncio.sleep(0.05)
    assert len(scheduler) == 6
    assert scheduler.late_by(3.0) == 3.0
    device.go.set()
    assert await first == "Z"
    assert await rest == [*"ABCDEF"]
    assert device.batches == [["z"], [*"abcd"], [*"ef"]]
    # In a hurry is who leaves other finals waiting.
    assert device.hurried == [False, True, False]
    running.cancel()


@pytest.mark.parametrize(
    ("workers", "waiting", "final", "hurried"),
    [(1, 1, True, True), (1, 3, False, False), (2, 1, True, False), (2, 2, True, True)],
    ids=["another final", "partials alone", "one for the other worker", "one more than there are workers"],
)
async def test_in_a_hurry_is_who_leaves_finals_for_which_no_worker_is_free(
    workers: int, waiting: int, final: bool, hurried: bool
) -> None:
    device = Device()
    scheduler = Scheduler(device, Capacity(workers, 1, 1))
    first = asyncio.create_task(scheduler.submit("z", "z", shape=10, final=True, deadline=0))
    rest = asyncio.create_task(answers(scheduler, [*"abc"[:waiting]], final=final))
    await asyncio.sleep(0.05)
    assert len(scheduler) == waiting + 1
    running = asyncio.create_task(scheduler.run())
    await asyncio.gather(first, rest)
    assert device.hurried[device.batches.index(["z"])] == hurried
    running.cancel()


async def test_a_partial_that_a_newer_one_replaced_costs_nothing() -> None:
    device = Device()
    device.go.clear()
    scheduler = Scheduler(device, Capacity(1, 4, 1))
    running = asyncio.create_task(scheduler.run())
    first = asyncio.create_task(scheduler.submit("z", "z", shape=10, final=False, deadline=0))
    await asyncio.sleep(0.05)
    rest = asyncio.create_task(answers(scheduler, ["a:1", "a:2", "a:3"], final=False))
    await asyncio.sleep(0.05)
    device.go.set()
    assert await rest == [None, None, "A:3"]
    await first
    assert device.batches == [["z"], ["a:3"]]
    running.cancel()


async def test_an_item_that_fails_costs_the_others_of_its_batch_nothing() -> None:
    device = Device()
    scheduler = Scheduler(device, Capacity(1, 4, 1))
    waiting = asyncio.create_task(answers(scheduler, ["a", "bad", "c"]))
    await asyncio.sleep(0)
    running = asyncio.create_task(scheduler.run())
    found = await waiting
    assert (found[0], found[2]) == ("A", "C")
    assert isinstance(found[1], RuntimeError)
    assert device.batches == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    running.cancel()


async def test_who_no_longer_waits_is_not_served() -> None:
    device = Device()
    device.go.clear()
    scheduler = Scheduler(device, Capacity(1, 4, 1))
    running = asyncio.create_task(scheduler.run())
    first = asyncio.create_task(scheduler.submit("z", "z", shape=10, final=True, deadline=0))
    await asyncio.sleep(0.05)
    gone = asyncio.create_task(scheduler.submit("a", "a", shape=10, final=True, deadline=0))
    await asyncio.sleep(0.05)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    device.go.set()
    await first
    assert await scheduler.submit("b", "b", shape=10, final=True, deadline=0) == "B"
    assert device.batches == [["z"], ["b"]]
    running.cancel()


async def test_several_workers_share_the_queue() -> None:
    device = Device()
    device.go.clear()
    scheduler = Scheduler(device, Capacity(2, 1, 1))
    running = asyncio.create_task(scheduler.run())
    waiting = asyncio.create_task(answers(scheduler, [*"abcd"]))
    await asyncio.sleep(0.05)
    assert len(scheduler) == 2
    device.go.set()
    assert await waiting == [*"ABCD"]
    assert len(device.threads) == 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_it_is_drained_when_nothing_waits_and_nothing_is_being_done() -> None:
    device = Device()
    device.go.clear()
    scheduler = Scheduler(device, Capacity(1, 4, 1))
    running = asyncio.create_task(scheduler.run())
    first = asyncio.create_task(answers(scheduler, ["z"]))
    await asyncio.sleep(0.05)
    rest = asyncio.create_task(answers(scheduler, ["a"]))
    drained = asyncio.create_task(scheduler.drained())
    await asyncio.sleep(0.05)
    assert not drained.done()
    device.go.set()
    await asyncio.wait_for(drained, 5)
    assert device.batches == [["z"], ["a"]]
    assert [await first, await rest] == [["Z"], ["A"]]
    running.cancel()
