"""The command line: the only way to start anything."""

import sys
from typing import Annotated

import typer

from agent_assist.errors import AssistError
from audio.errors import AudioError
from models.errors import ModelError
from stream import logs
from stream.commands import (
    bench,
    calls,
    churn,
    customers,
    knowledge,
    passes,
    rejected,
    replay,
    reports,
    rules,
    run,
    score,
    trials,
    webhooks,
    weights,
)
from stream.errors import StreamError

app = typer.Typer(
    help="Warmline listens to live calls and helps the people on them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run.up)
app.command()(run.gateway)
app.command()(run.worker)
app.command()(run.broker)
app.command()(run.reload)
app.command("pass")(passes.grant)
app.command()(calls.play)
app.command()(calls.analyze)
app.command()(replay.replay)
app.command()(score.score)
app.command("import")(customers.import_file)
app.add_typer(calls.calls, name="calls")
app.add_typer(customers.customer, name="customer")
customers.customer.command("rejected")(rejected.rejected)
customers.customer.command()(rejected.retake)
app.add_typer(rules.rules, name="rules")
app.add_typer(weights.models, name="models")
app.add_typer(knowledge.knowledge, name="knowledge")
app.add_typer(webhooks.webhooks, name="webhooks")
app.add_typer(churn.churn, name="churn")
app.add_typer(reports.reports, name="report")
app.add_typer(trials.trials, name="trial")
app.add_typer(bench.bench, name="bench")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("warmline"))
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,  # noqa: ARG001
) -> None:
    """Warmline listens to live calls and helps the people on them."""
    # Until a process sets up its own: standard output belongs to the results.
    logs.configure("warning")


def main() -> None:
    """Run a command; exit code 1 is a failure that is told in one sentence, 2 a wrong use."""
    try:
        app()
    except (StreamError, AssistError, ModelError, AudioError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
