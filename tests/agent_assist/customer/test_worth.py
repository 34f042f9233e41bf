from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent_assist.customer.events import CustomerEvent, Known, Order
from agent_assist.customer.facts import facts
from agent_assist.customer.purchases import Trade, bought
from agent_assist.customer.rfm import Population
from agent_assist.customer.tags import Business, Fitted, WorthPolicy
from agent_assist.customer.worth import Clv, Ledger, clv, history
from models.clv import Money, Purchases

NOW = datetime(2026, 7, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)
# Of CDNOW, as published: Fader, Hardie, Lee 2005; Fader, Hardie 2013.
CDNOW = Fitted(purchases=Purchases(r=0.243, alpha=4.414, a=0.793, b=2.426), money=Money(p=6.25, q=3.74, gamma=15.44))
COUNTED = Business(
    worth=WorthPolicy("orders", 0.3),
    fitted=CDNOW,
    population=Population(
        as_of=NOW, n=1, silence=(0, 0, 0, 0), frequency=(0, 0, 0, 0), monetary=(0, 0, 0, 0), high_order=0
    ),
)


def order(number: int, at: datetime, amount: int = 30) -> Order:
    return Order(
        event_id=f"o{number}", customer_id="c", at=at, order_id=f"o{number}", ordered_at=at, amount=Decimal(amount),
        currency="CNY",
    )  # fmt: skip


def worth(business: Business, *events: CustomerEvent) -> Clv:
    known = facts("c", events, NOW)
    return clv(known, bought(known, NOW, Trade()), NOW, business)


def test_orders_of_one_day_where_the_business_is_are_one_purchase() -> None:
    midnight = datetime(2026, 7, 1, 16, tzinfo=UTC)
    events = [order(1, midnight - 7 * DAY), order(2, midnight - timedelta(hours=1)), order(3, midnight, 50)]
    had = bought(facts("c", events, NOW), NOW, Trade())
    assert history(had, NOW, UTC) == (1, 1.0, 3.0, 80.0)
    assert list(history(had, NOW, ZoneInfo("Asia/Shanghai"))) == pytest.approx([2, 1.0, 20 / 7, 40.0])


def test_who_buys_often_and_lately_is_worth_more_and_the_interval_holds_what_is_expected() -> None:
    often = [order(n, NOW - 20 * n * DAY) for n in range(1, 11)]
    found = worth(COUNTED, *often)
    once = worth(COUNTED, order(1, NOW - 300 * DAY))
    silent = worth(COUNTED, *[order(n, NOW - (400 + 20 * n) * DAY) for n in range(10)])
    assert found.margin is not None
    assert once.margin is not None
    assert silent.margin is not None
    assert found.margin > once.margin > silent.margin > 0
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.margin < found.high
    assert found.alive is not None
    assert silent.alive is not None
    assert found.alive > 0.8 > 0.1 > silent.alive
    assert (found.weeks, found.currency, found.why) == (52, "CNY", "")
    # The same customer at the same time is worth the same.
    assert worth(COUNTED, *often) == found


@pytest.mark.parametrize(
    ("business", "events", "why"),
    [
        (Business(), (), "trade"),
        (Business(worth=WorthPolicy("orders")), (), "margin"),
        (COUNTED._replace(population=None, fitted=None), (order(1, NOW - DAY),), "count"),
        (COUNTED._replace(fitted=None), (order(1, NOW - DAY),), "fit"),
        (COUNTED, (), "orders"),
        (
            COUNTED._replace(fitted=Fitted(purchases=CDNOW.purchases, money=Money(p=6, q=0.9, gamma=15))),
            (order(1, NOW - DAY),),
            "fit",
        ),
    ],
)
def test_where_it_is_not_known_it_is_said_why(business: Business, events: tuple[CustomerEvent, ...], why: str) -> None:
    found = worth(business, *events)
    assert (found.margin, found.low, found.high, found.why) == (None, None, None, why)


def contract(**more: Any) -> Known:
    given: dict[str, Any] = {
        "joined_at": NOW - 500 * DAY,
        "contract_until": date(2027, 1, 1),
        "attributes": {"price": "70"},
    }
    return Known(event_id="k", customer_id="c", at=NOW - DAY, **(given | more))


def test_a_contract_is_worth_the_months_that_are_likely_to_be_paid() -> None:
    business = Business(worth=WorthPolicy("contract", 0.5, 0.0))
    found = worth(business, contract())
    assert found.margin is not None
    assert found.alive is not None
    assert found.low is not None
    assert 12 * 35 * found.alive < found.margin < 12 * 35
    assert found.low <= found.margin
    # Most of such customers stay for the year.
    assert found.high == pytest.approx(12 * 35)
    dearer = worth(business, contract(attributes={"price": "90"}))
    assert dearer.margin is not None
    assert dearer.margin > found.margin
    discounted = worth(Business(worth=WorthPolicy("contract", 0.5, 0.1)), contract())
    assert discounted.margin is not None
    assert discounted.margin < found.margin


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"contract_until": None}, "contract"),
        ({"contract_until": date(2026, 7, 14)}, "contract"),
        ({"joined_at": None}, "tenure"),
        ({"attributes": {}}, "price"),
        ({"attributes": {"price": "nan"}}, "price"),
        ({"attributes": {"price": "-1"}}, "price"),
    ],
)
def test_a_contract_of_which_too_little_is_known_has_no_worth(more: dict[str, Any], why: str) -> None:
    found = worth(Business(worth=WorthPolicy("contract", 0.5)), contract(**more))
    assert (found.margin, found.why) == (None, why)


def test_chances_that_are_as_good_as_certain_overflow_nothing() -> None:
    ledger, trade = Ledger(UTC), Trade()
    for n in range(60):
        days = [400 - n - 30 * k * (1 + n % 5) for k in range(1 + n % 4)]
        events = [order(k, NOW - day * DAY, 50 + n) for k, day in enumerate(days)]
        ledger.add(bought(facts("c", events, NOW), NOW, trade), NOW)
    fitted = ledger.fit()
    assert max(fitted.purchases.a, fitted.purchases.b) <= 100
    found = worth(COUNTED._replace(fitted=fitted), order(1, NOW - 100 * DAY), order(2, NOW - 40 * DAY))
    assert found.margin is not None
    assert found.margin > 0
