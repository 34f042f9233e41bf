"""The playbooks in force: read at the start, and again when their files change."""

import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from agent_assist.advice.playbook import Playbook, load
from agent_assist.advice.sense import Sense
from agent_assist.advice.tenants import Shelved, folders, of_tenant
from agent_assist.call.assistant import Assistant
from agent_assist.errors import PlaybookError
from stream import metrics

log = structlog.get_logger()

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of change and size of each file."""


class PlaybookStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Which playbook is in force for a tenant."""

    tenant: str
    source: str
    rules: int
    since: float
    """Seconds since the epoch."""
    failed: str = ""
    """Why the files as they stand are not in force; empty where they are."""


class _Shelf(NamedTuple):
    stamp: Stamp
    playbook: Playbook
    sense: Sense | None
    assistant: Assistant
    status: PlaybookStatus


class Playbooks:
    """
    One assistant for each tenant.

    Args:
        directory: The setting ``playbook``.
        zone: Of the business, in which promises are due.
        now: Seconds since the epoch.
        lenient: Whether one that cannot be read at the start is told of, not raised: for who shows them.
        sense: What the sentences of a playbook mean; None of one without, PlaybookError where nothing can tell.

    Raises:
        PlaybookError: If one of them cannot be read at the start.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        zone: tzinfo = UTC,
        now: Callable[[], float] = time.time,
        lenient: bool = False,
        sense: Callable[[Playbook], Sense | None] = lambda _: None,
    ) -> None:
        self._directory = directory
        self._sense = sense
        self._zone = zone
        self._now = now
        self._absent: dict[str, str] = {}
        """Tenants of whose playbook no good one was ever read, and why."""
        self._shelves: dict[str, _Shelf] = {}
        self._lost = ""
        """Why the directory itself cannot be read."""
        if lenient:
            self.refresh()
            return
        self._shelves = {tenant: self._read(tenant, path) for tenant, path in folders(directory).items()}

    @property
    def foretells(self) -> bool:
        """Whether what is being said tells anything to any of them."""
        return any(shelf.assistant.foretells for shelf in self._shelves.values())

    def assistant(self, tenant: str | None) -> Assistant:
        """For a call; the one of ``ANYBODY`` where the tenant is none or not known."""
        return of_tenant(self._shelves, tenant).assistant

    def status(self) -> list[PlaybookStatus]:
        """Of all tenants."""
        return [shelf.status for _, shelf in sorted(self._shelves.items())]

    def shelved(self) -> list[Shelved]:
        """Of all tenants, with what is in force of each; blocking, for it looks at the files first."""
        self.refresh()
        good = [
            Shelved(tenant, shelf.playbook, shelf.status.since, shelf.status.failed, shelf.sense)
            for tenant, shelf in self._shelves.items()
        ]
        broken = [Shelved(tenant, None, 0.0, failed) for tenant, failed in self._absent.items()]
        return sorted([*good, *broken], key=lambda one: one.tenant)

    def refresh(self) -> None:
        """
        Read again what has changed; blocking.

        Where that fails the last good one stays in force, and the reason is told.
        """
        try:
            found = folders(self._directory)
        except (OSError, PlaybookError) as error:
            if str(error) != self._lost:
                log.error("playbooks_kept", error=type(error).__name__, reason=str(error))
            self._lost = str(error)
            self._shelves = {tenant: _failed(shelf, self._lost) for tenant, shelf in self._shelves.items()}
            for tenant in self._shelves:
                metrics.PLAYBOOK_FAILED.labels(tenant).set(1)
            return
        if self._lost:
            # What is there again is read anew, changed or not.
            self._lost = ""
            self._shelves = {tenant: shelf._replace(stamp=()) for tenant, shelf in self._shelves.items()}
        absent: dict[str, str] = {}
        shelves = {tenant: self._again(tenant, path, absent) for tenant, path in found.items()}
        # At once, for who asks from another thread; a tenant that is gone has the playbook of anybody.
        self._shelves = {tenant: shelf for tenant, shelf in shelves.items() if shelf is not None}
        self._absent = absent

    def _again(self, tenant: str, path: Path, absent: dict[str, str]) -> _Shelf | None:
        known = self._shelves.get(tenant)
        stamp = _stamp(path)
        if known is not None and known.stamp == stamp:
            return known
        try:
            shelf = self._read(tenant, path)
        except PlaybookError as error:
            log.error("playbook_kept", tenant=tenant, reason=str(error))
            metrics.PLAYBOOK_FAILED.labels(tenant).set(1)
            if known is None:
                absent[tenant] = str(error)
                return None
            return _failed(known, str(error))._replace(stamp=stamp)
        log.info("playbook", tenant=tenant, source=shelf.status.source, rules=shelf.status.rules)
        return shelf

    def _read(self, tenant: str, path: Path) -> _Shelf:
        # Before the files: what changes while they are read is read again.
        stamp = _stamp(path)
        playbook: Playbook = load(path)
        sense = self._sense(playbook)
        metrics.PLAYBOOK_FAILED.labels(tenant).set(0)
        status = PlaybookStatus(
            tenant=tenant, source=playbook.source, rules=len(playbook.rules), since=round(self._now(), 3)
        )
        return _Shelf(stamp, playbook, sense, Assistant(playbook, sense=sense, zone=self._zone), status)


def _failed(shelf: _Shelf, reason: str) -> _Shelf:
    return shelf._replace(status=msgspec.structs.replace(shelf.status, failed=reason))


def _stamp(path: Path) -> Stamp:
    found: list[tuple[str, int, int]] = []
    for file in sorted(path.glob("*.yaml")):
        try:
            stat = file.stat()
        except OSError:
            # Taken away just now: the next look sees what is there instead.
            found.append((file.name, 0, -1))
        else:
            found.append((file.name, stat.st_mtime_ns, stat.st_size))
    return tuple(found)
