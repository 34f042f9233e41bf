import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from stream.cli import app

HEAD = "order_id,customer_id,ordered_at,amount,currency,status\n"
ROWS = [f"o{n},c{n % 2},2026-01-0{n}T10:00:00+08:00,1{n}.50,CNY,paid\n" for n in range(1, 6)]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(HEAD + "".join(ROWS) + "o9,c1,soon,1,CNY,paid\n", encoding="utf-8")
    return path


def imported(file: Path, home: Path, *more: str) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["import", "orders", str(file), "--home", str(home), "--json", *more])
    return done.exit_code, json.loads(done.stdout)


def kept(home: Path) -> CustomerStore:
    store = CallStore(f"sqlite:///{home / 'warmline.db'}")
    store.upgrade()
    return CustomerStore(store.engine)


def test_a_file_is_taken_in_once_and_what_is_wrong_is_kept(orders: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, told = imported(orders, home)
    assert (code, told["new"], told["again"], told["rejected"]) == (1, 5, 0, 1)
    assert "ordered_at" in str(told["reasons"])
    code, told = imported(orders, home)
    assert (code, told["new"], told["again"]) == (1, 0, 5)
    customers = kept(home)
    assert [one.order_id for one in customers.facts("c1").orders] == ["o1", "o3", "o5"]
    (rejected,) = customers.rejected()
    assert (rejected.source.split()[0], rejected.place, rejected.kind) == ("orders.csv", "row 6", "orders")
    assert "soon" in rejected.body


def test_a_dry_run_leaves_nothing(orders: Path, tmp_path: Path) -> None:
    code, told = imported(orders, tmp_path / "home", "--dry-run")
    assert (code, told["events"], told["new"], told["rejected"]) == (1, 5, 0, 1)
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_columns_are_named_by_a_mapping(orders: Path, tmp_path: Path) -> None:
    orders.write_text((HEAD + "".join(ROWS)).replace("order_id", "单号"), encoding="gbk")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("单号: order_id\n", encoding="utf-8")
    code, told = imported(orders, tmp_path / "home", "--mapping", str(mapping))
    assert (code, told["new"]) == (0, 5)
    mapping.write_text("- a", encoding="utf-8")
    failed = CliRunner().invoke(app, ["import", "orders", str(orders), "--mapping", str(mapping)])
    assert "expected lines `column of the file: column of ours`" in str(failed.exception)


def test_a_kind_or_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "pets.csv"
    path.touch()
    refused = CliRunner().invoke(app, ["import", "pets", str(path)])
    assert refused.exit_code == 2
    assert "customers, orders, cases," in refused.output
    failed = CliRunner().invoke(app, ["import", "orders", str(path), "--home", str(tmp_path / "home")])
    assert "expected a heading, got none" in str(failed.exception)


def test_a_customer_is_shown_as_known_now_and_as_known_then(orders: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    imported(orders, home)

    def shown(*more: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["customer", "show", "c1", "--home", str(home), "--json", *more])
        return json.loads(done.stdout)

    assert (shown()["trade"]["orders"], shown()["trade"]["value"]) == (3, "40.50")
    then = shown("--at", "2026-01-04T00:00:00+0800")
    assert (then["trade"]["orders"], then["trade"]["last_at"]) == (2, "2026-01-03T10:00:00+08:00")
    told = CliRunner().invoke(app, ["customer", "show", "c1", "--home", str(home)]).stdout
    assert "3 orders, 40.50 CNY, last 2026-01-05; 0 complaints" in told
    nobody = CliRunner().invoke(app, ["customer", "show", "x", "--home", str(home)])
    assert "expected the id of a customer of whom something was told, got 'x'" in str(nobody.exception)


def test_customers_are_seen_against_all_others_once_they_were_counted(tmp_path: Path) -> None:
    home, path = tmp_path / "home", tmp_path / "orders.csv"
    rows = [f"o{n},c{n},2026-01-0{n % 9 + 1}T10:00:00+08:00,{n},CNY,paid\n" for n in range(1, 11)]
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    imported(path, home)

    def shown(customer: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["customer", "show", customer, "--home", str(home), "--json"])
        return json.loads(done.stdout)

    before = shown("c10")
    assert (before["rfm"], before["segment"]) == (None, "no_orders")
    done = CliRunner().invoke(app, ["customer", "count", "--home", str(home), "--json"])
    assert json.loads(done.stdout)["population"]["n"] == 10
    assert (shown("c10")["rfm"][2], shown("c1")["rfm"][2]) == (5, 1)
    assert shown("c10")["segment"] != "no_orders"
    assert shown("c10")["talking_point"]["zh"]


def test_the_risk_is_told_where_the_trade_is_set(orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(orders, tmp_path / "home")

    def shown() -> dict[str, Any]:
        done = CliRunner().invoke(app, ["customer", "show", "c1", "--home", str(tmp_path / "home"), "--json"])
        return json.loads(done.stdout)

    assert shown()["risk"] is None
    monkeypatch.setenv("WARMLINE_TRADE", "orders")
    found = shown()["risk"]
    assert found["low"] <= found["score"] <= found["high"]
    assert sum(reason["contribution"] for reason in found["reasons"]) == pytest.approx(found["score"])


def test_the_worth_is_told_where_trade_and_margin_are_set_and_customers_were_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, path = tmp_path / "home", tmp_path / "orders.csv"
    day = lambda n, k: f"2025-{1 + (n + k * (1 + n % 3)) % 12:02}-{1 + n % 27:02}"  # noqa: E731
    rows = [
        f"o{n}-{k},c{n},{day(n, k)}T10:00:00+08:00,{20 + n + 9 * k},CNY,paid\n"
        for n in range(60)
        for k in range(1 + n % 4)
    ]
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    imported(path, home)

    def run(*command: str) -> str:
        return CliRunner().invoke(app, ["customer", *command, "--home", str(home)]).stdout

    def worth() -> dict[str, Any]:
        return dict(json.loads(run("show", "c3", "--json"))["clv"])

    assert worth()["why"] == "trade"
    monkeypatch.setenv("WARMLINE_TRADE", "orders")
    assert worth()["why"] == "margin"
    monkeypatch.setenv("WARMLINE_MARGIN", "0.3")
    assert worth()["why"] == "count"
    assert "60 customers, 60 with orders" in run("count")
    found = worth()
    assert (found["why"], found["currency"], found["weeks"]) == ("", "CNY", 52)
    assert 0 <= found["low"] <= found["margin"] <= found["high"]
    assert f"worth {found['margin']:.0f}"[:8] in run("show", "c3")


def test_what_comes_due_is_told_line_by_line_with_its_evidence(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "orders.csv"
    file.write_text(HEAD + "o1,c1,2026-03-01T12:00:00Z,10,CNY,paid\no2,c2,2026-03-02T12:00:00Z,10,CNY,paid\n")
    assert CliRunner().invoke(app, ["import", "orders", str(file), "--home", str(home)]).exit_code == 0

    def due(begin: str, end: str, *more: str) -> list[str]:
        asked = ["customer", "triggers", "--from", begin, "--to", end, "--home", str(home), *more]
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()

    march = ("2026-03-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00")
    told = [json.loads(line) for line in due(*march, "--json")]
    assert [(one["id"], one["due_at"], one["held"]) for one in told] == [
        ("c1:usage_guide:first", "2026-03-08T12:00:00Z", ""),
        ("c2:usage_guide:first", "2026-03-09T12:00:00Z", ""),
    ]
    assert len(told[0]["evidence"]) == 1
    (line,) = due(*march, "--customer", "c2")
    assert "c2  usage_guide  7 days after the first purchase" in line
    assert due("2026-03-08T12:00:01+00:00", "2026-03-09T12:00:00+00:00") == []
    wrong = CliRunner().invoke(app, ["customer", "triggers", "--from", "2026-03-01", "--to", march[1]])
    assert wrong.exit_code == 2


def run(*arguments: str | Path) -> tuple[int, list[Any]]:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_rejected_rows_are_listed_repaired_and_taken_in_again(orders: Path, tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "repair.jsonl"
    more = ['o10,"c1,2026', "o11,c1,2031-01-02T10:00:00Z,1,CNY,paid", "o12,c1,2026-01-02T10:00:00Z,1,XXX,paid"]
    orders.write_text(orders.read_text(encoding="utf-8") + "".join(f"{one}\n" for one in more), encoding="utf-8")
    assert imported(orders, home)[1]["rejected"] == 4
    _, listed = run("customer", "rejected", "--home", home, "--json")
    assert {one["place"] for one in listed} == {"row 6", "row 7", "row 8", "row 9"}
    assert all(one["reason"].startswith("expected") for one in listed)
    assert [one["row"] for one in listed if one["place"] == "row 7"] == [{"line": 'o10,"c1,2026\n'}]
    run("customer", "rejected", "--home", home, "--out", file)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    by_place = {one["place"]: one["row"] for one in lines}
    by_place["row 6"]["ordered_at"] = "2026-01-09T10:00:00+08:00"
    by_place["row 9"]["currency"] = "CNY"
    file.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    code, (done,) = run("customer", "retake", file, "--home", home, "--json")
    assert (code, done["taken"], len(done["still"])) == (1, 2, 2)
    assert {one.order_id for one in kept(home).facts("c1").orders} == {"o1", "o3", "o5", "o9", "o12"}
    assert {one.place for one in kept(home).rejected()} == {"row 7", "row 8"}
    # Once more changes nothing.
    code, (done,) = run("customer", "retake", file, "--home", home, "--json")
    assert done["taken"] == 2
    assert kept(home).count() == 7


def test_all_that_is_wrong_in_a_row_is_kept_and_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "customers.csv"
    file.write_bytes(b"customer_id,name,phone,email\n1,Li,12,li@\n2,\xff\xfe\xfa,,\n")
    run("import", "customers", file, "--home", home)
    found = {one.place: one for one in kept(home).rejected()}
    assert set(found) == {"row 1 phone", "row 1 email", "row 2"}
    assert json.loads(found["row 1 phone"].body) == {"customer_id": "1", "name": "Li", "phone": "12", "email": "li@"}
    assert json.loads(found["row 2"].body)["name"].encode("utf-8", "surrogateescape") == b"\xff\xfe\xfa"


def test_rows_of_a_file_of_the_same_name_take_the_place_of_no_others(orders: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    imported(orders, home)
    orders.write_text(HEAD + "o1,c1,never,1,CNY,paid\n" * 6, encoding="utf-8")
    os.utime(orders, (1_700_000_000, 1_700_000_000))
    imported(orders, home)
    assert len(kept(home).rejected()) == 7
    source = "orders.csv 2023-11-14T22:13:20Z"
    assert (
        "6 forgotten"
        in CliRunner()
        .invoke(app, ["customer", "rejected", "--discard", "--source", source, "--home", str(home)])
        .stdout
    )
    assert len(kept(home).rejected()) == 1


def test_an_event_that_contradicts_is_taken_under_an_id_of_its_own(orders: Path, tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "repair.jsonl"
    imported(orders, home)
    (first, *_) = (one for one in kept(home).facts("c1").orders)
    other = msgspec.structs.replace(first, status="returned")
    kept(home).take([other], "api", datetime.now(UTC))
    run("customer", "rejected", "--home", home, "--source", "api", "--out", file)
    assert run("customer", "retake", file, "--home", home)[0] == 1
    file.write_text(file.read_text(encoding="utf-8").replace(first.event_id, f"{first.event_id}z", 2), encoding="utf-8")
    line = json.loads(file.read_text(encoding="utf-8"))
    line["place"] = kept(home).rejected(source="api")[0].place
    file.write_text(json.dumps(line), encoding="utf-8")
    assert run("customer", "retake", file, "--home", home)[0] == 0
    assert kept(home).facts("c1").orders[0].status == "returned"
    assert kept(home).rejected(source="api") == []


def test_a_file_that_is_none_of_rejected_rows_is_told(orders: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["customer", "retake", str(orders), "--home", str(tmp_path / "home")])
    assert "expected a line of `customer rejected --out`" in str(done.exception)
