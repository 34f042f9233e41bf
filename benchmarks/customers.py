"""
Customers by their number: how fast files of them are taken in, and how soon one of them is seen at ring.

The customers are made (``benchmarks/population.py``). Files are taken in by ``warmline import`` itself, each by a
process of its own, start included. A pop is what the gateway does when a call begins with a telephone number
(``Callers.at_ring``): find whose it is, read all that is known of them, and work out the lines of the overlay.
*Cold*: the server (or the connection) starts anew and the files of the database are dropped from the memory of the
operating system; the first pops, so that most reads go to the disk. *Warm*: more of them, of other customers, after
as many that do not count.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from agent_assist.store.callers import Callers
from agent_assist.store.calls import CallStore
from agent_assist.store.engine import open_engine
from agent_assist.store.tables import customer_identities
from benchmarks import population
from benchmarks.environment import Environment, Spread, environment, report, spread, write
from benchmarks.servers import postgres
from stream.build import profiles
from stream.settings import load

SIZES: Final = (10_000, 100_000, 1_000_000)
_POPS: Final = 1_000
"""Cold, and as many again for warming up, and twice as many warm."""
_SEED: Final = 11

Database = Literal["sqlite", "postgres"]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A file."""

    kind: str
    rows: int
    events: int
    wall_s: float
    cpu_s: float
    """Of the process that imports; a server's own is not in it."""
    memory_mb: float
    """Resident, the most."""

    @property
    def rows_s(self) -> float:
        return self.rows / self.wall_s


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """So many customers."""

    customers: int
    events: int
    most: int
    """Orders, cases and contacts of one customer."""
    imports: tuple[Taken, ...]
    rows_s: float
    """Of all files, over their wall times."""
    rows_cpu_s: float
    """The same over processor seconds of the importing process: what does not depend on who else is at work."""
    load: float
    """Load average of the minute before the import: above the number of cores, others took part of them."""
    pops_load: float | None = None
    """The same before the pops; None, as of ``cpu_ms``, in results of before it was told."""
    database_gb: float
    cold_ms: Spread
    warm_ms: Spread
    cpu_ms: Spread | None = None
    """Processor time of the warm pops in this process: what does not depend on who else is at work."""
    lookup_ms: Spread
    """To whom a number belongs, warm."""
    count_s: float
    """``warmline customer count``."""
    count_memory_mb: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench customers --json`` prints."""

    environment: Environment
    database: str
    seed: int
    sizes: tuple[Size, ...]


class _Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken in, beside the database that is kept."""

    events: int
    most: int
    load: float
    imports: tuple[Taken, ...]


class _Place(NamedTuple):
    """A database, and how it is made cold."""

    url: str
    folder: Path
    restart: Callable[[], None]


def run(*, sizes: Sequence[int], database: Database, keep: Path | None, out: Path | None, json: bool) -> None:
    """Measure and print."""
    packages = ("sqlalchemy", "msgspec", *(("psycopg",) if database == "postgres" else ()))
    command = f"warmline bench customers --database {database}{''.join(f' --size {one}' for one in sizes)}"
    result = Result(environment=environment(command, packages), database=database, seed=_SEED, sizes=())
    for size in sizes:
        # The largest takes long: what was measured is not to be lost with it.
        result = msgspec.structs.replace(result, sizes=(*result.sizes, _measured(size, database, keep)))
        write(result, out)
        print(f"{size} customers: {result.sizes[-1].rows_s:.0f} rows/s", file=sys.stderr)
    report(result, out=out, json=json, show=_show)


def _measured(size: int, database: Database, keep: Path | None) -> Size:
    with ExitStack() as stack:
        if keep is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="warmline-customers-")))
        else:
            home = keep / f"{database}-{size}"
            home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        place = _place(stack, _made(home / "home"), database)
        given = os.environ | {"WARMLINE_DATABASE": place.url}
        imported = _imported(home, size, given)
        count_s, _, memory, _ = _command(["customer", "count", "--home", str(home / "home"), "--json"], given)
        pops_load = os.getloadavg()[0]
        cold, warm, cpu, lookup = _pops(place)
        stored = sum(path.stat().st_size for path in place.folder.rglob("*") if path.is_file())
    imports = imported.imports
    rows = sum(one.rows for one in imports)
    return Size(
        customers=size,
        events=imported.events,
        most=imported.most,
        imports=imports,
        rows_s=round(rows / sum(one.wall_s for one in imports), 1),
        rows_cpu_s=round(rows / sum(one.cpu_s for one in imports), 1),
        load=imported.load,
        pops_load=round(pops_load, 2),
        database_gb=round(stored / 1e9, 2),
        cold_ms=cold,
        warm_ms=warm,
        cpu_ms=cpu,
        lookup_ms=lookup,
        count_s=round(count_s, 1),
        count_memory_mb=memory,
    )


def _imported(home: Path, size: int, given: dict[str, str]) -> _Imported:
    """Take the files in, or tell how they were where the database was kept."""
    told = home / "imported.json"
    if told.exists():
        return msgspec.json.decode(told.read_bytes(), type=_Imported)
    load_before = round(os.getloadavg()[0], 2)
    files = population.write(_made(home / "files"), size)
    found = _Imported(
        events=files.events,
        most=files.most,
        load=load_before,
        imports=tuple(
            _import(kind, path, files.rows[kind], home / "home", given) for kind, path in files.paths.items()
        ),
    )
    shutil.rmtree(home / "files")
    told.write_bytes(msgspec.json.encode(found))
    return found


def _place(stack: ExitStack, home: Path, database: Database) -> _Place:
    if database == "sqlite":
        return _Place(f"sqlite:///{home / 'warmline.db'}", home, lambda: None)
    server = stack.enter_context(postgres(home / "postgres"))

    def restart() -> None:
        server.stop()
        _forget(server.home)
        server.start()

    return _Place(server.url, server.home, restart)


def _import(kind: str, path: Path, rows: int, home: Path, given: dict[str, str]) -> Taken:
    wall, cpu, memory, told = _command(["import", kind, str(path), "--home", str(home), "--json"], given)
    events = msgspec.json.decode(told, type=dict[str, object])["new"]
    assert isinstance(events, int)
    return Taken(kind=kind, rows=rows, events=events, wall_s=round(wall, 2), cpu_s=round(cpu, 2), memory_mb=memory)


def _command(arguments: Sequence[str], given: dict[str, str]) -> tuple[float, float, float, bytes]:
    """Wall and processor seconds, the most resident MB, and what it printed."""
    program, begun = str(Path(sys.executable).with_name("warmline")), time.monotonic()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen([program, *arguments], stdout=printed, env=given)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        told = printed.read()
    if process.returncode:
        raise OSError(f"expected {' '.join(arguments)} to end with 0, got {process.returncode}: {told[:500]!r}")
    return wall, used.ru_utime + used.ru_stime, round(used.ru_maxrss / 1024, 1), told


def _pops(place: _Place) -> tuple[Spread, Spread, Spread, Spread]:
    now, choose = datetime.now(UTC), random.Random(_SEED)
    phones = _some_phones(place.url, choose)
    _forget(place.folder)
    place.restart()
    store = CallStore(place.url)
    # What a gateway has read when it starts: rules, tables, the model.
    known = profiles(load({}), store.engine)
    callers = Callers(known, store.engine)
    _pop(callers, "+8600000000000", now)
    cold = [_pop(callers, phone, now) for phone in phones[:_POPS]]
    for phone in phones[_POPS : 2 * _POPS]:
        _pop(callers, phone, now)
    warm, cpu = list[float](), list[float]()
    for phone in phones[2 * _POPS : 4 * _POPS]:
        begun = time.thread_time()
        warm.append(_pop(callers, phone, now))
        cpu.append((time.thread_time() - begun) * 1000)
    lookup: list[float] = []
    for phone in phones[2 * _POPS : 4 * _POPS]:
        begun = time.perf_counter()
        known.store.whose("phone", phone)
        lookup.append((time.perf_counter() - begun) * 1000)
    store.close()
    return spread(cold, 2), spread(warm, 2), spread(cpu, 2), spread(lookup, 2)


def _pop(callers: Callers, phone: str, now: datetime) -> float:
    begun = time.perf_counter()
    callers.at_ring(None, {"phone": phone}, now)
    return (time.perf_counter() - begun) * 1000


def _some_phones(url: str, choose: random.Random) -> list[str]:
    """Numbers of customers chosen by chance; those of several, of whom nothing is read at ring, left out."""
    engine, i = open_engine(url), customer_identities.c
    with engine.connect() as connection:
        whose = select(i.value).where(i.kind == "phone", i.belongs == 1).group_by(i.value)
        asked = whose.having(func.count() == 1).order_by(i.value)
        phones = connection.execute(asked).scalars().all()
    engine.dispose()
    return choose.choices(phones, k=4 * _POPS)


def _forget(folder: Path) -> None:
    """Drop what the operating system holds of files in memory; what is not on the disk yet is written first."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


def _show(result: Result, console: Console) -> None:
    table = Table(title=f"Customers in {result.database}: ms are p50, p95, p99")
    heads = (
        "customers",
        "events",
        "rows/s",
        "rows/CPU s",
        "load",
        "GB",
        "cold",
        "warm",
        "CPU",
        "lookup",
        "count s, MB",
    )
    for head in heads:
        table.add_column(head, justify="right")
    for one in result.sizes:
        times = (one.cold_ms, one.warm_ms, one.cpu_ms, one.lookup_ms)
        table.add_row(
            f"{one.customers}",
            f"{one.events}",
            f"{one.rows_s:.0f}",
            f"{one.rows_cpu_s:.0f}",
            f"{one.load}",
            f"{one.database_gb}",
            *("-" if x is None else f"{x.p50} {x.p95} {x.p99}" for x in times),
            f"{one.count_s} {one.count_memory_mb}",
        )
    console.print(table)
