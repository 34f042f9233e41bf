"""``warmline analyze`` on the two sample calls, against their script; and on what is no call."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.textnorm import cer, wer

WARMLINE = str(Path(sys.executable).with_name("warmline"))

pytestmark = pytest.mark.weights

EXPECTED = {
    "zh_late_order": {
        "greeting": {1},
        "repeated_contact": {4, 6},
        "soothe_and_escalate": {6, 7},
        "cancel_intent": {7},
        "competitor": {7},
        "closing": {13},
    },
    "en_cancel_plan": {
        "greeting": {1},
        "cancel_intent": {2},
        "competitor": {6},
        "matched_reply": {6, 7},
        "closing": {13},
    },
}


def analyze(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [WARMLINE, "analyze", *map(str, arguments), "--json", "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def records(home: Path, data: Path) -> dict[str, Any]:
    done = analyze(*(data / f"{name}.wav" for name in EXPECTED), home=home)
    assert done.returncode == 0, done.stderr
    return {record["call_id"]: record for record in map(json.loads, done.stdout.splitlines())}


def turns(name: str, data: Path) -> list[dict[str, Any]]:
    return json.loads((data / f"{name}.json").read_text())["turns"]


def turn_of(utterance: dict[str, Any], script: list[dict[str, Any]]) -> int:
    """The turn, from 1, of the same speaker that overlaps most."""

    def overlap(turn: dict[str, Any]) -> float:
        return min(utterance["end_ms"] / 1000, turn["end"]) - max(utterance["start_ms"] / 1000, turn["start"])

    mine = [(overlap(t), n) for n, t in enumerate(script, 1) if t["speaker"] == utterance["channel"]]
    return max(mine)[1]


@pytest.mark.parametrize("name", EXPECTED)
def test_each_card_comes_at_its_turn_and_none_twice(name: str, records: dict[str, Any], data: Path) -> None:
    script, record = turns(name, data), records[name]
    utterances = {u["id"]: u for u in record["utterances"]}
    found = [(card["rule"], turn_of(utterances[card["utterance_id"]], script)) for card in record["cards"]]
    rules = [rule for rule, _ in found]
    assert len(rules) == len(set(rules)), found
    for rule, at in EXPECTED[name].items():
        assert dict(found).get(rule) in at, (rule, found)
    texts = {card["rule"]: card["text"] for card in record["cards"]}
    if name == "zh_late_order":
        assert texts["soothe_and_escalate"] == "优先安抚+升级处理"


@pytest.mark.parametrize("name", EXPECTED)
def test_most_of_what_is_due_is_shown_and_little_else(
    name: str, records: dict[str, Any], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script, record = turns(name, data), records[name]
    utterances = {u["id"]: u for u in record["utterances"]}
    shown = {
        (card["rule"], turn_of(utterances[card["utterance_id"]], script) if card["utterance_id"] in utterances else 0)
        for card in record["cards"]
    }
    with (data / "advice_calls.csv").open(encoding="utf-8", newline="") as lines:
        rows = [line for line in csv.DictReader(lines) if line["call"] == name]
    due = {line["rule"]: set(map(int, line["turns"].split(";"))) for line in rows}
    # What is set at the end of the call hangs on the utterance that gave rise to it.
    right = [rule for rule, at in due.items() if any(one == rule and (turn in at or at == {0}) for one, turn in shown)]
    wrong = [one for one in shown if one[0] not in right]
    with capsys.disabled():
        print(f"\n{name}: {len(right)} of {len(due)} due, {len(wrong)} not due: {sorted(wrong)}")
    assert len(right) >= 0.65 * len(due), set(due) - set(right)
    assert len(wrong) <= 3, wrong


@pytest.mark.parametrize(("name", "margin"), [("zh_late_order", 0.30), ("en_cancel_plan", 0.16)])
def test_the_words_are_those_of_the_script_within_a_margin(
    name: str, margin: float, records: dict[str, Any], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = cer if name.startswith("zh") else wer
    errors = total = 0
    for speaker in ("customer", "agent"):
        said = " ".join(t["text"] for t in turns(name, data) if t["speaker"] == speaker)
        heard = " ".join(u["text"] for u in records[name]["utterances"] if u["channel"] == speaker)
        found = count(said, heard)
        errors += found.substitutions + found.deletions + found.insertions
        total += found.n
    with capsys.disabled():
        print(f"\n{name}: {count.__name__.upper()} {errors / total:.1%} of {total}")
    assert errors / total < margin


@pytest.mark.parametrize("name", EXPECTED)
def test_the_record_has_all_that_others_script_against(name: str, records: dict[str, Any]) -> None:
    record = records[name]
    for utterance in record["utterances"]:
        assert utterance["channel"] in ("customer", "agent")
        assert utterance["start_ms"] < utterance["end_ms"]
        assert -1 <= utterance["sentiment"] <= 1
        assert utterance["words"]
        assert all(
            utterance["start_ms"] <= w["start_ms"] <= w["end_ms"] <= utterance["end_ms"] for w in utterance["words"]
        )
        if utterance["channel"] == "agent":
            assert utterance["emotion"] is None
        else:
            assert set(utterance["emotion"]) == {"label", "valence", "arousal", "agitation", "confidence"}
    risk = record["risk"]
    assert risk["level"] in ("none", "watch", "elevated", "critical", "unknown")
    assert abs(sum(r["contribution"] for r in risk["reasons"]) - risk["score"]) < 1e-6
    assert record["measures"]["customer"]["talk_ms"] + record["measures"]["agent"]["talk_ms"] > 50_000


def test_what_is_no_call_is_told_by_name_and_the_others_go_on(home: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("this is no audio")
    whole = (data / "en_cancel_plan.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 4])
    soundfile.write(tmp_path / "silence.wav", np.zeros((16_000 * 60, 2), np.int16), 16_000)
    rng = np.random.default_rng(1)
    soundfile.write(tmp_path / "noise48k.wav", (rng.normal(size=(48_000 * 3, 2)) * 300).astype(np.int16), 48_000)
    names = ["notes.wav", "cut.wav", "silence.wav", "noise48k.wav", "missing.wav"]
    done = analyze(*(tmp_path / name for name in names), home=home)
    assert done.returncode == 1
    found = {record["call_id"]: record for record in map(json.loads, done.stdout.splitlines())}
    assert set(found) == {"cut", "silence", "noise48k"}
    errors = done.stderr.replace("\n", "")
    assert "notes.wav" in errors
    assert "missing.wav" in errors
    assert "cut short" in errors
    assert found["cut"]["utterances"]
    assert found["silence"]["utterances"] == []
    assert found["silence"]["risk"]["level"] == "unknown"
    assert found["silence"]["measures"]["non_talk_ms"] == 60_000
    assert found["noise48k"]["utterances"] == []
