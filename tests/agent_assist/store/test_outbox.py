"""The outbox in SQL: each letter with one sender at a time, those of a call in their order."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from agent_assist.store.calls import CallStore
from agent_assist.store.following import Wanted, letter_rows
from agent_assist.store.outbox import Outbox
from agent_assist.store.tables import webhooks
from agent_assist.types import CallSynopsis, Card, CardKind, Webhook

Plans = Callable[[Engine, Callable[[], object]], list[str]]
LEASE = timedelta(seconds=30)
WANTED = Wanted(
    {"crm"},
    {
        "rule.fired": ["crm"],
        "alert.raised": ["crm"],
        "task.created": ["crm"],
        "call.summarised": ["crm"],
    },
)


@pytest.fixture
def wanting(url: str) -> Iterator[CallStore]:
    store = CallStore(url, WANTED)
    store.upgrade()
    yield store
    store.close()


def told(call: str, number: int) -> Webhook:
    return Webhook(
        id=f"{call}:rule:{number}",
        call_id=call,
        rule="rule",
        receiver="crm",
        at_ms=number,
        utterance_id="u",
        title="t",
        text="x",
        language="en",
        customer_id=None,
    )


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_senders_at_once_share_the_letters(wanting: CallStore) -> None:
    wanting.write([told(f"c{n}", 0) for n in range(40)], {})
    outbox, now = Outbox(wanting.engine), later()

    def take(_: int) -> list[int]:
        return [letter.seq for letter in outbox.take("crm", 20, now=now, lease=LEASE)]

    with ThreadPoolExecutor(4) as pool:
        taken = [seq for some in pool.map(take, range(8)) for seq in some]
    assert len(taken) == len(set(taken)) == 40


def test_a_letter_waits_for_the_one_before_it_of_its_call_and_for_no_other(wanting: CallStore) -> None:
    wanting.write([told("c", 0), told("c", 1), told("d", 0)], {})
    outbox, now = Outbox(wanting.engine), later()
    first, other = outbox.take("crm", 9, now=now, lease=LEASE)
    assert outbox.take("crm", 9, now=now, lease=LEASE) == []
    outbox.failed(first, 500, "answered 500", now + timedelta(hours=1))
    outbox.delivered(other, 200)
    assert outbox.take("crm", 9, now=now + timedelta(minutes=59), lease=LEASE) == []
    (again,) = outbox.take("crm", 9, now=now + timedelta(hours=1), lease=LEASE)
    assert (again.seq, again.attempts) == (first.seq, 1)
    outbox.failed(again, 500, "answered 500", None)
    (second,) = outbox.take("crm", 9, now=now + timedelta(hours=1), lease=LEASE)
    assert second.attempts == 0
    assert [(one.call_id, one.state, one.attempts) for one in outbox.listed()[::-1]] == [
        ("c", "dead", 2),
        ("c", "waiting", 0),
        ("d", "delivered", 1),
    ]


def test_a_lease_that_ran_out_gives_the_letter_to_another(wanting: CallStore) -> None:
    wanting.write([told("c", 0)], {})
    outbox, now = Outbox(wanting.engine), later()
    (first,) = outbox.take("crm", 9, now=now, lease=LEASE)
    assert outbox.take("crm", 9, now=now + LEASE - timedelta(seconds=1), lease=LEASE) == []
    assert outbox.take("crm", 9, now=now + LEASE + timedelta(seconds=1), lease=LEASE) == [first]


def test_what_is_told_is_what_is_sure_and_each_once(wanting: CallStore) -> None:
    def card(rule: str, kind: CardKind, *, provisional: bool = False) -> Card:
        return Card(
            id=f"c:{rule}:u",
            call_id="c",
            rule=rule,
            kind=kind,
            title="t",
            text="x",
            at_ms=0,
            utterance_id="u",
            priority=1,
            language="en",
            reason="r",
            provisional=provisional,
        )

    synopsis = CallSynopsis(call_id="c", at_ms=1, language="en", sentences=(), text="s", over=True)
    running = CallSynopsis(call_id="c", at_ms=0, language="en", sentences=(), text="s", over=False)
    messages = [
        card("unsure", CardKind.ALERT, provisional=True),
        card("angry", CardKind.ALERT),
        card("tip", CardKind.CARD),
        card("back", CardKind.TASK),
        running,
        synopsis,
    ]
    wanting.write(messages, {})
    wanting.write(messages, {})
    events = [one.event for one in Outbox(wanting.engine).listed()[::-1]]
    assert events == ["alert.raised", "task.created", "call.summarised"]


def test_what_a_failed_letter_holds_back_is_not_due_before_it(wanting: CallStore) -> None:
    wanting.write([told("c", 0), told("c", 1), told("d", 0)], {})
    outbox, now = Outbox(wanting.engine), later()
    first, other = outbox.take("crm", 9, now=now, lease=LEASE)
    again_at = now + timedelta(hours=1)
    outbox.failed(first, 500, "answered 500", again_at)
    assert [(one.call_id, one.due_at >= again_at) for one in outbox.listed()[::-1]] == [
        ("c", True),
        ("c", True),
        ("d", False),
    ]
    outbox.delivered(other, 200)
    (again,) = outbox.take("crm", 9, now=again_at, lease=LEASE)
    outbox.delivered(again, 200)
    assert [letter.seq for letter in outbox.take("crm", 9, now=again_at, lease=LEASE)] == [first.seq + 1]


def test_letters_are_found_by_indexes_and_nothing_is_sorted(wanting: CallStore, plans: Plans) -> None:
    wanting.write([told(f"c{n}", 0) for n in range(4)], {})
    outbox, now = Outbox(wanting.engine), later()
    (take, *_) = plans(wanting.engine, lambda: outbox.take("crm", 1, now=now, lease=LEASE))
    (bury, *_) = plans(wanting.engine, lambda: outbox.bury("crm"))
    (dead,) = plans(wanting.engine, lambda: outbox.listed("dead"))
    assert "ix_webhooks_receiver_state_due_at_seq" in take
    if wanting.engine.dialect.name == "sqlite":
        # Of few rows PostgreSQL takes whichever index it likes.
        assert "ix_webhooks_call_id_receiver_state_seq" in take
        assert "ix_webhooks_receiver_state_status" in bury
        assert "ix_webhooks_state_seq" in dead
    for plan in (take, bury, dead):
        assert not re.search(r"B-TREE|Sort|SCAN|Seq Scan", plan)


def test_a_letter_of_a_customer_and_no_call_waits_for_the_one_before_it_of_that_customer(wanting: CallStore) -> None:
    told_at = datetime.now(UTC)

    def rows(customer: str, *names: str) -> list[dict[str, Any]]:
        wanted = Wanted({"crm"}, {"task.created": ["crm"]})
        return [
            row
            for name in names
            for row in letter_rows("task.created", name, {}, wanted, customer_id=customer, now=told_at)
        ]

    with wanting.engine.begin() as connection:
        connection.execute(insert(webhooks), rows("li", "a", "b") + rows("wang", "c"))
    outbox, now = Outbox(wanting.engine), later()
    first, other = outbox.take("crm", 9, now=now, lease=LEASE)
    outbox.failed(first, 500, "answered 500", now + timedelta(hours=1))
    outbox.delivered(other, 200)
    assert outbox.take("crm", 9, now=now, lease=LEASE) == []
    assert [(one.customer_id, one.call_id) for one in outbox.listed("delivered")] == [("wang", None)]
