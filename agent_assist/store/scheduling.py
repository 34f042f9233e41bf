"""
What is done of its own accord, in SQL: one look after the other at customers whose time has come. Blocking.

A look makes what is due into tasks, cancels those that are for nothing now, judges the risk by the profile, and says
when the next look is due. It is within one transaction, so that it is done or not done; and what it makes has the id of
what it is for, so that it is there once, however many look.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from agent_assist.customer.facts import Facts
from agent_assist.customer.interventions import BRANCHES
from agent_assist.customer.outlook import outlook, segment_of
from agent_assist.customer.outreach import Outreach
from agent_assist.customer.tags import Business
from agent_assist.customer.triggers import TITLES, Trigger, awake, triggers
from agent_assist.store.alerts import Alerts
from agent_assist.store.due import Look, Looked, claim, put_off, settle
from agent_assist.store.following import Wanted
from agent_assist.store.profiles import Profiles
from agent_assist.store.tasks import NewTask, Undone, add, cancel, made, undone
from agent_assist.store.trials import Dealt, Trials, deal

log = structlog.get_logger()

_RECHECK: Final = timedelta(days=7)
"""Where a model tells a risk it changes with the time alone: nobody is left longer without a look."""
_AFTER_FAILURE: Final = timedelta(minutes=10)


@dataclass(slots=True)
class Done:
    """What some looks came to."""

    looked: int = 0
    failed: int = 0
    made: Counter[str] = field(default_factory=Counter)
    """By kind."""
    cancelled: Counter[str] = field(default_factory=Counter)
    """By why: "opt_out", "over"."""
    dropped: Counter[str] = field(default_factory=Counter)
    """By kind: what came due while nobody looked, and is too old now."""
    exposed: Counter[str] = field(default_factory=Counter)
    """By group of a trial: customers who came to be treated for the first time."""

    def and_(self, other: "Done") -> None:
        """Count in what others came to."""
        self.looked += other.looked
        self.failed += other.failed
        self.made.update(other.made)
        self.cancelled.update(other.cancelled)
        self.dropped.update(other.dropped)
        self.exposed.update(other.exposed)


class Scheduler:
    """
    Looks at customers.

    Args:
        engine: Of a store that ``CallStore.upgrade`` has brought up to date.
        wanted: What other programs are told; None where there are no receivers.
    """

    def __init__(
        self, engine: Engine, profiles: Profiles, outreach: Outreach, alerts: Alerts, wanted: Wanted | None = None
    ) -> None:
        self._engine = engine
        self._profiles = profiles
        self._outreach = outreach
        self._alerts = alerts
        self._wanted = wanted
        self.trials = Trials(engine, profiles.store, outreach)

    def tick(self, now: datetime, most: int = 25) -> Done:
        """
        Look at customers whose time has come, in one transaction.

        Where one of them cannot be looked at, each in one of its own: that one is put off, and keeps nobody up.
        """
        business = self._profiles.counted()
        try:
            return self._batch(now, most, business)
        except (OperationalError, InterfaceError):
            # The store is away, or busy: the transaction is undone, and the looks come again.
            raise
        except Exception:
            done = Done()
            for _ in range(most):
                done.and_(self._single(now, business))
            return done

    def _single(self, now: datetime, business: Business) -> Done:
        try:
            return self._batch(now, 1, business)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("look_failed", error=type(error).__name__)
            with self._engine.begin() as connection:
                # The order is always the same: it is the one that failed.
                for look in claim(connection, now, 1):
                    put_off(connection, look, now + _AFTER_FAILURE)
            return Done(failed=1)

    def _batch(self, now: datetime, most: int, business: Business) -> Done:
        done = Done()
        with self._engine.begin() as connection:
            looks = claim(connection, now, most)
            known = self._profiles.store.all_of(dict.fromkeys(look.customer_id for look in looks))
            is_open = undone(connection, {one for each in known.values() for one in each.ids})
            settle(
                connection,
                [self._look(connection, look, known[look.customer_id], is_open, now, business, done) for look in looks],
                now,
            )
        done.looked = len(looks)
        return done

    def plan(self, begin: datetime, end: datetime, customer_id: str | None = None) -> Iterator[tuple[Trigger, ...]]:
        """
        What would be due from one time up to another, as far as is known now: of each customer, mostly nothing.

        Args:
            customer_id: Of one; else of all, who are read as a stream.
        """
        store, business = self._profiles.store, self._profiles.counted()
        known = store.all_facts() if customer_id is None else iter((store.facts(customer_id),))
        for one in known:
            leaving = outlook(one, begin, business).leaving
            due = [each for each in triggers(one, self._outreach.triggers, leaving) if begin <= each.due_at < end]
            if not due:
                yield ()
                continue
            with self._engine.connect() as connection:
                there = self._made(connection, one, due)
                yield tuple(self._held(connection, each, one, there, business) for each in due)

    def _held(
        self, connection: Connection, due: Trigger, known: Facts, there: Collection[str], business: Business
    ) -> Trigger:
        """With why it would not be done, if so."""
        if due.held or due.id in there:
            return msgspec.structs.replace(due, held=due.held or "made")
        dealt = self._deal(connection, due, known, due.due_at, business, keep=False)
        return msgspec.structs.replace(due, held=dealt.held)

    def _deal(
        self, connection: Connection, due: Trigger, known: Facts, at: datetime, business: Business, *, keep: bool
    ) -> Dealt:
        segment = lambda: segment_of(known, at, business)  # noqa: E731
        return deal(connection, self._outreach, due.kind, known, segment, at, keep=keep)

    def _look(
        self,
        connection: Connection,
        look: Look,
        known: Facts,
        is_open: Sequence[Undone],
        now: datetime,
        business: Business,
        done: Done,
    ) -> Looked:
        if known.customer_id != look.customer_id:
            # They go on under another id: what was told of this one had that one looked at, too.
            return Looked(look.customer_id)
        seen = outlook(known, now, business)
        found = triggers(known, self._outreach.triggers, seen.leaving)
        self._cancel(connection, known, found, [one for one in is_open if one.customer_id in known.ids], now, done)
        wakes = awake(now, self._outreach.triggers)
        past = [one for one in found if one.due_at <= now and not one.held] if wakes == now else []
        there = self._made(connection, known, past)
        for one in past:
            if one.id in there:
                continue
            if one.due_at > now - self._outreach.make_up:
                dealt = self._deal(connection, one, known, now, business, keep=True)
                done.exposed.update([dealt.exposed] if dealt.exposed else [])
                if not dealt.held and add(connection, self._task(one, known), now, self._wanted):
                    done.made[one.kind] += 1
            elif look.looked_at is not None and one.due_at > look.looked_at:
                done.dropped[one.kind] += 1
        self._alerts.gather(connection, known, now)
        level = None if seen.risk is None else seen.risk.level
        # How those stand who are looked at for the first time is no change: a base that is taken in raises no alerts.
        if seen.risk is not None and look.level not in {None, level}:
            self._alerts.judge(connection, known, seen.risk, now, business)
        return Looked(look.customer_id, self._next(found, now, recheck=seen.risk is not None), level)

    def _made(self, connection: Connection, known: Facts, found: Sequence[Trigger]) -> set[str]:
        """Those of which there is a task, under any id of the customer."""
        under = {
            f"{customer_id}{one.id.removeprefix(known.customer_id)}": one.id
            for one in found
            for customer_id in known.ids
        }
        return {under[one] for one in made(connection, list(under))}

    def _cancel(
        self,
        connection: Connection,
        known: Facts,
        found: Sequence[Trigger],
        is_open: Sequence[Undone],
        now: datetime,
        done: Done,
    ) -> None:
        """Open tasks of who does not want to be called, and those whose occasion is gone."""
        if not is_open:
            return
        if not known.allows("outbound", otherwise=True):
            done.cancelled["opt_out"] += cancel(connection, [one.task_id for one in is_open], now, "opt_out")
            return
        still = {f"{customer_id}{one.id.removeprefix(known.customer_id)}" for one in found for customer_id in known.ids}
        over = [one.task_id for one in is_open if one.rule not in BRANCHES and one.task_id not in still]
        done.cancelled["over"] += cancel(connection, over, now, "over")

    def _task(self, due: Trigger, known: Facts) -> NewTask:
        return NewTask(
            id=due.id,
            customer_id=known.customer_id,
            customer_name=known.name,
            language=known.language,
            rule=due.kind,
            titles=TITLES[due.kind],
            texts=due.text,
            team=self._outreach.teams[due.kind],
            evidence=due.evidence,
            due_at=due.due_at,
        )

    def _next(self, found: Sequence[Trigger], now: datetime, *, recheck: bool) -> datetime | None:
        wakes, oldest = awake(now, self._outreach.triggers), now - self._outreach.make_up
        ahead = [max(one.due_at, wakes) for one in found if one.due_at > oldest and not one.held]
        again = [at for at in ahead if at > now]
        return min([*again, now + _RECHECK] if recheck else again, default=None)
