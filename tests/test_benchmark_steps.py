"""The figures of the flow's steps are counted right, on turns whose steps the default flow has."""

from pathlib import Path

import pytest

from agent_assist.advice.playbook import load
from benchmarks.steps import TURNS, Turn, read, score


def turn(step: str) -> Turn:
    return Turn("text", "en", step, "kept")


def test_a_step_found_beside_the_right_one_costs_precision_and_a_missed_one_recall() -> None:
    turns = [turn("solve"), turn("soothe"), turn("")]
    found = [frozenset({"solve", "soothe"}), frozenset[str](), frozenset({"solve"})]
    assert score(turns, found, ["solve", "soothe"]) == (1, 3, 2)
    assert score(turns, found, ["soothe"]) == (0, 1, 1)


@pytest.mark.parametrize("path", TURNS, ids=lambda path: path.stem)
def test_the_labelled_turns_are_of_steps_of_the_default_flow_or_of_none(path: Path) -> None:
    turns = read([path])
    known = {step.id for step in load().flows[0].every_step() if step.done.phrases}
    assert {one.step for one in turns} == known | {""}
    assert len({one.text for one in turns}) == len(turns)
    assert sum(not one.step for one in turns) >= 30
