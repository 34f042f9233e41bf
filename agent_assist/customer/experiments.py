"""
Trials with customers: who is in which group, who was exposed, and what the groups differ by; rollouts in stages.

A customer's group follows from the trial's salt and their id alone: it is the same on every machine, at any time, and
independent of every other trial. A stratum (a segment, a region) does not enter it, since it may change; it is written
down at the first exposure, and the groups are compared within it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from models.trials import Arm, Difference, arm, sample_ratio

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """A trial."""

    id: Name
    salt: Name
    """Another one deals the customers anew."""
    groups: Mapping[Name, Share]
    """Shares of the customers, which sum to 1 at most; the first group is the standard. The rest is in none."""

    def __post_init__(self) -> None:
        if len(self.groups) < 2 or min(self.groups.values()) <= 0 or sum(self.groups.values()) > 1 + 1e-9:
            raise ValueError(f"expected two groups or more with shares above 0, 1 in all, got {dict(self.groups)}")

    def group(self, customer_id: str) -> str | None:
        """In which a customer is; None: in none."""
        place, end = _place(self.salt, self.id, customer_id), 0.0
        for name, share in self.groups.items():
            end += share
            if place < end:
                return name
        return None


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """A customer met what their group is given."""

    experiment: Name
    customer_id: Name
    group: Name
    at: datetime
    stratum: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a trial until now."""

    exposed: Mapping[str, int]
    """Customers of each group."""
    crossed: int
    """Customers who met more than one group and count in none."""
    unknown: int
    """Exposed customers without an outcome."""
    ratio_p: float
    """Below 0.001 the groups are not of the sizes that were set, and no difference may be believed."""
    strata: Mapping[str, Mapping[str, Arm]]
    """Groups of each stratum."""

    def pairs(self, standard: str, other: str) -> list[tuple[Arm, Arm]]:
        """Two groups in each stratum, as ``models.trials`` compares them."""
        none = Arm(0, 0.0, 0.0)
        return [(groups.get(standard, none), groups.get(other, none)) for groups in self.strata.values()]


def result(of: Experiment, exposures: Iterable[Exposure], outcomes: Mapping[str, float]) -> Result:
    """
    Fold exposures, in any order and any number of times, with the outcome of each customer.

    Of several exposures of a customer the first counts.
    """
    first: dict[str, Exposure] = {}
    met: dict[str, set[str]] = defaultdict(set)
    for one in exposures:
        if one.experiment != of.id or one.group not in of.groups:
            continue
        met[one.customer_id].add(one.group)
        known = first.get(one.customer_id)
        if known is None or (one.at, one.stratum) < (known.at, known.stratum):
            first[one.customer_id] = one
    once = [one for customer, one in first.items() if len(met[customer]) == 1]
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in once:
        if one.customer_id in outcomes:
            values[one.stratum][one.group].append(outcomes[one.customer_id])
    exposed = {name: sum(one.group == name for one in once) for name in of.groups}
    return Result(
        exposed=exposed,
        crossed=len(first) - len(once),
        unknown=sum(one.customer_id not in outcomes for one in once),
        ratio_p=sample_ratio(list(exposed.values()), list(of.groups.values())),
        strata={
            stratum: {name: arm(outcome) for name, outcome in sorted(groups.items())}
            for stratum, groups in sorted(values.items())
        },
    )


class Criterion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stage of a rollout must show: the difference of a measure from the standard."""

    measure: Name
    at_least: float
    """As 0 for "no worse", -0.01 for "at most a point worse"."""


class RolloutStage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has what is rolled out."""

    name: Name
    shares: Mapping[str, Share]
    """Of each segment's customers; those of other segments do not have it."""
    criteria: tuple[Criterion, ...] = ()
    """All of them must hold before the next stage."""


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """Something new that comes to ever more customers, high value first."""

    id: Name
    salt: Name
    stages: tuple[RolloutStage, ...]

    def __post_init__(self) -> None:
        for earlier, later in pairwise(self.stages):
            for segment, share in earlier.shares.items():
                if later.shares.get(segment, 0.0) < share:
                    raise ValueError(f"expected shares that never fall, got less of {segment!r} in {later.name!r}")

    def has(self, stage: int, customer_id: str, segment: str) -> bool:
        """Whether a customer has it in a stage, from 0; who has it once keeps it in later stages."""
        return _place(self.salt, self.id, customer_id) < self.stages[stage].shares.get(segment, 0.0)


def judge(stage: RolloutStage, shown: Mapping[str, Difference | None]) -> Literal["advance", "hold", "stop"]:
    """
    Whether a stage may be followed by the next.

    Advance where every difference surely fulfils its criterion, stop where one surely does not, hold as long as that is
    not known. Where it is looked at more than once, the differences are to come from ``models.trials.always``.
    """
    if not stage.criteria:
        return "hold"
    found = [(criterion, shown.get(criterion.measure)) for criterion in stage.criteria]
    if any(difference is not None and difference.high < criterion.at_least for criterion, difference in found):
        return "stop"
    if all(difference is not None and difference.low >= criterion.at_least for criterion, difference in found):
        return "advance"
    return "hold"


def _place(*of: str) -> float:
    """A number from 0 to below 1 that looks like chance; lengths stand before the parts, so that none run together."""
    told: Sequence[bytes] = [part.encode() for part in of]
    digest = hashlib.blake2b(b"".join(len(part).to_bytes(4, "big") + part for part in told), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53
