"""The roster and how often hints were right, in either database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from agent_assist.routing.asking import Asking
from agent_assist.routing.policy import load
from agent_assist.routing.types import Agent, HintRequest
from agent_assist.store.calls import CallStore
from agent_assist.store.routing import Accuracy, Given, Routing
from models.reading import NOTHING_READ

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
ASKING = Asking(load(), None, lambda _: NOTHING_READ)


@pytest.fixture
def routing(store: CallStore) -> Routing:
    return Routing(store.engine)


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


def test_a_whole_roster_takes_the_place_of_the_one_before(routing: Routing) -> None:
    routing.put(Agent(id="gone"))
    routing.replace([Agent(id="b"), Agent(id="a")])
    assert [one.id for one in routing.agents()] == ["a", "b"]
    routing.replace([])
    assert routing.agents() == []


def test_of_the_hints_on_a_call_the_last_one_of_the_time_counts(routing: Routing) -> None:
    for minute, agents in ((0, ["a", "b"]), (1, ["b"]), (9, ["a"])):
        asked = HintRequest(call_id="c")
        here = [Agent(id=one) for one in agents]
        routing.keep(Given(*ASKING.answer(asked, here, AT + timedelta(minutes=minute))))
    assert routing.taken("c", "a")
    minute = timedelta(minutes=1)
    assert routing.accuracy(AT, AT + minute) == Accuracy(calls=1, first=1.0, named=1.0, needs_met=1.0)
    assert routing.accuracy(AT, AT + 2 * minute) == Accuracy(calls=1, first=0.0, named=0.0, needs_met=0.0)
    assert routing.accuracy(AT, AT + 10 * minute).first == 1.0
    assert routing.accuracy(AT - minute, AT) == Accuracy(calls=0, first=None, named=None, needs_met=None)
