"""A PostgreSQL server of the tests' own."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from agent_assist.store.calls import CallStore
from agent_assist.store.tables import metadata

_DEBIAN = Path("/usr/lib/postgresql")


def _program(name: str) -> str:
    # Debian keeps them off the path, one directory a version.
    found = shutil.which(name) or next((str(path) for path in sorted(_DEBIAN.glob(f"*/bin/{name}"))), None)
    if found is None:
        pytest.fail(f"expected PostgreSQL's {name}: install postgresql, or leave the tests marked postgres out")
    return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of an empty database: of WARMLINE_TEST_POSTGRES, or of a server that is started here."""
    if given := os.environ.get("WARMLINE_TEST_POSTGRES"):
        yield given
        return
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    # It refuses to run as root.
    account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    home = Path(tempfile.mkdtemp(prefix="warmline-postgres-"))
    if account:
        shutil.chown(home, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(home / "data")

    def run(*command: str) -> None:
        done = subprocess.run([*account, *command], cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run(initdb, "-D", data, "-U", "warmline", "--auth=trust", "--encoding=UTF8", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    run(pg_ctl, "-D", data, "-o", options, "-l", str(home / "log"), "-w", "start")
    try:
        yield f"postgresql://warmline@127.0.0.1:{port}/postgres"
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'calls.db'}"
        return
    server: str = request.getfixturevalue("postgres")
    yield server
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    engine.dispose()


@pytest.fixture
def plans() -> Callable[[Engine, Callable[[], object]], list[str]]:
    """How a server would find what is asked for: a plan of each query, with what costs least where there is much."""

    def of(engine: Engine, ask: Callable[[], object]) -> list[str]:
        sent: list[tuple[str, Any]] = []

        def keep(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
            sent.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", keep)
        ask()
        event.remove(engine, "before_cursor_execute", keep)
        explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                # Of a few rows all are read at once, whatever indexes there are.
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
                connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            return [
                "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))
                for statement, parameters in sent
                if statement.startswith("SELECT")
            ]

    return of


@pytest.fixture
def store(url: str) -> Iterator[CallStore]:
    store = CallStore(url)
    store.upgrade()
    yield store
    store.close()
