from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.events import Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import Trade, bought
from agent_assist.customer.stage import Stage, StagePolicy, known_since, long_term, read_phrases, stage
from agent_assist.errors import CustomerTableError

START = datetime(2025, 1, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
SECOND = timedelta(seconds=1)


def customer(*days: float, contract_until: date | None = None, joined_at: datetime | None = None) -> Facts:
    """Who ordered so many days after START."""
    return Facts(
        customer_id="c",
        contract_until=contract_until,
        joined_at=joined_at,
        orders=tuple(
            Order(
                event_id=f"e{i}",
                customer_id="c",
                at=START,
                order_id=f"o{i}",
                currency="CNY",
                amount=Decimal(10),
                ordered_at=START + timedelta(days=day),
            )
            for i, day in enumerate(sorted(days))
        ),
    )


def at_day(of: Facts, day: float, churn: float | None = None) -> Stage:
    at = START + timedelta(days=day)
    return stage(of, bought(of, at, Trade()), at, SHANGHAI, churn=churn)


def test_a_life_goes_through_its_stages() -> None:
    life = customer(0, 40, 80, 120, 160, 200, 400)
    assert [at_day(life, day) for day in (-1, 0, 30, 31, 100, 179, 185, 260, 261, 320, 321, 399, 400, 459)] == [
        Stage.LEAD, Stage.NEW, Stage.NEW, Stage.GROWING, Stage.GROWING, Stage.GROWING, Stage.REGULAR, Stage.REGULAR,
        Stage.SILENT, Stage.SILENT, Stage.LAPSED, Stage.LAPSED, Stage.WON_BACK, Stage.WON_BACK,
    ]  # fmt: skip


def test_the_limits_hold_to_the_second() -> None:
    # Bought every 10 days: lapsed after 60 days, the least, and silent after 30.
    often = customer(0, 10, 20, 30)
    second = 1 / 86_400
    assert at_day(often, 60) is Stage.GROWING
    assert at_day(often, 60 + second) is Stage.SILENT
    assert at_day(often, 90) is Stage.SILENT
    assert at_day(often, 90 + second) is Stage.LAPSED


def test_one_purchase_is_judged_by_the_usual_interval() -> None:
    once = customer(0)
    assert [at_day(once, day) for day in (30, 60, 61, 120, 121)] == [
        Stage.NEW, Stage.GROWING, Stage.SILENT, Stage.SILENT, Stage.LAPSED,
    ]  # fmt: skip


def test_a_risk_comes_before_all_but_a_lapse() -> None:
    once = customer(0)
    assert at_day(once, 1, churn=0.49) is Stage.NEW
    assert at_day(once, 1, churn=0.50) is Stage.AT_RISK
    assert at_day(once, 121, churn=0.99) is Stage.LAPSED
    assert at_day(customer(), 1, churn=0.99) is Stage.LEAD


def test_a_contract_is_held_to_the_last_second_of_its_last_day_where_the_business_is() -> None:
    subscriber = customer(contract_until=date(2025, 12, 31), joined_at=START)
    assert at_day(subscriber, 10) is Stage.NEW
    assert at_day(subscriber, 100) is Stage.GROWING
    assert at_day(subscriber, 300) is Stage.REGULAR
    assert at_day(subscriber, 350) is Stage.AT_RISK
    last = datetime(2025, 12, 31, 23, 59, 59, tzinfo=SHANGHAI)
    for at, expected in ((last, Stage.AT_RISK), (last + SECOND, Stage.LAPSED)):
        assert stage(subscriber, bought(subscriber, at, Trade()), at, SHANGHAI) is expected


def test_who_buys_after_the_contract_is_judged_by_that() -> None:
    former = customer(0, 300, contract_until=date(2025, 6, 30))
    assert at_day(former, 250) is Stage.LAPSED
    assert at_day(former, 305) is Stage.WON_BACK


@given(
    st.lists(st.floats(0, 900), max_size=8),
    st.none() | st.dates(date(2024, 6, 1), date(2028, 1, 1)),
    st.none() | st.datetimes(datetime(2023, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.floats(-10, 1200),
    st.none() | st.floats(0, 1),
)
def test_every_customer_is_in_one_stage_at_any_time(
    days: list[float], contract: date | None, joined: datetime | None, day: float, churn: float | None
) -> None:
    of = customer(*days, contract_until=contract, joined_at=joined)
    found = at_day(of, day, churn)
    assert found in Stage
    ordered = any(timedelta(days=each) <= timedelta(days=day) for each in days)
    assert (found is Stage.LEAD) == (contract is None and not ordered)
    if found in {Stage.SILENT, Stage.WON_BACK}:
        assert days
    if found is Stage.AT_RISK:
        assert (churn is not None and churn >= 0.5) or contract is not None


def test_long_term_begins_with_the_second_of_the_third_anniversary() -> None:
    began = datetime(2023, 5, 7, 14, 30, 5, tzinfo=SHANGHAI)
    due = datetime(2026, 5, 7, 14, 30, 5, tzinfo=SHANGHAI)
    assert [long_term(began, due + step, SHANGHAI) for step in (-SECOND, timedelta(0), SECOND)] == [False, True, True]
    assert long_term(began.astimezone(UTC), due.astimezone(UTC), SHANGHAI)


def test_long_term_is_counted_in_the_zone_of_the_business() -> None:
    # In Shanghai it is 1 March already, and so it is three years later.
    began = datetime(2024, 2, 29, 16, 30, tzinfo=UTC)
    due = datetime(2027, 2, 28, 16, 30, tzinfo=UTC)
    assert not long_term(began, due - SECOND, SHANGHAI)
    assert long_term(began, due, SHANGHAI)
    assert not long_term(began, due, UTC)


def test_a_leap_day_grows_older_on_the_first_of_march() -> None:
    began = datetime(2024, 2, 29, 12, tzinfo=SHANGHAI)
    due = datetime(2027, 3, 1, 12, tzinfo=SHANGHAI)
    assert [long_term(began, due + step, SHANGHAI) for step in (-SECOND, timedelta(0))] == [False, True]
    again = datetime(2028, 2, 29, 12, tzinfo=SHANGHAI)
    assert [long_term(began, again + step, SHANGHAI, 4) for step in (-SECOND, timedelta(0))] == [False, True]


def test_trade_began_with_the_earlier_of_joining_and_the_first_order() -> None:
    of = customer(5, joined_at=START)
    later = START + timedelta(days=9)
    assert known_since(of, bought(of, later, Trade()), later) == START
    assert known_since(customer(5), bought(customer(5), later, Trade()), later) == START + timedelta(days=5)
    assert known_since(customer(), bought(customer(), later, Trade()), later) is None


def test_every_stage_has_words_in_both_languages(tmp_path: Path) -> None:
    assert set(read_phrases().stages) == set(Stage)
    path = tmp_path / "stages.yaml"
    path.write_text("stages: {lead: {zh: 好}}\nlong_term: {zh: 好, en: Good}", encoding="utf-8")
    with pytest.raises(CustomerTableError, match="words of lead in zh and en, got zh"):
        read_phrases(path)


def test_a_policy_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="silent_share"):
        StagePolicy(silent_share=0)
