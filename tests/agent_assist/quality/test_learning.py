"""Ranking by what agents make of cards: it moves to what helps, within bounds, and noise does not swing it."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from agent_assist.advice.learned import MOST
from agent_assist.advice.playbook import Playbook, load
from agent_assist.advice.recommending import Recommender
from agent_assist.quality.learning import Opinion, learn
from agent_assist.store.calls import CallStore
from agent_assist.store.opinions import opinions
from agent_assist.types import CallStarted, Card, CardFeedback, CardKind, FeedbackAction
from stream.cli import app

USED, DISMISSED, UP, DOWN = FeedbackAction
NOW = datetime(2026, 3, 1, tzinfo=UTC)
RULES = """
- &one {id: good, kind: card, priority: 500, title: {en: t}, reason: {en: r}, phrases: {en: [broken]}}
- {<<: *one, id: poor, priority: 530}
- {<<: *one, id: plain}
- {<<: *one, id: notice, compliance: true}
- {<<: *one, id: angry, kind: alert}
"""


def playbook(**more: Any) -> Playbook:
    return msgspec.convert({"name": "t", "version": "1", "rules": yaml.safe_load(RULES)} | more, Playbook)


def said(rule: str, number: int, *actions: FeedbackAction) -> list[Opinion]:
    return [
        Opinion(rule, f"{rule}:{number}", action, NOW + timedelta(seconds=second))
        for second, action in enumerate(actions)
    ]


def simulated(shares: dict[str, float], trials: int, seed: int) -> list[Opinion]:
    chance = random.Random(seed)
    return [
        each
        for rule, share in shares.items()
        for number in range(trials)
        for each in said(rule, number, USED if chance.random() < share else DISMISSED)
    ]


def shifts(found: list[Opinion]) -> dict[str, int]:
    return {each.rule: each.shift for each in learn(playbook(), found).rules}


def test_nothing_said_moves_nothing() -> None:
    assert set(shifts([]).values()) == {0}


@pytest.mark.parametrize("seed", range(10))
def test_the_ranking_moves_to_the_better_card(seed: int) -> None:
    found = learn(playbook(), simulated({"good": 0.8, "poor": 0.3, "plain": 0.55}, 200, seed))
    ranked = playbook(learned=msgspec.to_builtins(found.snapshot())).ranked()
    priority = {rule.id: rule.priority for rule in ranked.rules}
    assert playbook().movable()["poor"] > playbook().movable()["good"]
    assert priority["good"] > priority["poor"]
    assert [each.rule for each in found.rules] == ["good", "plain", "poor"]


def test_noise_does_not_swing_it() -> None:
    moved = [
        shift
        for seed in range(100)
        for shift in shifts(simulated({"good": 0.5, "poor": 0.5, "plain": 0.5}, 50, seed)).values()
    ]
    assert sum(shift != 0 for shift in moved) <= 0.05 * len(moved)
    assert max(map(abs, moved)) <= 20


def test_a_few_who_agree_move_nothing() -> None:
    opinions = [each for number in range(3) for each in said("good", number, UP)]
    opinions += [each for number in range(3) for each in said("poor", number, DOWN)]
    assert set(shifts(opinions).values()) == {0}


@given(st.dictionaries(st.sampled_from(["good", "poor", "plain"]), st.floats(0, 1)), st.integers(0, 300))
def test_no_shift_is_beyond_the_bound(shares: dict[str, float], trials: int) -> None:
    assert all(abs(shift) <= MOST for shift in shifts(simulated(shares, trials, 1)).values())


def test_rules_for_compliance_alerts_and_rules_that_are_gone_are_never_moved() -> None:
    rules = ("notice", "angry", "gone")
    found = learn(playbook(), [each for rule in rules for n in range(500) for each in said(rule, n, DOWN)])
    assert found.trials == 0
    assert {each.rule for each in found.rules} == {"good", "poor", "plain"}
    forced = playbook(learned={"id": "0" * 8, "shifts": dict.fromkeys(("notice", "angry"), 100)})
    assert forced.ranked().rules == playbook().rules


@pytest.mark.parametrize(
    ("actions", "helped"),
    [
        ((USED,), 1),
        ((DISMISSED,), 0),
        ((USED, DOWN), 0),
        ((UP, DISMISSED), 1),
        ((UP, DOWN), 0),
        ((DOWN, UP), 1),
        ((DISMISSED, USED), 1),
    ],
)
def test_a_card_is_one_trial_and_the_last_word_on_it_counts(actions: tuple[FeedbackAction, ...], helped: int) -> None:
    share = {each.rule: each for each in learn(playbook(), said("good", 1, *actions)).rules}["good"]
    assert (share.helped, share.trials) == (helped, 1)


def test_the_same_opinions_in_any_order_are_the_same_snapshot() -> None:
    found = simulated({"good": 0.9, "poor": 0.2}, 100, 3)
    assert learn(playbook(), found) == learn(playbook(), found[::-1])
    assert learn(playbook(), found).id != learn(playbook(), []).id


def test_the_snapshot_stands_in_the_source_of_the_cards() -> None:
    assert playbook(learned={"id": "0a" * 4, "shifts": {}}).source == "t 1 learned 0a0a0a0a"


def test_a_shift_beyond_the_bound_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="shifts from -100 to 100"):
        playbook(learned={"id": "0" * 8, "shifts": {"good": 101}})


def test_candidates_are_ranked_by_what_was_learned() -> None:
    when = {"intents": ["refund"]}
    text = {"title": {"en": "t"}, "reason": {"en": "r"}, "kind": "solution", "when": when}
    given = {"candidates": [{"id": "a", **text}, {"id": "b", **text}]}
    moved = playbook(recommendations=given, learned={"id": "0" * 8, "shifts": {"recommend.b": 50}}).ranked()
    assert [(each.id, each.weight) for each in moved.recommendations.candidates] == [("a", 0.5), ("b", 0.55)]
    assert Recommender(moved.recommendations, "t") is not None


def test_opinions_are_read_by_tenant_and_the_snapshot_is_written_into_the_playbook(tmp_path: Path) -> None:
    store = CallStore(f"sqlite:///{tmp_path / 'warmline.db'}")
    store.upgrade()
    for number in range(120):
        call, rule = f"c{number}", ("good", "poor")[number % 2]
        card = Card(
            id=f"{call}:{rule}", call_id=call, rule=rule, kind=CardKind.CARD, title="t", text="", at_ms=0,
            utterance_id="u", priority=1, language="en", reason="r",
        )  # fmt: skip
        start = CallStarted(call_id=call, at=datetime.now(UTC), protocol="t", attributes={"tenant": "mine"})
        action = (UP, DISMISSED)[number % 2]
        store.write([start, card, CardFeedback(call_id=call, card_id=card.id, action=action, at=NOW)], {})
    assert {tenant: len(found) for tenant, found in opinions(store.engine, NOW).items()} == {"mine": 120}
    store.close()
    rules = tmp_path / "rules" / "mine"
    rules.mkdir(parents=True)
    (rules / "playbook.yaml").write_text(f"name: t\nversion: '1'\nrules: {yaml.safe_load(RULES)}", "utf-8")
    options = ["--home", str(tmp_path), "--json"]
    environment = {"WARMLINE_PLAYBOOK": str(rules.parent)}
    refused = CliRunner().invoke(app, ["rules", "learned", "--write", *options], env=environment)
    assert refused.exit_code == 2
    (rules.parent / "default").mkdir()
    (rules.parent / "default" / "playbook.yaml").write_text("name: t\nversion: '1'\nrules: []", "utf-8")
    done = CliRunner().invoke(app, ["rules", "learned", "--write", *options], env=environment)
    assert done.exit_code == 0, done.output
    kept = load(rules).learned
    assert kept is not None
    assert kept.shifts["good"] > 0 > kept.shifts["poor"]
    again = CliRunner().invoke(app, ["rules", "learned"], env=environment | {"WARMLINE_HOME": str(tmp_path)})
    assert "120 cards judged" in again.output
