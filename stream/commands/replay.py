"""``warmline replay``: the rules as they are now on a call that is stored."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from agent_assist.advice.playbook import load as load_playbook
from agent_assist.advice.tenants import ANYBODY, folders
from agent_assist.call.assistant import Assistant
from agent_assist.errors import UnknownCall
from agent_assist.quality.replay import Replayed
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
    settings = load({"home": home, "playbook": playbook})
    rules = folders(settings.playbook)[ANYBODY]
    store = CallStore(settings.database_url)
    try:
        record = store.call(call_id)
        if record is None:
            raise UnknownCall(call_id)
        found = read_again(record, store.in_order_of_arrival(call_id), Assistant(load_playbook(rules)))
    finally:
        store.close()
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
    differing = len(found.changed) + len(found.missing) + len(found.added)
    console.print(f"{len(found.same)} as shown then, {differing} otherwise", highlight=False)
