"""Calls: play one, analyze recordings, list and show what a running gateway knows."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from agent_assist.call.effects import effects_of
from agent_assist.types import CallRecord, CallSummary, Keys
from audio.errors import AudioError
from models.effects import Effect
from models.turning import Cause
from models.types import Utterance
from stream.commands.run import Addresses, Home, Json
from stream.errors import NotRunning, StreamError
from stream.settings import load

Token = Annotated[str | None, typer.Option(help="Of the gateway; read from --home where not given.")]
Address = Annotated[str | None, typer.Option("--url", help="Of the gateway; read from --home where not given.")]

calls = typer.Typer(help="What a running gateway knows of calls.", no_args_is_help=True)


def progress_bar(**options: Any) -> Progress:
    """On standard error, where a person waits."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        **options,
    )


def addresses(home: Path | None) -> Addresses:
    """
    Where the Warmline of this home is.

    Raises:
        NotRunning: If none runs there.
    """
    directory = load({"home": home}).home
    try:
        return msgspec.json.decode((directory / "run.json").read_bytes(), type=Addresses)
    except (OSError, msgspec.MsgspecError) as error:
        hint = "start it with `warmline up`, or give --url and --token"
        raise NotRunning(str(directory / "run.json"), hint) from error


async def play_file(
    path: Path, url: str, token: str, *, call_id: str | None = None, speed: float = 1.0, **options: Any
) -> str:
    """
    Play a recording as a live call.

    Returns:
        The call's id.
    """
    from audio.recording import read_recording
    from audio.telephony.play import play as play_call

    recording = await asyncio.to_thread(read_recording, [path], customer_channel=options.pop("customer_channel", 0))
    name = call_id or f"{path.stem}-{int(time.time())}"
    await play_call(recording, url, token=token, call_id=name, speed=speed, **options)
    return name


def play(
    file: Path,
    protocol: Annotated[Literal["twilio"], typer.Option(help="How the call reaches the gateway.")] = "twilio",
    speed: Annotated[float, typer.Option(min=0.1, max=100.0, help="1 is as fast as people talk.")] = 1.0,
    home: Home = None,
    url: Annotated[str | None, typer.Option(help="Of the door; read from --home where not given.")] = None,
    token: Token = None,
    call_id: Annotated[str | None, typer.Option(help="Made from the file's name and the time where not given.")] = None,
    customer_channel: Annotated[int, typer.Option(help="Channel of the recording that is the customer.")] = 0,
    customer_id: str | None = None,
    customer_name: str | None = None,
    agent_id: str | None = None,
    queue: str | None = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="NAME=TEXT, for conditions of rules; tenant=NAME picks the playbook.")
    ] = None,
    json: Json = False,
) -> None:
    """Play a two-channel recording as a live call, both tracks."""
    del protocol  # one so far
    door = url or addresses(home).twilio
    secret = token if token is not None or url is not None else addresses(home).token
    given = {
        "customer_id": customer_id,
        "customer_name": customer_name,
        "agent_id": agent_id,
        "queue": queue,
    }
    parameters = dict(_attribute(each) for each in attribute or [])
    parameters |= {name: value for name, value in given.items() if value is not None}
    with progress_bar(disable=json) as bar:
        task = bar.add_task(file.name, total=None)

        def progress(done_ms: int, total_ms: int) -> None:
            bar.update(task, completed=done_ms, total=total_ms)

        name = asyncio.run(
            play_file(
                file,
                door,
                secret or "",
                call_id=call_id,
                speed=speed,
                parameters=parameters,
                progress=progress,
                customer_channel=customer_channel,
            )
        )
    if json:
        print(msgspec.json.encode({"call_id": name}).decode())
    else:
        Console().print(f"played as call {name}")


def _attribute(text: str) -> tuple[str, str]:
    name, is_given, value = text.partition("=")
    if not (name and is_given):
        raise typer.BadParameter(f"expected NAME=TEXT, got {text}", param_hint="--attribute")
    return name, value


def analyze(
    files: list[Path],
    customer_channel: Annotated[
        int, typer.Option(help="Channel of the recording that is the customer; the first one by default.")
    ] = 0,
    agent: Annotated[Path | None, typer.Option(help="The agent's channel, where it is a file of its own.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Analyze recordings as live calls would be, as fast as it goes; exit code 1 where one could not be read."""
    from audio.recording import read_recording
    from stream import build
    from stream.analyze import analyze as run

    if agent is not None and len(files) != 1:
        raise typer.BadParameter(f"expected one file beside --agent, got {len(files)}", param_hint="FILE")
    settings = load({"home": home})
    hearing, vad = build.hearing(settings), build.vad(settings)
    assistant, policy = build.assistant(settings), build.pipeline_policy(settings)
    failed = 0
    with progress_bar(disable=json and not sys.stderr.isatty()) as bar:
        for path in files:
            paths = [path] if agent is None else [path, agent]
            try:
                recording = read_recording(paths, customer_channel=customer_channel)
            except (AudioError, OSError) as error:
                failed += 1
                bar.console.print(f"[red]error:[/red] {error}", highlight=False)
                continue
            for warning in recording.warnings:
                bar.console.print(f"[yellow]warning:[/yellow] {path.name}: {warning}", highlight=False)
            task = bar.add_task(path.name, total=recording.duration_ms)
            begun = time.perf_counter()
            record = run(
                recording,
                path.stem,
                hearing=hearing,
                vad=vad,
                assistant=assistant,
                policy=policy,
                progress=lambda done, task=task: bar.update(task, completed=done),  # type: ignore[misc]
            )
            taken = time.perf_counter() - begun
            if json:
                print(msgspec.json.encode(record).decode(), flush=True)
            else:
                show_record(record, Console())
                speed = record.duration_ms / 1000 / taken
                bar.console.print(f"[dim]{taken:.1f} s, {speed:.1f} times faster than real time[/dim]")
    if failed:
        raise typer.Exit(1)


def clock(ms: int) -> str:
    """Minutes and seconds."""
    return f"{ms // 60_000}:{ms // 1000 % 60:02}"


def show_record(record: CallRecord, console: Console) -> None:
    """Print one call for a person."""
    risk, score = record.risk, "not known" if record.risk.score is None else f"{record.risk.score:.2f}"
    console.print(
        f"[bold]{record.call_id}[/bold]  {clock(record.duration_ms)}  {record.status}  risk {risk.level} ({score})",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False)
    for name in ("time", "who", "what was said", "emotion", "cards"):
        table.add_column(name, overflow="fold")
    told: list[Utterance | Keys] = [*record.utterances, *record.keys]
    for one in sorted(told, key=lambda one: one.start_ms):
        if isinstance(one, Keys):
            table.add_row(clock(one.start_ms), one.channel, f"[dim]keys pressed:[/dim] {one.keys or '•' * one.count}")
            continue
        table.add_row(
            clock(one.start_ms),
            one.channel,
            one.text,
            "" if one.emotion is None else f"{one.emotion.label}",
            ", ".join(card.rule for card in record.cards if card.utterance_id == one.id),
        )
    console.print(table)
    for turn in record.turns:
        size = "" if turn.size is None else f" ({turn.size:+.1f})"
        cause = "" if turn.cause is Cause.UNKNOWN else f" after {turn.cause}"
        console.print(f"  {clock(turn.start_ms)} mood turned {turn.direction}{size}{cause}", highlight=False)
    for reason in risk.reasons:
        console.print(f"  {reason.contribution:+.2f} {reason.name}", highlight=False)


class EffectTable(msgspec.Struct, frozen=True, kw_only=True):
    """What ``calls effects`` prints with ``--json``."""

    calls: int
    """Looked at."""
    effects: tuple[Effect, ...]


class _CallList(msgspec.Struct, frozen=True):
    calls: tuple[CallSummary, ...]


def _get(path: str, home: Path | None, url: str | None, token: str | None) -> bytes:
    base = url or addresses(home).api
    secret = token if token is not None or url is not None else addresses(home).token
    request = Request(base.rstrip("/") + path, headers={"Authorization": f"Bearer {secret}"})  # noqa: S310 - ours
    try:
        with urlopen(request, timeout=10) as response:  # noqa: S310
            return bytes(response.read())
    except HTTPError as error:
        detail = error.read(2_000).decode(errors="replace")
        raise StreamError(f"expected an answer to {path}, got {error.code}: {detail}") from error
    except URLError as error:
        raise NotRunning(base, "start it with `warmline up`, or give --url and --token") from error


def fetch(path: str, name: str, home: Path | None, url: str | None, token: str | None) -> bytes:
    """
    One thing that a running gateway knows, as JSON.

    Raises:
        NotRunning: If none answers.
        StreamError: If it answers otherwise.
    """
    return _get(f"{path}/{quote(name, safe='')}", home, url, token)


@calls.command("list")
def list_calls(
    status: Annotated[Literal["live", "ended", "lost"] | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    home: Home = None,
    url: Address = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """List calls, the newest first."""
    query = urlencode({"limit": limit} | ({"status": status} if status else {}))
    answer = _get(f"/v1/calls?{query}", home, url, token)
    if json:
        print(answer.decode())
        return
    found: Sequence[CallSummary] = msgspec.json.decode(answer, type=_CallList).calls
    if not found:
        Console().print("no calls yet")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("call", "started", "status", "length", "customer", "emotion", "risk", "alerts"):
        table.add_column(name)
    for call in found:
        table.add_row(
            call.call_id,
            call.started_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            call.status,
            clock(call.duration_ms),
            call.customer_name or call.customer_id or "",
            call.emotion,
            call.risk.level,
            str(call.alerts),
        )
    Console().print(table)


@calls.command("effects")
def show_effects(
    limit: Annotated[int, typer.Option(min=1, max=500, help="Of so many of the newest calls.")] = 200,
    home: Home = None,
    url: Address = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """What the customer's mood does in the minute after a card was used or an alert heeded, on average."""
    found = msgspec.json.decode(_get(f"/v1/calls?limit={limit}", home, url, token), type=_CallList).calls
    paths = (f"/v1/calls/{quote(call.call_id, safe='')}" for call in found)
    effects = effects_of(msgspec.json.decode(_get(path, home, url, token), type=CallRecord) for path in paths)
    if json:
        print(msgspec.json.encode(EffectTable(calls=len(found), effects=tuple(effects))).decode())
        return
    if not effects:
        Console().print(f"of {len(found)} calls none has a card that was used and a mood before and after it")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("what was done", "n", "score, mean change", "95 %", ""):
        table.add_column(name)
    for one in effects:
        between = "" if one.interval is None else f"{one.interval[0]:+.1f} to {one.interval[1]:+.1f}"
        table.add_row(one.kind, str(one.n), f"{one.mean:+.1f}", between, "few" if one.few else "")
    Console().print(table)


@calls.command("show")
def show_call(call_id: str, home: Home = None, url: Address = None, token: Token = None, json: Json = False) -> None:
    """Show one call, whole, in the shape of `analyze`."""
    answer = fetch("/v1/calls", call_id, home, url, token)
    if json:
        print(answer.decode())
    else:
        show_record(msgspec.json.decode(answer, type=CallRecord), Console())
