"""Roster and hints in either database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from agent_assist.routing.asking import Asking
from agent_assist.routing.policy import load
from agent_assist.routing.types import Agent, HintRequest
from agent_assist.store.calls import CallStore
from agent_assist.store.routing import Accuracy, Given, Routing
from agent_assist.types import CallStarted
from models.reading import NOTHING_READ

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def routing(store: CallStore) -> Routing:
    return Routing(store.engine)


def asked(routing: Routing, call_id: str, at: datetime) -> str:
    asking = Asking(load(), None, lambda _: NOTHING_READ)
    hint, able = asking.answer(HintRequest(call_id=call_id, language="zh"), routing.agents(), at)
    routing.keep(Given(hint, able))
    return hint.id


def test_a_roster_is_replaced_changed_and_left(routing: Routing) -> None:
    routing.replace([Agent(id="b"), Agent(id="a")])
    routing.put(Agent(id="b", state="away"))
    routing.put(Agent(id="c"))
    assert [(one.id, one.state) for one in routing.agents()] == [("a", "available"), ("b", "away"), ("c", "available")]
    assert routing.remove("a")
    assert not routing.remove("a")
    routing.replace([])
    assert routing.agents() == []


def test_the_last_hint_on_a_call_counts_against_who_took_it(routing: Routing, store: CallStore) -> None:
    routing.replace([Agent(id="a", languages=("en",)), Agent(id="z", languages=("zh",), state="busy")])
    first = asked(routing, "c1", AT)
    routing.put(Agent(id="z", languages=("zh",)))
    second = asked(routing, "c1", AT + HOUR)
    asked(routing, "c2", AT + HOUR)
    assert [one.id for one in routing.unsent()][:2] == [first, second]
    routing.sent([first, second])
    assert [one.call_id for one in routing.unsent()] == ["c2"]
    found = routing.hint("c1")
    assert found is not None
    assert (found.id, [one.agent_id for one in found.agents]) == (second, ["z"])
    store.write([CallStarted(call_id="c1", at=AT, protocol="t", agent_id="z")], {})
    assert routing.accuracy(AT, AT + 2 * HOUR) == Accuracy(calls=1, first=1.0, named=1.0, needs_met=1.0)
    assert routing.taken("c1", "a")
    assert routing.accuracy(AT, AT + 2 * HOUR) == Accuracy(calls=1, first=0.0, named=0.0, needs_met=0.0)
    assert routing.accuracy(AT - HOUR, AT) == Accuracy(calls=0, first=None, named=None, needs_met=None)
    assert not routing.taken("unknown", "a")


def test_one_agent_told_by_several_at_once_is_one(routing: Routing) -> None:
    together = Barrier(4, timeout=30)

    def tell(idle_s: float) -> None:
        together.wait()
        for _ in range(10):
            routing.put(Agent(id="a", idle_s=idle_s))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, range(4)))
    (found,) = routing.agents()
    assert found.idle_s in range(4)


def test_of_the_hints_on_a_call_the_last_one_of_the_time_counts(routing: Routing) -> None:
    for hour, agents in ((0, ["a", "b"]), (1, ["b"]), (9, ["a"])):
        routing.replace([Agent(id=one, languages=("zh",)) for one in agents])
        asked(routing, "c", AT + hour * HOUR)
    assert routing.taken("c", "a")
    assert routing.accuracy(AT, AT + HOUR) == Accuracy(calls=1, first=1.0, named=1.0, needs_met=1.0)
    assert routing.accuracy(AT, AT + 2 * HOUR) == Accuracy(calls=1, first=0.0, named=0.0, needs_met=0.0)
    assert routing.accuracy(AT, AT + 10 * HOUR).first == 1.0
