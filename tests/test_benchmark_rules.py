"""The benchmark of rules: what it makes is a playbook, and both ways tell the same."""

import json
from pathlib import Path

import pytest

from benchmarks import rules


@pytest.mark.slow
def test_the_rules_are_different_ones_and_the_same_every_time() -> None:
    made = rules.rules(500)
    assert made == rules.rules(500)
    assert len({json.dumps(one["phrases"], ensure_ascii=False) for one in made}) == 500
    asked = {key for one in made for key in one} & {"emotions", "intents", "measures", "not_said", "profile", "risk"}
    assert len(asked) == 6
    assert len(rules.playbook(500).rules) == 500


@pytest.mark.slow
def test_it_runs_and_counts_the_same_cards_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules.run(sizes=[20, 60], out=tmp_path / "rules.json", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "rules.json").read_text())
    few, many = told["sizes"]
    assert (few["rules"], many["rules"]) == (20, 60)
    assert 0 < few["fired"] < many["fired"]
    assert few["ms"]["n"] == 2 * told["utterances"]


@pytest.mark.slow
def test_what_tells_something_else_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_assist.advice.phrases.Index.standing", lambda *_: set())
    with pytest.raises(rules.StreamError, match="the same from 40 rules"):
        rules.measure(40, list(rules.utterances())[:6], 0.5)
