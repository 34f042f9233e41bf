"""How long a model takes for one, alone and among others."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np

In = TypeVar("In")
Out = TypeVar("Out")

BATCH: Final = 32
_BATCHES: Final = 8
"""Timed at most."""


class Paced(NamedTuple):
    """Compute times in ms of one."""

    ms: float
    """That comes alone, median."""
    ms_32: float
    """Of 32 that come together, or of all where there are fewer; median of up to 8 batches."""


def paced(
    model: Callable[[Sequence[In]], list[Out]], given: Sequence[In], clock: Callable[[], float] = time.perf_counter
) -> tuple[list[Out], Paced]:
    """
    What the model makes of each, one by one; it is warmed up first, and tried in batches afterwards.

    Args:
        model: Gives one for each, in order.
        given: At least one.
        clock: Seconds; ``time.process_time`` for those that cores worked, whatever else runs beside.
    """
    model(given[:1])
    made: list[Out] = []
    alone: list[float] = []
    for one in given:
        begun = clock()
        made += model([one])
        alone.append(clock() - begun)
    together: list[float] = []
    for at in range(0, max(1, len(given) - BATCH + 1), BATCH)[:_BATCHES]:
        batch = given[at : at + BATCH]
        begun = clock()
        model(batch)
        together.append((clock() - begun) / len(batch))
    return made, Paced(*(round(float(np.median(took)) * 1_000, 4) for took in (alone, together)))
