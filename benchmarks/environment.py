"""What a figure was measured on."""

import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import psutil
from rich.console import Console

R = TypeVar("R", bound=msgspec.Struct)


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Stands in every result."""

    commit: str
    """With "+" where the tree had changes."""
    machine: str
    cores: int
    memory_gb: float
    python: str
    versions: dict[str, str]
    command: str


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Quantiles of a measure; None where there is none."""

    n: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


def environment(command: str, packages: Sequence[str] = ()) -> Environment:
    """Of this machine and this checkout."""
    return Environment(
        commit=_commit(),
        machine=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        python=platform.python_version(),
        versions={name: version(name) for name in packages},
        command=command,
    )


def report(result: R, *, out: Path | None, json: bool, show: Callable[[R, Console], None]) -> None:
    """Write a result to a file where one is given, and print it: as JSON, or as ``show`` does."""
    write(result, out)
    if json:
        print(msgspec.json.encode(result).decode())
    else:
        show(result, Console())


def write(result: msgspec.Struct, out: Path | None) -> None:
    """Write a result to a file, where one is given."""
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def _git(*arguments: str) -> str:
    root = Path(__file__).resolve().parent
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False).stdout.strip()


def _commit() -> str:
    return _git("rev-parse", "--short=12", "HEAD") + ("+" if _git("status", "--porcelain") else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def spread(values: Sequence[float], digits: int = 1) -> Spread:
    """Quantiles by linear interpolation."""
    if not values:
        return Spread(n=0, p50=None, p95=None, p99=None, max=None)
    p50, p95, p99 = (round(float(q), digits) for q in np.quantile(values, (0.5, 0.95, 0.99)))
    return Spread(n=len(values), p50=p50, p95=p95, p99=p99, max=round(max(values), digits))
