"""
Whether an agent's turn is told right to take up what the customer feels: ``agent_assist.call.acknowledge``.

The turns are ours, written by one hand, more than half of them near misses: sorry as a formula, a fact understood,
a refusal. Phrases were chosen with the half ``seen`` in view; the half ``kept`` was not looked at for it, though the
same hand wrote both. Neither is a record of real agents.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from agent_assist.call.acknowledge import takes_up
from benchmarks.environment import Environment, environment, report
from models.types import EmotionLabel

TURNS: Final = tuple(
    Path(__file__).resolve().parents[1] / "tests" / "data" / f"acknowledgements_{language}.csv"
    for language in ("zh", "en")
)
"""Columns text, language, emotion (of the customer), takes_up (0 or 1), half ("seen" or "kept")."""


class TurnScore(msgspec.Struct, frozen=True, kw_only=True):
    """Turns of one language, half and kind of emotion."""

    language: str
    half: str
    emotion: str
    """"negative", "satisfied" or "all"."""
    n: int
    meant: int
    """Turns that take the emotion up."""
    precision: float | None
    """None where none was found."""
    recall: float | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench acknowledged --json`` prints."""

    environment: Environment
    scores: tuple[TurnScore, ...]


class Turn(NamedTuple):
    """One agent's turn."""

    text: str
    language: str
    emotion: EmotionLabel
    meant: bool
    half: str


def read(paths: Iterable[Path]) -> list[Turn]:
    """
    The labelled turns.

    Raises:
        ValueError: If a label of an emotion is unknown.
    """
    turns: list[Turn] = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as lines:
            turns += [
                Turn(
                    line["text"],
                    line["language"],
                    EmotionLabel(line["emotion"]),
                    line["takes_up"] == "1",
                    line["half"],
                )
                for line in csv.DictReader(lines)
            ]
    return turns


def score(turns: Sequence[Turn], found: Sequence[bool], *, language: str, half: str, emotion: str) -> TurnScore:
    """Precision and recall of what was found in these turns."""
    hits = sum(turn.meant and there for turn, there in zip(turns, found, strict=True))
    meant = sum(turn.meant for turn in turns)
    return TurnScore(
        language=language,
        half=half,
        emotion=emotion,
        n=len(turns),
        meant=meant,
        precision=round(hits / sum(found), 4) if any(found) else None,
        recall=round(hits / meant, 4) if meant else None,
    )


def _scores(turns: Sequence[Turn]) -> Iterable[TurnScore]:
    for language in dict.fromkeys(turn.language for turn in turns):
        for half in ("seen", "kept"):
            for emotion in ("negative", "satisfied", "all"):
                some = [
                    turn
                    for turn in turns
                    if (turn.language, turn.half) == (language, half)
                    and emotion in {"all", "satisfied" if turn.emotion is EmotionLabel.SATISFIED else "negative"}
                ]
                found = [takes_up(turn.text, turn.emotion) for turn in some]
                yield score(some, found, language=language, half=half, emotion=emotion)


def run(*, out: Path | None, json: bool) -> None:
    """Measure and print."""
    result = Result(environment=environment("warmline bench acknowledged"), scores=tuple(_scores(read(TURNS))))
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title="Whether the agent took up what the customer felt")
    for heading in ("language", "half", "emotion", "n", "of them do", "precision", "recall"):
        table.add_column(heading, no_wrap=True)
    for one in result.scores:
        rates = ["-" if rate is None else f"{rate:.2f}" for rate in (one.precision, one.recall)]
        table.add_row(one.language, one.half, one.emotion, str(one.n), str(one.meant), *rates)
    console.print(table)
