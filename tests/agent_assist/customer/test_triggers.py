from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.events import Consent, CustomerEvent, Line, Order
from agent_assist.customer.facts import facts
from agent_assist.customer.triggers import Leaving, Policy, Trigger, awake, triggers

SHANGHAI = ZoneInfo("Asia/Shanghai")
POLICY = Policy(zone=SHANGHAI)
NOON = datetime(2026, 3, 1, 12, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


def order(number: int, at: datetime, **more: Any) -> Order:
    given = {"order_id": f"o{number}", "ordered_at": at, "amount": Decimal(10), "currency": "CNY"} | more
    told = given.pop("told", at)
    return Order(**({"event_id": f"e{number}", "customer_id": "c", "at": told} | given))


def due(*events: CustomerEvent, leaving: Leaving | None = None, policy: Policy = POLICY) -> dict[str, Trigger]:
    return {one.id: one for one in triggers(facts("c", events), policy, leaving)}


@pytest.mark.parametrize(("days", "expected"), [(6, False), (7, True), (8, True)])
def test_the_guide_is_due_seven_days_after_the_first_purchase(days: int, expected: bool) -> None:
    guide = due(order(1, NOON))["c:usage_guide:first"]
    assert (guide.due_at <= NOON + days * DAY) is expected
    assert guide.due_at == NOON + 7 * DAY
    assert guide.evidence == ("e1",)


def test_a_second_purchase_does_not_begin_it_anew() -> None:
    assert due(order(1, NOON), order(2, NOON + 3 * DAY)) == due(order(1, NOON))
    late_told = due(order(2, NOON + 3 * DAY), order(1, NOON))
    assert late_told == due(order(1, NOON))


def test_an_order_that_was_cancelled_is_no_purchase() -> None:
    cancelled = order(1, NOON, event_id="z", told=NOON + DAY, status="cancelled")
    assert due(order(1, NOON), cancelled) == {}
    assert due(order(1, NOON), cancelled, order(2, NOON + 2 * DAY))["c:usage_guide:first"].due_at == NOON + 9 * DAY


def test_days_are_those_of_the_business_where_clocks_change() -> None:
    # New York goes from UTC-5 to UTC-4 on 8 March 2026.
    zone = ZoneInfo("America/New_York")
    first = datetime(2026, 3, 5, 10, tzinfo=zone)
    guide = due(order(1, first.astimezone(UTC)), policy=Policy(zone=zone))["c:usage_guide:first"]
    assert guide.due_at == datetime(2026, 3, 12, 10, tzinfo=zone)
    assert guide.due_at.astimezone(UTC) - first.astimezone(UTC) == 7 * DAY - timedelta(hours=1)


def test_a_prediction_that_moves_makes_no_second_benefit_and_a_new_cycle_does() -> None:
    def benefit(day: int, cycle: str) -> Trigger:
        found = due(order(1, NOON), leaving=Leaving(NOON + day * DAY, cycle))
        (one,) = (each for each in found.values() if each.kind == "retention_benefit")
        return one

    assert benefit(60, "o1").due_at == NOON + 30 * DAY
    assert benefit(50, "o1").due_at == NOON + 20 * DAY
    assert benefit(50, "o1").id == benefit(60, "o1").id != benefit(60, "o2").id
    assert "2026-04-30" in benefit(60, "o1").text["en"]


def test_who_does_not_want_to_be_called_is_not() -> None:
    def said(number: int, *, granted: bool) -> Consent:
        at = NOON + number * DAY
        return Consent(event_id=f"c{number}", customer_id="c", at=at, purpose="outbound", granted=granted)

    assert [one.held for one in due(order(1, NOON), said(1, granted=False)).values()] == ["opt_out"]
    assert [one.held for one in due(order(1, NOON), said(1, granted=False), said(2, granted=True)).values()] == [""]


def test_orders_that_are_likely_to_be_late_are_told_of_before_and_those_that_arrived_are_not() -> None:
    promised = NOON + 5 * DAY

    def late(status: str) -> list[datetime]:
        found = due(order(1, NOON, status=status, promised_by=promised))
        return [one.due_at for one in found.values() if one.kind == "late_order"]

    assert late("paid") == late("open") == [promised - DAY]
    assert late("shipped") == [promised]
    assert late("delivered") == late("cancelled") == late("returned") == []


def test_goods_that_are_hard_to_use_bring_guidance_when_they_arrive() -> None:
    lines = (Line(product_id="drone", name="无人机"), Line(product_id="cable"))
    policy = Policy(zone=SHANGHAI, complex_products=frozenset({"drone"}))
    found = due(order(1, NOON, told=NOON + 2 * DAY, status="delivered", lines=lines), policy=policy)
    guide = found["c:product_guide:o1:drone"]
    assert (guide.due_at, "无人机" in guide.text["zh"]) == (NOON + 3 * DAY, True)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("at", "expected"),
    [("08:59", "09:00"), ("09:00", "09:00"), ("19:59", "19:59"), ("20:00", "+09:00"), ("00:00", "09:00")],
)
def test_nothing_falls_into_the_quiet_hours(at: str, expected: str) -> None:
    hour = NOON.replace(hour=0) + timedelta(hours=int(at[:2]), minutes=int(at[3:]))
    moved = awake(hour.astimezone(UTC), POLICY)
    assert moved.strftime("%H:%M") == expected.removeprefix("+")
    assert moved.date() == hour.date() + (DAY if expected.startswith("+") else timedelta(0))


@given(st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)), st.times(), st.times())  # noqa: DTZ001
def test_what_is_moved_is_moved_forward_by_less_than_a_day_to_the_end_of_the_quiet(
    local: datetime, begin: time, end: time
) -> None:
    policy = Policy(zone=UTC, quiet_from=begin, quiet_to=end)
    at = local.replace(tzinfo=UTC)
    moved = awake(at, policy)
    assert at <= moved < at + DAY
    assert moved == at or moved.time() == end
    assert awake(moved, policy) == moved
