import asyncio
import threading
from collections.abc import Hashable, MutableMapping, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from agent_assist.types import CallEnded, CallStarted, Degraded, Event, Final, Partial
from audio.types import AudioRecord
from audio.vad import LevelVad
from models.reading import PhraseReader
from models.scripted import ScriptedRecogniser
from models.types import Capacity
from models.unsupervised import UnsupervisedVoice
from models.vocabulary import Vocabularies
from stream import metrics
from stream.hearing import Excerpt, Heard, Hearing, ModelHearing
from stream.listen import Kept, Listener, ListenPolicy, Offsets
from stream.overload import STEPS
from stream.pipeline import Checkpoint, PipelinePolicy
from stream.wire import AudioEnd, AudioMessage, AudioStart

START = AudioStart(at=datetime(2026, 1, 1, tzinfo=UTC), protocol="test", customer_id="k")
SCRIPTED = ModelHearing(ScriptedRecogniser(), UnsupervisedVoice(), PhraseReader())
PIPELINE = PipelinePolicy()


class Worker:
    """One worker's life: reads a partition from its committed offset, until it is killed."""

    def __init__(
        self,
        tables: MutableMapping[str, bytes],
        hearing: Hearing = SCRIPTED,
        idle_timeout_s: float = 40,
        pipeline: PipelinePolicy = PIPELINE,
        pause_ms: int = 120_000,
    ) -> None:
        self.published: list[Event] = []
        self.committed = 0
        self.now = 0.0
        self.offsets = Offsets()
        self.listener = Listener(
            hearing=hearing,
            vad=LevelVad(),
            publish=self.publish,
            checkpoints=tables,
            policy=ListenPolicy(pipeline=pipeline, idle_timeout_s=idle_timeout_s, pause_ms=pause_ms),
            clock=lambda: self.now,
            today=lambda: self.now,
        )

    async def publish(self, event: Event) -> None:
        self.published.append(event)
        await asyncio.sleep(0)

    def commit(self, offset: int) -> None:
        assert offset == self.committed
        self.committed = offset + 1

    async def read(self, log: list[tuple[str, AudioMessage]], first: int, until: int, *, kill: bool = False) -> None:
        self.committed = first
        task = asyncio.create_task(self.listener.listen())
        for offset in range(first, until):
            call_id, message = log[offset]
            done = self.offsets.take(0, lambda offset=offset: self.commit(offset))
            await self.listener.receive(call_id, 0, message, done)
        while not kill and any(c.pipeline.next() for c in self.listener._calls.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def finals(self) -> dict[str, object]:
        return {e.utterance.id: e.utterance for e in self.published if isinstance(e, Final)}


def log_of(call: list[AudioRecord], ids: tuple[str, ...] = ("a", "b")) -> list[tuple[str, AudioMessage]]:
    """Calls that run at the same time on one partition; the second is half a call behind."""
    script: list[tuple[int, str, AudioMessage]] = []
    for n, name in enumerate(ids):
        late = n * len(call) // 2
        script.append((late, name, START))
        script += [(late + record.seq, name, record) for record in call]
        script.append((late + len(call), name, AudioEnd(duration_ms=92_375, reason="hangup")))
    return [(name, message) for _, name, message in sorted(script, key=lambda row: row[0])]


@pytest.mark.parametrize("killed", [1, 2, 60, 205, 207, 333, 470, 471, 600, 690])
@pytest.mark.slow
def test_a_worker_killed_anywhere_loses_no_final_and_its_successor_tells_the_same(
    call: list[AudioRecord], killed: int
) -> None:
    log = log_of(call)

    async def live() -> None:
        whole = Worker({})
        await whole.read(log, 0, len(log))
        assert whole.committed == len(log)
        tables: dict[str, bytes] = {}
        first = Worker(tables)
        await first.read(log, 0, killed, kill=True)
        second = Worker(tables)
        await second.read(log, first.committed, len(log))
        assert first.finals() | second.finals() == whole.finals()
        shared = first.finals().keys() & second.finals().keys()
        assert all(first.finals()[name] == second.finals()[name] for name in shared)
        assert second.committed == len(log)
        ended = [event for event in (*first.published, *second.published) if isinstance(event, CallEnded)]
        assert {event.call_id for event in ended} == {"a", "b"}

    asyncio.run(live())


async def test_a_call_begins_and_ends_with_its_events(call: list[AudioRecord]) -> None:
    worker = Worker({})
    await worker.read(log_of(call, ("a",)), 0, len(call) + 2)
    first, *_, last = worker.published
    assert first == CallStarted(call_id="a", at=START.at, protocol="test", customer_id="k")
    assert last == CallEnded(call_id="a", duration_ms=92_375, reason="hangup")


async def test_what_comes_after_the_end_changes_nothing(call: list[AudioRecord]) -> None:
    log = log_of(call, ("a",))
    worker = Worker({})
    await worker.read(log, 0, len(log))
    told = len(worker.published)
    await worker.read([*log, *log[5:9]], len(log), len(log) + 4)
    assert len(worker.published) == told
    assert worker.committed == len(log) + 4


async def test_a_call_without_audio_for_too_long_counts_as_lost(call: list[AudioRecord]) -> None:
    worker = Worker({}, idle_timeout_s=40)
    await worker.read(log_of(call, ("a",)), 0, 210)
    before = len(worker.finals())
    worker.now = 39.0
    await worker.listener.sweep()
    assert not any(isinstance(event, CallEnded) for event in worker.published)
    worker.now = 41.0
    await worker.listener.sweep()
    await worker.read([], 0, 0)
    assert len(worker.finals()) == before + 1
    assert worker.published[-1] == CallEnded(call_id="a", duration_ms=41_800, reason="lost")


class Noting:
    """Notes the terms that it was given with each final."""

    capacity = SCRIPTED.capacity

    def __init__(self) -> None:
        self.terms: dict[str, list[str]] = {}

    def shape(self, excerpt: Excerpt) -> Hashable:
        return SCRIPTED.shape(excerpt)

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        finals = [excerpt for excerpt in batch if excerpt.final]
        self.terms |= {one.utterance_id: [each.text for each in one.vocabulary.spellings] for one in finals}
        return SCRIPTED.hear(batch)


async def test_a_call_keeps_the_terms_of_its_queue_and_its_customer_when_its_worker_dies(
    call: list[AudioRecord],
) -> None:
    start = msgspec.structs.replace(START, queue="billing", customer_name="Ms. Brown")
    log = [("a", start), *log_of(call, ("a",))[1:], *log_of(call, ("b",))]
    vocabularies = Vocabularies(terms=("云集优选",), queues={"billing": ("Blue Harbor",), "sales": ("云仓",)})
    tables: dict[str, bytes] = {}
    seen = [Noting(), Noting()]
    policy = PipelinePolicy(vocabularies=vocabularies)
    first, second = (Worker(tables, hearing, pipeline=policy) for hearing in seen)
    await first.read(log, 0, 300)
    assert first.committed > 1
    await second.read(log, first.committed, len(log))
    for hearing in seen:
        mine = [terms for utterance, terms in hearing.terms.items() if utterance.startswith("a:")]
        assert len(mine) >= 3
        assert all(terms == ["云集优选", "Blue Harbor", "Brown"] for terms in mine)
    others = [terms for utterance, terms in seen[1].terms.items() if utterance.startswith("b:")]
    assert len(others) >= 3
    assert all(terms == ["云集优选"] for terms in others)


class Failing:
    """A model that fails on the third utterance."""

    capacity = SCRIPTED.capacity

    def __init__(self) -> None:
        self._seen: list[str] = []

    def shape(self, excerpt: Excerpt) -> Hashable:
        return SCRIPTED.shape(excerpt)

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        for excerpt in batch:
            if excerpt.final and excerpt.utterance_id not in self._seen:
                self._seen.append(excerpt.utterance_id)
            if excerpt.final and self._seen.index(excerpt.utterance_id) == 2:
                raise RuntimeError("my card is 4242")
        return SCRIPTED.hear(batch)


async def test_a_failing_model_costs_one_utterance_and_is_told_without_its_words(call: list[AudioRecord]) -> None:
    whole, worker = Worker({}), Worker({}, Failing())
    log = log_of(call, ("a",))
    await whole.read(log, 0, len(log))
    await worker.read(log, 0, len(log))
    (told,) = [event for event in worker.published if isinstance(event, Degraded)]
    assert told.stage == "asr"
    assert "RuntimeError" in told.reason
    assert "4242" not in told.reason
    assert len(worker.finals()) == len(whole.finals()) - 1
    assert worker.committed == len(log)


class Held:
    """A device that does nothing until it is let go."""

    capacity = SCRIPTED.capacity

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[Excerpt] = []

    def shape(self, excerpt: Excerpt) -> Hashable:
        return SCRIPTED.shape(excerpt)

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        self.begun += batch
        self.go.wait(30)
        return SCRIPTED.hear(batch)


class Broken:
    """A device that fails; every so many finals one goes well."""

    capacity = Capacity(workers=1, finals=1, partials=1)

    def __init__(self, works_every: int = 1_000) -> None:
        self._works_every = works_every
        self.finals = 0

    def shape(self, excerpt: Excerpt) -> Hashable:
        return SCRIPTED.shape(excerpt)

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        self.finals += batch[0].final
        if batch[0].final and self.finals % self._works_every == 0:
            return SCRIPTED.hear(batch)
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


async def test_a_device_that_is_broken_for_good_stops_the_worker(call: list[AudioRecord]) -> None:
    broken = Broken()
    worker = Worker({}, broken)
    listening = asyncio.create_task(worker.listener.listen())

    async def hear() -> None:
        for call_id, message in log_of(call):
            await worker.listener.receive(call_id, 0, message, lambda: None)

    hearing = asyncio.create_task(hear())
    with pytest.raises(RuntimeError, match="illegal memory access"):
        await asyncio.wait_for(listening, 10)
    lost = [event for event in worker.published if isinstance(event, Degraded) and event.stage == "asr"]
    assert len(lost) == 4
    hearing.cancel()


async def test_a_device_that_fails_now_and_then_goes_on(call: list[AudioRecord]) -> None:
    worker = Worker({}, Broken(works_every=5))
    log = log_of(call, ("a",))
    await worker.read(log, 0, len(log))
    assert worker.published[-1] == CallEnded(call_id="a", duration_ms=92_375, reason="hangup")
    assert len(worker.finals()) >= 3


async def test_audio_that_is_not_taken_counts_as_late(call: list[AudioRecord]) -> None:
    held = Held()
    worker = Worker({}, held, pause_ms=1_000)
    listening = asyncio.create_task(worker.listener.listen())

    async def hear() -> None:
        for record in call:
            await worker.listener.receive("a", 0, record, lambda: None)

    hearing = asyncio.create_task(hear())
    await asyncio.sleep(0.3)
    assert not hearing.done()
    await worker.listener.sweep()
    # No time has passed on the worker's clock: what waits in the topic is what counts.
    assert worker.listener.load == (1, len(STEPS) - 1, STEPS[-1].late_s)
    held.go.set()
    await asyncio.wait_for(hearing, 10)
    await asyncio.sleep(0.3)
    await worker.listener.sweep()
    assert worker.listener.load[2] == 0
    listening.cancel()


async def test_what_was_kept_of_a_call_goes_with_it(call: list[AudioRecord]) -> None:
    tables: dict[str, bytes] = {}
    worker = Worker(tables)
    log = log_of(call, ("a",))
    log[0] = ("a", msgspec.structs.replace(START, queue="billing", customer_name="Ms. Brown"))
    await worker.read(log, 0, len(log) - 1)
    assert b"Brown" in tables["a"]
    worker.now = 7_000.0
    worker.listener.forget()
    assert b"Brown" in tables["a"]
    await worker.listener.receive("a", 0, log[-1][1], lambda: None)
    await worker.read([], 0, 0)
    kept = msgspec.json.decode(tables["a"], type=Kept)
    assert kept == Kept(checkpoint=Checkpoint(ended=True), at=7_000.0)
    assert b"Brown" not in tables["a"]
    worker.now += 3_599.0
    worker.listener.forget()
    assert "a" in tables
    worker.now += 2.0
    worker.listener.forget()
    assert tables == {}


@pytest.mark.slow
async def test_what_is_given_up_under_load_is_told_and_comes_back(call: list[AudioRecord]) -> None:
    held = Held()
    worker = Worker({}, held)
    listening = asyncio.create_task(worker.listener.listen())

    async def hear(records: list[AudioRecord]) -> None:
        for record in records:
            worker.now += 0.2
            await worker.listener.receive("a", 0, record, lambda: None)
            await worker.listener.sweep()
            await asyncio.sleep(0.002)

    await hear(call[:150])
    told = [event for event in worker.published if isinstance(event, Degraded)]
    assert [event.reason for event in told] == [step.told for step in STEPS[1:]]
    assert {event.stage for event in told} == {"load"}
    assert not any(event.over for event in told)
    assert not any(isinstance(event, Partial) for event in worker.published)
    held.go.set()
    await asyncio.sleep(0.3)
    await hear(call[150:])
    back = [event for event in worker.published if isinstance(event, Degraded)][len(told) :]
    assert [event.reason for event in back] == [step.told for step in STEPS[2::-1]]
    assert [event.over for event in back] == [False, False, True]
    assert any(isinstance(event, Partial) for event in worker.published)
    listening.cancel()
    whole = Worker({})
    await whole.read([("a", record) for record in call], 0, len(call))
    assert worker.finals() == whole.finals()


async def test_what_waits_behind_an_utterance_of_its_call_counts_as_late(call: list[AudioRecord]) -> None:
    held = Held()
    worker = Worker({}, held)
    listening = asyncio.create_task(worker.listener.listen())
    for record in call:
        worker.now += 0.2
        await worker.listener.receive("a", 0, record, lambda: None)
        await asyncio.sleep(0)
    # The first utterance is being understood; the second was complete long ago.
    assert len(held.begun) == 1
    assert worker.listener.load[2] > 20
    held.go.set()
    await asyncio.sleep(0.3)
    assert worker.listener.load[2] == 0
    listening.cancel()


async def test_a_device_that_fails_stops_the_worker() -> None:
    held = Held()
    held.capacity = Capacity(workers=0, finals=1, partials=1)
    with pytest.raises(ValueError, match="max_workers"):
        await Worker({}, held).listener.listen()


async def test_a_worker_whose_calls_have_all_ended_recovers_without_any_audio(call: list[AudioRecord]) -> None:
    held = Held()
    worker = Worker({}, held)
    listening = asyncio.create_task(worker.listener.listen())
    for record in call[:150]:
        await worker.listener.receive("a", 0, record, lambda: None)
    await worker.listener.receive("a", 0, AudioEnd(duration_ms=30_000, reason="hangup"), lambda: None)
    await asyncio.sleep(0.01)
    worker.now = 30.0
    await worker.listener.sweep()
    assert worker.listener.load[1] == len(STEPS) - 1
    held.go.set()
    await asyncio.sleep(0.3)
    assert worker.listener.load[0] == 0
    for _ in range(60):
        worker.now += 1.0
        await worker.listener.sweep()
    assert worker.listener.load[1] == 0
    listening.cancel()


class Guarded:
    """Hears what ``SCRIPTED`` hears, each at the second try."""

    capacity = SCRIPTED.capacity

    def shape(self, excerpt: Excerpt) -> Hashable:
        return SCRIPTED.shape(excerpt)

    def hear(self, batch: Sequence[Excerpt], *, hurried: bool = False) -> list[Heard]:
        return [
            heard._replace(hypothesis=msgspec.structs.replace(heard.hypothesis, guarded=("loop",)))
            for heard in SCRIPTED.hear(batch)
        ]


async def test_results_that_were_not_taken_as_they_were_are_counted(call: list[AudioRecord]) -> None:
    def count() -> float:
        return metrics.GUARDED.labels("loop")._value.get()

    before = count()
    worker = Worker({}, Guarded())
    await worker.read(log_of(call, ("a",)), 0, len(call) + 2)
    assert count() - before >= len(worker.finals()) > 0


@pytest.mark.slow
async def test_new_calls_have_the_new_vocabulary_and_old_ones_keep_theirs(call: list[AudioRecord]) -> None:
    old, new = Held(), Held()
    old.go.set()
    new.go.set()
    worker = Worker({}, old)
    listening = asyncio.create_task(worker.listener.listen())
    await asyncio.sleep(0)
    await worker.listener.receive("a", 0, call[0], lambda: None)
    named = PipelinePolicy(vocabularies=Vocabularies(terms=("云集优选",)))
    await worker.listener.change(new, ListenPolicy(pipeline=named))
    for call_id, records in (("a", call[1:]), ("b", call)):
        for record in records:
            await worker.listener.receive(call_id, 0, record, lambda: None)
    await asyncio.sleep(0.5)
    terms = {one.utterance_id[0]: [term.text for term in one.vocabulary.terms] for one in new.begun}
    assert terms == {"a": [], "b": ["云集优选"]}
    listening.cancel()


async def test_another_model_takes_over_in_mid_call_and_no_final_is_lost_or_told_twice(call: list[AudioRecord]) -> None:
    held = Held()
    worker = Worker({}, held)
    listening = asyncio.create_task(worker.listener.listen())
    for record in call[:150]:
        await worker.listener.receive("a", 0, record, lambda: None)
    await asyncio.sleep(0.01)
    changing = asyncio.create_task(worker.listener.change(Guarded(), ListenPolicy()))
    await asyncio.sleep(0.05)
    assert not changing.done()
    before = metrics.GUARDED.labels("loop")._value.get()
    held.go.set()
    await asyncio.wait_for(changing, 10)
    for record in call[150:]:
        await worker.listener.receive("a", 0, record, lambda: None)
    await worker.listener.receive("a", 0, AudioEnd(duration_ms=92_375, reason="hangup"), lambda: None)
    while not any(isinstance(event, CallEnded) for event in worker.published):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    whole, end = Worker({}), AudioEnd(duration_ms=92_375, reason="hangup")
    await whole.read([*(("a", record) for record in call), ("a", end)], 0, len(call) + 1)
    assert worker.finals() == whole.finals()
    assert len([event for event in worker.published if isinstance(event, Final)]) == len(worker.finals())
    assert metrics.GUARDED.labels("loop")._value.get() > before
    listening.cancel()
