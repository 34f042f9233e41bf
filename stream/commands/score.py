"""Scores of sentiment, by one of several profiles."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from agent_assist.call.scores import Profile, Scores, read_turns, turns_of
from agent_assist.call.scores import scores as scored
from agent_assist.types import CallRecord
from stream.commands.calls import Address, Token, fetch
from stream.commands.run import Home, Json

_PARTS: Final = ("1st quarter", "2nd", "3rd", "4th")


def score(
    file: Annotated[
        Path | None, typer.Argument(metavar="TURNS.json", help="Turns of a call; see docs/scores.md.")
    ] = None,
    profile: Annotated[Profile, typer.Option(help="How turns become a score.")] = Profile.CONTACT_LENS,
    call: Annotated[str | None, typer.Option(help="Id of a call that a running gateway knows, instead.")] = None,
    home: Home = None,
    url: Address = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Score the sentiment of each speaker over a call and its quarters."""
    if file is not None and call is None:
        turns = read_turns(file.read_bytes(), str(file))
    elif call is None or file is not None:
        raise typer.BadParameter("expected either a file or --call, got both or none", param_hint="TURNS.json")
    else:
        turns = turns_of(msgspec.json.decode(fetch("/v1/calls", call, home, url, token), type=CallRecord))
    found = scored(turns, profile)
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        show(found, Console())


def show(found: Scores, console: Console) -> None:
    """Print scores for a person."""
    console.print(f"[bold]{found.profile}[/bold], {found.lowest:+.0f} to {found.highest:+.0f}", highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("who", *_PARTS, "overall", "trend", "talk, s", "words a minute"):
        table.add_column(name)
    for who, one in found.speakers.items():
        numbers = [_signed(part) for part in (*one.quarters, one.overall, one.trend)]
        rate = "" if one.words_per_minute is None else str(one.words_per_minute)
        table.add_row(who, *numbers, f"{one.talk_ms / 1000:.1f}", rate)
    console.print(table)


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+g}" if value else "0"
