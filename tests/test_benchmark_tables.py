"""The figures in the document are those of the result files."""

import pytest

from benchmarks.tables import BEGIN, DOCUMENT, END, rewritten


def test_the_tables_are_those_of_the_result_files() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert rewritten(document) == document, "run python -m benchmarks.tables"


def test_only_what_stands_between_the_marks_is_rewritten() -> None:
    found = rewritten(f"before\n{BEGIN}\nan old figure\n{END}\nafter\n")
    assert found.startswith(f"before\n{BEGIN}\n")
    assert found.endswith(f"{END}\nafter\n")
    assert "an old figure" not in found


def test_a_document_without_the_marks_is_told() -> None:
    with pytest.raises(ValueError, match="expected <!-- results"):
        rewritten("# Benchmarks\n")
