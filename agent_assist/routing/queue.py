"""
Who of those who wait is next: the head starts of some, and a bound on what they cost the others.

Callers stand in the order of ``waited + head start``, so nobody who comes later than the longest head start overtakes.
Besides, after ``overtaken_most`` callers in a row who came later than somebody who still waits, the one who came first
is taken. So with p callers before them when they come, a caller is taken with the
``(p + 1) * (overtaken_most + 1)``-th that is taken from then on at the latest, however many with head starts come.
Of callers who came at the same moment the one with the lesser id is before the other. All of it holds of callers who
wait for the same agents, all told each time, with an ``overtaken`` of their own.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from agent_assist.routing.policy import Policy
from agent_assist.routing.types import Id


class Waiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A caller who waits."""

    call_id: Id
    waited_s: Annotated[float, msgspec.Meta(ge=0)]
    head_start_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """As the hint gave it."""


def next_of(waiting: Sequence[Waiting], overtaken: int, policy: Policy) -> tuple[Waiting, int] | None:
    """
    Who is to be taken next; None where nobody waits.

    Args:
        overtaken: Callers in a row who were taken before somebody who came earlier.

    Returns:
        The caller, and ``overtaken`` for the next time.
    """
    if not waiting:
        return None
    first = min(waiting, key=lambda one: (-one.waited_s, one.call_id))
    most = policy.of.most_head_start_s
    best = min(waiting, key=lambda one: (-one.waited_s - min(one.head_start_s, most), -one.waited_s, one.call_id))
    if best == first or overtaken >= policy.of.overtaken_most:
        return first, 0
    return best, overtaken + 1


def latest(before: int, policy: Policy) -> int:
    """With which caller taken from now on, at the latest, it is the turn of one with so many before them."""
    return (before + 1) * (policy.of.overtaken_most + 1)
