"""``warmline replay``: the rules as they are now on a call that is stored."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from agent_assist.errors import UnknownCall
from agent_assist.quality.replay import Looked, Replayed
from agent_assist.quality.replay import replay as read_again
from agent_assist.store.calls import CallStore
from agent_assist.types import Card
from stream.commands.run import Home, Json
from stream.settings import load

EXIT_DIFFERS = 1


def replay(
    call_id: Annotated[str, typer.Argument(help="Of a stored call.")],
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where anything differs.")] = False,
    playbook: Annotated[Path | None, typer.Option(help="Directory of rules, in the place of those set.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Run the rules on a stored call again, and compare with what was shown while it ran."""
    from stream.build import assistant, knowledge

    settings = load({"home": home, "playbook": playbook})
    base, index = knowledge(settings)
    store = CallStore(settings.database_url)
    try:
        record = store.call(call_id)
        if record is None:
            raise UnknownCall(call_id)
        rules = assistant(settings, record.attributes.get("tenant"))
        found = read_again(record, store.events(call_id), rules, index)
    finally:
        store.close()
        base.close()
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        _tell(found, Console())
    if check and not found.agrees:
        raise typer.Exit(EXIT_DIFFERS)


def _tell(found: Replayed, console: Console) -> None:
    table = Table("at", "rule", "then", "now", box=None, pad_edge=False)
    rows: list[tuple[Card, str, str]] = [(card, card.title, "the same") for card in found.same]
    rows += [(now, then.text, now.text) for then, now in found.changed]
    rows += [(card, card.title, "-") for card in found.missing]
    rows += [(card, "-", card.title) for card in found.added]
    for card, then, now in sorted(rows, key=lambda row: (row[0].at_ms, row[0].rule)):
        table.add_row(f"{card.at_ms / 1000:.1f} s", card.rule, then, now)
    console.print(table)
    for reason in found.failed:
        console.print(f"[red]{reason}[/red]")
    for hint in found.missing_hints:
        console.print(f"hint not shown again: {hint.text} ({hint.at_ms / 1000:.1f} s)", highlight=False)
    for hint in found.added_hints:
        console.print(f"hint not shown then: {hint.text} ({hint.at_ms / 1000:.1f} s)", highlight=False)
    differing = len(found.changed) + len(found.missing) + len(found.added)
    console.print(f"{len(found.same)} as shown then, {differing} otherwise", highlight=False)
    if found.articles is not None:
        _tell_articles(found.articles, console)


def _tell_articles(looked: Looked, console: Console) -> None:
    differing = len(looked.missing) + len(looked.added)
    if not (looked.same or differing):
        return
    told = f"{len(looked.same)} articles as shown then, {differing} otherwise"
    why = {
        "same": "",
        "changed": ": the knowledge has changed since, so that says nothing",
        "unknown": ": whether the knowledge was the same then is not known",
    }[looked.knowledge]
    console.print(f"{told}{why}", highlight=False)
