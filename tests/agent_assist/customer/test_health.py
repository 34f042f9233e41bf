from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.events import Case, Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.health import Assessment, Health, Share, due, end_of, load, telephone_valid
from agent_assist.customer.health_report import markdown, page
from agent_assist.errors import CustomerTableError

NOW = datetime(2026, 11, 1, tzinfo=UTC)
RULES = load()
CASE = Case(event_id="1", customer_id="c1", at=NOW, case_id="k", opened_at=NOW, type="fault")


def known(**changes: Any) -> Facts:
    fields: dict[str, Any] = {
        "customer_id": "c1",
        "name": "王小明",
        "region": "四川",
        "language": "zh-CN",
        "birthday": date(1990, 2, 28),
        "joined_at": NOW - timedelta(days=9),
        "identities": (("email", "li@example.com"), ("phone", "+8613800138000")),
    }
    return Facts(**(fields | changes))


def order(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "event_id": "o1", "customer_id": "c1", "at": NOW, "order_id": "o1", "ordered_at": NOW - timedelta(days=3),
        "amount": Decimal("9.90"), "currency": "CNY",
    }  # fmt: skip
    return Order(**(fields | changes))


def broken(*customers: Facts) -> list[str]:
    assessment = Assessment(RULES, NOW, "2026-10")
    return [rule for one in customers for rule, _ in assessment.push(one)]


def assessed(*customers: Facts) -> Health:
    assessment = Assessment(RULES, NOW, "2026-10")
    for one in customers:
        assessment.push(one)
    return assessment.flush()


def test_a_customer_without_fault_passes_every_rule() -> None:
    assert broken(known(orders=(order(),))) == []


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (known(name=""), "name_given"),
        (known(name="Anonymous"), "name_real"),
        (known(name="Test"), "name_real"),
        (known(name="王2"), "name_shape"),
        (known(identities=()), "address_given"),
        (known(identities=(("phone", "13800138000"),)), "phone_valid"),
        (known(identities=(("email", "a..b@example.com"),)), "email_valid"),
        (known(language="Chinese"), "language_code"),
        (known(region="510000"), "region_shape"),
        (known(birthday=date(2026, 11, 9)), "birthday_plausible"),
        (known(birthday=date(1900, 1, 1)), "birthday_plausible"),
        (known(joined_at=NOW + timedelta(days=2)), "joined_past"),
        (known(contract_until=date(2206, 1, 1)), "contract_plausible"),
        (known(customer_id="a b"), "customer_id_shape"),
        (known(orders=(order(currency="RMB"),)), "currency_known"),
        (known(orders=(order(amount=Decimal(10**9)),)), "amount_plausible"),
        (known(orders=(order(ordered_at=NOW + timedelta(days=2)),)), "ordered_past"),
        (known(orders=(order(promised_by=NOW - timedelta(days=4)),)), "promised_later"),
        (known(orders=(order(order_id="#REF!"),)), "order_id_shape"),
        (known(cases=(CASE,)), "issue_given"),
    ],
)
def test_what_is_wrong_breaks_the_rule_that_says_so(wrong: Facts, rule: str) -> None:
    assert broken(wrong) == [rule]


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("+8613800138000", True),  # mobile
        ("+8619912345678", True),
        ("+862885551234", True),  # Chengdu
        ("+861062511111", True),  # Beijing
        ("+8612345678901", False),
        ("+86138001380001", False),
        ("+8610000", False),
        ("+12125550100", True),
        ("+0138001380", False),
        ("", False),
    ],
)
def test_a_number_is_good_if_its_country_gives_it_out(number: str, valid: bool) -> None:
    assert telephone_valid(number) is valid


def test_the_score_is_the_share_of_checked_fields_and_one_wrong_field_counts_once() -> None:
    bare = Facts(customer_id="c2", name="test 2", identities=(("phone", "1"),))
    found = assessed(bare)
    # Checked: id, name, addresses, number, and the language that has to be there. The name breaks one rule.
    assert found.total == Share(checked=5, passed=2)
    assert found.fields["customer.name"] == Share(checked=1, passed=0)
    assert "customer.birthday" not in found.fields
    assert {(one.rule, one.count) for one in found.broken} == {
        ("name_shape", 1), ("language_given", 1), ("phone_valid", 1),
    }  # fmt: skip


def test_of_a_rule_a_few_ids_are_named_and_no_values() -> None:
    found = assessed(*(known(customer_id=f"c{n}", identities=(("phone", f"999{n}"),)) for n in range(9)))
    (rule,) = found.broken
    assert (rule.rule, rule.count) == ("phone_valid", 9)
    assert [one.customer_id for one in rule.examples] == ["c0", "c1", "c2", "c3", "c4"]
    for write in (markdown, page):
        assert "999" not in write([found], "en")


@given(st.lists(st.sampled_from([known(), known(name=""), known(language="x"), known(birthday=None)])))
def test_what_is_counted_adds_up(customers: list[Facts]) -> None:
    found = assessed(*customers)
    assert found.customers == len(customers)
    for shares in (found.kinds.values(), found.fields.values()):
        assert sum(one.checked for one in shares) == found.total.checked
        assert sum(one.passed for one in shares) == found.total.passed
    # No field of these has two rules that do not hold at once.
    assert sum(one.count for one in found.broken) == found.total.checked - found.total.passed


@pytest.mark.parametrize(
    ("last", "now", "month"),
    [
        (None, "2026-11-25T00:00:00+00:00", "2026-10"),
        ("2026-10", "2026-11-30T15:59:59+00:00", None),
        ("2026-10", "2026-11-30T16:00:00+00:00", "2026-11"),  # midnight in Shanghai
        ("2026-08", "2026-11-02T00:00:00+00:00", "2026-10"),
        ("2025-12", "2026-01-31T15:00:00+00:00", None),
    ],
)
def test_a_month_is_due_once_it_is_over_where_the_business_is(last: str | None, now: str, month: str | None) -> None:
    assert due(last, datetime.fromisoformat(now), ZoneInfo("Asia/Shanghai")) == month


def test_a_month_ends_where_the_next_begins() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert end_of("2026-12", zone) == datetime(2027, 1, 1, tzinfo=zone)
    assert end_of("2026-02", zone) == datetime(2026, 3, 1, tzinfo=zone)


@pytest.mark.parametrize("write", [markdown, page])
def test_the_report_stands_in_both_languages(write: Callable[..., str]) -> None:
    now, before = assessed(known(name="", orders=(order(),)), *[known()] * 9), assessed(known())
    zh, en = write([now, before], "zh"), write([now, before], "en")
    assert "客户数据质量月报" in zh
    assert "姓名必填" in zh
    assert "达标" in zh
    assert "Customer data in 2026-10" in en
    assert "A name is given" in en
    assert "target 95%: met" in en
    assert "of nothing" not in write([assessed()], "en")
    assert "There was no field to check." in write([assessed()], "en")


def test_an_id_of_any_shape_breaks_neither_table_nor_page() -> None:
    wrong = known(customer_id="<script>|`\n", orders=())
    assert "<script>" not in page([assessed(wrong)], "zh")
    row = next(line for line in markdown([assessed(wrong)], "en").splitlines() if "Shape of the customer id" in line)
    assert row.count("|") == 5


def test_rules_that_are_none_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    rule = "{id: a, kind: customer, field: name, check: {is: shape, pattern: '%s'}, name: {en: x}}"
    for text, told in (
        ("rules: [{id: a}]", "missing required field"),
        ("rules: [%s, %s]" % ((rule % "a",) * 2), "more often than once"),
        ("rules: [%s]" % (rule % "("), "missing \\)"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CustomerTableError, match=told):
            load(path)
