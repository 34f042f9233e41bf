"""Trials and rollouts through the real scheduler and store, on a clock that the tests turn."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import select

from agent_assist.customer.events import Consent, CustomerEvent, Merged, Order
from agent_assist.customer.experiments import Criterion, Experiment, RolloutStage
from agent_assist.customer.outreach import load as load_outreach
from agent_assist.customer.rfm import Population
from agent_assist.customer.tags import Business, load
from agent_assist.customer.trials import Outcome, Staged, Trial
from agent_assist.store.alerts import Alerts, Heard
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.store.scheduling import Done, Scheduler
from agent_assist.store.tables import exposures
from agent_assist.store.tasks import TaskQuery, Tasks
from agent_assist.store.trials import Trials, TrialSeen
from models.types import ChurnRisk, Reason, RiskLevel

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 1, 12, tzinfo=ZONE)
DAY = timedelta(days=1)
DUE = NOON + 7 * DAY
TRIAL = Trial(
    id="guide",
    salt="2026",
    groups={"standard": 0.5, "guided": 0.5},
    task="usage_guide",
    outcome=Outcome(bought_within_days=30),
    expected=0.2,
)
ROLLOUT = Staged(
    id="slowly",
    salt="1",
    task="usage_guide",
    stage="pilot",
    stages=(
        RolloutStage(name="pilot", shares={"core": 0.3}, criteria=(Criterion(measure="guide", at_least=0.0),)),
        RolloutStage(name="wide", shares={"core": 0.8, "other": 0.5}),
    ),
)


class Office:
    """A store, and schedulers that know the same trials."""

    def __init__(self, store: CallStore, business: Business | None = None) -> None:
        self.store, self.engine = store, store.engine
        self.customers = CustomerStore(store.engine)
        self.outreach = load_outreach(zone=ZONE)._replace(trials=(TRIAL,))
        self.profiles = Profiles(self.customers, load(), business or Business(zone=ZONE))

    def put(self, **what: Any) -> None:
        self.outreach = self.outreach._replace(**what)

    def alerts(self) -> Alerts:
        return Alerts(self.engine, self.profiles, self.outreach)

    def scheduler(self) -> Scheduler:
        """Made anew, as by a process that starts."""
        return Scheduler(self.engine, self.profiles, self.outreach, self.alerts())

    def tell(self, at: datetime, *events: CustomerEvent) -> None:
        self.customers.take(events, "test", at)

    def tick(self, at: datetime, most: int = 2_000) -> Done:
        return self.scheduler().tick(at, most)

    def exposed(self, trial: str = "guide") -> dict[str, str]:
        e = exposures.c
        with self.engine.connect() as connection:
            rows = connection.execute(select(e.customer_id, e.group).where(e.trial_id == trial)).all()
        return {row.customer_id: row.group for row in rows}

    def tasked(self) -> set[str]:
        return {one.customer_id or "" for one in Tasks(self.store).find(TaskQuery(), limit=5_000)}

    def seen(self, at: datetime, trial: str = "guide") -> TrialSeen:
        found = Trials(self.engine, self.customers, self.outreach).show(trial, at)
        assert found is not None
        return found


@pytest.fixture
def office(store: CallStore) -> Office:
    return Office(store)


def order(customer: str, at: datetime, number: int = 1, **more: Any) -> Order:
    given: dict[str, Any] = {
        "order_id": f"{customer}-o{number}",
        "ordered_at": at,
        "amount": Decimal(10),
        "currency": "CNY",
    } | more
    return Order(event_id=f"{customer}-e{number}", customer_id=customer, at=at, **given)


def population(office: Office, buys: Mapping[str, float], customers: int = 900, days: int = 6) -> datetime:
    """
    Customers come over some days, are looked at each day, and buy again by chance, by whether they have a task.

    Returns:
        When all windows are over.
    """
    random = Random(20)
    names = [f"c{n}" for n in range(customers)]
    for day in range(days):
        at = NOON + day * DAY
        office.tell(at, *(order(one, at) for one in names[day::days]))
    for day in range(days):
        office.tick(DUE + day * DAY)
    tasked = office.tasked()
    again = [
        order(one, DUE + (6 + 20 * random.random()) * DAY, 2)
        for one in names
        if random.random() < buys["guided" if one in tasked else "standard"]
    ]
    end = DUE + 40 * DAY
    office.tell(end, *again)
    return end


def test_a_known_effect_lies_within_the_interval(office: Office) -> None:
    end = population(office, {"standard": 0.3, "guided": 0.5})
    exposed = office.exposed()
    assert office.tasked() == {one for one, group in exposed.items() if group == "guided"}
    assert exposed == {f"c{n}": TRIAL.group(f"c{n}") for n in range(900)}
    seen = office.seen(end)
    assert (seen.why, seen.waiting, seen.crossed) == ("", 0, 0)
    assert seen.exposed == Counter(exposed.values())
    assert seen.difference is not None
    assert 0 < seen.difference.low < 0.2 < seen.difference.high
    groups = seen.strata[0].groups
    assert seen.difference.estimate == pytest.approx(groups["guided"].mean - groups["standard"].mean)


def test_no_effect_is_none_at_every_look_and_only_windows_that_are_over_count(office: Office) -> None:
    end = population(office, {"standard": 0.4, "guided": 0.4})
    before = office.seen(DUE + 30 * DAY - timedelta(seconds=1))
    assert (before.why, before.waiting, sum(before.exposed.values())) == ("few", 900, 900)
    looks = [office.seen(DUE + (30 + day) * DAY) for day in range(6)]
    assert [one.waiting for one in looks] == [750, 600, 450, 300, 150, 0]
    differences = [one.difference for one in looks if one.difference is not None]
    assert len(differences) >= 4
    assert all(one.low < 0 < one.high for one in differences)
    # What was seen of a day is seen of it later, too.
    assert office.seen(DUE + 30 * DAY) == looks[0]
    assert office.seen(end).difference == looks[-1].difference
    assert sum(office.seen(DUE).exposed.values()) == 150


def test_a_broken_assignment_is_told_instead_of_a_result(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    rightly = Experiment.group
    monkeypatch.setattr(Experiment, "group", lambda self, who: "guided" if who.endswith("7") else rightly(self, who))
    end = population(office, {"standard": 0.3, "guided": 0.5}, customers=1_500, days=1)
    seen = office.seen(end)
    assert seen.ratio_p < 0.001
    assert (seen.why, seen.difference, seen.strata) == ("mismatch", None, ())


def test_who_forbids_calls_is_never_exposed(office: Office) -> None:
    names = [f"c{n}" for n in range(20)]
    office.tell(NOON, *(order(one, NOON) for one in names))
    office.tell(
        NOON,
        *(
            Consent(event_id=f"{one}-no", customer_id=one, at=NOON, purpose="outbound", granted=False)
            for one in names[:10]
        ),
    )
    office.tick(DUE)
    assert set(office.exposed()) == set(names[10:])
    assert office.tasked() <= set(names[10:])


def test_a_restart_or_a_second_gateway_exposes_nobody_twice(office: Office) -> None:
    names = [f"c{n}" for n in range(60)]
    office.tell(NOON, *(order(one, NOON) for one in names))
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: office.tick(DUE, most=60), range(3)))
    found = sum((one.exposed for one in done), Counter[str]())
    assert found == Counter(office.exposed().values())
    assert sum(found.values()) == 60
    before = office.exposed()
    # Something is told of all of them: they are looked at once more, by a process that has just started.
    office.tell(DUE + DAY, *(order(one, DUE, 2) for one in names))
    again = office.tick(DUE + DAY)
    assert (again.looked, again.exposed, office.exposed()) == (60, Counter(), before)


def test_two_ids_of_one_person_stay_in_the_group_that_was_met_first(office: Office) -> None:
    groups = {f"c{n}": TRIAL.group(f"c{n}") for n in range(40)}
    first = next(one for one, group in groups.items() if group == "standard")
    other = next(one for one, group in groups.items() if group == "guided")
    office.tell(NOON, order(first, NOON))
    office.tick(DUE)
    office.tell(DUE, Merged(event_id="m", customer_id=first, at=DUE, into=other))
    office.tick(DUE + timedelta(minutes=1))
    assert (office.exposed(), office.tasked()) == ({first: "standard"}, set())


def test_what_is_bought_under_another_id_of_the_same_person_counts(office: Office) -> None:
    office.tell(NOON, order("c1", NOON))
    office.tick(DUE)
    office.tell(DUE + DAY, order("old", DUE + DAY, 2))
    # It is found out after the window.
    late = DUE + 50 * DAY
    office.tell(late, Merged(event_id="m", customer_id="c1", at=late, into="old"))
    (stratum,) = office.seen(DUE + 60 * DAY).strata
    assert [(one.n, one.mean) for one in stratum.groups.values()] == [(1, 1.0)]


def test_two_ids_that_met_both_groups_before_they_were_one_count_in_none(office: Office) -> None:
    groups = {f"c{n}": TRIAL.group(f"c{n}") for n in range(40)}
    first = next(one for one, group in groups.items() if group == "standard")
    other = next(one for one, group in groups.items() if group == "guided")
    office.tell(NOON, order(first, NOON), order(other, NOON))
    office.tick(DUE)
    office.tell(DUE, Merged(event_id="m", customer_id=first, at=DUE, into=other))
    seen = office.seen(DUE + DAY)
    assert (seen.crossed, sum(seen.exposed.values())) == (1, 0)


def test_a_trial_begins_with_the_first_customer_of_its_task(office: Office) -> None:
    office.put(trials=(msgspec.structs.replace(TRIAL, task="late_order"),))
    office.tell(NOON, order("c1", NOON))
    office.tick(DUE)
    seen = office.seen(DUE)
    assert (office.tasked(), seen.begun_at, seen.why) == ({"c1"}, None, "few")
    office.tell(DUE, order("c1", DUE, 2, promised_by=DUE + 2 * DAY))
    office.tick(DUE + DAY)
    assert office.seen(DUE + DAY).begun_at == DUE + DAY


def test_the_plan_says_who_gets_nothing_and_exposes_nobody(office: Office) -> None:
    names = [f"c{n}" for n in range(30)]
    office.tell(NOON, *(order(one, NOON) for one in names))
    told = {one.customer_id: one.held for due in office.scheduler().plan(NOON, NOON + 30 * DAY) for one in due}
    assert told == {one: "standard" if TRIAL.group(one) == "standard" else "" for one in names}
    assert office.exposed() == {}


def test_a_trial_stays_as_it_began_whatever_the_file_says_later(office: Office) -> None:
    names = [f"c{n}" for n in range(60)]
    office.tell(NOON, *(order(one, NOON) for one in names[:30]))
    office.tick(DUE)
    office.put(trials=(msgspec.structs.replace(TRIAL, salt="other", expected=0.01),))
    office.tell(NOON, *(order(one, NOON) for one in names[30:]))
    office.tick(DUE + timedelta(minutes=1))
    assert office.exposed() == {one: TRIAL.group(one) for one in names}
    seen = office.seen(DUE + DAY)
    assert (seen.trial, seen.changed) == (TRIAL, True)
    # It is told of one that is in the file no more.
    office.put(trials=())
    assert office.seen(DUE + DAY).trial == TRIAL


def test_who_is_in_no_group_is_treated_as_without_a_trial(office: Office) -> None:
    office.put(trials=(msgspec.structs.replace(TRIAL, groups={"standard": 0.1, "guided": 0.1}),))
    names = [f"c{n}" for n in range(100)]
    office.tell(NOON, *(order(one, NOON) for one in names))
    office.tick(DUE)
    exposed = office.exposed()
    assert 0 < len(exposed) < 50
    assert office.tasked() == set(names) - {one for one, group in exposed.items() if group == "standard"}


def segmented(monkeypatch: pytest.MonkeyPatch, segment: Callable[[str], str]) -> None:
    monkeypatch.setattr("agent_assist.store.scheduling.segment_of", lambda known, _at, _b: segment(known.customer_id))


def test_a_stage_that_widens_loses_nobody(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.put(trials=(), rollouts=(ROLLOUT,))
    moved = set[str]()
    segmented(monkeypatch, lambda who: "core" if who.startswith("a") and who not in moved else "other")
    names = [f"{part}{n}" for part in "ab" for n in range(60)]

    def come(number: int, at: datetime) -> set[str]:
        """All have an order that will be late, which is told of; who is told of it."""
        office.tell(at, *(order(one, at, number, promised_by=at + 2 * DAY) for one in names))
        done = office.tick(at + DAY)
        assert done.failed == 0
        tasks = Tasks(office.store).find(TaskQuery(), limit=5_000)
        return {one.customer_id or "" for one in tasks if one.id.endswith(f"-o{number}")}

    office.put(rollouts=(msgspec.structs.replace(ROLLOUT, task="late_order"),))
    pilot = come(1, NOON)
    assert {one[0] for one in pilot} == {"a"}
    assert 5 < len(pilot) < 35
    # Those who have it keep it even where they move to a segment to which it does not come.
    moved |= set(sorted(pilot)[:3])
    assert come(2, NOON + 10 * DAY) == pilot
    office.put(rollouts=(msgspec.structs.replace(ROLLOUT, task="late_order", stage="wide"),))
    wide = come(3, NOON + 20 * DAY)
    assert pilot < wide
    assert {one[0] for one in wide} == {"a", "b"}
    assert set(office.exposed("slowly")) == wide


def test_a_rollout_comes_before_the_trial_and_its_stage_is_judged_by_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmented(monkeypatch, lambda _: "core")
    whole = (msgspec.structs.replace(ROLLOUT.stages[0], shares={"core": 0.8}),)
    office.put(rollouts=(msgspec.structs.replace(ROLLOUT, stages=whole),))
    end = population(office, {"standard": 0.3, "guided": 0.6})
    assert set(office.exposed()) == set(office.exposed("slowly"))
    assert 600 < len(office.exposed()) < 840
    (stage,) = office.seen(end).stages
    assert (stage.rollout, stage.stage, stage.verdict) == ("slowly", "pilot", "advance")
    (early,) = office.seen(DUE + 10 * DAY).stages
    assert early.verdict == "hold"


def test_groups_are_compared_within_segments(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    segmented(monkeypatch, lambda who: "core" if int(who[1:]) % 2 else "other")
    office.put(trials=(msgspec.structs.replace(TRIAL, by_segment=True),))
    seen = office.seen(population(office, {"standard": 0.3, "guided": 0.5}))
    assert [one.stratum for one in seen.strata] == ["core", "other"]
    assert sum(group.n for one in seen.strata for group in one.groups.values()) == 900
    assert all(one.difference is not None for one in seen.strata)


def test_a_segment_is_that_of_the_table(store: CallStore) -> None:
    ends = (0.0, 1.0, 2.0, 3.0)
    fifths = Population(as_of=NOON, n=9, silence=ends, frequency=ends, monetary=ends, high_order=1.0)
    office = Office(store, Business(zone=ZONE, population=fifths))
    office.put(trials=(msgspec.structs.replace(TRIAL, by_segment=True),))
    office.tell(NOON, order("c1", NOON), order("c2", NOON))
    no = Consent(event_id="no", customer_id="c2", at=NOON, purpose="profiling", granted=False)
    office.tell(NOON, no)
    office.tick(DUE)
    with office.engine.connect() as connection:
        asked = select(exposures.c.stratum).order_by(exposures.c.customer_id)
        known, forbidden = connection.execute(asked).scalars()
    assert known != ""
    assert forbidden == ""


def risk_of(score: float, level: RiskLevel) -> ChurnRisk:
    return ChurnRisk(
        score=score, level=level, reasons=(Reason(name="price", contribution=score),), model_version="test"
    )


def test_who_was_called_back_before_the_trial_is_not_exposed_when_the_alert_is_raised(office: Office) -> None:
    names = [f"c{n}" for n in range(20)]
    trial = msgspec.structs.replace(TRIAL, id="call-first", task="call_back")
    elevated, critical = risk_of(0.6, RiskLevel.ELEVATED), risk_of(0.8, RiskLevel.CRITICAL)
    for n, one in enumerate(names):
        office.alerts().hear(Heard(customer_id=one, call_id=f"call{n}", at_ms=1, at=NOON, risk=elevated))
    office.put(trials=(trial,))
    for n, one in enumerate(names):
        change = office.alerts().hear(Heard(customer_id=one, call_id=f"call{n}", at_ms=2, at=NOON, risk=critical))
        assert change is not None
        assert change.kind == "raised"
    assert (office.tasked(), office.exposed("call-first")) == (set(names), {})


def test_a_call_back_is_not_made_for_the_standard_group(office: Office) -> None:
    office.put(trials=(msgspec.structs.replace(TRIAL, id="call-first", task="call_back"),))
    trial = office.outreach.trials[0]
    risk = risk_of(0.8, RiskLevel.CRITICAL)
    alerts = office.alerts()
    names = [f"c{n}" for n in range(20)]
    for n, one in enumerate(names):
        alerts.hear(Heard(customer_id=one, call_id=f"call{n}", at_ms=1, at=NOON, risk=risk))
        # Of a call that goes on more is heard.
        alerts.hear(Heard(customer_id=one, call_id=f"call{n}", at_ms=2, at=NOON, risk=risk))
    assert office.exposed("call-first") == {one: trial.group(one) for one in names}
    assert office.tasked() == {one for one in names if trial.group(one) == "guided"}
    assert len(office.tasked()) not in {0, 20}
