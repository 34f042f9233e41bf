"""A sentence that is put to every rule."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_assist.advice.playbook import load
from agent_assist.advice.trial import Trial, try_sentence
from audio.types import Channel

CARD = "kind: card, priority: 1, title: {en: t}, reason: {en: '{words}'}"
RULES = f"""
name: mine
version: "1"
rules:
  - {{id: plain, speaker: customer, {CARD}, phrases: {{en: [refund]}}}}
  - {{id: first, speaker: customer, {CARD.replace("1", "9")}, phrases: {{en: [refund]}}}}
  - {{id: angry, speaker: customer, {CARD}, phrases: {{en: [refund]}}, emotions: [angry]}}
  - {{id: barred, speaker: customer, {CARD}, phrases: {{en: [refund]}}, unless: {{en: [please]}}}}
  - {{id: twice, speaker: customer, {CARD}, phrases: {{en: [refund]}}, hits: {{at_least: 2}}}}
  - {{id: agents, speaker: agent, {CARD}, phrases: {{en: [refund]}}}}
  - {{id: other, speaker: customer, {CARD}, phrases: {{en: [cancel]}}}}
"""


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Trial]:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    playbook = load(tmp_path)
    return lambda text, speaker=Channel.CUSTOMER: try_sentence(playbook, speaker, "en", text)


def nearly(trial: Trial) -> dict[str, tuple[str, ...]]:
    return {one.rule: one.unmet for one in trial.nearly}


def test_what_fires_comes_by_priority_and_says_why(ask: Callable[..., Trial]) -> None:
    trial = ask("a refund please")
    assert [one.rule for one in trial.fired] == ["first", "plain"]
    assert trial.fired[1].card is not None
    assert trial.fired[1].card.trigger == ("refund",)


def test_what_nearly_fires_says_what_stands_in_the_way(ask: Callable[..., Trial]) -> None:
    found = nearly(ask("a refund please"))
    assert found == {"angry": ("emotions",), "barred": ("unless",), "twice": ("hits",)}
    assert "barred" not in nearly(ask("a refund"))


def test_what_the_agent_says_is_put_to_the_rules_on_the_agent(ask: Callable[..., Trial]) -> None:
    trial = ask("a refund\nplease", Channel.AGENT)
    assert [one.rule for one in trial.fired] == ["agents"]
    assert trial.nearly == ()


def test_a_sentence_of_nothing_that_rules_hear_fires_none(ask: Callable[..., Trial]) -> None:
    trial = ask("what a day")
    assert (trial.fired, trial.nearly) == ((), ())
