"""Which hand-off a call follows, in either database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from agent_assist.call.handoff import BotTurn, HandoffGiven
from agent_assist.errors import HandoffConflict
from agent_assist.store.calls import CallStore
from agent_assist.store.handoffs import Handoffs, Ringing

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def handoffs(store: CallStore) -> Handoffs:
    return Handoffs(store.engine)


def given(name: str, minute: int = 0, **more: Any) -> HandoffGiven:
    said = (BotTurn(by="customer", text=f"about {name}"),)
    return HandoffGiven(id=name, at=AT + minute * MINUTE, turns=said, **more)


def follows(handoffs: Handoffs, minute: int = 10, **ringing: Any) -> str | None:
    known = {"call_id": "c", "customers": (ringing.pop("customer_id"),) if "customer_id" in ringing else ()} | ringing
    found = handoffs.begin(Ringing(at=AT + minute * MINUTE, **known))
    return None if found is None else found.id


def test_a_call_follows_the_one_with_its_id_or_key_and_else_the_latest_of_its_customer_or_number(
    handoffs: Handoffs,
) -> None:
    for one in (
        given("call", 0, call_id="c9"),
        given("key", 0, key="k9"),
        given("old", 1, customer_id="a", phone="+8613800138000"),
        given("new", 2, customer_id="a"),
        given("number", 3, phone="+8613800138000"),
        given("other", 4, customer_id="b", phone="+8613800138000"),
    ):
        assert handoffs.take(one, AT)[1]
    assert follows(handoffs, call_id="c9", customer_id="a") == "call"
    assert follows(handoffs, key="k9", customer_id="a") == "key"
    assert follows(handoffs, customer_id="a") == "new"
    assert follows(handoffs, customer_id="a", phone="+8613800138000") == "number"
    assert follows(handoffs, phone="+8613800138000") == "other"
    assert follows(handoffs, customer_id="c", phone="+8613800138000") == "number"
    assert follows(handoffs) is None


def test_it_is_found_by_any_id_of_the_customer(handoffs: Handoffs) -> None:
    handoffs.take(given("before", 0, customer_id="old", phone="+8613800138000"), AT)
    assert follows(handoffs, customers=("other",), phone="+8613800138000") is None
    assert follows(handoffs, customers=("new", "old"), phone="+8613800138000") == "before"


def test_it_is_there_until_it_expires_and_then_goes(handoffs: Handoffs) -> None:
    handoffs.take(given("a", customer_id="a", expires_in_s=600), AT)
    assert follows(handoffs, 10, customer_id="a") == "a"
    assert follows(handoffs, 11, customer_id="a") is None
    assert handoffs.of_call("c", AT + 10 * MINUTE) is not None
    assert handoffs.of_call("c", AT + 11 * MINUTE) is None
    handoffs.take(given("b", 20, customer_id="b"), AT + 20 * MINUTE)
    assert handoffs.of_call("c", AT + 10 * MINUTE) is None


def test_what_has_expired_goes_also_where_nothing_new_comes(handoffs: Handoffs) -> None:
    handoffs.take(given("a", customer_id="a", expires_in_s=600), AT)
    handoffs.take(given("b", customer_id="b", expires_in_s=660), AT)
    assert handoffs.expire(AT + 10 * MINUTE) == 0
    assert handoffs.expire(AT + 10.5 * MINUTE) == 1
    assert follows(handoffs, customer_id="b") == "b"


def test_it_is_that_of_one_call_however_often_that_rings(handoffs: Handoffs) -> None:
    handoffs.take(given("old", 0, customer_id="a"), AT)
    handoffs.take(given("new", 1, customer_id="a", key="k"), AT)
    assert follows(handoffs, call_id="first", key="k") == "new"
    assert follows(handoffs, call_id="first", customer_id="a") == "new"
    assert follows(handoffs, call_id="second", key="k") is None
    assert follows(handoffs, call_id="second", customer_id="a") == "old"
    assert follows(handoffs, call_id="third", customer_id="a") is None
    assert [handoffs.of_call(one, AT) is None for one in ("first", "second", "third")] == [False, False, True]


def test_of_two_calls_that_ring_at_once_one_has_it(handoffs: Handoffs) -> None:
    handoffs.take(given("a", customer_id="a"), AT)
    both = Barrier(2, timeout=30)

    def ring(call_id: str) -> str | None:
        both.wait()
        return follows(handoffs, call_id=call_id, customer_id="a")

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ring, ("x", "y")), key=lambda one: one or "") == [None, "a"]


def test_the_same_again_is_one_and_another_under_its_id_is_refused(handoffs: Handoffs) -> None:
    assert handoffs.take(given("a", key="k"), AT)[1]
    assert not handoffs.take(given("a", key="k"), AT)[1]
    with pytest.raises(HandoffConflict, match="'a'"):
        handoffs.take(given("a", key="else"), AT)
    assert follows(handoffs, key="k") == "a"
    assert follows(handoffs, key="else") is None
