"""How the customer's mood goes over the whole call, in little space."""

from collections.abc import Iterable
from typing import Final

import msgspec

_KEPT: Final = 64
"""Means kept at most; then pairs become one."""
_ENOUGH: Final = 4
"""Utterances from which halves of a call say something."""


class Valences(msgspec.Struct, frozen=True, kw_only=True):
    """The valences of a call, each -1 ... 1, as means over ``width`` utterances."""

    width: int = 1
    means: tuple[float, ...] = ()
    rest: tuple[float, ...] = ()
    """Not yet ``width`` of them."""

    def add(self, valence: float) -> "Valences":
        """With that of one more utterance."""
        rest = (*self.rest, valence)
        if len(rest) < self.width:
            return msgspec.structs.replace(self, rest=rest)
        means = (*self.means, sum(rest) / self.width)
        if len(means) < _KEPT:
            return Valences(width=self.width, means=means)
        pairs = zip(means[::2], means[1::2], strict=True)
        return Valences(width=2 * self.width, means=tuple((a + b) / 2 for a, b in pairs))

    @property
    def count(self) -> int:
        return self.width * len(self.means) + len(self.rest)

    @property
    def trend(self) -> float | None:
        """Mean of the later half less that of the earlier, -2 ... 2; the middle one of an odd number is in neither."""
        half = self.count // 2
        if self.count < _ENOUGH:
            return None
        runs = [*((mean, self.width) for mean in self.means), *((valence, 1) for valence in self.rest)]
        trend = _mean(reversed(runs), half) - _mean(runs, half)
        return min(2.0, max(-2.0, trend))


def _mean(runs: Iterable[tuple[float, int]], count: int) -> float:
    """Of the first ``count`` values, where each run is so many equal ones."""
    total, left = 0.0, count
    for value, size in runs:
        taken = min(size, left)
        total, left = total + value * taken, left - taken
    return total / count
