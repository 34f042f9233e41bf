"""
Trials and rollouts in SQL: whom a task is given, who was exposed, and what came of it. Blocking.

A customer is exposed at the moment at which a task would be made, whichever group they are in, so that the groups are
alike; it is written within the transaction that makes the task, once for a customer and trial. A trial is kept as it
was set when the first customer came to it: what is changed in the file later does not change it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.customer.experiments import Exposure, Result, judge, result
from agent_assist.customer.facts import Facts
from agent_assist.customer.outreach import Outreach
from agent_assist.customer.trials import IN, Staged, Treatment, Trial
from agent_assist.store.customers import CustomerStore
from agent_assist.store.instants import micros, moment
from agent_assist.store.tables import exposures, trials
from models.trials import Difference, always

BROKEN: Final = 0.001
"""Below this probability of the groups' sizes no difference is told."""
_AT_ONCE: Final = 500


class Dealt(NamedTuple):
    """Whether a customer is given a task."""

    held: Literal["", "standard", "rollout"] = ""
    """Why not: they are in the standard group of a trial, or the rollout has not come to them."""
    exposed: str = ""
    """The group to which they were exposed just now; empty where they were before, or there is no trial."""


class GroupSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A group of a stratum: customers whose outcome is known."""

    n: int
    mean: float


class StratumSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The groups within a stratum."""

    stratum: str
    """A segment; empty where there are none, or it was not known."""
    groups: Mapping[str, GroupSeen]
    difference: Difference | None


class StageSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What the trial says of a rollout that it is a criterion of."""

    rollout: str
    stage: str
    verdict: Literal["advance", "hold", "stop"]


class TrialSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a trial at a time."""

    trial: Trial
    """As it is in force: as it was set when it began."""
    at: datetime
    begun_at: datetime | None
    """None before the first customer came to it."""
    changed: bool
    """Whether the file sets it otherwise now, which has no effect: another id makes another trial."""
    exposed: Mapping[str, int]
    crossed: int
    """Customers who met both groups, as two ids that are one person, and count in neither."""
    waiting: int
    """Exposed customers whose window is not over, or of whom no outcome is known."""
    ratio_p: float
    why: Literal["", "mismatch", "few"]
    """
    Why there is no difference: the groups are not of the sizes that were set, and nothing may be believed; or there are
    fewer than 100 customers with an outcome in a group, or all have the same.
    """
    difference: Difference | None
    """Of the treated group from the standard; valid however often it is looked at."""
    strata: tuple[StratumSeen, ...]
    """None in a mismatch. Each interval is valid by itself; of many one may err by chance."""
    stages: tuple[StageSeen, ...]


def deal(
    connection: Connection,
    outreach: Outreach,
    task: Treatment,
    known: Facts,
    segment: Callable[[], str],
    now: datetime,
    *,
    keep: bool = True,
) -> Dealt:
    """
    Whether a customer is given a task that would be made now.

    Args:
        segment: Tells it where it is needed.
        keep: Write down that they were exposed; else it is only told what would be.
    """
    for rollout in (one for one in outreach.rollouts if one.task == task):
        if _group(connection, rollout.id, known) is None:
            where = segment()
            if not rollout.has(rollout.now(), known.customer_id, where):
                return Dealt("rollout")
            if keep:
                _expose(connection, rollout.id, known, IN, where, now)
    for given in outreach.trials:
        trial = _in_force(connection, given, now, keep=keep and given.task == task)
        met = _group(connection, trial.id, known)
        group = met or trial.group(known.customer_id)
        if trial.task != task or group is None:
            continue
        new = False
        if met is None and keep:
            new = _expose(connection, trial.id, known, group, segment() if trial.by_segment else "", now)
        return Dealt("standard" if group == trial.standard else "", group if new else "")
    return Dealt()


class Trials:
    """
    What came of trials.

    Args:
        engine: Of a store that ``CallStore.upgrade`` has brought up to date.
    """

    def __init__(self, engine: Engine, customers: CustomerStore, outreach: Outreach) -> None:
        self._engine = engine
        self._customers = customers
        self._outreach = outreach

    def show(self, trial_id: str, at: datetime) -> TrialSeen | None:
        """A trial as of a time; None of one that is neither set nor was ever begun."""
        found = self._trial(trial_id)
        if found is None:
            return None
        trial, begun_at = found
        seen = self._result(trial, at)
        broken = seen.ratio_p < BROKEN
        difference = _difference(trial, seen)
        set_now = next((one for one in self._outreach.trials if one.id == trial_id), trial)
        return TrialSeen(
            trial=trial,
            at=at,
            begun_at=begun_at,
            changed=set_now != trial,
            exposed=seen.exposed,
            crossed=seen.crossed,
            waiting=seen.unknown,
            ratio_p=seen.ratio_p,
            why="mismatch" if broken else "few" if difference is None else "",
            difference=difference,
            strata=() if broken else tuple(_strata(trial, seen)),
            stages=tuple(self._stage(one, {trial_id: difference}, at) for one in self._judged_by(trial_id)),
        )

    def _judged_by(self, trial_id: str) -> Iterator[Staged]:
        for one in self._outreach.rollouts:
            if any(criterion.measure == trial_id for criterion in one.stages[one.now()].criteria):
                yield one

    def _stage(self, of: Staged, shown: Mapping[str, Difference | None], at: datetime) -> StageSeen:
        stage = of.stages[of.now()]
        others = {one.measure for one in stage.criteria} - set(shown)
        found = {one: self._trial(one) for one in others}
        more = {
            name: None if one is None else _difference(one[0], self._result(one[0], at)) for name, one in found.items()
        }
        return StageSeen(rollout=of.id, stage=stage.name, verdict=judge(stage, {**shown, **more}))

    def _trial(self, trial_id: str) -> tuple[Trial, datetime | None] | None:
        with self._engine.connect() as connection:
            begun = _begun(connection, trial_id)
        if begun is not None:
            return begun[1], begun[0]
        return next(((one, None) for one in self._outreach.trials if one.id == trial_id), None)

    def _result(self, trial: Trial, at: datetime) -> Result:
        """Of those who were exposed by a time; the outcome is that of the end of each window, whenever it is asked."""
        e, zone = exposures.c, self._outreach.triggers.zone
        asked = select(exposures).where(e.trial_id == trial.id, e.at_us <= micros(at)).order_by(e.at_us, e.customer_id)
        with self._engine.connect() as connection:
            rows = connection.execute(asked).all()
        met: list[Exposure] = []
        outcomes: dict[str, float] = {}
        for begin in range(0, len(rows), _AT_ONCE):
            some = rows[begin : begin + _AT_ONCE]
            known = self._customers.all_of({row.customer_id: moment(row.at_us) + trial.outcome.window for row in some})
            for row in some:
                since, one = moment(row.at_us), known[row.customer_id]
                met.append(
                    Exposure(
                        experiment=trial.id,
                        customer_id=one.customer_id,
                        group=row.group,
                        at=since,
                        stratum=row.stratum,
                    )
                )
                value = trial.outcome.of(one, since, zone) if since + trial.outcome.window <= at else None
                if value is not None:
                    # Of two ids that are one person the first exposure counts.
                    outcomes.setdefault(one.customer_id, value)
        return result(trial, met, outcomes)


def _difference(trial: Trial, seen: Result) -> Difference | None:
    if seen.ratio_p < BROKEN:
        return None
    return always(seen.pairs(trial.standard, trial.treated), trial.expected)


def _strata(trial: Trial, seen: Result) -> Iterator[StratumSeen]:
    for stratum, (a, b) in zip(seen.strata, seen.pairs(trial.standard, trial.treated), strict=True):
        groups = {name: GroupSeen(n=one.n, mean=one.mean) for name, one in seen.strata[stratum].items()}
        yield StratumSeen(stratum=stratum, groups=groups, difference=always([(a, b)], trial.expected))


def _begun(connection: Connection, trial_id: str) -> tuple[datetime, Trial] | None:
    row = connection.execute(select(trials).where(trials.c.trial_id == trial_id)).first()
    return None if row is None else (moment(row.begun_us), msgspec.json.decode(row.body, type=Trial))


def _in_force(connection: Connection, given: Trial, now: datetime, *, keep: bool) -> Trial:
    """As it was set when it began; of several who begin it at once with other files one decides."""
    begun = _begun(connection, given.id)
    if begun is None and keep:
        row = {"trial_id": given.id, "begun_us": micros(now), "body": msgspec.json.encode(given).decode()}
        connection.execute(_insert(connection, trials).values(row).on_conflict_do_nothing())
        begun = _begun(connection, given.id)
    return given if begun is None else begun[1]


def _group(connection: Connection, trial_id: str, known: Facts) -> str | None:
    """That in which a customer was first exposed, under any of their ids."""
    e = exposures.c
    ids: Sequence[str] = sorted({known.customer_id, *known.ids})
    asked = select(e.group).where(e.trial_id == trial_id, e.customer_id.in_(ids)).order_by(e.at_us, e.customer_id)
    return connection.execute(asked.limit(1)).scalar_one_or_none()


def _expose(connection: Connection, trial_id: str, known: Facts, group: str, stratum: str, now: datetime) -> bool:
    row = {
        "trial_id": trial_id,
        "customer_id": known.customer_id,
        "group": group,
        "stratum": stratum,
        "at_us": micros(now),
    }
    inserted = _insert(connection, exposures).values(row).on_conflict_do_nothing().returning(exposures.c.trial_id)
    return connection.execute(inserted).first() is not None


def _insert(connection: Connection, table: Any) -> Any:
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)
