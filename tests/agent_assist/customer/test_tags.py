from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_assist.customer.calendar import last_with_months_before, months_before
from agent_assist.customer.events import Case, CustomerEvent, Interaction, Known, Order, Tagged
from agent_assist.customer.facts import facts
from agent_assist.customer.tags import Business, Tag, complaints, load, percentiles, tags

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
SECOND = timedelta(seconds=1)
BASE = percentiles(Decimal(n) for n in range(1, 101))
"""A hundred customers, whose average orders are worth 1 to 100."""
RULES = load()


def when(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def case(number: int, at: datetime, kind: str = "complaint", case_id: str | None = None) -> Case:
    return Case(
        event_id=f"case{number}", customer_id="c", at=at, case_id=case_id or f"k{number}", opened_at=at, type=kind
    )


def order(number: int, amount: str, at: datetime, **more: str) -> Order:
    status, currency = more.get("status", "paid"), more.get("currency", "CNY")
    return Order(
        event_id=f"order{number}", customer_id="c", at=at, order_id=f"o{number}", ordered_at=at,
        amount=Decimal(amount), currency=currency, status=status,  # type: ignore[arg-type]
    )  # fmt: skip


def contact(number: int, at: datetime, *, complaint: bool = True, call: str | None = None, about: str | None = None,
            issue: str = "") -> Interaction:  # fmt: skip
    return Interaction(
        event_id=f"contact{number}", customer_id="c", at=at, interaction_id=f"i{number}", channel="phone",
        complaint=complaint, call_id=call, case_id=about, issue=issue,
    )  # fmt: skip


def found(
    events: list[CustomerEvent], at: datetime, zone: ZoneInfo = SHANGHAI, base: tuple[Decimal, ...] = BASE
) -> Tag | None:
    """The tag of the exact rule: two complaints in three months, and a high order value."""
    told = tags(facts("c", events, at), at, RULES, Business(zone=zone, order_values=base))
    return next((tag for tag in told if tag.id == "high_risk_high_value"), None)


def moments(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Of years, whole seconds, without a zone."""
    return st.builds(
        lambda year, second: (datetime(year, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).replace(tzinfo=None),
        st.integers(first, last),
        st.integers(0, 365 * 86_400),
    )


NOW = when("2026-07-15T10:30:00")
RICH = order(1, "80", when("2020-01-01T00:00:00"))


@pytest.mark.parametrize(("count", "expected"), [(0, False), (1, False), (2, True), (3, True)])
def test_two_complaints_are_enough_and_one_is_not(count: int, expected: bool) -> None:
    events: list[CustomerEvent] = [RICH, *(case(n, NOW - timedelta(days=n + 1)) for n in range(count))]
    assert (found(events, NOW) is not None) is expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [("2026-04-15T10:29:59", False), ("2026-04-15T10:30:00", True), ("2026-04-15T10:30:01", True)],
)
def test_the_first_moment_of_the_three_months_counts(first: str, expected: bool) -> None:
    assert (found([RICH, case(1, when(first)), case(2, NOW)], NOW) is not None) is expected


@pytest.mark.parametrize(
    ("now", "least"),
    [
        ("2026-05-31T08:00:00", "2026-02-28T08:00:00"),
        ("2024-05-31T08:00:00", "2024-02-29T08:00:00"),
        ("2024-05-29T08:00:00", "2024-02-29T08:00:00"),
        ("2026-03-31T23:59:59", "2025-12-31T23:59:59"),
        ("2026-01-15T00:00:00", "2025-10-15T00:00:00"),
        ("2026-07-31T12:00:00", "2026-04-30T12:00:00"),
    ],
)
def test_months_are_those_of_the_calendar_at_their_ends_and_in_leap_years(now: str, least: str) -> None:
    for first, expected in ((when(least) - SECOND, False), (when(least), True)):
        assert (found([RICH, case(1, first), case(2, when(now))], when(now)) is not None) is expected


def test_months_are_counted_in_the_zone_of_the_business() -> None:
    # 1 May, 07:00 in Shanghai is 30 April, 19:00 in New York: three months before, 1 February and 30 January.
    now = when("2026-05-01T07:00:00")
    between = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert found([RICH, case(1, between), case(2, now)], now, NEW_YORK) is not None
    assert found([RICH, case(1, between), case(2, now)], now, SHANGHAI) is None


def test_a_day_on_which_the_clock_changes_keeps_its_wall_time() -> None:
    # New York goes from UTC-5 to UTC-4 on 8 March 2026.
    now = when("2026-05-15T12:00:00", NEW_YORK)
    assert months_before(now, 3, NEW_YORK) == when("2026-02-15T12:00:00", NEW_YORK)
    assert now - months_before(now, 3, NEW_YORK) == timedelta(days=89) - timedelta(hours=1)


@pytest.mark.parametrize(("amount", "expected"), [("79.99", False), ("80", True), ("80.01", True)])
def test_the_order_value_counts_from_the_percentile_on(amount: str, expected: bool) -> None:
    events: list[CustomerEvent] = [order(1, amount, NOW - timedelta(days=300)), case(1, NOW), case(2, NOW)]
    assert (found(events, NOW) is not None) is expected


def test_the_order_value_is_a_mean_of_what_is_trade_in_the_currency_of_the_business() -> None:
    two = [case(1, NOW), case(2, NOW)]
    orders = [order(1, "100", NOW), order(2, "60", NOW)]
    assert found([*two, *orders], NOW) is not None
    assert found([*two, *orders, order(3, "1", NOW)], NOW) is None
    assert found([*two, *orders, order(3, "1", NOW, status="returned")], NOW) is not None
    assert found([*two, *orders, order(3, "1", NOW, currency="USD")], NOW) is not None


def test_nobody_lies_above_a_percentile_that_is_not_known() -> None:
    assert found([RICH, case(1, NOW), case(2, NOW)], NOW, base=()) is None
    assert found([case(1, NOW), case(2, NOW)], NOW) is None


def test_a_complaint_counts_once_however_often_it_is_told() -> None:
    day = timedelta(days=1)
    again = case(2, NOW - day, case_id="k1")
    assert found([RICH, case(1, NOW - 2 * day, case_id="k1"), again], NOW) is None
    # The call in which the case was opened, and the next about it.
    about = [contact(1, NOW - day, about="k1"), contact(2, NOW, about="k1")]
    assert found([RICH, case(1, NOW - 2 * day), *about], NOW) is None
    # Two entries about one call.
    assert found([RICH, contact(1, NOW - day, call="x"), contact(2, NOW, call="x")], NOW) is None
    assert found([RICH, contact(1, NOW - day, call="x"), contact(2, NOW, call="y")], NOW) is not None
    told = facts("c", [contact(2, NOW, call="x"), contact(1, NOW - day, call="x")])
    assert [one.event_id for one in complaints(told)] == ["contact1"]


def test_other_cases_and_contacts_are_no_complaints() -> None:
    assert found([RICH, case(1, NOW), case(2, NOW, kind="request"), contact(1, NOW, complaint=False)], NOW) is None


def test_a_complaint_in_the_running_call_may_be_the_second() -> None:
    stored: list[CustomerEvent] = [RICH, case(1, NOW - timedelta(days=3))]
    assert found(stored, NOW) is None
    tag = found([*stored, contact(1, NOW, call="running")], NOW)
    assert tag is not None
    assert set(tag.evidence) == {"case1", "contact1", "order1"}
    assert tag.name["zh"] == "高风险高价值"
    assert tag.strategy["zh"]


@given(
    moments(2023, 2025),
    st.integers(0, 80),
    st.sampled_from([SHANGHAI, NEW_YORK, ZoneInfo("Europe/Berlin")]),
)
def test_a_tag_holds_until_the_time_it_names_and_no_second_longer(local: datetime, apart: int, zone: ZoneInfo) -> None:
    first = local.replace(tzinfo=zone).astimezone(UTC)
    events: list[CustomerEvent] = [RICH, case(1, first), case(2, first + timedelta(days=apart))]
    tag = found(events, first + timedelta(days=apart), zone)
    assert tag is not None
    assert tag.until is not None
    assert found(events, tag.until, zone) is not None
    assert found(events, tag.until + SECOND, zone) is None


@given(moments(2023, 2026), st.integers(1, 14), st.sampled_from([SHANGHAI, NEW_YORK]))
@example(datetime(2023, 12, 30), 2, SHANGHAI)  # noqa: DTZ001 - a wall time of whichever zone is drawn
def test_the_last_time_whose_window_holds_a_moment_is_the_last(local: datetime, months: int, zone: ZoneInfo) -> None:
    since = local.replace(tzinfo=zone).astimezone(UTC)
    last = last_with_months_before(since, months, zone)
    assert months_before(last, months, zone) <= since
    later = [months_before(last + timedelta(hours=hours, seconds=1), months, zone) for hours in range(0, 120, 6)]
    assert all(one > since for one in later)


def test_days_may_be_asked_for_instead_of_months(tmp_path: Path) -> None:
    path = tmp_path / "tags.yaml"
    path.write_text(
        "tags:\n  - id: t\n    name: {en: T}\n    all:\n"
        "      - {of: complaints, at_least: 1, within: {days: 90}}\n"
    )  # fmt: skip
    (rule,) = load(path)
    first = case(1, NOW - timedelta(days=90))
    business = Business(zone=SHANGHAI)
    assert tags(facts("c", [first]), NOW, [rule], business)[0].until == NOW
    assert tags(facts("c", [first]), NOW + SECOND, [rule], business) == ()


def test_a_persons_tag_stands_until_it_expires_or_is_taken_away() -> None:
    def tagged(number: int, day: int, *, present: bool = True) -> Tagged:
        at = NOW + timedelta(day)
        return Tagged(
            event_id=f"t{number}", customer_id="c", at=at, tag="vip", present=present, by="Li",
            expires_at=NOW + timedelta(10),
        )  # fmt: skip

    def of(events: list[CustomerEvent], at: datetime) -> list[str]:
        return [f"{tag.id} by {tag.by}" for tag in tags(facts("c", events, at), at, (), Business())]

    assert of([tagged(1, 0)], NOW) == ["vip by Li"]
    assert of([tagged(1, 0)], NOW + timedelta(10) + SECOND) == []
    assert of([tagged(1, 0), tagged(2, 1, present=False)], NOW + timedelta(1)) == []


def ids(events: list[CustomerEvent], at: datetime = NOW) -> set[str]:
    return {tag.id for tag in tags(facts("c", events, at), at, RULES, Business(zone=SHANGHAI, order_values=BASE))}


def test_the_other_tags_hold_from_their_bound_on() -> None:
    day = timedelta(days=1)
    contacts = [contact(n, NOW - n * day, complaint=False, issue="router") for n in range(6)]
    assert ids(contacts[:2]) == set()
    assert ids(contacts[:3]) == {"recurring_issue"}
    assert ids(contacts) == {"recurring_issue", "service_dependent"}
    assert ids([Known(event_id="1", customer_id="c", at=NOW, joined_at=when("2023-07-15T10:30:01"))]) == set()
    assert ids([Known(event_id="1", customer_id="c", at=NOW, joined_at=when("2023-07-15T10:30:00"))]) == {"long_term"}


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([]) == ()
    assert BASE[79] == 80
    assert percentiles([Decimal(5), Decimal(1)])[:50] == (Decimal(1),) * 50
    assert percentiles([Decimal(5), Decimal(1)])[50:] == (Decimal(5),) * 49


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tags: [{id: a, name: {en: A}, all: []}]", "length >= 1"),
        ("tags: [{id: a, name: {en: A}, all: [{of: order_value}]}]", "percentile or an amount"),
        ("tags: [{id: a, name: {en: A}, all: [{of: tenure, at_least: {}}]}]", "months or days"),
        ("tags: [{id: a, name: {en: A}, all: [{of: moods}]}]", "moods"),
        ("tags: [{id: a, name: {en: A}, al: []}]", "al"),
        ("rules: []", "expected"),
        ("tags: {", "expected"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "tags.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=told) as raised:
        load(path)
    assert "tags.yaml" in str(raised.value)


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    one = "{id: a, name: {en: A}, all: [{of: orders, at_least: 1}]}"
    path = tmp_path / "tags.yaml"
    path.write_text(f"tags: [{one}, {one}]")
    with pytest.raises(ValueError, match="each tag once, got a more often"):
        load(path)
