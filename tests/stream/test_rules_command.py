"""``warmline rules``: a playbook is checked, and tried on calls of the past."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from agent_assist.advice.checking import check, sample
from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.call.record import record_of
from agent_assist.errors import PlaybookError
from agent_assist.quality.backtest import Backtest, Runs
from agent_assist.store.calls import CallStore
from agent_assist.types import Assist, CallEnded, CallRecord, CallStarted, Card, Event, Final
from audio.types import Channel
from models.types import Utterance
from stream.cli import app
from stream.commands.rules import RulesCheck

RULE = """
name: mine
version: "3"
rules:
  - id: first
    kind: card
    speaker: customer
    priority: 10
    title: {en: title}
    reason: {en: "{words}"}
    phrases: {en: [want to cancel], zh: ["(要|想)取消"]}
    examples:
      fires: [{en: I want to cancel}, {zh: 我要取消}, {en: ["A: hello", "C@30: I want to cancel"]}]
      silent: [{en: I do not want to cancel}, {en: ["A: I want to cancel"]}]
"""


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_a_playbook_whose_examples_hold_is_without_faults(tmp_path: Path) -> None:
    result = run("check", written(tmp_path, RULE))
    assert (result.exit_code, "no faults" in result.stdout) == (0, True)
    assert "1 rules, 5 examples" in result.stdout


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "I do not want to cancel",
            "yes I want to cancel",
            "expected silence, got it to fire on 'yes I want to cancel'",
        ),
        ("fires: [{en: I want to cancel}", "fires: [{en: cancel}", "expected it to fire, got silence on 'cancel'"),
        ("A: hello", "C(cross): hello", "expected an emotion or an intent of the customer in brackets, got 'cross'"),
        ("priority: 10", "priority: 10\n    profile: call.id", "expected a rule that can be run, got"),
        ("priority: 10", "priority: 10\n    unless: {en: [cancel], zh: [取消]}", "beside those of unless"),
        ("priority: 10", "priority: 10\n    window: {first: 0}", "a window of at least 1 utterance, got 0"),
        ("priority: 10", "priority: high", "expected `int`, got `str`"),
    ],
)
def test_what_is_wrong_is_told_with_rule_and_file(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in RULE
    result = run("check", written(tmp_path, RULE.replace(old, new, 1)))
    assert result.exit_code == 1
    shown = one_line(result.stdout)
    assert told in shown
    assert "first" in shown
    assert str(tmp_path) in shown


def test_rules_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    same = RULE.partition("rules:\n")[2].replace("id: first", "id: second")
    result = run("check", written(tmp_path, RULE + same))
    assert result.exit_code == 1
    assert "expected a condition of its own, got all those of first" in one_line(result.stdout)
    ticks = RULE.replace("kind: card", "kind: tick") + same.replace("kind: card", "kind: tick").replace("want", "wish")
    assert "expected each tick with a title of its own" in one_line(run("check", written(tmp_path, ticks)).stdout)


def test_the_check_is_told_as_json_and_covers_every_tenant(tmp_path: Path) -> None:
    written(tmp_path / "default", RULE)
    written(tmp_path / "shop", RULE.replace("priority: 10", "priority: high"))
    result = run("check", tmp_path, "--json")
    assert result.exit_code == 1
    checked = msgspec.json.decode(result.stdout, type=RulesCheck)
    assert [(one.playbook.partition("+")[0], bool(one.error)) for one in checked.playbooks] == [
        ("mine 3", False),
        ("", True),
    ]
    assert [cost.rule for cost in checked.playbooks[0].costs] == ["first"]


def test_all_faults_are_told_in_one_run_each_with_its_file_its_line_and_its_rule(tmp_path: Path) -> None:
    rule = RULE.partition("rules:\n")[2]
    second = rule.replace("id: first", "id: second").replace("priority: 10", "priority: high\n    colour: red")
    third = rule.replace("id: first", "id: third").replace("phrases: {en: [", "phrases: {zh: ['('], en: ['(', ")
    directory = written(tmp_path, RULE + second + third + rule)
    (directory / "more.yaml").write_text("calm: {cards_per_minute: 0}\nofers: {}\n", encoding="utf-8")
    (directory / "torn.yaml").write_text("flows: [", encoding="utf-8")
    result = run("check", directory, "--json")
    assert result.exit_code == 1
    (checked,) = msgspec.json.decode(result.stdout, type=RulesCheck).playbooks
    found = [(Path(one.file).name, one.rule, one.expected.partition(",")[0], one.got) for one in checked.faults]
    assert [(file, rule) for file, rule, _, _ in found] == [
        ("more.yaml", ""),
        ("more.yaml", ""),
        ("rules.yaml", "second"),
        ("rules.yaml", "second"),
        ("rules.yaml", "third"),
        ("torn.yaml", ""),
        (directory.name, ""),
    ]
    assert found[0][2:] == ("cards_per_minute of at least 1", "0 at $.calm")
    assert "`ofers`" in found[1][3]
    assert {found[2][3], found[3][3]} == {
        "`str` at $.rules[1].priority",
        "object contains unknown field `colour` at $.rules[1].colour",
    }
    assert found[6][2:] == ("each rule's id once", "first twice")
    text = (directory / "rules.yaml").read_text(encoding="utf-8").splitlines()
    lines = {one.got: one.line for one in checked.faults}
    assert text[(lines["`str` at $.rules[1].priority"] or 0) - 1].strip() == "priority: high"
    assert checked.error == str(PlaybookError(checked.faults[0].file, *found[0][2:], checked.faults[0].line))
    shown = one_line(run("check", directory).stdout)
    assert shown.count("error:") == 7
    assert "7 faults" in shown


def test_the_sound_rules_of_a_playbook_with_faults_are_checked_as_well(tmp_path: Path) -> None:
    rule = RULE.partition("rules:\n")[2]
    wrong = rule.replace("id: first", "id: second").replace("priority: 10", "priority: high")
    same = rule.replace("id: first", "id: third")
    shown = one_line(run("check", written(tmp_path, RULE + wrong + same)).stdout)
    assert "`int`, got `str` at $.rules[1].priority at rule second" in shown
    assert "expected a condition of its own, got all those of first" in shown


@pytest.mark.slow
def test_the_default_playbook_has_no_faults() -> None:
    assert [finding for finding in check(load()) if finding.kind != "untried"] == []


@pytest.mark.parametrize(
    ("phrase", "words"),
    [("(要|想)取消", "要取消"), ("want [so much] to * (leave|go (now|soon))", "want to leave"), ("第{n}次", "第三次")],
)
def test_a_phrase_has_words_in_which_it_stands(phrase: str, words: str) -> None:
    assert sample(phrase) == words


def said(call: str, number: int, text: str) -> Utterance:
    return Utterance(
        id=f"{call}:customer:{number * 5000}",
        channel=Channel.CUSTOMER,
        number=number,
        start_ms=number * 5000,
        end_ms=number * 5000 + 3000,
        text=text,
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
    )


def a_call(call: str, assistant: Assistant, *texts: str, days_ago: float = 1) -> list[Event | Assist]:
    """A call with what the assistant said of it then."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    events: list[Event] = [CallStarted(call_id=call, at=at, protocol="test")]
    events += [Final(call_id=call, utterance=said(call, number, text)) for number, text in enumerate(texts)]
    events.append(CallEnded(call_id=call, duration_ms=60_000, reason="hangup"))
    state, told = None, []
    for event in events:
        state, new = assistant.step(state, event)
        told += new
    return [*events, *told]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With three calls: one of long ago, and the cards of a playbook that knew "refund" alone."""
    then = Assistant(load(written(tmp_path / "then", RULE.replace("want to cancel]", "refund]"))))
    directory = tmp_path / "home"
    directory.mkdir()
    store = CallStore(f"sqlite:///{directory / 'warmline.db'}")
    store.upgrade()
    store.write(a_call("a", then, "a refund please", "I want to cancel"), {})
    store.write(a_call("b", then, "hello"), {})
    store.write(a_call("old", then, "I want to cancel", days_ago=9), {})
    store.close()
    return directory


def test_calls_of_the_past_are_put_through_the_rules(home: Path, tmp_path: Path) -> None:
    now = written(tmp_path / "now", RULE)
    result = run("backtest", "--since", "7d", "--playbook", now, "--home", home, "--json")
    assert result.exit_code == 0, result.output
    found = msgspec.json.decode(result.stdout, type=Backtest)
    assert (found.calls, found.utterances) == (2, 3)
    (rule,) = found.rules
    assert (rule.rule, rule.fired, rule.calls, rule.per_100_calls, rule.shown, rule.same) == ("first", 1, 1, 50.0, 1, 0)
    (example,) = rule.examples
    assert (example.call_id, example.at_ms, example.words) == ("a", 8_000, "I want to cancel")
    assert run("backtest", "--since", "7d", "--playbook", now, "--home", home, "--json").stdout == result.stdout
    older = json.loads(run("backtest", "--since", "240h", "--playbook", now, "--home", home, "--json").stdout)
    assert (older["calls"], older["rules"][0]["fired"]) == (3, 2)


def test_the_backtest_is_shown_to_a_person_for_the_rules_that_are_named(home: Path, tmp_path: Path) -> None:
    now = written(tmp_path / "now", RULE)
    result = run("backtest", "first", "--playbook", now, "--home", home)
    assert result.exit_code == 0
    assert "mine 3" in result.stdout
    assert "I want to cancel" in one_line(result.stdout)
    assert run("backtest", "nobody", "--playbook", now, "--home", home).exit_code == 2
    assert run("backtest", "--since", "soon", "--playbook", now, "--home", home).exit_code == 2


def test_a_call_is_put_through_the_rules_of_its_own_tenant_and_with_its_attributes() -> None:
    named: list[str | None] = []
    assistant = Assistant(load())

    def desk(tenant: str | None) -> Assistant:
        named.append(tenant)
        return assistant

    messages: list[Any] = a_call("c", assistant, "I want to cancel")
    start = msgspec.structs.replace(messages[0], attributes={"tenant": "east", "tier": "gold"})
    record = record_of("c", [start, *(each for each in messages[1:] if isinstance(each, Final | CallEnded))], [])
    runs = Runs(desk, "now")
    runs.add(record, [start])
    assert named == ["east"]


def test_a_call_put_through_the_rules_that_were_in_force_shows_the_same() -> None:
    assistant = Assistant(load())
    messages: list[Any] = a_call(
        "c", assistant, "I want to cancel", "Blue Harbor is cheaper", "this is my third call about this"
    )
    events = [each for each in messages if isinstance(each, CallStarted | Final | CallEnded)]
    record: CallRecord = record_of("c", events, [each for each in messages if isinstance(each, Card)])
    runs = Runs(lambda _: assistant, "now")
    runs.add(record, events)
    assert {(run.rule, run.fired, run.shown, run.same) for run in runs.result().rules} == {
        ("cancel_intent", 1, 1, 1),
        ("competitor", 1, 1, 1),
        ("repeated_contact", 1, 1, 1),
        ("retention", 1, 1, 1),
        ("greeting_missed", 1, 1, 1),
    }


@pytest.mark.parametrize("since", ["soon", "7", "9999999999999d", "-1d"])
@pytest.mark.slow
def test_a_time_that_is_none_is_told(since: str, tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["rules", "backtest", "--since", since, "--home", str(tmp_path)])
    assert refused.exit_code == 2
    assert "days or hours" in refused.output
