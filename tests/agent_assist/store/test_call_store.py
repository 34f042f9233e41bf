"""Calls in SQL: once each, in whatever order they come, and together with the positions behind them."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from agent_assist.call.fields import Field
from agent_assist.call.recollect import hint
from agent_assist.call.record import NO_MEASURES, record_of, summary
from agent_assist.knowledge.types import Mark, NodeKind
from agent_assist.store import tables
from agent_assist.store.calls import CallStore
from agent_assist.store.following import Wanted
from agent_assist.store.tables import metadata
from agent_assist.store.tasks import NewTask, Task, TaskQuery, Tasks, add
from agent_assist.types import (
    Article,
    Assist,
    CallEnded,
    CallFlow,
    CallMeasures,
    CallMood,
    CallRecord,
    CallRisk,
    CallStarted,
    CallSynopsis,
    Card,
    CardFeedback,
    CardKind,
    CurvePoint,
    Degraded,
    Event,
    FeedbackAction,
    Final,
    Keys,
    SynopsisEdit,
    Withdrawn,
)
from audio.types import Channel
from models.turning import Before, Cause, Turn
from models.types import ChurnRisk, Emotion, EmotionLabel, RiskLevel, Utterance, Word

MIGRATIONS = Path(tables.__file__).parent / "migrations"
START = datetime(2026, 3, 1, 9, 30, 0, 123_000, tzinfo=UTC)


def utterance(call: str, channel: Channel, number: int, label: EmotionLabel = EmotionLabel.NEUTRAL) -> Utterance:
    start = number * 4_000 + (0 if channel is Channel.AGENT else 2_000)
    feeling = Emotion(label=label, valence=-0.5, arousal=0.5, agitation=0.7, confidence=0.8)
    return Utterance(
        id=f"{call}:{channel}:{start}",
        channel=channel,
        number=number,
        start_ms=start,
        end_ms=start + 1_500,
        text="我要退款 I want my money back",
        language="zh",
        confidence=0.9,
        words=(Word(text="退款", start_ms=start + 200, end_ms=start + 700, confidence=0.8),),
        sentiment=-0.4,
        emotion=feeling if channel is Channel.CUSTOMER else None,
        loudness_dbfs=-23.5,
    )


def card(call: str, rule: str, said: Utterance, kind: CardKind = CardKind.CARD) -> Card:
    return Card(
        id=f"{call}:{rule}:{said.id}",
        call_id=call,
        rule=rule,
        kind=kind,
        title="挽留",
        text="…",
        at_ms=said.end_ms,
        utterance_id=said.id,
        priority=500,
        language="zh",
        reason="…",
        trigger=("退款",),
    )


def risk(call: str, at_ms: int, score: float) -> CallRisk:
    level = RiskLevel.WATCH
    return CallRisk(
        call_id=call,
        customer_id=None,
        at_ms=at_ms,
        risk=ChurnRisk(score=score, level=level, reasons=(), model_version="m"),
    )


def mood(call: str, said: Utterance, *turns: Turn) -> CallMood:
    point = CurvePoint(utterance_id=said.id, at_ms=said.end_ms, score=-2.5, trend="steady", arousal=0.5, agitation=0.7)
    return CallMood(call_id=call, at_ms=said.end_ms, point=point, swings=None, turns=turns)


def article(call: str, said: Utterance) -> Article:
    return Article(
        id=f"{call}:article:solution:refund",
        call_id=call,
        at_ms=said.end_ms,
        utterance_id=said.id,
        kind=NodeKind.SOLUTION,
        key="refund",
        version=2,
        title="退款",
        heading="",
        passage="退款会在三个工作日内到账。",
        marks=(Mark(start=0, end=2),),
        source="faq.md",
        score=0.8,
        reason="question",
        trigger=("吗",),
        language="zh",
        revision=7,
    )


def a_call(call: str = "c", at: datetime = START) -> list[Event | Assist]:
    """A call's messages, in the order in which they happened."""
    hello = utterance(call, Channel.AGENT, 0)
    angry = utterance(call, Channel.CUSTOMER, 0, EmotionLabel.ANGRY)
    unclear = utterance(call, Channel.CUSTOMER, 1, EmotionLabel.UNKNOWN)
    measures = msgspec.structs.replace(NO_MEASURES, talk_ms=4_500)
    alert = card(call, "angry", angry, CardKind.ALERT)
    turned = Turn(
        start_ms=unclear.start_ms,
        at_ms=unclear.end_ms,
        direction="worse",
        size=-2.5,
        agitation=0.4,
        cause=Cause.AGENT,
        before=Before(agent_from_ms=0, agent_to_ms=1_500),
    )
    return [
        CallStarted(
            call_id=call,
            at=at,
            protocol="twilio",
            customer_id="k-1",
            customer_name="王女士",
            agent_id="a",
            attributes={"tenant": "东"},
        ),
        Final(call_id=call, utterance=hello),
        card(call, "greeting", hello, CardKind.TICK),
        Final(call_id=call, utterance=angry),
        alert,
        card(call, "cancel", angry),
        risk(call, angry.end_ms, 0.4),
        mood(call, angry),
        Degraded(call_id=call, at_ms=5_000, stage="gap", reason="no audio for 200 ms"),
        Keys(
            id=f"{call}:customer:keys:6000",
            call_id=call,
            channel=Channel.CUSTOMER,
            start_ms=6_000,
            end_ms=6_900,
            keys="1",
            count=1,
        ),
        Final(call_id=call, utterance=unclear),
        risk(call, unclear.end_ms, 0.3),
        mood(call, unclear, turned),
        article(call, angry),
        hint(call, hello, (Field.ORDER,), "zh"),
        CardFeedback(call_id=call, card_id=alert.id, action=FeedbackAction.USED, at=at + timedelta(seconds=9)),
        CallEnded(call_id=call, duration_ms=9_000, reason="hangup"),
        CallMeasures(call_id=call, at_ms=9_000, measures=measures),
    ]


def folded(messages: list[Event | Assist]) -> CallRecord:
    return record_of(messages[0].call_id, [], messages)  # type: ignore[arg-type]


def test_a_stored_call_is_the_call_as_the_live_channel_folds_it(store: CallStore) -> None:
    messages = a_call()
    store.write(messages, {("call.events", 0): 16})
    assert store.call("c") == folded(messages)
    assert store.calls() == [summary(folded(messages))]
    assert store.call("another") is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_neither_order_nor_repetition_nor_the_size_of_batches_matters(store: CallStore, data: st.DataObject) -> None:
    call = f"c{time.monotonic_ns()}"
    messages = a_call(call)
    again = data.draw(st.lists(st.sampled_from(messages), max_size=8))
    mixed = data.draw(st.permutations(messages + again))
    size = data.draw(st.integers(1, len(mixed)))
    for begin in range(0, len(mixed), size):
        store.write(mixed[begin : begin + size], {})
    assert store.call(call) == folded(messages)


def test_a_final_is_never_changed(store: CallStore) -> None:
    said = utterance("c", Channel.CUSTOMER, 0)
    store.write([Final(call_id="c", utterance=said)], {})
    store.write([Final(call_id="c", utterance=msgspec.structs.replace(said, text="something else"))], {})
    record = store.call("c")
    assert record is not None
    assert [u.text for u in record.utterances] == [said.text]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_provisional_card_gives_way_to_the_confirmed_one_and_goes_when_withdrawn(
    store: CallStore, at_once: bool
) -> None:
    said = utterance("c", Channel.CUSTOMER, 0)
    sure = [card("c", rule, said) for rule in ("kept", "gone", "again")]
    early = [msgspec.structs.replace(each, provisional=True, text='"provisional":true') for each in sure]
    gone = [Withdrawn(call_id="c", card_id=each.id, at_ms=1) for each in sure]
    # A worker that takes the call over tells the first anew, and may come to another end with other rules.
    messages: list[Event | Assist] = [*early, sure[0], gone[1], gone[2], early[0], gone[0], early[2], sure[2]]
    for batch in [messages] if at_once else [[message] for message in messages]:
        store.write(batch, {})
    record = store.call("c")
    assert record is not None
    assert record.cards == (sure[2], sure[0])


def test_what_a_call_was_shown_is_known_to_who_takes_it_over(store: CallStore) -> None:
    store.write(a_call(), {})
    assert store.articles_shown("c") == {"c:article:solution:refund": 3_500}
    assert store.articles_shown("another") == {}


def test_an_older_risk_does_not_replace_a_newer_one(store: CallStore) -> None:
    store.write([risk("c", 8_000, 0.7)], {})
    store.write([risk("c", 2_000, 0.1)], {})
    record = store.call("c")
    assert record is not None
    assert record.risk.score == 0.7


def test_older_turns_do_not_replace_newer_ones(store: CallStore) -> None:
    messages = a_call()
    store.write(messages, {})
    store.write([message for message in messages if isinstance(message, CallMood)][:1], {})
    record = store.call("c")
    assert record is not None
    assert [turn.size for turn in record.turns] == [-2.5]


def test_a_call_stored_before_there_were_turns_is_read_with_its_curve(url: str) -> None:
    messages = a_call()
    store = CallStore(url)
    store.upgrade()
    store.write([message for message in messages if not isinstance(message, CallMood)], {})
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
    engine.dispose()
    store.upgrade()
    record = store.call("c")
    assert record is not None
    assert record.turns == ()
    assert [point.score for point in record.curve] == [-2.5, -2.5]
    assert record.swings is not None
    store.write(messages, {})
    assert store.call("c") == folded(messages)
    store.close()


def test_tasks_and_letters_of_calls_outlive_the_way_down_and_up_again(url: str) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    told = {"zh": "致电", "en": "Call"}
    own = NewTask(
        id="own", customer_id="k", customer_name="Li", language="en", rule="late_order", titles=told, texts=told,
        team="t", evidence=(), due_at=at,
    )  # fmt: skip
    wanted = Wanted({"crm"}, {"task.created": ["crm"]})
    store = CallStore(url, wanted)
    store.upgrade()
    started = CallStarted(call_id="c", at=at, protocol="t", agent_id="anna", customer_id="k")
    card = Card(
        id="c:call_back:u", call_id="c", rule="call_back", kind=CardKind.TASK, title="t", text="x", at_ms=0,
        utterance_id="u", priority=1, language="en", reason="r", due_hours=1.0,
    )  # fmt: skip
    store.write([started, card], {})
    with store.engine.begin() as connection:
        assert add(connection, own, at, wanted)

    def kept() -> tuple[list[Task], list[str]]:
        with store.engine.connect() as connection:
            letters = connection.execute(select(tables.webhooks.c.message_id).order_by(tables.webhooks.c.seq))
            return Tasks(store).find(TaskQuery(agent_id="anna")), list(letters.scalars())

    before = kept()
    assert (len(before[0]), len(before[1])) == (1, 2)
    with store.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, "0015")
    store.upgrade()
    # What follows from no call had no place there.
    assert kept() == (before[0], before[1][:1])
    store.close()


def test_the_latest_synopsis_stays_and_every_edit_of_it(store: CallStore) -> None:
    messages = a_call()
    running, whole = (
        CallSynopsis(call_id="c", at_ms=at_ms, language="en", sentences=(), text=text, over=over)
        for at_ms, text, over in ((9_000, "so far", False), (8_000, "whole", True))
    )
    rewritten = msgspec.structs.replace(whole, text="fine", rewritten=True)
    edits = [
        SynopsisEdit(call_id="c", text=text, at=START + timedelta(minutes=n), by="li") for n, text in enumerate("ab")
    ]
    store.write([*messages, rewritten, edits[1]], {})
    store.write([whole, running, *edits], {})
    record = store.call("c")
    assert record is not None
    assert record.synopsis == rewritten
    assert record.synopsis_edits == tuple(edits)
    assert record == folded([*messages, running, whole, rewritten, *reversed(edits), edits[0]])


def test_a_write_that_fails_leaves_neither_messages_nor_positions(store: CallStore) -> None:
    store.write([], {("call.events", 0): 5})
    broken: Any = msgspec.structs.replace(a_call("d")[0], at="not a time")
    with pytest.raises(AttributeError):
        store.write([*a_call("c"), broken], {("call.events", 0): 6})
    assert store.call("c") is None
    assert store.snapshot() == ([], {("call.events", 0): 5})


def test_positions_never_go_back(store: CallStore) -> None:
    store.write([], {("call.events", 0): 5, ("call.events", 1): 2})
    store.write([], {("call.events", 0): 3, ("call.assist", 0): 1})
    assert store.snapshot()[1] == {("call.events", 0): 5, ("call.events", 1): 2, ("call.assist", 0): 1}


def test_a_snapshot_holds_the_calls_in_progress_alone(store: CallStore) -> None:
    store.write([*a_call("over"), *a_call("on")[:6]], {("call.events", 0): 22})
    records, positions = store.snapshot()
    assert [record.call_id for record in records] == ["on"]
    assert records[0] == folded(a_call("on")[:6])
    assert positions == {("call.events", 0): 22}


def test_calls_are_listed_newest_first_in_pages_and_by_status(store: CallStore) -> None:
    for number in range(7):
        # Two at a time begin in the same instant.
        messages = a_call(f"c{number}", START + timedelta(seconds=number // 2))
        store.write(messages if number % 3 else messages[:4], {})
    expected = ["c6", "c5", "c4", "c3", "c2", "c1", "c0"]
    assert [line.call_id for line in store.calls()] == expected
    assert [line.call_id for line in store.calls(status="live")] == ["c6", "c3", "c0"]
    found: list[str] = []
    before = None
    while page := store.calls(limit=2, before=before):
        found += [line.call_id for line in page]
        before = (page[-1].started_at.astimezone(), page[-1].call_id)
    assert found == expected


def test_what_the_telephone_side_says_cannot_stop_the_writer(store: CallStore) -> None:
    store.write([CallStarted(call_id="c", at=START, protocol="p" * 99, customer_name="a\0b" * 500, queue="\0")], {})
    record = store.call("c")
    assert record is not None
    assert record.customer_name == ("ab" * 128)
    assert (record.protocol, record.queue) == ("p" * 32, "")


def test_processes_that_start_at_once_migrate_once(url: str) -> None:
    stores = [CallStore(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(CallStore.upgrade, stores))
    stores[0].write(a_call(), {})
    assert stores[3].call("c") == folded(a_call())
    for each in stores:
        each.close()


def test_the_migrations_make_the_tables_that_the_code_expects(url: str) -> None:
    store = CallStore(url)
    store.upgrade()
    store.close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_reader_in_another_process_is_not_held_up_by_a_writer(url: str) -> None:
    writer, reader = CallStore(url), CallStore(url)
    writer.upgrade()

    def write() -> None:
        for number in range(20):
            writer.write(a_call(f"w{number}"), {("call.events", 0): number})

    def read() -> int:
        for _ in range(20):
            records, positions = reader.snapshot()
            # As of one moment: as many calls as the position says.
            assert len(reader.calls(limit=500)) >= positions.get(("call.events", 0), -1) + 1
            assert records == []
        return 20

    with ThreadPoolExecutor(2) as threads:
        written, done = threads.submit(write), threads.submit(read)
        assert done.result() == 20
        written.result()
    writer.close()
    reader.close()


def test_a_batch_is_written_quickly(store: CallStore) -> None:
    messages = [message for number in range(16) for message in a_call(f"q{number}")][:200]
    store.write(a_call("warm"), {})
    taken: list[float] = []
    for _ in range(3):
        begin = time.perf_counter()
        store.write(messages, {("call.events", 0): 1})
        taken.append(time.perf_counter() - begin)
    # 50 ms is the aim on an idle machine; ten times that is a fault on any.
    assert min(taken) < 0.5


def test_the_flow_is_kept_as_it_was_last_whatever_comes_first(store: CallStore) -> None:
    def flow(at_ms: int, *, over: bool = False) -> CallFlow:
        return CallFlow(
            call_id="c",
            at_ms=at_ms,
            flow="service",
            title="Service",
            language="en",
            steps=(),
            current=None,
            branches=(),
            adherence=1.0 if over else None,
            over=over,
            source="t 1",
        )

    last = flow(9_000, over=True)
    store.write([last, flow(3_000)], {})
    store.write([flow(5_000)], {})
    record = store.call("c")
    assert record is not None
    assert record.flow == last
    assert record_of("c", [], [last, flow(3_000), flow(5_000)]).flow == last
