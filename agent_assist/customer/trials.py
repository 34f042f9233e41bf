"""Trials and rollouts of what is done of its own accord: which task they are about, and what is to come of it. Pure."""

from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Final, Literal

import msgspec

from agent_assist.customer.experiments import Experiment, Rollout
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import NOT_BOUGHT
from agent_assist.customer.triggers import Kind

Treatment = Literal[Kind, "call_back"]
"""A kind of trigger, or the call-back of an alert, whatever its branch."""

Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to come of it within days from the exposure, 1 or 0 of each customer; one of these."""

    bought_within_days: Days | None = None
    """An order that was not cancelled or returned by the end of the days."""
    no_complaint_within_days: Days | None = None
    contract_runs_after_days: Days | None = None
    """The contract, as it was known then, was not over on that day; of who has none nothing is known."""

    def __post_init__(self) -> None:
        if len(self._set()) != 1:
            raise ValueError(f"expected one outcome, got {len(self._set())}")

    def _set(self) -> list[Days]:
        all_of_them = (self.bought_within_days, self.no_complaint_within_days, self.contract_runs_after_days)
        return [one for one in all_of_them if one is not None]

    @property
    def window(self) -> timedelta:
        """From the exposure until the outcome is known."""
        return timedelta(days=self._set()[0])

    def of(self, known: Facts, since: datetime, zone: tzinfo) -> float | None:
        """
        1 or 0; None where nothing can be said.

        Args:
            known: As it was at the end of the window.
            since: Of the exposure.
        """
        if known.version is None:
            return None
        if self.bought_within_days is not None:
            return float(any(one.ordered_at > since and one.status not in NOT_BOUGHT for one in known.orders))
        if self.no_complaint_within_days is not None:
            return float(not any(one.complaint and one.at > since for one in known.interactions))
        if known.contract_until is None:
            return None
        return float(known.contract_until >= (since + self.window).astimezone(zone).date())


class Trial(Experiment, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group gets a task, the standard gets none; who is in neither is treated as if there were no trial."""

    task: Treatment
    outcome: Outcome
    expected: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    """Difference of the outcome for which the interval is narrowest; it is valid whatever this is."""
    by_segment: bool = False
    """Whether the groups are compared within the segments of the first exposures."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.groups) != 2:
            raise ValueError(f"expected two groups, the first without the task, got {len(self.groups)}")

    @property
    def standard(self) -> str:
        """The group that gets no task."""
        return next(iter(self.groups))

    @property
    def treated(self) -> str:
        """The group that gets the task."""
        return list(self.groups)[1]


class Staged(Rollout, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task that comes to ever more customers."""

    task: Treatment
    stage: str
    """The name of that which is in force."""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [one.name for one in self.stages]
        if self.stage not in names:
            raise ValueError(f"expected one of the stages {', '.join(names)}, got {self.stage!r}")

    def now(self) -> int:
        """Of the stage that is in force, from 0."""
        return [one.name for one in self.stages].index(self.stage)


IN: Final = "in"
"""Group of who has what is rolled out."""


def check(trials: tuple[Trial, ...], rollouts: tuple[Staged, ...]) -> None:
    """
    See that no two speak of the same.

    Raises:
        ValueError: If two have an id, or two trials or two rollouts a task, or a criterion is about no trial.
    """
    ids = [one.id for one in trials] + [one.id for one in rollouts]
    if len(set(ids)) < len(ids):
        raise ValueError(f"expected ids that differ, got {', '.join(ids)}")
    for tasks in ([one.task for one in trials], [one.task for one in rollouts]):
        if len(set(tasks)) < len(tasks):
            raise ValueError(f"expected one trial and one rollout of a task at a time, got {', '.join(tasks)}")
    for measure in (criterion.measure for one in rollouts for stage in one.stages for criterion in stage.criteria):
        if measure not in {one.id for one in trials}:
            raise ValueError(f"expected the id of a trial as the measure of a criterion, got {measure!r}")
