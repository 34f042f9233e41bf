"""A PostgreSQL server of a benchmark's own, with the settings that Debian gives it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_DEBIAN: Final = Path("/usr/lib/postgresql")


class Postgres:
    """A server whose data lie in a folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"postgresql://warmline@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.home}"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", str(self.home / "log"), "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "stop")

    def create(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "warmline", "--auth=trust", "--encoding=UTF8")

    @property
    def _data(self) -> str:
        return str(self.home / "data")

    def _run(self, name: str, *arguments: str) -> None:
        # Debian keeps them off the path, one directory a version; they refuse to run as root.
        found = shutil.which(name) or next((str(path) for path in sorted(_DEBIAN.glob(f"*/bin/{name}"))), None)
        if found is None:
            raise FileNotFoundError(f"expected PostgreSQL's {name}: install postgresql")
        account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run([*account, found, *arguments], cwd=self.home, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(f"expected {name} to do it, got {done.stdout}{done.stderr}")


@contextmanager
def postgres(home: Path) -> Iterator[Postgres]:
    """A server, started, with an empty database or the one that is in ``home``, where its files stay."""
    server, new = Postgres(home), not home.exists()
    if new:
        home.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(home, "postgres")
        server.create()
    server.start()
    try:
        yield server
    finally:
        server.stop()
