"""Who calls: what is known at ring, and what the running call itself adds to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.caller import Caller, Running, caller, given_of, in_force, same
from agent_assist.customer.events import Case, CustomerEvent, Interaction, Known, Order
from agent_assist.customer.facts import facts
from agent_assist.customer.profile import profile
from agent_assist.customer.tags import Business, load
from models.churn import profile_risk, shipped

NOW = datetime(2026, 7, 15, 10, tzinfo=UTC)
HIGH = "high_risk_high_value"
DAY = timedelta(days=1)
SHOP = Business(order_values=(Decimal(50),) * 99, model=shipped("orders"))
COMPLAINS = Running(call_id="c", said=("complaint",))


def look(*events: CustomerEvent, running: Running | None = None, business: Business = SHOP) -> Caller:
    known = facts("k", events, NOW)
    return caller(profile(known, NOW, load(), business), known, load(), business, "zh", running)


def order(number: int = 1, amount: int = 90, days_ago: int = 40) -> Order:
    at = NOW - days_ago * DAY
    return Order(
        event_id=f"o{number}", customer_id="k", at=at, order_id=f"o{number}", ordered_at=at, amount=Decimal(amount),
        currency="CNY",
    )  # fmt: skip


def complaint(number: int, at: datetime) -> Case:
    name = f"k{number}"
    return Case(event_id=name, customer_id="k", at=at, case_id=name, opened_at=at, type="complaint")


def ids(found: Caller) -> set[str]:
    return {tag.id for tag in found.tags}


def test_the_complaint_of_the_running_call_is_the_second_one() -> None:
    known = (order(), complaint(1, NOW - DAY))
    assert HIGH not in ids(look(*known))
    found = look(*known, running=COMPLAINS)
    tag = next(tag for tag in found.tags if tag.id == HIGH)
    assert {proof.what for proof in tag.because} == {"order", "complaint", "call"}
    assert found.said == ("complaint",)
    assert HIGH in found.attributes["customer_tag_ids"].split(",")


def test_a_call_that_only_asks_changes_no_tag() -> None:
    known = (order(), complaint(1, NOW - DAY))
    assert look(*known, running=Running(call_id="c")) == look(*known)
    assert ids(look(*known, running=Running(call_id="c", said=("price",)))) == ids(look(*known))


@pytest.mark.parametrize(
    ("first", "holds"),
    [
        (datetime(2026, 4, 15, 10, tzinfo=UTC) - timedelta(seconds=1), False),
        (datetime(2026, 4, 15, 10, tzinfo=UTC), True),
        (datetime(2026, 4, 15, 10, tzinfo=UTC) + timedelta(seconds=1), True),
    ],
)
def test_with_the_call_the_three_months_are_as_exact_as_without(first: datetime, holds: bool) -> None:
    assert (HIGH in ids(look(order(), complaint(1, first), running=COMPLAINS))) is holds


@pytest.mark.parametrize(("amount", "holds"), [(49, False), (50, True)])
def test_with_the_call_the_order_value_has_to_be_high_as_without(amount: int, holds: bool) -> None:
    assert (HIGH in ids(look(order(amount=amount), complaint(1, NOW - DAY), running=COMPLAINS))) is holds


def test_a_call_that_is_told_already_is_no_further_complaint() -> None:
    told = Interaction(
        event_id="call:c", customer_id="k", at=NOW, interaction_id="c", channel="phone", call_id="c", complaint=True
    )
    assert HIGH not in ids(look(order(), told, running=COMPLAINS))


def test_the_running_call_counts_neither_for_the_standing_nor_as_its_own_reason() -> None:
    known = (order(), complaint(1, NOW - DAY))
    before, after = look(*known), look(*known, running=COMPLAINS)
    assert (before.standing, before.reasons, before.contacts) == (after.standing, after.reasons, after.contacts)


def test_each_complaint_of_the_profile_raises_the_risk() -> None:
    scores: list[float] = []
    for count in range(4):
        found = look(order(), *(complaint(number, NOW - DAY) for number in range(count))).standing
        assert found is not None
        scores.append(profile_risk(found).score or 0.0)
    assert scores == sorted(set(scores))


def test_twenty_orders_hide_no_complaint() -> None:
    orders = [order(number, days_ago=number) for number in range(1, 21)]
    found = look(*orders, complaint(1, NOW - 60 * DAY), complaint(2, NOW - 61 * DAY))
    tag = next(tag for tag in found.tags if tag.id == HIGH)
    assert len(tag.because) == 5
    assert "complaint" in {proof.what for proof in tag.because}
    assert tag.more == 17


def test_region_and_preferences_are_told() -> None:
    kim = Known(event_id="n", customer_id="k", at=NOW - DAY, region="CN-GD-SZ", attributes={"prefers_channel": "chat"})
    found = look(kim)
    assert "粤语" in found.manner["zh"]
    assert found.attributes["customer_prefers_channel"] == "chat"
    assert found.attributes["customer_manner"] == found.manner["zh"]
    assert "customer_manner" not in look(msgspec.structs.replace(kim, region="FR")).attributes


def test_the_same_is_the_same_whenever_it_is_looked_at() -> None:
    known = (order(), complaint(1, NOW - DAY))
    once = look(*known)
    assert same(once, msgspec.structs.replace(once, at=NOW + DAY))
    assert same(msgspec.json.decode(msgspec.json.encode(once), type=Caller), once)
    assert not same(once, look(*known, running=COMPLAINS))
    assert not same(None, once)


@given(
    given=st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3)),
    looks=st.lists(st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3)), min_size=1, max_size=3),
)
def test_what_the_telephone_side_told_is_told_apart_however_often_one_looks(
    given: dict[str, str], looks: Sequence[dict[str, str]]
) -> None:
    first = Caller(at=NOW, customer_id="k", attributes={k: v for k, v in looks[0].items() if k not in given})
    began = in_force(given, first)
    assert given_of(began, first) == given
    for found in looks:
        assert in_force(given, Caller(at=NOW, customer_id="k", attributes=found)) == found | given
