"""``warmline customer rejected`` and ``retake``: what could not be taken in, and once more after repair."""

import json as json_
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from agent_assist.customer.events import CustomerEvent
from agent_assist.customer.reading import Bad, Reader
from agent_assist.store.customers import CustomerStore, Rejected
from stream.commands.customers import engine
from stream.commands.run import Home, Json
from stream.errors import StreamError
from stream.settings import load

_PAGE: Final = 500


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What was rejected, as a line of a file that a person repairs."""

    source: str
    place: str
    kind: str
    reason: str
    at: datetime
    row: Any
    """Columns of a row, or an event; of what is no JSON the text."""


class Retaken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of repaired lines."""

    taken: int
    """Lines; they are among the rejected no more."""
    still: tuple[Line, ...]
    """With what is wrong now."""


Source = Annotated[str | None, typer.Option(help='Only of this file, "api" or topic, as the list names it.')]


def rejected(
    source: Source = None,
    out: Annotated[Path | None, typer.Option(help="A file *.jsonl to be repaired, for `customer retake`.")] = None,
    discard: Annotated[bool, typer.Option("--discard", help="Forget what was rejected of the source.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """List what could not be taken in, with its reason, the latest first."""
    store = CustomerStore(engine(load({"home": home})))
    if discard:
        if source is None:
            raise typer.BadParameter("expected --source with --discard")
        print(f"{store.discard(source)} forgotten")
        return
    if out is not None:
        # The oldest first, as they came.
        lines = [msgspec.json.encode(one) + b"\n" for one in _all(store, source)]
        out.write_bytes(b"".join(reversed(lines)))
        print(f"{len(lines)} written to {out}")
        return
    for one in _all(store, source):
        print(msgspec.json.encode(one).decode() if json else f"{one.source}  {one.place}  {one.kind}: {one.reason}")


def retake(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Of `customer rejected --out`, repaired.")],
    region: Annotated[str, typer.Option(help="Of telephone numbers that name no country.")] = "CN",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take rejected rows and events in once more; exit code 1 where some are still wrong, which stay rejected."""
    store, now = CustomerStore(engine(load({"home": home}))), datetime.now(UTC)
    taken, still = 0, list[Line]()
    with file.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            one = _line(text, number, file)
            wrong = _retake(store, one, region, now)
            if wrong is None:
                taken += 1
            else:
                still.append(msgspec.structs.replace(one, reason=wrong))
    done = Retaken(taken=taken, still=tuple(still))
    if json:
        print(msgspec.json.encode(done).decode())
    else:
        print(f"{file.name}: {taken} taken, {len(still)} still rejected")
        for line in still:
            print(f"  {line.source} {line.place}: {line.reason}")
    if still:
        raise typer.Exit(1)


def _retake(store: CustomerStore, one: Line, region: str, now: datetime) -> str | None:
    """Take a line in, and forget that it was rejected; or say what is wrong."""
    events: list[CustomerEvent] = []
    if one.kind == "event":
        try:
            events.append(msgspec.convert(one.row, CustomerEvent))
        except msgspec.ValidationError as error:
            return str(error)
    else:
        try:
            reader = Reader(kind=msgspec.convert(one.kind, Any), stamp=one.at, now=now, region=region)
            read = list(reader.events([dict(one.row)]))
        except (TypeError, ValueError):
            return f"expected the columns of a row, got {str(one.row)[:200]!r}"
        bad = [each.reason for each in read if isinstance(each, Bad) and each.field != "columns"]
        if bad:
            return "; ".join(bad)
        events += [each for each in read if not isinstance(each, Bad)]
    told = store.take(events, one.source, now)
    if told.early:
        return "expected a time that has come"
    if told.conflicting:
        return "expected an id under which nothing else was told"
    store.discard(one.source, one.place)
    return None


def _line(text: str, number: int, file: Path) -> Line:
    try:
        # The standard library reads bytes that were no text, too.
        return msgspec.convert(json_.loads(text), Line)
    except (ValueError, RecursionError) as error:
        raise StreamError(f"expected a line of `customer rejected --out`, got {error} ({file}:{number})") from error


def _all(store: CustomerStore, source: str | None) -> Iterator[Line]:
    after: tuple[datetime, str, str] | None = None
    while page := store.rejected(_PAGE, after, source):
        for one in page:
            yield _as_line(one)
        after = page[-1].at, page[-1].source, page[-1].place


def _as_line(one: Rejected) -> Line:
    try:
        row = json_.loads(one.body)
        msgspec.json.encode(row)
    except (ValueError, UnicodeEncodeError):
        row = one.body
    return Line(source=one.source, place=one.place, kind=one.kind, reason=one.reason, at=one.at, row=row)
