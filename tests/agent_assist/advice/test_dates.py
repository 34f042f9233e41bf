"""Times that people promise, against a Wednesday afternoon."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.dates import due

SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Wednesday, 15:20 in Shanghai.
START = datetime(2026, 11, 25, 7, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("明天下午三点给您回电", "2026-11-26 15:00"),
        ("明天下午3点半之前", "2026-11-26 15:30"),
        ("明天中午之前一定送到", "2026-11-26 12:00"),
        ("今天之内给您答复", "2026-11-25 23:59"),
        ("后天上午送到", "2026-11-27 12:00"),
        ("大后天", "2026-11-28 23:59"),
        ("今晚八点", "2026-11-25 20:00"),
        ("24小时之内", "2026-11-26 15:20"),
        ("二十四小时内回复您", "2026-11-26 15:20"),
        ("半小时内", "2026-11-25 15:50"),
        ("48 小时内到账", "2026-11-27 15:20"),
        ("三天之内", "2026-11-28 23:59"),
        ("两周内", "2026-12-09 23:59"),
        ("周五之前", "2026-11-27 23:59"),
        ("星期一上午", "2026-11-30 12:00"),
        ("下周三", "2026-12-02 23:59"),
        ("这周日之前", "2026-11-29 23:59"),
        ("下周给您处理好", "2026-12-06 23:59"),
        ("月底之前", "2026-11-30 23:59"),
        ("12月3号", "2026-12-03 23:59"),
        ("十二月三日上午十点", "2026-12-03 10:00"),
        ("5号之前", "2026-12-05 23:59"),
        ("17:30 之前给您回电", "2026-11-25 17:30"),
        ("I will call you back tomorrow at 3 pm", "2026-11-26 15:00"),
        ("tomorrow morning", "2026-11-26 12:00"),
        ("by 5 today", "2026-11-25 17:00"),
        ("within 24 hours", "2026-11-26 15:20"),
        ("within the next two hours", "2026-11-25 17:20"),
        ("in half an hour", "2026-11-25 15:50"),
        ("in twenty-four hours", "2026-11-26 15:20"),
        ("it takes within 3 to 5 days", "2026-11-30 23:59"),
        ("in a week", "2026-12-02 23:59"),
        ("by Friday", "2026-11-27 23:59"),
        ("by Monday noon", "2026-11-30 12:00"),
        ("by Wednesday", "2026-11-25 23:59"),
        ("next Friday", "2026-12-04 23:59"),
        ("by the end of the week", "2026-11-29 23:59"),
        ("by the end of the month", "2026-11-30 23:59"),
        ("by the end of the day", "2026-11-25 18:00"),
        ("on March 5th", "2027-03-05 23:59"),
        ("on the 5th of December at 10:30", "2026-12-05 10:30"),
        ("the day after tomorrow", "2026-11-27 23:59"),
        ("今晚十二点前", "2026-11-26 00:00"),
        ("今晚零点", "2026-11-26 00:00"),
        ("今晚24点之前", "2026-11-26 00:00"),
        ("今晚一点", "2026-11-26 01:00"),
        ("明天晚上十二点", "2026-11-27 00:00"),
        ("晚上十二点前", "2026-11-26 00:00"),
        ("tonight at 12", "2026-11-26 00:00"),
        ("tonight before 12:30", "2026-11-26 00:30"),
        ("tonight at 8", "2026-11-25 20:00"),
        ("明天中午一点", "2026-11-26 13:00"),
        ("明天中午十二点", "2026-11-26 12:00"),
        ("明天中午十一点半", "2026-11-26 11:30"),
        ("明天凌晨一点", "2026-11-26 01:00"),
        ("in an hour and a half", "2026-11-25 16:50"),
        ("within one and a half hours", "2026-11-25 16:50"),
        ("一个半小时内", "2026-11-25 16:50"),
        ("两个小时之内", "2026-11-25 17:20"),
    ],
)
def test_a_time_is_resolved_in_the_zone_of_the_business(text: str, at: str) -> None:
    found = due(text, START, SHANGHAI)
    assert found is not None
    assert found.at is not None
    assert found.at.strftime("%Y-%m-%d %H:%M") == at
    assert found.at.utcoffset() == START.astimezone(SHANGHAI).utcoffset()
    assert found.note == ""


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("三个工作日内到账", "2026-11-30 23:59"),
        ("within five business days", "2026-12-02 23:59"),
        ("一到三个工作日内", "2026-11-30 23:59"),
        ("it takes 3 to 5 business days", "2026-12-02 23:59"),
        ("within 3 to 5 business days", "2026-12-02 23:59"),
    ],
)
def test_working_days_leave_out_weekends_and_say_that_holidays_are_not_known(text: str, at: str) -> None:
    found = due(text, START, SHANGHAI)
    assert found is not None
    assert found.at is not None
    assert (found.at.strftime("%Y-%m-%d %H:%M"), found.note) == (at, "holidays")


@pytest.mark.parametrize(
    "text", ["我会尽快给您处理", "稍后给您回电", "I will get back to you soon", "as soon as possible"]
)
def test_what_names_no_date_is_not_resolved(text: str) -> None:
    found = due(text, START, SHANGHAI)
    assert found is not None
    assert (found.at, found.note) == (None, "vague")


@pytest.mark.parametrize(
    "text",
    [
        "我会全程跟进",
        "I will send you the details by email",
        "补偿您一张五十元的优惠券",
        "no contract at all",
        "订单号码",
        "the line drops every 2 to 3 hours",
        "it was 5 days ago",
    ],
)
def test_where_no_time_is_named_there_is_none(text: str) -> None:
    assert due(text, START, SHANGHAI) is None


def test_without_the_start_of_the_call_nothing_is_resolved() -> None:
    found = due("明天下午三点", None, SHANGHAI)
    assert found is not None
    assert (found.at, found.note, found.words) == (None, "no_start", "明天下午三点")


def test_the_zone_decides_which_day_tomorrow_is() -> None:
    late = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
    in_shanghai, in_london = (due("tomorrow", late, ZoneInfo(zone)) for zone in ("Asia/Shanghai", "Europe/London"))
    assert in_shanghai is not None
    assert in_london is not None
    assert in_shanghai.at is not None
    assert in_london.at is not None
    assert (in_shanghai.at.day, in_london.at.day) == (27, 26)


@pytest.mark.parametrize("month", [3, 10])
def test_hours_are_as_long_as_ever_where_the_clocks_are_changed(month: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, month, 29 if month == 3 else 25, tzinfo=berlin).astimezone(UTC)
    found = due("within 24 hours", start, berlin)
    assert found is not None
    assert found.at is not None
    assert found.at.astimezone(UTC) - start == timedelta(hours=24)


@given(st.text(max_size=40), st.datetimes(timezones=st.just(UTC)))
def test_any_words_resolve_to_a_time_or_to_none(text: str, start: datetime) -> None:
    found = due(text, start, SHANGHAI)
    assert found is None or found.at is None or found.at.tzinfo is SHANGHAI


@given(st.integers(1, 60), st.sampled_from(["天内", "个工作日内", "小时内"]), st.integers(0, 400))
def test_what_is_to_be_within_some_time_is_not_before_the_start(n: int, unit: str, days: int) -> None:
    start = datetime.fromtimestamp(1_790_000_000 + days * 86_400, UTC)
    found = due(f"{n}{unit}", start, SHANGHAI)
    assert found is not None
    assert found.at is not None
    assert found.at > start
