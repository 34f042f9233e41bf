"""
How precisely the steps of the default flow are recognised by what the agent says.

The turns are ours, written by one hand, a third of them of no step at all. Phrases were chosen with the half ``seen``
in view; the half ``kept`` was not looked at for it, though the same hand wrote both. Steps that are done by a rule
(the greeting, the closing) are not in it: the examples of the playbook test those.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from agent_assist.advice.evidence import Evidence
from agent_assist.advice.flow import Step
from agent_assist.advice.names import Lexicon
from agent_assist.advice.playbook import load
from benchmarks.environment import Environment, environment, report

TURNS: Final = tuple(
    Path(__file__).resolve().parents[1] / "tests" / "data" / f"steps_{language}.csv" for language in ("zh", "en")
)
"""Columns text, language, step (empty for none), half ("seen" or "kept")."""


class StepScore(msgspec.Struct, frozen=True, kw_only=True):
    """One step, or all of them, on the turns of one language and half."""

    language: str
    half: str
    step: str
    """Its id, or "all"."""
    meant: int
    """Turns that do it."""
    precision: float | None
    """None where it was never found."""
    recall: float | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench steps --json`` prints."""

    environment: Environment
    playbook: str
    scores: tuple[StepScore, ...]


class Turn(NamedTuple):
    """One agent's turn."""

    text: str
    language: str
    step: str
    half: str


def read(paths: Iterable[Path]) -> list[Turn]:
    """The labelled turns."""
    turns: list[Turn] = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as lines:
            turns += [Turn(row["text"], row["language"], row["step"], row["half"]) for row in csv.DictReader(lines)]
    return turns


def done_by(text: str, steps: Iterable[Step]) -> frozenset[str]:
    """The steps that an agent's turn does, by its words."""
    evidence = Evidence.of(text, Lexicon({}))
    return frozenset(step.id for step in steps if step.done.phrases and evidence.find(step.done.phrases))


def score(turns: Sequence[Turn], found: Sequence[frozenset[str]], steps: Sequence[str]) -> tuple[int, int, int]:
    """Of these steps together: rightly found, found, meant."""
    hits = sum(turn.step in there for turn, there in zip(turns, found, strict=True) if turn.step in steps)
    return hits, sum(len(there & set(steps)) for there in found), sum(turn.step in steps for turn in turns)


def _scores(turns: Sequence[Turn], steps: Sequence[Step]) -> Iterable[StepScore]:
    ids = [step.id for step in steps if step.done.phrases]
    for language in dict.fromkeys(turn.language for turn in turns):
        for half in ("seen", "kept"):
            some = [turn for turn in turns if (turn.language, turn.half) == (language, half)]
            found = [done_by(turn.text, steps) for turn in some]
            for name, chosen in (*((one, [one]) for one in ids), ("all", ids)):
                hits, named, meant = score(some, found, chosen)
                yield StepScore(
                    language=language,
                    half=half,
                    step=name,
                    meant=meant,
                    precision=round(hits / named, 4) if named else None,
                    recall=round(hits / meant, 4) if meant else None,
                )


def run(*, out: Path | None, json: bool) -> None:
    """Measure and print."""
    playbook = load()
    steps = list(playbook.flows[0].every_step())
    result = Result(
        environment=environment("warmline bench steps"),
        playbook=playbook.source,
        scores=tuple(_scores(read(TURNS), steps)),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title="Steps of the flow by what the agent says")
    for heading in ("language", "half", "step", "of them do", "precision", "recall"):
        table.add_column(heading, no_wrap=True)
    for one in result.scores:
        rates = ["-" if rate is None else f"{rate:.2f}" for rate in (one.precision, one.recall)]
        table.add_row(one.language, one.half, one.step, str(one.meant), *rates)
    console.print(table)
