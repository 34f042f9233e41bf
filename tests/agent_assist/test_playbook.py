"""Playbooks: what is wrong with one is said with its place."""

from pathlib import Path

import pytest

from agent_assist.advice.phrases import Text, compile_phrase, negated
from agent_assist.advice.playbook import load
from agent_assist.advice.profile import ProfileCondition
from agent_assist.advice.spoken import spoken
from agent_assist.errors import PlaybookError

RULE = """
name: mine
version: "3"
rules:
  - id: first
    kind: card
    speaker: customer
    priority: 10
    title: {zh: 标题, en: title}
    text: {zh: 内容, en: text}
    reason: {zh: 原因, en: "because of {words}"}
    phrases: {en: [hello there]}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_playbook_of_ones_own_is_read(tmp_path: Path) -> None:
    playbook = load(written(tmp_path, RULE))
    name, _, digest = playbook.source.partition("+")
    assert (name, len(digest), [rule.id for rule in playbook.rules]) == ("mine 3", 8, ["first"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("priority: 10", "priority: high", ["expected `int`", "got `str`", "rule first", "rules.yaml"]),
        ("priority: 10", "priority: 1001", ["priority from 0 to 1000", "got 1001", "rule first"]),
        ("speaker: customer", "speaker: robot", ["robot", "rule first"]),
        ("kind: card", "kindness: card", ["kind", "rule first"]),
        ("kind: card", "kind: card\n    colour: red", ["colour", "rule first"]),
        ("hello there", '"(hello"', ["expected a phrase", "(hello", "rule first"]),
        ("hello there", '"{nobody} calls"', ["{nobody}", "rule first"]),
        ("hello there", '"re: (a"', ["re: (a", "rule first"]),
        ("hello there", '"*"', ["expected a phrase", "rule first"]),
        ("because of {words}", "because of {weather}", ["weather", "rule first"]),
        ("    phrases: {en: [hello there]}", "", ["expected a condition, got none", "rule first"]),
        ("kind: card", "kind: webhook", ["webhook", "rule first"]),
        ("kind: card", "kind: task", ["due_hours", "rule first"]),
        ("priority: 10", "priority: 10\n    due_hours: 3", ["due_hours with a task", "got kind: card"]),
        ("priority: 10", "priority: 10\n    once: always", ["cooldown_ms", "got none", "rule first"]),
        ("speaker: customer", "speaker: agent\n    intents: [cancel]", ["speaker customer", "got agent"]),
        ("speaker: customer", "speaker: customer\n    intents: [leave]", ["leave", "rule first"]),
        ("speaker: customer", "not_said: {within_ms: 9}", ["a speaker with not_said", "got none"]),
        ("priority: 10", "priority: 10\n    profile: 1 +", ["condition in CEL", "rule first"]),
        ("priority: 10", "priority: 10\n    profile: caller.id == 'x'", ["customer and call", "got caller"]),
        ("priority: 10", "priority: 10\n    profile: shell(call.id)", ["known functions", "got shell"]),
        ("priority: 10", "priority: 10\n    measures: [{name: silence_ms}]", ["at_least or at_most", "got neither"]),
        ("priority: 10", "priority: 10\n    measures: [{name: talk_share, at_least: 1}]", ["a speaker of talk_share"]),
        ("priority: 10", "priority: 10\n    risk: {level: unknown}", ["from watch to critical", "got unknown"]),
        ("priority: 10", "priority: 10\n    early: true\n    after: true", ["early without after", "rule first"]),
        ("priority: 10", "priority: 10\n    offer: true\n    compliance: true", ["an offer without compliance"]),
        ("priority: 10", "priority: 10\n    examples: {fires: [{en: ['B: x']}]}", ["a line as 'C: words'", "'B: x'"]),
        ("hello there", '"re: (?<!a)b"', ["RE2", "rule first"]),
        ("hello there", '"re: (a"', ["RE2", "rule first"]),
        ("id: first", "id: 'first:one'", ["an id of letters", "first:one"]),
        ("name: mine", "name: [mine", ["YAML", "rules.yaml"]),
        ("name: mine", "name: 2024-02-30", ["YAML", "rules.yaml"]),
        ("name: mine", "name: " + "[" * 3_000, ["YAML", "rules.yaml"]),
        ("name: mine", "names: mine", ["names"]),
    ],
)
@pytest.mark.slow
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: list[str]) -> None:
    assert old in RULE
    with pytest.raises(PlaybookError) as caught:
        load(written(tmp_path, RULE.replace(old, new)))
    assert str(caught.value).startswith("expected ")
    for part in told:
        assert part in str(caught.value)


def test_a_rule_may_stand_once_only(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="first twice"):
        load(written(tmp_path, RULE + RULE.partition("rules:\n")[2]))


def test_a_directory_without_rules_is_no_playbook(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match=r"at least one \*\.yaml, got none"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("phrase", "text", "heard"),
    [
        ("第{n}次*打电话", "这是我第3次给你们打电话了。", "第3次给你们打电话"),
        ("第{n}次*打电话", "弟 三 次，打 电话", "弟 三 次，打 电话"),
        ("优先处理", "我们会有限处理", "有限处理"),
        ("i would like", "I’D like that", "I’D like"),
        ("(red|blue) door [again]", "the Blue door, again!", "Blue door, again"),
        ("{ordinal} time", "the 3rd time", "3rd time"),
        (r"re:order\s+\d{4}", "my Order 1234 please", "Order 1234"),
        ("退款", "ＡＢＣ退款", "退款"),
    ],
)
def test_phrases_are_found_and_told_as_they_were_heard(phrase: str, text: str, heard: str) -> None:
    said = Text.of(spoken(text))
    found = compile_phrase(phrase).find(said)
    assert heard in {said.spoken.heard(each.start, each.end) for each in found}


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("第{n}次*打电话", "第三次。我打电话"),
        ("hello * there", "hello. there"),
        ("hello * there", "hello one two three four five there"),
        ("art", "start"),
        ("退款", "推款"),
    ],
)
def test_phrases_do_not_cross_sentences_nor_cut_words(phrase: str, text: str) -> None:
    assert compile_phrase(phrase).find(Text.of(spoken(text))) == []


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("我不要退款", True),
        ("我没有说要退款", True),
        ("不是退款", True),
        ("能不能退款", False),
        ("要不要退款", False),
        ("再不退款我就投诉", False),
        ("不得不退款", False),
        ("不行我要退款", False),
    ],
)
def test_denials_are_told_from_questions_and_threats(text: str, denied: bool) -> None:
    said = Text.of(spoken(text))
    (found,) = compile_phrase("退款").find(said)
    assert negated(said, found) is denied


def test_rules_may_stand_in_several_files_and_an_error_names_the_right_one(tmp_path: Path) -> None:
    written(tmp_path, RULE)
    more = "rules:" + RULE.partition("rules:")[2].replace("first", "second")
    (tmp_path / "more.yaml").write_text(more, encoding="utf-8")
    assert [rule.id for rule in load(tmp_path).rules] == ["second", "first"]
    (tmp_path / "more.yaml").write_text(more.replace("10", "high"), encoding="utf-8")
    with pytest.raises(PlaybookError, match=r"rule second .*more\.yaml"):
        load(tmp_path)


def test_a_regular_expression_that_ends_soon_is_taken(tmp_path: Path) -> None:
    playbook = load(written(tmp_path, RULE.replace("hello there", '"re:order (no|number) [0-9]+ of (may|june)"')))
    assert playbook.rules[0].phrases["en"][0].startswith("re:order")


def test_a_profile_condition_may_not_take_long() -> None:
    ProfileCondition("call.attributes.exists(x, x == 'a')")
    with pytest.raises(ValueError, match="one loop"):
        ProfileCondition("call.attributes.all(x, call.attributes.all(y, x == y))")
    with pytest.raises(ValueError, match="500 characters"):
        ProfileCondition(" && ".join(["call.id == 'x'"] * 50))
