from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.days import Lunar, Solar, Touch, easter, falls, read_festivals, touches
from agent_assist.customer.events import Consent, Order, SpecialDate
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import Bought
from agent_assist.errors import CustomerTableError

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def on(day: date, *, bought: Bought | None = None, within: int = 0, calendars: str = "", **more: Any) -> list[Touch]:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    kept: frozenset[Literal["cn", "west"]] = frozenset(one for one in ("cn", "west") if one in calendars)
    return touches(Facts(customer_id="c", **more), bought or Bought(), at, UTC, within=within, calendars=kept)


def first_order(at: datetime) -> Bought:
    order = Order(event_id="e", customer_id="c", at=at, order_id="o", ordered_at=at, amount=Decimal(1), currency="CNY")
    return Bought(orders=(order,), total=Decimal(1))


def special(month: int, day: int, lunar: bool) -> SpecialDate:
    return SpecialDate(event_id="e", customer_id="c", at=NOON, name="wedding", month=month, day=day, lunar=lunar)


def days_of(rule: Any, year: int) -> list[date]:
    begin = date(year, 1, 1)
    return [day for day in (begin + timedelta(days=n) for n in range(365 + (year % 4 == 0))) if falls(rule, day)]


def test_a_birthday_comes_today_and_in_the_seven_days_before() -> None:
    born = date(1990, 6, 15)
    assert [(one.kind, one.in_days) for one in on(date(2026, 6, 15), birthday=born)] == [("birthday", 0)]
    assert [(one.on, one.in_days) for one in on(date(2026, 6, 8), birthday=born, within=7)] == [(date(2026, 6, 15), 7)]
    assert on(date(2026, 6, 7), birthday=born, within=7) == []
    assert on(date(2026, 6, 16), birthday=born, within=7) == []


def test_a_birthday_comes_over_the_turn_of_the_year() -> None:
    assert [one.on for one in on(date(2026, 12, 29), birthday=date(1990, 1, 2), within=7)] == [date(2027, 1, 2)]


def test_who_was_born_on_the_29th_of_february_is_greeted_on_the_28th_of_other_years() -> None:
    born = Solar(month=2, day=29)
    assert [days_of(born, year) for year in (2027, 2028)] == [[date(2027, 2, 28)], [date(2028, 2, 29)]]


def test_today_is_that_of_where_the_customer_is() -> None:
    late = datetime(2026, 6, 14, 16, 0, tzinfo=UTC)
    born = Facts(customer_id="c", birthday=date(1990, 6, 15))
    assert [one.in_days for one in touches(born, Bought(), late, SHANGHAI, within=0)] == [0]
    assert touches(born, Bought(), late - timedelta(seconds=1), SHANGHAI, within=0) == []
    assert touches(born, Bought(), late, UTC, within=0) == []


def test_the_first_purchase_has_anniversaries_and_its_day_is_none() -> None:
    bought = first_order(datetime(2024, 2, 29, 12, tzinfo=UTC))
    assert on(date(2024, 2, 29), bought=bought) == []
    assert [(one.kind, one.years) for one in on(date(2026, 2, 28), bought=bought)] == [("anniversary", 2)]


def test_a_customer_who_does_not_want_it_is_not_greeted() -> None:
    no = Consent(event_id="e", customer_id="c", at=NOON, purpose="offers", granted=False)
    born: dict[str, Any] = {"birthday": date(1990, 6, 15), "calendars": "cn"}
    assert on(date(2026, 6, 15), **born) != []
    assert on(date(2026, 6, 15), **born, attributes={"greetings": "No"}) == []
    assert on(date(2026, 6, 15), **born, consents={"offers": no}) == []


# Published days of the festivals (gov.cn holiday notices; Hong Kong Observatory's calendar).
@pytest.mark.parametrize(
    ("month", "day", "expected"),
    [
        (1, 1, [date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17), date(2027, 2, 6)]),
        (12, 30, [date(2023, 1, 21), date(2024, 2, 9), date(2025, 1, 28), date(2026, 2, 16), date(2027, 2, 5)]),
        (5, 5, [date(2023, 6, 22), date(2024, 6, 10), date(2025, 5, 31), date(2026, 6, 19), date(2027, 6, 9)]),
        (8, 15, [date(2023, 9, 29), date(2024, 9, 17), date(2025, 10, 6), date(2026, 9, 25), date(2027, 9, 15)]),
    ],
)
def test_lunar_festivals_fall_where_they_were_published(month: int, day: int, expected: list[date]) -> None:
    rule = Lunar(month=month, day=day)
    assert [found for year in range(2023, 2028) for found in days_of(rule, year)] == expected


def test_a_lunar_day_is_not_kept_in_a_leap_month_again() -> None:
    # 2025 has a leap sixth month from 25 July on.
    assert days_of(Lunar(month=6, day=10), 2025) == [date(2025, 7, 4)]


def test_a_day_of_their_own_may_be_lunar() -> None:
    assert [one.id for one in on(date(2026, 9, 25), dates=(special(8, 15, True),))] == ["wedding"]
    assert on(date(2026, 8, 15), dates=(special(8, 15, True),)) == []
    assert [one.kind for one in on(date(2026, 8, 15), dates=(special(8, 15, False),))] == ["own"]


@pytest.mark.parametrize(
    ("day", "calendars", "ids"),
    [
        (date(2026, 1, 1), "cn", ["new_year"]),
        (date(2026, 1, 1), "cn west", ["new_year"]),
        (date(2026, 2, 17), "cn", ["chinese_new_year"]),
        (date(2026, 2, 17), "west", []),
        (date(2026, 2, 17), "", []),
        (date(2026, 4, 5), "west", ["easter"]),
        (date(2026, 4, 5), "cn", []),
        (date(2026, 11, 26), "west", ["thanksgiving"]),
        (date(2026, 11, 19), "west", []),
        (date(2026, 12, 25), "west", ["christmas"]),
    ],
)
def test_only_festivals_of_the_calendars_set_are_kept(day: date, calendars: str, ids: list[str]) -> None:
    assert [one.id for one in on(day, calendars=calendars)] == ids


def test_easter_falls_where_it_was_published() -> None:
    published = [date(2019, 4, 21), date(2023, 4, 9), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5)]
    assert [easter(day.year) for day in published] == published
    assert (easter(1818), easter(1943)) == (date(1818, 3, 22), date(1943, 4, 25))


@given(st.integers(1901, 2099), st.integers(1, 12), st.integers(1, 31), st.booleans())
def test_a_special_date_comes_once_a_year(year: int, month: int, day: int, lunar: bool) -> None:
    rule = Lunar(month=month, day=min(day, 30)) if lunar else Solar(month=month, day=day)
    # A lunar year may begin three weeks earlier or later than the last.
    assert len(days_of(rule, year)) in ((0, 1, 2) if lunar and month >= 11 else (1,))


def test_every_festival_comes_in_every_year_that_is_known() -> None:
    rules = [one.when for one in read_festivals().festivals]
    assert all(days_of(rule, year) for rule in rules for year in (1950, 2000, 2026, 2033))


def test_a_table_that_lacks_words_or_has_a_festival_twice_is_refused(tmp_path: Path) -> None:
    said = "{names: {zh: 好, en: A}, greeting: {zh: 好, en: A}}"
    one = "{id: a, calendars: [cn], when: {kind: easter}, names: {zh: 好, en: A}, greeting: {zh: 好, en: A}}"
    head = f"birthday: {said}\nanniversary: {said}\nown: {said}\n"
    path = tmp_path / "festivals.yaml"
    path.write_text(f"{head}festivals: [{one}, {one}]", encoding="utf-8")
    with pytest.raises(CustomerTableError, match="each festival once, got a"):
        read_festivals(path)
    read_festivals.cache_clear()
    path.write_text(
        f"{head}festivals: [{one.replace('en: A', 'en: 好', 1).replace('zh: 好, ', '', 1)}]", encoding="utf-8"
    )
    with pytest.raises(CustomerTableError, match="zh and en"):
        read_festivals(path)
