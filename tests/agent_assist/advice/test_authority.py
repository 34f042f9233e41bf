"""Who may give how much: at the limits, in periods of the business's own calendar, with the line that says so."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.authority import Authority, Claim, Given, amount_of, begin_of, judge
from agent_assist.advice.playbook import load

TABLE = msgspec.convert(
    {
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "grants": [
            {"role": "agent", "kinds": ["voucher"], "per_case": "20.00", "per_customer": "50.00"},
            {"role": "agent", "kinds": ["credit"], "tiers": ["gold"], "per_case": "5", "per_customer": "5"},
            {"role": "supervisor", "kinds": ["voucher", "credit"], "per_case": "100", "per_customer": "100"},
        ],
    },
    Authority,
)
NOW = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)


def asked(amount: str, *before: Given, role: str = "agent", kind: str = "voucher", tier: str = "") -> tuple[str, str]:
    judged = judge(TABLE, role, Claim("c", kind, Decimal(amount), NOW, tier), before)
    return judged.verdict, judged.rule.en


def gave(amount: str, *, case: str = "old", at: datetime = NOW, kind: str = "voucher") -> Given:
    return Given(case, kind, Decimal(amount), at)


@pytest.mark.parametrize(
    ("amount", "verdict"),
    [("19.99", "granted"), ("20.00", "granted"), ("20.01", "pending"), ("100", "pending"), ("100.01", "refused")],
)
def test_up_to_the_limit_of_a_case_it_is_granted_beyond_it_a_supervisor_is_asked_and_beyond_theirs_it_is_refused(
    amount: str, verdict: str
) -> None:
    assert asked(amount)[0] == verdict


@pytest.mark.parametrize(("before", "verdict"), [("39.99", "granted"), ("40.00", "granted"), ("40.01", "pending")])
def test_what_the_customer_was_given_in_the_period_counts(before: str, verdict: str) -> None:
    assert asked("10", gave(before))[0] == verdict


def test_what_was_given_on_the_call_counts_for_the_case() -> None:
    assert asked("10", gave("10", case="c"))[0] == "granted"
    verdict, rule = asked("10.01", gave("10", case="c"))
    assert verdict == "pending"
    assert rule == "agent: voucher up to 20.00 CNY a call and 50.00 a month: 10 was given on this call"


def test_kinds_that_a_line_does_not_name_count_for_another_line() -> None:
    assert asked("20", gave("45", kind="credit"))[0] == "granted"


def test_a_line_for_a_tier_is_for_that_tier_alone() -> None:
    assert asked("5", kind="credit", tier="gold")[0] == "granted"
    assert asked("5", kind="credit", tier="silver")[0] == "pending"


def test_what_no_line_names_is_refused_for_everybody() -> None:
    assert asked("1", kind="cash") == ("refused", "supervisor: no cash")


def test_a_month_begins_at_midnight_of_the_business_not_of_utc() -> None:
    # 1 March in Shanghai begins at 16:00 UTC of 28 February.
    before, after = datetime(2026, 2, 28, 15, 59, tzinfo=UTC), datetime(2026, 2, 28, 16, 0, tzinfo=UTC)
    assert asked("20", gave("50", at=before))[0] == "granted"
    assert asked("20", gave("50", at=after))[0] == "pending"


@pytest.mark.parametrize(
    ("period", "begin"),
    [("day", (2026, 3, 15)), ("week", (2026, 3, 9)), ("month", (2026, 3, 1)), ("year", (2026, 1, 1))],
)
def test_periods_are_those_of_the_calendar(period: str, begin: tuple[int, int, int]) -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert begin_of(period, NOW, zone) == datetime(*begin, tzinfo=zone)  # type: ignore[arg-type]


CENTS = st.integers(1, 6_000).map(lambda cents: Decimal(cents) / 100)


@given(st.lists(st.tuples(CENTS, st.sampled_from(["c", "d", "e"])), max_size=12))
def test_what_an_agent_is_granted_never_adds_up_to_more_than_the_limits(wishes: list[tuple[Decimal, str]]) -> None:
    before: list[Given] = []
    for amount, case in wishes:
        if judge(TABLE, "agent", Claim(case, "voucher", amount, NOW), before).verdict == "granted":
            before.append(Given(case, "voucher", amount, NOW))
    assert sum((each.amount for each in before), Decimal(0)) <= 50
    for name in "cde":
        assert sum((each.amount for each in before if each.case == name), Decimal(0)) <= 20


@pytest.mark.parametrize(
    "text",
    ["-1", "1_0", "١", " 1", "+1", "1e3", "NaN", "Infinity", "1.001", "abc", "", "1e-2x", "9999999999999"],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an amount"):
        amount_of(text, 2)


@given(st.decimals(min_value=0, max_value=10**6, places=2))
def test_an_amount_is_read_exactly(amount: Decimal) -> None:
    assert amount_of(str(amount), 2) == amount


@pytest.mark.parametrize(
    ("old", "new"),
    [("CNY", "yuan"), ("Asia/Shanghai", "Beijing"), ("20.00", "-1"), ("agent", "robot")],
)
def test_a_table_that_cannot_be_meant_is_refused(old: str, new: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(TABLE).decode().replace(old, new), type=Authority)


def test_the_default_table_lets_agents_give_little_and_supervisors_more() -> None:
    table = load().compensation
    assert table is not None
    claim = Claim("c", "voucher", Decimal(30), NOW)
    assert judge(table, "agent", claim, ()).verdict == "pending"
    assert judge(table, "senior", claim, ()).verdict == "granted"


@pytest.mark.parametrize(
    ("claim", "before", "zh"),
    [
        (("voucher", "5", ""), (), "坐席：优惠券每次通话至多 20.00 CNY，每月至多 50.00"),
        (("credit", "5", "gold"), (), "坐席：抵扣（gold 客户）每次通话至多 5 CNY，每月至多 5"),
        (
            ("voucher", "11", ""),
            (gave("10", case="c"),),
            "坐席：优惠券每次通话至多 20.00 CNY，每月至多 50.00；本次通话已给 10",
        ),
        (
            ("voucher", "11", ""),
            (gave("45"),),
            "坐席：优惠券每次通话至多 20.00 CNY，每月至多 50.00；这位客户本月已得 45",
        ),
        (("credit", "1", "silver"), (), "坐席：不能给 silver 客户抵扣"),
        (("洗车券", "1", ""), (), "主管：不能给洗车券"),
    ],
)
def test_the_line_is_told_in_chinese_too(claim: tuple[str, str, str], before: tuple[Given, ...], zh: str) -> None:
    kind, amount, tier = claim
    assert judge(TABLE, "agent", Claim("c", kind, Decimal(amount), NOW, tier), before).rule.zh == zh


@given(
    role=st.sampled_from(["agent", "supervisor"]),
    kind=st.sampled_from(["voucher", "credit", "gift"]),
    cents=st.integers(1, 20_000),
)
def test_both_languages_name_the_same_numbers(role: str, kind: str, cents: int) -> None:
    before = (gave("7.50", case="c"), gave("31"))
    said = judge(TABLE, role, Claim("c", kind, Decimal(cents) / 100, NOW, "gold"), before).rule
    assert re.findall(r"[0-9.]+", said.en) == re.findall(r"[0-9.]+", said.zh)
