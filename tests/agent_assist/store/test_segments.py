from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agent_assist.customer.events import CustomerEvent, Merged, Order
from agent_assist.customer.tags import Business, WorthPolicy, load
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore, Part
from agent_assist.store.profiles import Profiles
from agent_assist.store.segments import Move, Place, Query, Standing, Standings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def profiles(store: CallStore) -> Profiles:
    return Profiles(CustomerStore(store.engine), load(), Business())


def order(customer: str, days_ago: float, amount: int = 100, now: datetime = NOW) -> Order:
    at = now - days_ago * DAY
    return Order(
        event_id=f"{customer}{at:%y%m%d}", customer_id=customer, at=at, order_id=f"{customer}{at:%y%m%d}",
        ordered_at=at, amount=Decimal(amount), currency="CNY",
    )  # fmt: skip


def test_each_customer_is_placed_once_and_what_a_segment_comes_to_is_their_sum(profiles: Profiles) -> None:
    events: list[CustomerEvent] = [order(f"c{n}", 1 + n, 100 + n) for n in range(10)]
    events += [Merged(event_id="m", customer_id="c9", at=NOW, into="c8")]
    profiles.store.take(events, "api", NOW)
    done = profiles.count(NOW)
    assert done.customers == 9
    assert sum(part.customers for part in done.segments) == sum(part.customers for part in done.stages) == 9
    assert sum(part.value for part in done.segments) == sum(100 + n for n in range(10))
    assert done.stages == (Part(id="new", customers=9, value=Decimal(1045)),)
    assert (done.before, done.segment_moves) == (None, ())
    assert profiles.store.counts() == done
    # As each of them is shown.
    page = Standings(profiles.store.engine).find(NOW, None, Query(), 100)
    assert {one.customer_id: one.segment for one in page} == {
        one.customer_id: one.segment for n in range(9) if (one := profiles.of(f"c{n}", NOW)) is not None
    }


def test_who_moved_since_the_time_before_is_told_and_who_stayed_came_and_went(profiles: Profiles) -> None:
    profiles.store.take([order(name, 5) for name in ("stays", "falls", "merges")], "api", NOW)
    profiles.count(NOW)
    later = NOW + 130 * DAY
    events = [order("stays", 50, now=later), order("comes", 2, now=later)]
    profiles.store.take([*events, Merged(event_id="m", customer_id="merges", at=later, into="falls")], "api", later)
    done = profiles.count(later)
    assert done.before == NOW
    assert set(done.stage_moves) == {
        Move(before="new", now="growing", customers=1),
        Move(before="new", now="lapsed", customers=1),
        Move(before=None, now="new", customers=1),
        Move(before="new", now=None, customers=1),
    }
    found = Standings(profiles.store.engine).find(later, NOW, Query(stage="lapsed", stage_before="new"), 9)
    assert [(one.customer_id, one.stage_before) for one in found] == [("falls", "new")]


def test_pages_of_customers_hold_each_of_them_once_also_where_values_are_equal(store: CallStore) -> None:
    standings = Standings(store.engine)
    values = [float(n % 7) + 0.1 for n in range(1_200)]
    standings.keep(
        NOW,
        (
            Standing(customer_id=f"c{n:04}", segment="core" if n % 2 else "faded", stage="new", value=value)
            for n, value in enumerate(values)
        ),
    )
    seen: list[Standing] = []
    place: Place | None = None
    while page := standings.find(NOW, None, Query(segment="core"), 37, place):
        seen += page
        place = Place(page[-1].value, page[-1].customer_id)
    assert [one.customer_id for one in seen] == [
        f"c{n:04}" for n in sorted(range(1, 1_200, 2), key=lambda n: (-values[n], n))
    ]


def test_a_count_that_came_to_no_end_is_seen_by_nobody_and_goes(profiles: Profiles) -> None:
    profiles.store.take([order("a", 5)], "api", NOW)
    standings = Standings(profiles.store.engine)
    standings.keep(NOW - DAY, [Standing(customer_id="torn", segment="core", stage="new", value=1.0)])
    assert profiles.store.counts() is None
    done = [profiles.count(NOW + day * DAY) for day in range(4)]
    assert done[-1].before == NOW + 2 * DAY
    assert standings.find(NOW - DAY, None, Query(), 9) == []
    kept = [len(standings.find(NOW + day * DAY, None, Query(), 9)) for day in range(4)]
    assert kept == [0, 0, 1, 1]
    # The same count again is one.
    profiles.count(NOW + 3 * DAY)
    assert len(standings.find(NOW + 3 * DAY, None, Query(), 9)) == 1


def test_how_customers_buy_is_fitted_where_trade_has_no_contracts_and_the_data_tell_it(store: CallStore) -> None:
    events = [order(f"c{n}", 400 - n - 30 * k * (1 + n % 5), 50 + n) for n in range(60) for k in range(1 + n % 4)]
    business = Business(worth=WorthPolicy("orders", 0.3))
    profiles = Profiles(CustomerStore(store.engine), load(), business)
    profiles.store.take(events[:5], "api", NOW)
    assert profiles.count(NOW).fitted is None
    few = profiles.of("c0", NOW)
    assert few is not None
    assert (few.clv.margin, few.clv.why) == (None, "fit")
    profiles.store.take(events, "api", NOW)
    done = profiles.count(NOW + DAY)
    assert done.fitted is not None
    assert done.fitted.purchases.n == 60
    one = profiles.of("c3", NOW + DAY)
    assert one is not None
    assert one.clv.margin is not None
    assert one.clv.low is not None
    assert one.clv.high is not None
    assert 0 <= one.clv.low <= one.clv.high
    # Trade by contracts is fitted to nothing.
    contract = Profiles(profiles.store, load(), Business(worth=WorthPolicy("contract", 0.3)))
    assert contract.count(NOW + 2 * DAY).fitted is None
