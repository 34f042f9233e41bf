from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.events import (
    Case,
    Consent,
    CustomerEvent,
    Identified,
    Interaction,
    Known,
    Merged,
    Order,
    Tagged,
)
from agent_assist.customer.facts import facts

START = datetime(2026, 1, 1, tzinfo=UTC)


def order(event_id: str, minute: int, order_id: str = "o1", amount: str = "10", **more: str) -> Order:
    at = START + timedelta(minutes=minute)
    return msgspec.convert(
        {"event_id": event_id, "customer_id": "c", "at": at, "order_id": order_id, "ordered_at": START}
        | {"amount": amount, "currency": "CNY"}
        | more,
        Order,
    )


def some(number: int, minute: int, which: int) -> CustomerEvent:
    """One of many events that speak of the same few things."""
    at, event_id = START + timedelta(minutes=minute), f"e{number}"
    kinds: list[CustomerEvent] = [
        Known(event_id=event_id, customer_id="c", at=at, name=f"name {number}"),
        Known(event_id=event_id, customer_id="c", at=at, region="north", attributes={"colour": str(number)}),
        Identified(event_id=event_id, customer_id="c", at=at, kind="phone", value="+861", belongs=number % 2 == 0),
        order(event_id, minute, f"o{number % 3}", str(number)),
        Case(event_id=event_id, customer_id="c", at=at, case_id="k", opened_at=START, type="fault", issue=str(number)),
        Interaction(event_id=event_id, customer_id="c", at=at, interaction_id=f"i{number % 3}", channel="chat"),
        Consent(event_id=event_id, customer_id="c", at=at, purpose="offers", granted=number % 2 == 0),
        Tagged(event_id=event_id, customer_id="c", at=at, tag="vip", present=number % 2 == 0),
        Merged(event_id=event_id, customer_id="c2", at=at, into="c"),
    ]  # fmt: skip
    return kinds[which]


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8)), max_size=25).map(
    lambda drawn: [some(number, minute, which) for number, (minute, which) in enumerate(drawn)]
)


@given(EVENTS, st.integers())
def test_the_order_and_number_of_arrivals_does_not_matter(events: list[CustomerEvent], seed: int) -> None:
    random = Random(seed)
    again = events + random.choices(events, k=5) if events else []
    random.shuffle(again)
    assert facts("c", again) == facts("c", events)


@given(EVENTS, st.integers(0, 5))
def test_a_customer_at_a_time_is_one_of_whom_nothing_later_has_come(events: list[CustomerEvent], minute: int) -> None:
    at = START + timedelta(minutes=minute)
    assert facts("c", events, at) == facts("c", [event for event in events if event.at <= at])


def test_the_latest_statement_about_an_order_holds() -> None:
    paid, returned = order("a", 0, status="paid"), order("b", 5, status="returned")
    assert [one.status for one in facts("c", [returned, paid]).orders] == ["returned"]
    assert [one.status for one in facts("c", [returned, paid], START).orders] == ["paid"]


def test_a_field_that_is_not_given_stays_and_one_that_is_none_goes() -> None:
    events = [
        Known(event_id="1", customer_id="c", at=START, name="李雷", contract_until=START.date()),
        Known(event_id="2", customer_id="c", at=START + timedelta(1), region="Beijing", contract_until=None),
    ]
    found = facts("c", events)
    assert (found.name, found.region, found.contract_until) == ("李雷", "Beijing", None)


def test_an_address_that_no_longer_belongs_to_the_customer_is_gone() -> None:
    def phone(event_id: str, day: int, *, belongs: bool) -> Identified:
        at = START + timedelta(day)
        return Identified(event_id=event_id, customer_id="c", at=at, kind="phone", value="+861", belongs=belongs)

    assert facts("c", [phone("1", 0, belongs=True)]).identities == (("phone", "+861"),)
    assert facts("c", [phone("2", 1, belongs=False), phone("1", 0, belongs=True)]).identities == ()


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e400", "1000000000000", "0." + "1" * 29])
def test_an_amount_that_is_none_is_told(amount: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"expected an amount of 0 or more and below"):
        order("1", 0, amount=amount)


def test_amounts_are_exact() -> None:
    assert order("1", 0, amount="0.10").amount + order("2", 0, amount="0.20").amount == Decimal("0.30")
