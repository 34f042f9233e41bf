import importlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from agent_assist.customer.events import CustomerEvent, Identified, Known, Order
from agent_assist.customer.facts import facts
from agent_assist.customer.reading import Bad, Kind, Reader, mail, rows, telephone

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ORDERS = "order_id,customer_id,ordered_at,amount,currency,status\n"


def read(
    path: Path, kind: Kind = "orders", stamp: datetime = NOW, mapping: dict[str, str] | None = None
) -> tuple[list[CustomerEvent], list[Bad]]:
    found = list(Reader(kind=kind, stamp=stamp, now=NOW, mapping=mapping or {}).events(rows(path)))
    return [one for one in found if not isinstance(one, Bad)], [one for one in found if isinstance(one, Bad)]


def written(tmp_path: Path, text: str, encoding: str = "utf-8", name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_file_is_read_in_the_encodings_that_spreadsheets_write(tmp_path: Path, encoding: str, separator: str) -> None:
    lines = [
        ["customer_id", "name", "phone", "email", "region", "language", "birthday", "joined_at"],
        ["1", "王小明", "138 0013 8000", "Xiao@Example.COM", "四川", "zh", "1990-02-28", "2020-01-02T10:00:00+08:00"],
    ]
    path = written(tmp_path, "".join(separator.join(line) + "\r\n" for line in lines), encoding)
    events, bad = read(path, "customers")
    assert not bad
    known = facts("1", events)
    assert (known.name, known.region, known.birthday) == ("王小明", "四川", date(1990, 2, 28))
    assert known.joined_at == datetime(2020, 1, 2, 2, tzinfo=UTC)
    assert known.identities == (("email", "Xiao@example.com"), ("phone", "+8613800138000"))


def test_what_is_wrong_with_a_row_is_told_with_its_number_and_the_others_are_taken(tmp_path: Path) -> None:
    good = "o{n},c1,2026-01-02T10:00:00+08:00,12.50,CNY,paid\n"
    wrong = {
        "o,c1,2026-01-02T10:00:00,1,CNY,paid": "a time with its offset, as 2026-01-31T10:00:00+08:00, got '2026-01-02T",
        "o,c1,yesterday,1,CNY,paid": "got 'yesterday' in ordered_at",
        "o,c1,2026-01-02T10:00:00+08:00,minus,CNY,paid": "amount",
        "o,c1,2026-01-02T10:00:00+08:00,-3,CNY,paid": "amount of 0 or more and below 10^12, got -3",
        "o,c1,2026-01-02T10:00:00+08:00,3,XXX,paid": "currency of ISO 4217, got 'XXX'",
        "o,c1,2026-01-02T10:00:00+08:00,3,CNY,lost": "lost",
        "o,c1,2031-01-02T10:00:00+08:00,3,CNY,paid": "a time that has come",
        "o,,2026-01-02T10:00:00+08:00,3,CNY,paid": "customer_id",
        ",c1,2026-01-02T10:00:00+08:00,3,CNY,paid": "no order_id",
        "o,c1,2026-01-02T10:00:00+08:00,3,CNY,paid,more,and more": "no more fields",
        "o,c1": "ordered_at",
    }
    text = ORDERS + "".join(good.format(n=n) + line + "\n" for n, line in enumerate(wrong))
    events, bad = read(written(tmp_path, text))
    assert len(events) == len(wrong)
    assert [one.row for one in bad] == [2 * n + 2 for n in range(len(wrong))]
    for one, told in zip(bad, wrong.values(), strict=True):
        assert told in one.reason
        assert one.lost


def test_a_day_that_is_none_is_told(tmp_path: Path) -> None:
    _, (bad,) = read(written(tmp_path, "customer_id,birthday\n1,soon\n"), "customers")
    assert bad.reason == "expected a day, as 1990-02-28, got 'soon' in birthday"


def test_a_quotation_mark_that_is_not_closed_costs_its_own_row(tmp_path: Path) -> None:
    lines = [f"c{n},name {n}\n" for n in range(1, 9)]
    lines[2], lines[6] = 'c3,"Wang\n', 'c7,"Li"\n'
    events, bad = read(written(tmp_path, "customer_id,name\n" + "".join(lines)), "customers")
    assert [one.customer_id for one in events] == ["c1", "c2", "c4", "c5", "c6", "c7", "c8"]
    assert [(one.row, "quotation marks that are closed" in one.reason) for one in bad] == [(3, True)]


def test_a_text_may_go_over_lines_and_a_row_that_swallows_others_is_told(tmp_path: Path) -> None:
    head = "interaction_id,customer_id,at,channel,direction,issue,text\n"
    row = "i{},c,2026-01-02T10:00:00Z,chat,in,{},{}\n"
    text = head + row.format(1, "x", '"two\nlines"') + row.format(2, '"open', "a") + row.format(3, 'shut"', "b")
    found = list(
        Reader(kind="interactions", stamp=NOW, now=NOW).events(
            rows(written(tmp_path, text + row.format(4, "x", "c")), spans=True)
        )
    )
    assert [getattr(one, "interaction_id", None) for one in found] == ["i1", None, "i4"]
    assert isinstance(found[1], Bad)
    assert "got several (lines 4 to 5): is a quotation mark not closed?" in found[1].reason
    assert "i3" in found[1].body


def test_a_column_that_comes_twice_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected each column once, got customer_id more often"):
        read(written(tmp_path, "customer_id,name,customer_id\n1,a,2\n"), "customers")


def test_bytes_that_are_no_text_cost_their_own_row(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    row = b"o1,c1,2026-01-02T10:00:00+08:00,1,CNY,paid\n"
    path.write_bytes(b"customer_id,name\n" + "1,李\n".encode() + b"2,\xff\xfe\xfa\n" + "3,王\n".encode())
    events, bad = read(path, "customers")
    assert [one.customer_id for one in events] == ["1", "3"]
    assert [(one.row, "other bytes in name" in one.reason) for one in bad] == [(2, True)]
    path.write_bytes(ORDERS.encode() + row * 2)
    assert len(read(path)[0]) == 2


def test_a_telephone_number_that_is_none_costs_itself_alone(tmp_path: Path) -> None:
    events, bad = read(written(tmp_path, "customer_id,name,phone,email\n1,Li,12,li@\n"), "customers")
    assert [type(one) for one in events] == [Known]
    assert [(one.reason, one.lost) for one in bad] == [
        ("expected a telephone number, got '12'", False),
        ("expected an e-mail address, got 'li@'", False),
    ]


def test_the_same_file_again_gives_the_same_events_and_a_newer_one_says_what_is_now(tmp_path: Path) -> None:
    def orders(status: str, day: int) -> list[CustomerEvent]:
        path = written(tmp_path, f"{ORDERS}o1,c,2026-01-02T10:00:00+08:00,5,CNY,{status}\n")
        return read(path, stamp=datetime(2026, 2, day, tzinfo=UTC))[0]

    assert orders("paid", 1) == orders("paid", 1)
    newest = [*orders("paid", 1), *orders("returned", 2), *orders("paid", 3)]
    for count, status in enumerate(("paid", "returned", "paid"), 1):
        assert [one.status for one in facts("c", reversed(newest[:count])).orders] == [status]


def test_a_row_that_says_when_it_became_true_is_ordered_by_that(tmp_path: Path) -> None:
    head = "order_id,customer_id,ordered_at,amount,currency,status,updated_at\n"
    row = "o1,c,2026-01-02T10:00:00+08:00,5,CNY,{},2026-01-{:02}T00:00:00Z\n"
    path = written(tmp_path, head + row.format("returned", 9) + row.format("paid", 3))
    assert [one.status for one in facts("c", read(path)[0]).orders] == ["returned"]


def test_columns_of_other_names_are_mapped_and_more_of_a_customer_are_attributes(tmp_path: Path) -> None:
    path = written(tmp_path, "客户号,姓名,会员\n7,韩梅梅,金卡\n")
    events, bad = read(path, "customers", mapping={"客户号": "customer_id", "姓名": "name"})
    assert not bad
    known = facts("7", events)
    assert (known.name, dict(known.attributes)) == ("韩梅梅", {"会员": "金卡"})
    order = written(tmp_path, ORDERS.replace("status", "shop") + "o1,c,2026-01-02T10:00:00+08:00,5,CNY,north\n")
    events, bad = read(order)
    assert len(events) == 1
    assert "got shop as well, left out" in bad[0].reason


def test_json_lines_and_parquet_hold_the_same(tmp_path: Path) -> None:
    parquet, arrow = importlib.import_module("pyarrow.parquet"), importlib.import_module("pyarrow")
    at = datetime(2026, 1, 2, 2, tzinfo=UTC)
    path = tmp_path / "orders.parquet"
    row = {"order_id": "o1", "customer_id": "c", "ordered_at": at, "amount": Decimal("5.10"), "currency": "CNY"}
    parquet.write_table(arrow.Table.from_pylist([row]), path)
    lines = written(
        tmp_path,
        '{"order_id": "o1", "customer_id": "c", "ordered_at": "2026-01-02T02:00:00Z", "amount": "5.10",'
        ' "currency": "CNY"}\n[1]\n{\n',
        name="orders.jsonl",
    )
    (one,), _ = read(path)
    (other,), bad = read(lines)
    assert isinstance(one, Order)
    assert isinstance(other, Order)
    assert (one.ordered_at, one.amount) == (other.ordered_at, other.amount) == (at, Decimal("5.10"))
    assert ["an object" in bad[0].reason, "JSON" in bad[1].reason] == [True, True]


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a file \*\.csv, \*\.tsv, \*\.jsonl, \*\.parquet, got \.xlsx"):
        read(written(tmp_path, "x", name="orders.xlsx"))
    with pytest.raises(ValueError, match="expected a heading, got none"):
        read(written(tmp_path, ""))


@pytest.mark.parametrize(
    ("number", "region", "value"),
    [
        ("010-62511111", "CN", "+861062511111"),
        ("+1 (212) 555-0100", "CN", "+12125550100"),
        ("020 7946 0000", "GB", "+442079460000"),
    ],
)
def test_telephone_numbers_are_the_same_however_they_are_written(number: str, region: str, value: str) -> None:
    assert telephone(number, region) == value
    assert Identified(event_id="1", customer_id="c", at=NOW, kind="phone", value=value).value == value


@pytest.mark.parametrize("address", ["", "a", "a@b", "@b.c", "a b@c.d", "a@b.c, d@e.f"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ValueError, match="expected an e-mail address"):
        mail(address)


def test_of_the_hour_that_comes_twice_the_second_is_the_later(tmp_path: Path) -> None:
    head = "order_id,customer_id,ordered_at,amount,currency,status,updated_at\n"
    row = "o1,c,2025-10-01T00:00:00Z,5,EUR,{},2025-10-26T02:{}:00+0{}:00\n"
    # Clocks in Berlin go from 03:00+02:00 back to 02:00+01:00.
    path = written(tmp_path, head + row.format("returned", 10, 1) + row.format("paid", 40, 2))
    assert [one.status for one in facts("c", read(path)[0]).orders] == ["returned"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_row_that_is_wrong_is_kept_as_it_was_written_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "客户号,姓名,joined_at\n7,韩梅梅,昨天\n", encoding)
    _, (bad,) = read(path, "customers", mapping={"客户号": "customer_id", "姓名": "name"})
    assert json.loads(bad.body) == {"customer_id": "7", "name": "韩梅梅", "joined_at": "昨天"}
    assert "got '昨天' in joined_at" in bad.reason
