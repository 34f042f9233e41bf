"""The default playbook: its rules do what their examples say, also as a recogniser leaves what was said."""

from collections import Counter
from random import Random

import msgspec
import pytest

from agent_assist.advice.checking import check
from agent_assist.advice.conditions import LINE, Example
from agent_assist.advice.examples import attempt
from agent_assist.advice.playbook import load
from agent_assist.advice.rule import Rule
from models.intent import Intent
from models.training.confusion import RATE, Confusion, plain

PLAYBOOK = load()
RULES = {rule.id: rule for rule in PLAYBOOK.rules}
CASES = [
    pytest.param(rule.id, example, fires, id=f"{rule.id}-{'fires' if fires else 'silent'}-{number}")
    for rule in PLAYBOOK.rules
    for fires, examples in ((True, rule.examples.fires), (False, rule.examples.silent))
    for number, example in enumerate(examples)
]
BY_WORDS = [rule.id for rule in PLAYBOOK.rules if rule.phrases and rule.not_said is None and not rule.measures]
"""Rules that fire on what is said; of the others an example is mostly times and moods."""


@pytest.mark.parametrize(("rule", "example", "fires"), CASES)
def test_an_example_is_as_it_says(rule: str, example: Example, fires: bool) -> None:
    tried = attempt(PLAYBOOK, RULES[rule], example)
    assert (tried.fired, tried.failed) == (fires, "")


@pytest.mark.slow
def test_the_check_of_the_playbook_finds_nothing_not_even_a_rule_that_is_untried() -> None:
    assert check(PLAYBOOK) == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_is_tried_three_times_and_three_times_over_in_each_of_its_languages(rule: str) -> None:
    one = RULES[rule]
    for examples in (one.examples.fires, one.examples.silent):
        counts = Counter("zh" if example.zh is not None else "en" for example in examples)
        languages = {"too_fast_zh": {"zh"}, "too_fast_en": {"en"}}.get(rule, {"zh", "en"})
        assert set(counts) == languages
        assert min(counts.values()) >= 3


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_speaks_both_languages(rule: str) -> None:
    one = RULES[rule]
    shown = (one.text,) if one.kind == "webhook" else (one.title, one.text, one.reason)
    assert all(set(texts) == {"zh", "en"} for texts in shown)


def test_each_kind_of_condition_is_used() -> None:
    rules = PLAYBOOK.rules
    assert {rule.kind for rule in rules} == {"card", "tick", "alert", "task", "webhook"}
    for field in ("phrases", "all_of", "unless", "unless_agent", "not_within", "competitors", "intents", "emotions"):
        assert any(getattr(rule, field) for rule in rules), field
    for field in ("agitation", "measures", "risk", "profile", "not_said", "hits", "after", "customer_name", "offer"):
        assert any(getattr(rule, field) for rule in rules), field


def misheard(example: Example, errors: Confusion, random: Random) -> Example:
    """With a recogniser's errors in the words of each line."""

    def line(written: str) -> str:
        parts = LINE.fullmatch(written)
        if parts is None or parts["who"] is None:
            return written
        return written[: parts.start("words")] + " " + errors(plain(parts["words"]), random)

    said = example.said
    new = tuple(map(line, said)) if isinstance(said, tuple) else errors(plain(said), random)
    return msgspec.structs.replace(example, **{"zh" if example.zh is not None else "en": new})


def words_of(example: Example) -> list[str]:
    said = example.said
    if isinstance(said, str):
        return [plain(said)]
    return [plain(parts["words"]) for one in said if (parts := LINE.fullmatch(one)) and parts["who"] is not None]


def wants(example: Example) -> bool:
    """Whether an intent is given with the words: with other words the model would read another."""
    said = example.said
    lines = [] if isinstance(said, str) else [parts["with"] or "" for one in said if (parts := LINE.fullmatch(one))]
    return any(intent in lines for intent in Intent)


def heard(rules: list[Rule], *, fires: bool, rate: float) -> float:
    """Share of the examples in which the rule fires, all said three times with errors."""
    examples = [
        (rule, one)
        for rule in rules
        for one in (rule.examples.fires if fires else rule.examples.silent)
        if fires or not wants(one)
    ]
    errors, random = Confusion([text for _, one in examples for text in words_of(one)], rate=rate), Random(5)
    fired = [attempt(PLAYBOOK, rule, misheard(one, errors, random)).fired for _ in range(3) for rule, one in examples]
    return sum(fired) / len(fired)


@pytest.mark.parametrize(("rate", "least", "most"), [(0.05, 0.85, 0.03), (RATE, 0.65, 0.05)])
@pytest.mark.slow
def test_most_rules_bear_a_recognisers_errors(rate: float, least: float, most: float) -> None:
    rules = [RULES[name] for name in BY_WORDS]
    assert heard(rules, fires=True, rate=rate) >= least
    assert heard(rules, fires=False, rate=rate) <= most
