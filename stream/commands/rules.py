"""Playbooks: check one, and try it on calls of the past."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent_assist.advice.checking import Cost, Finding, check, costs
from agent_assist.advice.playbook import DEFAULT, Playbook, read
from agent_assist.advice.playbook import load as load_playbook
from agent_assist.advice.tenants import ANYBODY, folders, of_tenant
from agent_assist.call.assistant import Assistant
from agent_assist.errors import PlaybookError
from agent_assist.quality.backtest import Backtest, Runs
from agent_assist.quality.learning import Learning, learn
from agent_assist.store.calls import CallStore
from agent_assist.store.opinions import opinions
from agent_assist.types import CallSummary
from stream.commands.calls import clock, progress_bar
from stream.commands.run import Home, Json
from stream.settings import Settings, load

rules = typer.Typer(help="Rules of the playbook.", no_args_is_help=True)

_PAGE = 200
_SLOWEST = 10
_SPAN = re.compile(r"(\d{1,5})([dh])")
_SENTENCES = (
    ("en", "I would like to know where my order is, because it should have been here on Monday."),
    ("en", "yes"),
    ("en", "I have been told twice now that somebody would call me back and nobody ever did."),
    ("zh", "我想问一下我的订单到哪里了,已经等了三天还没有收到"),
    ("zh", "好的"),
    ("zh", "我上次打电话的时候你们说会有人回复我,到现在也没有人联系我"),
)
"""Besides the examples of the rules, on which costs are measured."""


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """Why a playbook cannot be read."""

    file: str
    line: int | None
    rule: str
    """Id; empty where it is of no rule."""
    expected: str
    got: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One playbook."""

    directory: str
    playbook: str
    """Name, version and digest; empty where it cannot be read."""
    rules: int
    examples: int
    error: str
    """The first of the faults for which it cannot be read; empty where it can."""
    faults: tuple[Unreadable, ...] = ()
    """All of them; findings are then of the rules that have none."""
    findings: tuple[Finding, ...]
    costs: tuple[Cost, ...]
    """The slowest first."""


class RulesCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What ``rules check --json`` prints."""

    playbooks: tuple[Checked, ...]


@rules.command("check")
def check_rules(
    directory: Annotated[
        Path | None, typer.Argument(help="A playbook, or tenants'; that of the settings if none.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """See that rules can be read, do what their examples say, and can fire; exit code 1 where not."""
    settings = load({"home": home})
    paths = folders(directory or settings.playbook)
    checked = RulesCheck(playbooks=tuple(_checked(path, settings) for path in paths.values()))
    if json:
        print(msgspec.json.encode(checked).decode())
    else:
        for one in checked.playbooks:
            _show_check(one, Console())
    if any(_faults(one) for one in checked.playbooks):
        raise typer.Exit(1)


def _faults(checked: Checked) -> int:
    return len(checked.faults) + sum(finding.kind != "untried" for finding in checked.findings)


def _checked(path: Path, settings: Settings) -> Checked:
    from stream.build import sense

    playbook, errors = read(path)
    meant = None
    if playbook is not None:
        try:
            meant = sense(settings, playbook)
        except PlaybookError as error:
            errors.append(error)
    told = Checked(
        directory=str(path),
        playbook="",
        rules=0,
        examples=0,
        error=str(errors[0]) if errors else "",
        faults=tuple(
            Unreadable(file=each.path, line=each.line, rule=each.rule, expected=each.expected, got=each.got)
            for each in errors
        ),
        findings=() if playbook is None else tuple(check(playbook, meant)),
        costs=(),
    )
    if playbook is None or errors:
        return told
    return msgspec.structs.replace(
        told,
        playbook=playbook.source,
        rules=len(playbook.rules),
        examples=sum(len(rule.examples.fires) + len(rule.examples.silent) for rule in playbook.rules),
        costs=tuple(costs(playbook, _SENTENCES, meant)),
    )


def _show_check(checked: Checked, console: Console) -> None:
    for fault in checked.faults:
        error = PlaybookError(fault.file, fault.expected, fault.got, fault.line, fault.rule)
        console.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
    if not checked.faults:
        console.print(
            f"[bold]{checked.playbook}[/bold]: {checked.rules} rules, {checked.examples} examples", highlight=False
        )
    for finding in checked.findings:
        colour = "yellow" if finding.kind == "untried" else "red"
        told = escape(f"{finding.message} (rule={finding.rule}, file={checked.directory})")
        console.print(f"[{colour}]{finding.kind}:[/{colour}] {told}", highlight=False, soft_wrap=True)
    if checked.costs:
        table = Table(box=None, pad_edge=False)
        table.add_column("slowest rules")
        table.add_column("µs an utterance", justify="right")
        for cost in checked.costs[:_SLOWEST]:
            table.add_row(cost.rule, f"{cost.us:.1f}")
        console.print(table)
    faults = _faults(checked)
    console.print("no faults" if not faults else f"{faults} fault{'s' if faults > 1 else ''}", highlight=False)


class PlaybookLearning(msgspec.Struct, frozen=True, kw_only=True):
    """What agents made of the cards of a tenant's playbook."""

    tenant: str
    directory: str
    playbook: str
    learning: Learning
    written: bool


class RulesLearned(msgspec.Struct, frozen=True, kw_only=True):
    """What ``rules learned --json`` prints."""

    since: datetime
    playbooks: tuple[PlaybookLearning, ...]


@rules.command()
def learned(
    since: Annotated[str, typer.Option(help="Calls that began in the last so many days or hours: 90d, 24h.")] = "90d",
    write: Annotated[bool, typer.Option(help="Write the snapshot into each playbook, as learned.yaml.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """How often the cards of each rule helped, by what agents made of them, and how that would move their ranking."""
    settings = load({"home": home})
    begin = datetime.now(UTC) - _span(since)
    paths = folders(settings.playbook)
    if write and DEFAULT in paths.values():
        raise typer.BadParameter("expected a playbook of one's own, got the built-in one: copy it, and set `playbook`")
    store = CallStore(settings.database_url)
    try:
        given = opinions(store.engine, begin)
    finally:
        store.close()
    found: list[PlaybookLearning] = []
    for tenant, path in paths.items():
        # Calls that name no tenant, or one without a playbook, went by that of anybody.
        names = [name for name in given if name == tenant or (tenant == ANYBODY and name not in paths)]
        playbook = load_playbook(path)
        learning = learn(playbook, (each for name in names for each in given[name]))
        if write:
            snapshot = {"learned": msgspec.to_builtins(learning.snapshot())}
            (path / "learned.yaml").write_bytes(_LEARNED + yaml.safe_dump(snapshot, sort_keys=True).encode())
        found.append(
            PlaybookLearning(
                tenant=tenant, directory=str(path), playbook=playbook.source, learning=learning, written=write
            )
        )
    result = RulesLearned(since=begin, playbooks=tuple(found))
    if json:
        print(msgspec.json.encode(result).decode())
    else:
        for one in result.playbooks:
            _show_learning(one, Console())


_LEARNED = b"# Written by `warmline rules learned --write`: points by which the priority of cards is moved.\n"


def _show_learning(one: PlaybookLearning, console: Console) -> None:
    told = one.learning
    console.print(f"{one.playbook}: {told.trials} cards judged, {told.prior:.0%} helped", highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "helped", "judged", "share", "95% interval", "priority", "shift"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for rule in told.rules:
        share = (f"{rule.share:.2f}", f"{rule.low:.2f} - {rule.high:.2f}")
        table.add_row(rule.rule, str(rule.helped), str(rule.trials), *share, str(rule.priority), f"{rule.shift:+d}")
    console.print(table)
    if one.written:
        console.print(f"written to {one.directory}/learned.yaml, as {told.id}", highlight=False)


@rules.command()
def backtest(
    rule: Annotated[list[str] | None, typer.Argument(help="Only these rules; all where none is given.")] = None,
    since: Annotated[str, typer.Option(help="Calls that began in the last so many days or hours: 7d, 24h.")] = "7d",
    playbook: Annotated[
        Path | None, typer.Option(help="Directory of the rules for all calls; each tenant's if none.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Put calls of the past through rules: how often each fires, where, and what was shown then."""
    from stream.build import sense

    settings = load({"home": home})
    paths = {ANYBODY: playbook} if playbook is not None else folders(settings.playbook)
    tried = {tenant: load_playbook(path) for tenant, path in paths.items()}
    _known(tried.values(), rule or [])
    desk = {tenant: Assistant(one, sense=sense(settings, one)) for tenant, one in tried.items()}
    source = ", ".join(dict.fromkeys(one.source for one in tried.values()))
    runs = Runs(lambda tenant: of_tenant(desk, tenant), source, rule or ())
    store = CallStore(settings.database_url)
    try:
        with progress_bar(disable=json) as bar:
            lines = list(_lines(store, datetime.now(UTC) - _span(since)))
            for line in bar.track(lines, description="calls"):
                record = store.call(line.call_id)
                if record is not None:
                    runs.add(record, store.events(line.call_id))
    finally:
        store.close()
    result = runs.result()
    if json:
        print(msgspec.json.encode(result).decode())
    else:
        _show_backtest(result, Console())


def _known(playbooks: Iterable[Playbook], wanted: list[str]) -> None:
    sources = {playbook.source: {rule.id for rule in playbook.rules} for playbook in playbooks}
    for name in wanted:
        if all(name not in rules for rules in sources.values()):
            raise typer.BadParameter(f"expected a rule of {', '.join(sources)}, got {name}", param_hint="RULE")


def _span(text: str) -> timedelta:
    parts = _SPAN.fullmatch(text)
    if parts is None:
        raise typer.BadParameter(f"expected days or hours as 7d or 24h, got {text}", param_hint="--since")
    return timedelta(**{"days" if parts[2] == "d" else "hours": int(parts[1])})


def _lines(store: CallStore, since: datetime) -> Iterator[CallSummary]:
    """The calls that have ended since, the newest first."""
    before: tuple[datetime, str] | None = None
    while page := store.calls(limit=_PAGE, before=before):
        for line in page:
            if line.started_at < since:
                return
            if line.status != "live":
                yield line
        before = page[-1].started_at, page[-1].call_id


def _show_backtest(result: Backtest, console: Console) -> None:
    console.print(f"{result.playbook}: {result.calls} calls, {result.utterances} utterances", highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "fires", "in calls", "of 100 calls", "shown then", "the same", "for example"):
        table.add_column(name, overflow="fold")
    for run in result.rules:
        first = run.examples[0] if run.examples else None
        example = "" if first is None else f"{first.call_id} {clock(first.at_ms)} {first.words}"
        counts = (run.fired, run.calls, f"{run.per_100_calls:g}", run.shown, run.same)
        table.add_row(run.rule, *map(str, counts), example)
    console.print(table)
    for why, count in result.withheld.items():
        console.print(f"{count} not shown: {why}", highlight=False)
    for reason, count in result.failed.items():
        console.print(f"[red]{count} times:[/red] {reason}", highlight=False)
