"""``warmline up``: broker, workers and gateway as child processes of one, started again when they die."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import structlog

from stream.errors import PortTaken, StreamError

log = structlog.get_logger()

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 10.0


class ChildFailed(StreamError):
    """A process that would not start."""

    def __init__(self, name: str, code: int | None, said: str) -> None:
        super().__init__(name, code, said)
        self.name, self.code, self.said = name, code, said

    def __str__(self) -> str:
        what = "no sign of readiness" if self.code is None else f"exit code {self.code}"
        return f"expected the {self.name} to start, got {what}: {self.said or 'it said nothing'}"


_QUIET_PORTS = range(20_000, 32_768)
"""Below those that Linux gives to outgoing connections."""


def check_free(host: str, port: int, purpose: str) -> None:
    """
    See that nobody listens.

    Raises:
        PortTaken: If somebody does.
    """
    if port == 0:
        return
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host, port, purpose) from error


def free_port(host: str) -> int:
    """
    A port that is free now and stays so.

    Raises:
        OSError: If none is to be had.
    """
    # One that the system hands out might go to an outgoing connection before a child listens on it.
    for port in random.sample(_QUIET_PORTS, 100):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"expected a free port between {_QUIET_PORTS[0]} and {_QUIET_PORTS[-1]}, got none in 100 tries")


@dataclass(slots=True, eq=False)
class Child:
    """A process that says on its standard output, in one JSON line, when it is ready."""

    name: str
    arguments: Sequence[str]
    process: asyncio.subprocess.Process | None = None
    ready: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0
    started_at: float = 0.0

    async def start(self) -> None:
        """
        Start it and wait until it is ready.

        Raises:
            ChildFailed: If it ends first, or takes too long.
        """
        # Standard input stays open for as long as we live: at its end the child stops, however we died.
        # Its own session keeps a Ctrl-C in the terminal for us, who stop the children in order.
        self.process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("warmline")),
            *self.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        assert self.process.stdout is not None
        said = b""
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while line := await self.process.stdout.readline():
                    said = line
                    if line.startswith(b"{"):
                        self.ready = msgspec.json.decode(line)
                        return
                code = await self.process.wait()
        except TimeoutError:
            code = None
            await self.stop()
        raise ChildFailed(self.name, code, said.decode(errors="replace").strip())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, where it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    async def wait(self) -> int:
        """Read its output away until it ends."""
        assert self.process is not None
        assert self.process.stdout is not None
        while await self.process.stdout.readline():
            pass
        return await self.process.wait()

    async def stop(self) -> None:
        """Ask it to end; after a while, make it."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            log.warning("child_killed", child=self.name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()


class Supervisor:
    """
    Keeps children running.

    Args:
        stages: Those of a stage start together, when all of the stage before are ready.
        on_change: Told of each change, in words.
    """

    def __init__(self, stages: Sequence[Sequence[Child]], on_change: Callable[[Child, str], None]) -> None:
        self._stages = stages
        self._on_change = on_change

    async def start(self) -> None:
        """
        Start stage after stage.

        Raises:
            ChildFailed: If one does not start.
        """
        for stage in self._stages:
            results = await asyncio.gather(*(self._start(child) for child in stage), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def _start(self, child: Child) -> None:
        await child.start()
        self._on_change(child, "ready")

    async def keep(self) -> None:
        """Start what dies again, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for child in self._children():
                group.create_task(self._keep(child))

    def _children(self) -> list[Child]:
        return [child for stage in self._stages for child in stage]

    async def _keep(self, child: Child) -> None:
        while True:
            code = await child.wait()
            # Who dies at once waits longer and longer, so that a broken part does not eat the machine.
            short = time.monotonic() - child.started_at < 10.0
            child.restarts = child.restarts + 1 if short else 0
            delay = min(0.1 * 2**child.restarts, 30.0)
            log.error("child_died", child=child.name, code=code, restart_in_s=delay)
            self._on_change(child, f"died (exit code {code}), starting again")
            await asyncio.sleep(delay)
            try:
                await child.start()
            except ChildFailed as error:
                log.error("child_failed", child=child.name, error=str(error))
                continue
            self._on_change(child, "ready again")

    async def stop(self) -> None:
        """Stop in the opposite order."""
        for child in reversed(self._children()):
            await child.stop()
