"""What a worker gives up when there is more speech than it can understand in time, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """One step of giving up."""

    late_s: float
    """From here on: seconds that the most urgent job waits."""
    slower: int
    """How many times more somebody has to say before the next partial; 0 for no partials."""
    told: str


STEPS: Final = (
    Step(0.0, 1, "partials come as often as they should"),
    # A sentence that is understood in the whole window keeps a core busy for more than a second.
    Step(1.5, 2, "partials come half as often"),
    Step(2.5, 4, "partials come a quarter as often"),
    Step(4.0, 0, "no partials; finals come late"),
)
_CALM_S: Final = 10.0
"""So long a step is kept after it was needed last."""
_GONE_S: Final = 10.0
"""A worker that has said nothing for so long is gone."""


class Overload:
    """Up at once, down slowly and one step at a time; time comes in with what is observed."""

    def __init__(self, steps: Sequence[Step] = STEPS) -> None:
        self._steps = steps
        self._number = 0
        self._needed_at = 0.0

    @property
    def number(self) -> int:
        """Of the step, 0 when nothing is given up."""
        return self._number

    @property
    def step(self) -> Step:
        """What is given up now."""
        return self._steps[self._number]

    def observe(self, late_s: float, now: float) -> bool:
        """
        Take note of how long the most urgent job has waited.

        Returns:
            Whether the step has changed.
        """
        before = self._number
        wanted = max(n for n, step in enumerate(self._steps) if late_s >= step.late_s)
        if wanted >= self._number:
            self._number, self._needed_at = wanted, now
        elif now - self._needed_at >= _CALM_S:
            self._number, self._needed_at = self._number - 1, now
        return self._number != before


class Admission:
    """
    Whether new calls are taken, by what the workers say of themselves.

    Workers of which nothing is heard do not count: where none is, audio waits in its topic until one comes.
    """

    def __init__(self, full: int = len(STEPS) - 1) -> None:
        self._full = full
        self._steps: dict[str, tuple[int, float]] = {}

    def note(self, worker: str, step: int, now: float) -> None:
        """Take note of a worker's step; ``now`` in seconds, monotonic."""
        self._steps[worker] = (step, now)

    def is_full(self, now: float) -> bool:
        """Whether every worker that is there has given up all that it can."""
        self._steps = {worker: (step, at) for worker, (step, at) in self._steps.items() if now - at < _GONE_S}
        return bool(self._steps) and all(step >= self._full for step, _ in self._steps.values())
