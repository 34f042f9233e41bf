import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stream.cli import app

CUSTOMERS = "customer_id,name,phone,language,birthday,joined_at\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    rows = (
        "1,王小明,13800138000,zh,1990-02-03,2020-01-02T10:00:00+08:00\n2,,13800138000,Chinese,,2020-01-02T10:00:00Z\n"
    )
    path.write_text(CUSTOMERS + rows, encoding="utf-8")
    done = CliRunner().invoke(app, ["import", "customers", str(path), "--home", str(tmp_path / "home")])
    assert done.exit_code == 0
    return tmp_path / "home"


def reported(home: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["report", "data-health", "--home", str(home), *more])


def test_a_month_is_reported_as_json_and_as_files_of_both_languages(home: Path, tmp_path: Path) -> None:
    found: dict[str, Any] = json.loads(reported(home, "--month", "2020-01", "--json").stdout)
    assert (found["month"], found["customers"]) == ("2020-01", 2)
    assert {one["rule"] for one in found["broken"]} == {"name_given", "language_code"}
    reported(home, "--month", "2020-02", "--out", str(tmp_path / "report.html"), "--language", "en")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Customer data in 2020-02" in page
    # The month before stands in the trend.
    assert "2020-01" in page
    told = reported(home, "--month", "2020-02").stdout
    assert "# 客户数据质量月报 2020-02" in told


def test_a_month_before_the_first_customer_has_nothing_to_check(home: Path) -> None:
    found = json.loads(reported(home, "--month", "2019-12", "--json").stdout)
    assert (found["customers"], found["total"]["checked"]) == (0, 0)


def test_what_is_not_due_is_not_done_again(home: Path) -> None:
    first = json.loads(reported(home, "--if-due", "--json").stdout)
    assert first["customers"] == 2
    assert reported(home, "--if-due", "--json").stdout == ""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--month", "soon"], "expected a month as 2026-01, got 'soon'"),
        (["--month", "9999-12"], "expected a month as 2026-01, got '9999-12'"),
        (["--month", "2999-01"], "expected a month that has begun, got 2999-01"),
    ],
)
def test_a_month_that_is_none_or_to_come_is_told(home: Path, more: list[str], told: str) -> None:
    assert told in str(reported(home, *more).exception)


def test_a_file_of_another_kind_is_told(home: Path) -> None:
    assert reported(home, "--out", "report.docx").exit_code == 2
