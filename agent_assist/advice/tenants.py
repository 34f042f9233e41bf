"""Where the playbooks of tenants are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from agent_assist.advice.playbook import DEFAULT, Playbook
from agent_assist.advice.sense import Sense
from agent_assist.errors import PlaybookError

T = TypeVar("T")

ANYBODY: Final = "default"
"""Whose playbook calls get that name no tenant, or an unknown one."""


@dataclass(frozen=True, slots=True, eq=False)
class Shelved:
    """The playbook of a tenant, as it is in force."""

    tenant: str
    playbook: Playbook | None
    """The last good one; None where there was none since the start."""
    since: float
    """Seconds since the epoch."""
    failed: str = ""
    """Why the files as they stand are not in force, with their place; empty where they are."""
    sense: Sense | None = None
    """What the sentences of its rules mean; None where it has none."""


def folders(directory: Path | None) -> dict[str, Path]:
    """
    The directory of each tenant's playbook.

    Args:
        directory: Of one playbook; or of directories, each a tenant's; None for the built-in one.

    Returns:
        With ``ANYBODY`` always: the directory of that name, else that of the files in the directory, else the
        built-in one.

    Raises:
        PlaybookError: If there is no such directory.
    """
    if directory is None:
        return {ANYBODY: DEFAULT}
    if not directory.is_dir():
        raise PlaybookError(str(directory), "a directory", "none")
    inside = {path.name: path for path in sorted(directory.iterdir()) if path.is_dir() and path.name[0] != "."}
    if not inside:
        return {ANYBODY: directory}
    own = directory if any(directory.glob("*.yaml")) else DEFAULT
    return {ANYBODY: own} | inside


def of_tenant(given: Mapping[str, T], tenant: str | None) -> T:
    """What is a tenant's; that of ``ANYBODY`` where the tenant is none or not known."""
    return given.get(tenant or ANYBODY, given[ANYBODY])
