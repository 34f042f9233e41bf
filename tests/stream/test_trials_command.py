import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent_assist.customer.outreach import DEFAULT
from agent_assist.errors import UnknownTrial
from stream.cli import app

TRIAL = """experiments:
  - {id: guide, salt: "1", task: usage_guide, groups: {standard: 0.5, guided: 0.5}, outcome: {bought_within_days: 30}}
"""


def test_a_trial_that_has_not_begun_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outreach.yaml"
    file.write_text(DEFAULT.read_text(encoding="utf-8").replace("experiments: []\n", TRIAL), encoding="utf-8")
    monkeypatch.setenv("WARMLINE_OUTREACH", str(file))
    asked = ["trial", "show", "guide", "--home", str(tmp_path / "home")]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 0
    assert "guide: usage_guide, not begun" in said.stdout
    assert "standard (50%): 0 exposed" in said.stdout
    assert "too few" in said.stdout
    found = json.loads(CliRunner().invoke(app, [*asked, "--at", "2026-03-01T00:00:00+0800", "--json"]).stdout)
    assert (found["begun_at"], found["exposed"], found["at"]) == (
        None,
        {"standard": 0, "guided": 0},
        "2026-03-01T00:00:00+08:00",
    )
    other = CliRunner().invoke(app, ["trial", "show", "other", "--home", str(tmp_path / "home")])
    assert isinstance(other.exception, UnknownTrial)
