"""``warmline webhooks``: what other programs were told, and could not be told."""

from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from agent_assist.store.calls import CallStore
from agent_assist.store.outbox import Outbox, Sent
from stream.commands.run import Home, Json
from stream.settings import load

webhooks = typer.Typer(help="What other programs are told.", no_args_is_help=True)

Receiver = Annotated[str | None, typer.Option(help="Only to this one.")]


class SentWebhooks(msgspec.Struct, frozen=True, kw_only=True):
    """What ``webhooks list --json`` prints: the newest first."""

    webhooks: tuple[Sent, ...]


@webhooks.command("list")
def list_webhooks(
    state: Annotated[Literal["waiting", "delivered", "dead"] | None, typer.Option(help="Only these.")] = None,
    receiver: Receiver = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    home: Home = None,
    json: Json = False,
) -> None:
    """Webhooks, the newest first: delivered, waiting for another attempt, or given up."""
    store = CallStore(load({"home": home}).database_url)
    try:
        found = Outbox(store.engine).listed(state, receiver, limit)
    finally:
        store.close()
    if json:
        print(msgspec.json.encode(SentWebhooks(webhooks=tuple(found))).decode())
        return
    table = Table("no.", "at", "receiver", "event", "call", "state", "attempts", "last", box=None, pad_edge=False)
    for one in found:
        last = one.error or ("" if one.status is None else str(one.status))
        at = f"{one.created_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(one.seq),
            at,
            one.receiver,
            one.event,
            one.call_id or one.customer_id or "",
            one.state,
            str(one.attempts),
            last,
        )
    Console().print(table)


@webhooks.command()
def retry(
    numbers: Annotated[list[int] | None, typer.Argument(help="As the list shows them; all if none is given.")] = None,
    receiver: Receiver = None,
    home: Home = None,
) -> None:
    """Send again what was given up; a receiver that had gone is asked anew."""
    store = CallStore(load({"home": home}).database_url)
    try:
        count = Outbox(store.engine).retry(numbers or (), receiver)
    finally:
        store.close()
    print(f"{count} to be sent again")
