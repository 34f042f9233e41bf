"""Weights: which there are, fetch them, check them."""

import typer

models = typer.Typer(help="The weights of the models.", no_args_is_help=True)
