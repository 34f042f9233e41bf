"""Weights: which there are, fetch them, check them."""

from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from stream.commands.run import Home, Json
from stream.settings import load

models = typer.Typer(help="The weights of the models.", no_args_is_help=True)
