"""``warmline report``: what is looked at once a month."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console

from agent_assist.customer.health import Health, due, end_of, load
from agent_assist.customer.health_report import markdown, page
from agent_assist.store.health import HealthStore
from stream.commands.customers import engine
from stream.commands.run import Home, Json
from stream.errors import StreamError
from stream.settings import Settings
from stream.settings import load as load_settings

reports = typer.Typer(help="Reports of a month.", no_args_is_help=True)


@reports.command("data-health")
def data_health(
    month: Annotated[str | None, typer.Option(help="YYYY-MM; without it the last that is over.")] = None,
    language: Annotated[Literal["zh", "en"], typer.Option(help="Of the report.")] = "zh",
    out: Annotated[Path | None, typer.Option(help="A file *.md or *.html.")] = None,
    if_due: Annotated[bool, typer.Option("--if-due", help="Only if the last month was not reported yet.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """
    Check the data of all customers as they were at the end of a month, keep what was found, and report it.

    Takes minutes for a million customers.
    """
    if out is not None and out.suffix not in {".md", ".html"}:
        raise typer.BadParameter(f"expected a file *.md or *.html, got {out.name!r}")
    settings = load_settings({"home": home})
    store, now, zone = HealthStore(engine(settings)), datetime.now(UTC), ZoneInfo(settings.time_zone)
    if if_due and month is None:
        last = store.months(limit=1)
        month = due(last[0].month if last else None, now, zone)
        if month is None:
            return
    with Console(stderr=True).status("checking"):
        found = report_month(settings, store, month, now)
    months = store.months(until=found.month)
    if out is not None:
        out.write_text(
            page(months, language) if out.suffix == ".html" else markdown(months, language), encoding="utf-8"
        )
    if json:
        print(msgspec.json.encode(found).decode())
    elif out is None:
        print(markdown(months, language), end="")


def report_month(settings: Settings, store: HealthStore, month: str | None, now: datetime) -> Health:
    """
    Check all customers at the end of a month, or now where it is not over, and keep it; blocks for minutes.

    Args:
        month: YYYY-MM; None for the last that is over.

    Raises:
        StreamError: If it is no month, or has not begun.
    """
    zone = ZoneInfo(settings.time_zone)
    chosen = month or due(None, now, zone)
    assert chosen is not None
    try:
        begins, ends = datetime.strptime(chosen, "%Y-%m").replace(tzinfo=zone), end_of(chosen, zone)
    except (ValueError, OverflowError) as error:
        raise StreamError(f"expected a month as 2026-01, got {chosen!r}") from error
    if begins > now:
        raise StreamError(f"expected a month that has begun, got {chosen}")
    return store.assess(load(), f"{begins:%Y-%m}", min(ends, now))
