"""Tasks in SQL: one for each card of that kind, due from the start of the call, changed by one person at a time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from agent_assist.errors import TaskChanged
from agent_assist.store.calls import CallStore
from agent_assist.store.tasks import TaskQuery, Tasks
from agent_assist.types import CallEnded, CallStarted, Card, CardKind

START = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
ALL = TaskQuery()
Plans = Callable[[Engine, Callable[[], object]], list[str]]


def started(call: str = "c", agent: str = "anna") -> CallStarted:
    return CallStarted(call_id=call, at=START, protocol="twilio", customer_name="Li", agent_id=agent)


def card(call: str = "c", rule: str = "call_back", due_hours: float | None = 24.0, **more: Any) -> Card:
    whole = Card(
        id=f"{call}:{rule}:u",
        call_id=call,
        rule=rule,
        kind=CardKind.TASK,
        title="Call back",
        text="Call Li back",
        at_ms=90_000,
        utterance_id="u",
        priority=500,
        language="en",
        reason="asked for",
        due_hours=due_hours,
    )
    return msgspec.structs.replace(whole, **more)


@pytest.mark.parametrize(
    "messages",
    list(permutations([started(), card(), CallEnded(call_id="c", duration_ms=99_000, reason="hangup")])),
    ids=lambda order: "-".join(type(message).__name__ for message in order),
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_task_is_due_from_the_start_of_its_call_whichever_comes_first(
    store: CallStore, messages: tuple[Any, ...], at_once: bool
) -> None:
    for batch in [messages] if at_once else [[message] for message in messages]:
        store.write(batch, {})
    (task,) = Tasks(store).find(ALL)
    assert (task.id, task.agent_id, task.customer_name) == ("c:call_back:u", "anna", "Li")
    assert task.due_at == START + timedelta(hours=24, seconds=90)
    assert (task.state, task.version, task.by, task.changed_at) == ("open", 1, "", None)


def test_cards_of_other_kinds_and_those_that_are_not_sure_yet_are_no_tasks(store: CallStore) -> None:
    unsure = card(provisional=True)
    store.write([started(), card(rule="tip", kind=CardKind.CARD), unsure], {})
    assert Tasks(store).find(ALL) == []
    store.write([msgspec.structs.replace(unsure, provisional=False)], {})
    assert [task.rule for task in Tasks(store).find(ALL)] == ["call_back"]


def test_a_topic_read_again_opens_nothing_that_was_done(store: CallStore) -> None:
    tasks = Tasks(store)
    store.write([started(), card()], {})
    at = START + timedelta(days=1)
    done = tasks.change("c:call_back:u", state="done", version=1, by="anna", at=at, note="reached")
    assert (done.state, done.version, done.by, done.changed_at, done.note) == ("done", 2, "anna", at, "reached")
    store.write([started(), card(), card(text="other words")], {})
    assert tasks.find(ALL) == [done]


def test_of_two_who_change_a_task_the_second_is_told(store: CallStore) -> None:
    tasks = Tasks(store)
    store.write([started(), card()], {})
    tasks.change("c:call_back:u", state="done", version=1, by="anna", at=START)
    with pytest.raises(TaskChanged, match=r"expected version 1 .* got version 2"):
        tasks.change("c:call_back:u", state="cancelled", version=1, by="boss", at=START)
    with pytest.raises(TaskChanged, match="got none"):
        tasks.change("c:nothing:u", state="cancelled", version=1, by="boss", at=START)
    found = tasks.task("c:call_back:u")
    assert found is not None
    assert (found.state, found.by) == ("done", "anna")


def test_pages_follow_each_other_in_the_order_in_which_tasks_are_due(store: CallStore) -> None:
    tasks = Tasks(store)
    hours = [5.0, None, 1.0, 1.0, None, 3.0]
    store.write([started(), *(card(rule=f"r{n}", due_hours=due) for n, due in enumerate(hours))], {})
    found: list[str] = []
    after = None
    while page := tasks.find(ALL, 2, after):
        found += [task.rule for task in page]
        after = page[-1].due_at, page[-1].id
    assert found == ["r2", "r3", "r5", "r0", "r1", "r4"]


def test_tasks_are_found_by_state_agent_and_time(store: CallStore) -> None:
    tasks = Tasks(store)
    store.write([started(), card(), started("d", "ben"), card("d", due_hours=1.0)], {})
    tasks.change("c:call_back:u", state="cancelled", version=1, by="anna", at=START)

    def calls(**wanted: Any) -> list[str]:
        return [task.call_id for task in tasks.find(TaskQuery(**wanted))]

    assert calls() == ["d", "c"]
    assert calls(state="open") == ["d"]
    assert calls(agent_id="anna") == ["c"]
    assert calls(due_before=START + timedelta(hours=2)) == ["d"]
    assert calls(due_before=START + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (ALL, "ix_tasks_due_at_task_id"),
        (TaskQuery(state="open"), "ix_tasks_state_due_at_task_id"),
        (TaskQuery(agent_id="anna"), "ix_tasks_agent_id_due_at_task_id"),
        (TaskQuery(agent_id="anna", state="open"), "ix_tasks_agent_id_state_due_at_task_id"),
        (TaskQuery(state="open", due_before=START + timedelta(days=9)), "ix_tasks_state_due_at_task_id"),
    ],
)
@pytest.mark.parametrize("after", [None, (START, "c:r1:u"), (None, "c:r1:u")])
def test_a_page_is_read_in_the_order_of_an_index_and_nothing_is_sorted(
    store: CallStore, plans: Plans, wanted: TaskQuery, index: str, after: Any
) -> None:
    store.write([started(), *(card(rule=f"r{n}", due_hours=float(n)) for n in range(4)), card(due_hours=None)], {})
    found = plans(store.engine, lambda: Tasks(store).find(wanted, 2, after))
    assert bool(found) is (wanted.due_before is None or after != (None, "c:r1:u"))
    for plan in found:
        assert index in plan
        assert not re.search(r"B-TREE|Sort|SCAN|Seq Scan", plan)


def test_a_page_may_end_with_those_without_a_time_and_the_next_one_goes_on_there(store: CallStore) -> None:
    tasks = Tasks(store)
    store.write([started(), card(), *(card(rule=f"r{n}", due_hours=None) for n in range(3))], {})
    first = tasks.find(ALL, 2)
    assert [task.rule for task in first] == ["call_back", "r0"]
    assert [task.rule for task in tasks.find(ALL, 9, (first[-1].due_at, first[-1].id))] == ["r1", "r2"]
    assert tasks.find(TaskQuery(due_before=START + timedelta(days=9)), 9) == first[:1]


def test_a_task_is_its_agents_also_where_the_call_is_told_of_later(store: CallStore) -> None:
    store.write([card()], {})
    mine = TaskQuery(agent_id="anna")
    assert Tasks(store).find(mine) == []
    store.write([started()], {})
    (task,) = Tasks(store).find(mine)
    assert (task.agent_id, task.due_at) == ("anna", START + timedelta(hours=24, seconds=90))
