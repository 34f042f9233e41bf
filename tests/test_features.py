"""The table of features names every feature, says no more than is tested, and no test that is not there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (F\d\d) \| (.+?) \| (works|partly|not yet) \| (.*?) ?\| (-|(?:`[^`]+`(?:, )?)+) \|$")


def rows() -> list[tuple[str, ...]]:
    lines = (ROOT / "docs" / "features.md").read_text(encoding="utf-8").splitlines()
    found = [(line, ROW.match(line)) for line in lines if line.startswith("| F")]
    assert [line for line, match in found if match is None] == []
    return [match.groups() for _, match in found if match is not None]


def defines(path: Path, name: str) -> bool:
    """Whether a file has a test of this name; read, not imported: some tests want parts that are not everywhere."""
    if not path.is_file():
        return False
    tests = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return name in {node.name for node in tests}


def test_every_feature_stands_in_the_table_once() -> None:
    assert [row[0] for row in rows()] == [f"F{number:02}" for number in range(1, 74)]


def test_what_works_even_partly_names_a_test_and_what_is_not_there_names_none() -> None:
    assert [row[0] for row in rows() if (row[2] == "not yet") != (row[4] == "-")] == []


def test_what_works_only_partly_says_what_is_there() -> None:
    assert [row[0] for row in rows() if row[2] != "not yet" and not row[3]] == []


def test_every_test_that_is_named_exists() -> None:
    named = [test for row in rows() for test in re.findall(r"`([^`]+)`", row[4])]
    assert named
    missing = [
        test for test in named if "::test_" not in test or not defines(ROOT / test.split("::")[0], test.split("::")[1])
    ]
    assert missing == []
