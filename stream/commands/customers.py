"""Customers: take in what other systems know of them, and show one."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Engine

from agent_assist.customer.events import CustomerEvent
from agent_assist.customer.profile import Profile
from agent_assist.customer.reading import COLUMNS, Bad, Kind, Reader, rows
from agent_assist.customer.triggers import Trigger
from agent_assist.errors import UnknownCustomer
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore, Rejected, Taken
from stream.commands.run import Home, Json
from stream.errors import StreamError
from stream.settings import Settings, load

customer = typer.Typer(help="Customers, as all channels and systems tell of them.", no_args_is_help=True)

_TIMES: Final = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]
_SHOWN: Final = 20
"""Rejected rows that are printed."""
_KEPT_AT_ONCE: Final = 1_000


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file."""

    file: str
    kind: Kind
    dry_run: bool
    events: int
    """Made of its rows; of these ``new`` were not known, ``again`` were, ``conflicting`` say something else."""
    new: int
    again: int
    conflicting: int
    early: int = 0
    """From the future, by more than a day."""
    rejected: int
    """Rows of which nothing was taken."""
    reasons: tuple[Bad, ...]
    """The first of what is wrong, fields of rows that were taken included."""


def engine(settings: Settings) -> Engine:
    """Of the settings' database, which is brought up to date."""
    settings.home.mkdir(parents=True, exist_ok=True)
    calls = CallStore(settings.database_url)
    calls.upgrade()
    return calls.engine


@customer.command()
def show(
    customer_id: str,
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="As it was then; with an offset.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show what is known of a customer: trade, open cases, tags with their evidence, the likely reason of a call."""
    from stream.build import profiles

    settings = load({"home": home})
    found = profiles(settings, engine(settings)).of(customer_id, datetime.now(UTC), at)
    if found is None:
        raise UnknownCustomer(customer_id)
    if json:
        print(msgspec.json.encode(found).decode())
        return
    _show(found)


def _show(found: Profile) -> None:
    language: Literal["zh", "en"] = "zh" if found.language.startswith("zh") else "en"
    trade = found.trade
    print(f"{found.customer_id}  {found.name}  {found.tier}  {found.region}".rstrip())
    bought = f"{trade.orders} orders, {trade.value} {trade.currency}, last {_day(trade.last_at)}"
    print(f"  {bought}; {found.complaints} complaints")
    if found.clv.margin is not None:
        worth = f"{found.clv.margin:.2f} {found.clv.currency} ({found.clv.low:.2f} ... {found.clv.high:.2f})"
        print(f"  worth {worth} in {found.clv.weeks} weeks")
    for tag in found.tags:
        print(f"  tag {tag.id} ({tag.name.get(language, tag.by)}): {', '.join(tag.evidence)}; until {_day(tag.until)}")
    for case in found.cases:
        print(f"  case {case.case_id} {case.type} {case.issue}{' OVERDUE' if case.overdue else ''}")
    for reason in found.reasons:
        print(f"  likely {reason.probability:.0%} {reason.text[language]}")
    wants = found.preferences
    for what, liked in (("channel", wants.channel), ("time", wants.part_of_day), ("language", wants.language)):
        if liked is not None:
            print(f"  prefers {what} {liked.value} ({liked.source}, {liked.support} of {liked.of})")
    if manner := found.manner.get(language):
        print(f"  region: {manner}")
    for one in found.contacts:
        print(f"  {one.at:%Y-%m-%d %H:%M} {one.channel} {one.direction} {one.issue} {one.line}".rstrip())


def _day(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d}"


@customer.command("triggers")
def show_triggers(
    begin: Annotated[datetime, typer.Option("--from", formats=_TIMES, help="With an offset.")],
    end: Annotated[datetime, typer.Option("--to", formats=_TIMES, help="Not included; with an offset.")],
    customer_id: Annotated[str | None, typer.Option("--customer", help="Of one alone.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """
    Show what comes due in a time, of its own accord, and why: one line each, customer by customer.

    As far as is known now: what is told later may add to it, or take its occasion away. Nothing is done.
    """
    from stream.build import profiles, scheduler

    for name, at in (("--from", begin), ("--to", end)):
        if at.tzinfo is None:
            raise typer.BadParameter("expected a time with its offset, as 2026-03-01T00:00:00+08:00", param_hint=name)
    settings = load({"home": home})
    opened = engine(settings)
    clock, _ = scheduler(settings, opened, profiles(settings, opened))
    plan = clock.plan(begin, end, customer_id)
    customers = None if customer_id is not None else CustomerStore(opened).people()
    # Where the lines themselves are seen, they tell how far it is.
    quiet = customers is None or sys.stdout.isatty()
    with Progress(console=Console(stderr=True), redirect_stdout=False, transient=True, disable=quiet) as progress:
        looking = progress.add_task("customers", total=customers)
        for seen in plan:
            progress.advance(looking)
            for one in seen:
                print(msgspec.json.encode(one).decode() if json else _line(one))


def _line(one: Trigger) -> str:
    held = f"  ({one.held})" if one.held else ""
    evidence = ", ".join(one.evidence)
    return f"{one.due_at:%Y-%m-%d %H:%M}  {one.customer_id}  {one.kind}  {one.text['en']}  [{evidence}]{held}"


@customer.command()
def count(home: Home = None, json: Json = False) -> None:
    """
    Look at all customers: percentiles and fifths, what they are worth, who is in which segment and who moved.

    Once a month is enough; until then nobody lies above a percentile, or in a segment.
    """
    from stream.build import profiles

    settings = load({"home": home})
    with Console(stderr=True).status("counting"):
        done = profiles(settings, engine(settings)).count(datetime.now(UTC))
    if json:
        print(msgspec.json.encode(done).decode())
        return
    buyers = 0 if done.population is None else done.population.n
    print(f"{done.customers} customers, {buyers} with orders")
    for part in done.segments:
        print(f"  {part.id}: {part.customers}, {part.value}")


class _Intake:
    """Rows into the store, what cannot be used beside them; without a store nothing is kept."""

    def __init__(self, source: str, reader: Reader, store: CustomerStore | None) -> None:
        self._source, self._reader, self._store = source, reader, store
        self._waiting: list[Bad] = []
        self.events = self.lost = self.wrong = 0
        self.first: list[Bad] = []
        """Of what is wrong."""

    def take(self, given: Iterable[Mapping[str, Any]]) -> Taken:
        """All rows; what is wrong is kept a batch at a time, however much it is."""
        taken = Taken()
        if self._store is None:
            for _ in self._told(given):
                pass
        else:
            taken = self._store.take(self._told(given), self._source, self._reader.now)
            self._keep()
        return taken

    def _told(self, given: Iterable[Mapping[str, Any]]) -> Iterator[CustomerEvent]:
        for one in self._reader.events(given):
            if not isinstance(one, Bad):
                self.events += 1
                yield one
                continue
            self.wrong += 1
            self.lost += one.lost
            if self.wrong <= _SHOWN:
                self.first.append(one)
            self._waiting.append(one)
            if len(self._waiting) >= _KEPT_AT_ONCE:
                self._keep()

    def _keep(self) -> None:
        if self._store is not None:
            self._store.reject(
                Rejected(
                    source=self._source,
                    place=f"row {one.row} {one.field}".rstrip(),
                    reason=one.reason,
                    body=one.body,
                    at=self._reader.now,
                    kind=self._reader.kind,
                )
                for one in self._waiting
            )
        self._waiting.clear()


def import_file(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(COLUMNS)}.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, TSV, JSON Lines or Parquet.")],
    mapping: Annotated[
        Path | None, typer.Option(exists=True, help="YAML: a column of the file to one of ours, a line each.")
    ] = None,
    region: Annotated[str, typer.Option(help="Of telephone numbers that name no country.")] = "CN",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """
    Take customers, orders, cases or interactions in; exit code 1 where rows were rejected.

    The same file again changes nothing. Rejected rows are kept, with their reasons.
    """
    if kind not in COLUMNS:
        raise typer.BadParameter(f"expected one of {', '.join(COLUMNS)}, got {kind!r}")
    settings = load({"home": home})
    now = datetime.now(UTC)
    reader = Reader(
        kind=msgspec.convert(kind, Kind),
        stamp=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        now=now,
        region=region,
        mapping=_mapping(mapping),
    )
    intake = _Intake(
        # A file of the same name on another day is another source: its rows take the place of no others.
        source=f"{file.name} {reader.stamp:%Y-%m-%dT%H:%M:%SZ}",
        reader=reader,
        store=None if dry_run else CustomerStore(engine(settings)),
    )
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(console=Console(stderr=True)))
        try:
            opened = stack.enter_context(progress.open(file, "rb", description=file.name))
            taken = intake.take(rows(file, opened, spans=kind == "interactions"))
        except ValueError as error:
            raise StreamError(str(error)) from error
    done = Imported(
        file=file.name,
        kind=reader.kind,
        dry_run=dry_run,
        events=intake.events,
        new=taken.new,
        again=taken.again,
        conflicting=len(taken.conflicting),
        early=len(taken.early),
        rejected=intake.lost,
        reasons=tuple(intake.first),
    )
    if json:
        print(msgspec.json.encode(done).decode())
    else:
        _print(done, intake.wrong)
    if intake.lost or taken.conflicting or taken.early:
        raise typer.Exit(1)


def _print(done: Imported, wrong: int) -> None:
    if done.dry_run:
        print(f"{done.file}: {done.events} events would be taken in, {done.rejected} rows rejected")
    else:
        told = f"{done.new} new, {done.again} known, {done.conflicting} conflicting, {done.rejected} rows rejected"
        print(f"{done.file}: {told}")
        if done.rejected or done.conflicting or wrong:
            print("  kept for repair: see `warmline customer rejected`")
    for one in done.reasons:
        print(f"  row {one.row}: {one.reason}")
    if wrong > len(done.reasons):
        print(f"  and {wrong - len(done.reasons)} more")


def _mapping(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=dict[str, str])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise StreamError(f"expected lines `column of the file: column of ours`, got {error} (in {path})") from error
