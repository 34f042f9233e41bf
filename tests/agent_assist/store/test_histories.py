"""What was had with a customer, and each risk that was told; on both databases."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent_assist.customer.caller import Caller
from agent_assist.customer.events import Case, CustomerEvent, Interaction, Merged, Order, Survey
from agent_assist.store.customers import CustomerStore
from agent_assist.store.histories import Histories, Place
from agent_assist.store.moods import TextMoods
from agent_assist.types import CallEnded, CallRisk, CallStarted, CustomerKnown, Final
from models.types import ChurnRisk, RiskLevel

AT = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def told(number: int, customer: str = "k") -> list[CustomerEvent]:
    at, amount = AT + number * DAY, Decimal("9.50")
    more: dict[str, Any] = {"customer_id": customer, "at": at}
    later = at + timedelta(hours=1)
    return [
        Order(event_id=f"o{number}", **more, order_id=f"o{number}", ordered_at=at, amount=amount, currency="CNY"),
        Case(event_id=f"k{number}", **more, case_id=f"k{number}", opened_at=later, type="complaint"),
        Survey(event_id=f"s{number}", **more, survey_id=f"s{number}", kind="csat", score=2.0),
        Interaction(event_id=f"i{number}", **more, interaction_id=f"i{number}", channel="email", text="so  late"),
    ]  # fmt: skip


def called(call_id: str, at: datetime, customer: str, *scores: float) -> list[Any]:
    start = CallStarted(call_id=call_id, at=at, protocol="t", customer_id=customer, agent_id="anna")
    levels = [ChurnRisk(score=score, level=RiskLevel.WATCH, reasons=(), model_version="m") for score in scores]
    risks = [
        CallRisk(call_id=call_id, customer_id=customer, at_ms=1000 * n, risk=risk) for n, risk in enumerate(levels)
    ]
    return [start, *risks, CallEnded(call_id=call_id, duration_ms=60_000, reason="hangup")]


@pytest.fixture
def histories(store: Any) -> Histories:
    customers = CustomerStore(store.engine)
    customers.take(
        [*told(0), *told(2, "old"), Merged(event_id="m", customer_id="old", at=AT, into="k")], "t", AT + 4 * DAY
    )
    contact = Interaction(
        event_id="call:c1", customer_id="k", at=AT + 3 * DAY, interaction_id="c1", channel="phone", call_id="c1",
        text="Asked for the order.", valence=-0.4, agitation=0.7, complaint=True,
    )  # fmt: skip
    customers.take([contact], "t", AT + 4 * DAY)
    store.write([*called("c1", AT + 3 * DAY, "k", 0.3, 0.5), *called("c0", AT + DAY, "old", 0.2)], {})
    store.write(called("x", AT, "somebody", 0.9), {})
    return Histories(customers, store.engine)


def test_all_channels_stand_in_one_order_and_a_call_stands_there_once(histories: Histories) -> None:
    found = histories.timeline("old", 50)
    assert [entry.id for entry in found] == ["c1", "k2", "s2", "o2", "i2", "c0", "k0", "s0", "o0", "i0"]
    call = found[0]
    assert (call.kind, call.line, call.complaint, call.agent_id) == ("call", "Asked for the order.", True, "anna")
    assert call.mood is not None
    assert (call.mood.value, call.mood.agitation, call.mood.of) == (-0.4, 0.7, "call")
    assert call.risk is not None
    assert call.risk.score == 0.5
    assert found[4].line == "so late"
    assert found[5].mood is None


@pytest.mark.parametrize("size", [1, 3, 4, 10])
def test_pages_of_any_size_hold_each_entry_once(histories: Histories, size: int) -> None:
    pages, before = [], None
    while page := histories.timeline("k", size, before):
        pages += page
        before = Place(page[-1].at, page[-1].kind, page[-1].id)
    assert pages == histories.timeline("k", 50)


def test_each_risk_is_kept_and_read_a_page_at_a_time(histories: Histories) -> None:
    whole = [(risk.call_id, risk.at_ms, risk.risk.score) for risk, _ in histories.risks("k", 9)]
    assert whole == [("c1", 1000, 0.5), ("c1", 0, 0.3), ("c0", 0, 0.2)]
    [(first, place)] = histories.risks("old", 1)
    assert first.at == AT + 3 * DAY + timedelta(seconds=1)
    rest = [(risk.call_id, risk.at_ms) for risk, _ in histories.risks("old", 9, place)]
    assert rest == [("c1", 0), ("c0", 0)]


def test_of_two_risks_at_one_time_the_later_is_kept(store: Any, histories: Histories) -> None:
    store.write([called("c1", AT + 3 * DAY, "k", 0.3, 0.8)[2]], {})
    assert [risk.risk.score for risk, _ in histories.risks("k", 9)] == [0.8, 0.3, 0.2]


def test_what_is_written_waits_until_it_is_read_and_its_mood_stands_with_it(store: Any, histories: Histories) -> None:
    texts = TextMoods(store.engine)
    assert sorted(texts.unread(9)) == [("i0", "so  late"), ("i2", "so  late")]
    texts.keep("m", [("i0", -0.6, 0.9), ("i2", None, 0.0)])
    assert texts.unread(9) == []
    moods = {entry.id: entry.mood for entry in histories.timeline("k", 50)}
    assert moods["i0"] is not None
    assert (moods["i0"].value, moods["i0"].of) == (-0.6, "text")
    assert moods["i2"] is None


def test_a_call_is_read_back_as_the_rules_saw_it(store: Any) -> None:
    first = Caller(at=AT, customer_id="k", attributes={"greeting": "hi"})
    start = CallStarted(call_id="c", at=AT, protocol="t", attributes={"greeting": "hi", "tenant": "t"}, caller=first)
    later = CustomerKnown(
        call_id="c",
        caller=Caller(at=AT + timedelta(seconds=1), customer_id="k", name="Kim", attributes={"stage": "x"}),
        arrived_at=AT,
    )
    end = CallEnded(call_id="c", duration_ms=9, reason="hangup")
    store.write([start], {}, [3])
    store.write([later, end], {}, [5, 7])
    store.write([later], {}, [9])
    assert store.events("c") == [start, later, end]
    record = store.call("c")
    assert record is not None
    assert (record.customer_id, record.customer_name) == ("k", "Kim")
    assert record.attributes == {"tenant": "t", "stage": "x"}
    assert store.events("nobody") == []
    assert not any(isinstance(event, Final) for event in store.events("c"))
