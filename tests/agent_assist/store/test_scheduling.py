"""What is done of its own accord, on a clock that the tests turn: once, in time, and not when it is for nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import select

from agent_assist.customer.events import Consent, CustomerEvent, Known, Line, Merged, Order, Split
from agent_assist.customer.facts import Facts
from agent_assist.customer.outreach import Outreach
from agent_assist.customer.outreach import load as load_outreach
from agent_assist.customer.tags import Business, load
from agent_assist.customer.triggers import Trigger
from agent_assist.store import scheduling
from agent_assist.store.alerts import AlertQuery, Alerts
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.due import Looked, claim, look_at, settle, waiting
from agent_assist.store.following import Wanted
from agent_assist.store.instants import micros
from agent_assist.store.leases import hold, release
from agent_assist.store.profiles import Profiles
from agent_assist.store.scheduling import Done, Scheduler
from agent_assist.store.tables import customer_due, webhooks
from agent_assist.store.tasks import Task, TaskQuery, Tasks
from models.churn import shipped
from models.survival import shipped_hazard

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 1, 12, tzinfo=SHANGHAI)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Desk:
    """A store, a clock and a scheduler."""

    def __init__(self, store: CallStore, zone: str = "Asia/Shanghai", **business: Any) -> None:
        self.store, self.engine = store, store.engine
        self.customers, self.tasks = CustomerStore(store.engine), Tasks(store)
        self.outreach: Outreach = load_outreach(zone=ZoneInfo(zone))
        self.profiles = Profiles(self.customers, load(), Business(zone=ZoneInfo(zone), **business))
        self.wanted = Wanted({"crm"}, {"task.created": ["crm"], "alert.changed": ["crm"]})

    def scheduler(self) -> Scheduler:
        """Made anew, as by a process that starts."""
        alerts = Alerts(self.engine, self.profiles, self.outreach, self.wanted)
        return Scheduler(self.engine, self.profiles, self.outreach, alerts, self.wanted)

    def tell(self, at: datetime, *events: CustomerEvent) -> None:
        self.customers.take(events, "test", at)

    def tick(self, at: datetime, most: int = 50) -> Done:
        return self.scheduler().tick(at, most)

    def run(self, begin: datetime, end: datetime, step: timedelta = 6 * HOUR) -> None:
        while begin <= end:
            self.tick(begin)
            begin += step

    def all(self, **wanted: Any) -> list[Task]:
        return self.tasks.find(TaskQuery(**wanted))

    def kinds(self, **wanted: Any) -> list[tuple[str, str]]:
        return [(task.rule, task.state) for task in self.all(**wanted)]

    def next(self, customer: str = "c") -> int | None:
        with self.engine.connect() as connection:
            asked = select(customer_due.c.due_us).where(customer_due.c.customer_id == customer)
            return connection.execute(asked).scalar_one()


@pytest.fixture
def make_desk(store: CallStore) -> Callable[..., Desk]:
    return lambda **options: Desk(store, **options)


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


def order(number: int, at: datetime, customer: str = "c", **more: Any) -> Order:
    told = more.pop("told", at)
    event = more.pop("event_id", f"{customer}-e{number}")
    given = {"order_id": f"{customer}-o{number}", "ordered_at": at, "amount": Decimal(10), "currency": "CNY"} | more
    return Order(event_id=event, customer_id=customer, at=told, **given)


def consent(number: int, at: datetime, *, granted: bool, purpose: Any = "outbound") -> Consent:
    return Consent(event_id=f"consent{number}", customer_id="c", at=at, purpose=purpose, granted=granted)


def test_the_guide_becomes_a_task_on_the_seventh_day_and_is_there_once(desk: Desk) -> None:
    desk.tell(NOON, order(1, NOON))
    desk.run(NOON, NOON + 7 * DAY - HOUR)
    assert desk.all() == []
    desk.run(NOON + 7 * DAY, NOON + 9 * DAY)
    (task,) = desk.all()
    assert (task.id, task.call_id, task.customer_id, task.agent_id) == ("c:usage_guide:first", None, "c", None)
    assert (task.due_at, task.team, task.evidence) == (NOON + 7 * DAY, "customer-care", ("c-e1",))
    assert task.texts == {
        "zh": "首次购买满 7 天:发送使用指南",
        "en": "7 days after the first purchase: send the guide",
    }
    desk.tasks.change(task.id, state="done", version=1, by="anna", at=NOON + 9 * DAY)
    desk.tell(NOON + 10 * DAY, order(2, NOON + 10 * DAY))
    desk.run(NOON + 10 * DAY, NOON + 30 * DAY)
    assert desk.kinds() == [("usage_guide", "done")]


@pytest.mark.parametrize(
    ("zone", "first", "due"),
    [
        # Clocks go forward on 8 March in New York, and back on 25 October in Berlin; 29 February is a day.
        ("America/New_York", "2026-03-05 10:00", "2026-03-12 10:00"),
        ("Europe/Berlin", "2026-10-22 10:00", "2026-10-29 10:00"),
        ("Asia/Shanghai", "2028-02-25 10:00", "2028-03-03 10:00"),
        # In the evening it waits for the morning.
        ("Asia/Shanghai", "2028-02-22 22:00", "2028-03-01 09:00"),
    ],
)
def test_seven_days_are_those_of_the_business(make_desk: Callable[..., Desk], zone: str, first: str, due: str) -> None:
    desk = make_desk(zone=zone)
    begun, then = (datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)) for at in (first, due))
    desk.tell(begun, order(1, begun.astimezone(UTC)))
    desk.tick(begun)
    assert desk.next() == micros(then)
    desk.tick(then - timedelta(seconds=1))
    assert desk.all() == []
    desk.tick(then)
    assert [task.due_at for task in desk.all()] == [then]


def test_a_look_finds_nobody_whose_time_has_not_come(desk: Desk) -> None:
    desk.tell(NOON, *(order(1, NOON, f"c{n}") for n in range(5)), order(1, NOON - 60 * DAY, "old"))
    assert desk.tick(NOON).looked == 6
    assert desk.tick(NOON + DAY).looked == 0
    assert desk.next("old") is None
    with desk.engine.connect() as connection:
        assert waiting(connection, NOON + 7 * DAY) == 5


def test_a_late_order_is_told_of_and_one_that_arrived_is_not(desk: Desk) -> None:
    promised = NOON + 5 * DAY
    desk.tell(NOON, order(1, NOON, promised_by=promised), order(2, NOON, promised_by=promised))
    desk.tell(NOON + DAY, order(2, NOON, promised_by=promised, event_id="d", told=NOON + DAY, status="delivered"))
    desk.run(NOON, promised)
    assert [(task.id, task.state) for task in desk.all()] == [("c:late_order:c-o1", "open")]
    desk.tell(promised, order(1, NOON, promised_by=promised, event_id="d1", told=promised, status="delivered"))
    assert desk.tick(promised).cancelled == {"over": 1}
    (task,) = desk.all()
    assert (task.state, task.note, task.by, task.version) == ("cancelled", "over", "", 2)


def test_who_says_no_has_open_tasks_cancelled_and_gets_no_others(desk: Desk) -> None:
    promised = NOON + 2 * DAY
    desk.tell(NOON, order(1, NOON, promised_by=promised))
    desk.run(NOON, promised)
    assert desk.kinds() == [("late_order", "open")]
    desk.tell(promised, consent(1, promised, granted=False))
    assert desk.tick(promised).cancelled == {"opt_out": 1}
    desk.run(promised, NOON + 8 * DAY)
    assert desk.kinds() == [("late_order", "cancelled")]
    # Who allows it again gets what is due from then on, not what was cancelled.
    desk.tell(NOON + 8 * DAY, consent(2, NOON + 8 * DAY, granted=True))
    desk.tick(NOON + 8 * DAY)
    assert desk.kinds(state="open") == [("usage_guide", "open")]


def test_after_a_rest_what_is_not_too_old_is_made_up_and_the_rest_is_counted(desk: Desk) -> None:
    desk.tell(NOON, order(1, NOON, "a"))
    desk.tick(NOON)
    desk.tell(NOON + 5 * DAY, order(1, NOON + 5 * DAY, "b"))
    back = NOON + 13 * DAY
    done = desk.tick(back)
    assert (done.made, done.dropped) == ({"usage_guide": 1}, {"usage_guide": 1})
    assert [task.customer_id for task in desk.all()] == ["b"]
    assert desk.tick(back + HOUR).dropped == {}


def test_history_that_is_taken_in_is_no_flood(desk: Desk) -> None:
    desk.tell(NOON, *(order(1, NOON - (40 + n) * DAY, f"c{n}") for n in range(20)))
    done = desk.tick(NOON)
    assert (done.looked, done.made, done.dropped) == (20, {}, {})
    assert desk.tick(NOON + 30 * DAY).looked == 0


def test_nothing_is_made_in_quiet_hours_but_in_the_morning(desk: Desk) -> None:
    night = NOON + 10 * HOUR
    desk.tell(night, order(1, NOON - 6 * DAY - 20 * HOUR))
    desk.tick(night)
    assert desk.all() == []
    morning = (NOON + DAY).replace(hour=9)
    assert desk.next() == micros(morning)
    desk.tick(morning)
    assert desk.kinds() == [("usage_guide", "open")]


def benefits(desk: Desk) -> dict[str, str]:
    return {task.id: task.state for task in desk.all() if task.rule == "retention_benefit"}


def test_a_benefit_is_due_before_the_customer_lapses_and_a_prediction_that_moves_makes_no_second(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(model=shipped("orders"))
    # Without an interval of their own, customers lapse after 60 days.
    desk.tell(NOON, order(1, NOON))
    desk.run(NOON, NOON + 30 * DAY - HOUR)
    assert benefits(desk) == {}
    desk.run(NOON + 30 * DAY, NOON + 31 * DAY)
    assert benefits(desk) == {"c:retention_benefit:c-o1": "open"}
    # An earlier order that is told later changes the interval, and so the day, of the same cycle.
    desk.tell(NOON + 31 * DAY, order(0, NOON - 25 * DAY, told=NOON + 31 * DAY))
    desk.run(NOON + 31 * DAY, NOON + 60 * DAY)
    assert benefits(desk) == {"c:retention_benefit:c-o1": "open"}
    # A new order is a new cycle: what was for the old one is over.
    desk.tell(NOON + 60 * DAY, order(2, NOON + 60 * DAY))
    desk.run(NOON + 60 * DAY, NOON + 160 * DAY, DAY)
    assert benefits(desk) == {"c:retention_benefit:c-o1": "cancelled", "c:retention_benefit:c-o2": "open"}


def test_a_benefit_is_due_thirty_days_before_a_contract_ends_and_once(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(model=shipped("contract"), hazard=shipped_hazard())
    joined = NOON - 20 * DAY

    def known(number: int, at: datetime, until: date) -> Known:
        return Known(event_id=f"k{number}", customer_id="c", at=at, joined_at=joined, contract_until=until)

    desk.tell(NOON, known(1, NOON, date(2026, 6, 1)))
    desk.run(NOON, NOON + 61 * DAY)
    assert benefits(desk) == {}
    desk.run(NOON + 62 * DAY, NOON + 70 * DAY)
    assert benefits(desk) == {"c:retention_benefit:contract:2026-06-01": "open"}
    # They go on: there is another one before the new end.
    desk.tell(NOON + 70 * DAY, known(2, NOON + 70 * DAY, date(2027, 6, 1)))
    desk.run(NOON + 70 * DAY, NOON + 430 * DAY, DAY)
    assert benefits(desk) == {
        "c:retention_benefit:contract:2026-06-01": "cancelled",
        "c:retention_benefit:contract:2027-06-01": "open",
    }


def test_who_forbids_profiles_is_not_predicted(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(model=shipped("orders"))
    desk.tell(NOON, order(1, NOON), consent(1, NOON, granted=False, purpose="profiling"))
    desk.run(NOON, NOON + 40 * DAY, DAY)
    assert desk.kinds() == [("usage_guide", "open")]
    assert Alerts(desk.engine, desk.profiles, desk.outreach).find(AlertQuery()) == []


def test_two_ids_that_are_one_person_get_one_guide(desk: Desk) -> None:
    desk.tell(NOON, order(1, NOON, "b"))
    desk.run(NOON, NOON + 7 * DAY)
    merged = NOON + 7 * DAY + HOUR
    desk.tell(merged, order(1, NOON + DAY, "a"), Merged(event_id="m", customer_id="b", at=merged, into="a"))
    desk.run(merged, NOON + 12 * DAY)
    assert [(task.id, task.state) for task in desk.all()] == [("b:usage_guide:first", "open")]
    # After a split the other one is a customer of their own.
    desk.tell(NOON + 12 * DAY, Split(event_id="s", customer_id="b", at=NOON + 12 * DAY))
    assert desk.tick(NOON + 12 * DAY).looked == 2


def test_goods_that_are_hard_to_use_bring_guidance(desk: Desk) -> None:
    policy = desk.outreach.triggers._replace(complex_products=frozenset({"drone"}))
    desk.outreach = desk.outreach._replace(triggers=policy)
    lines = (Line(product_id="drone", name="无人机"),)
    desk.tell(NOON, order(1, NOON - 60 * DAY, told=NOON, status="delivered", lines=lines))
    desk.run(NOON, NOON + 2 * DAY)
    assert [task.id for task in desk.all()] == ["c:product_guide:c-o1:drone"]


def test_a_name_with_a_character_that_databases_refuse_costs_no_task(desk: Desk) -> None:
    desk.tell(NOON, Known(event_id="k", customer_id="c", at=NOON, name="Li\0"), order(1, NOON))
    done = desk.tick(NOON + 7 * DAY)
    assert (done.made["usage_guide"], done.failed) == (1, 0)
    assert [task.customer_name for task in desk.all()] == ["Li"]


def test_several_who_tick_at_once_make_each_task_once(desk: Desk) -> None:
    desk.tell(NOON, *(order(1, NOON, f"c{n:02}") for n in range(30)))
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: desk.tick(NOON + 7 * DAY), range(4)))
    assert sum(one.made["usage_guide"] for one in done) == 30
    assert len(desk.tasks.find(TaskQuery(), limit=200)) == 30
    with desk.engine.connect() as connection:
        assert len(connection.execute(select(webhooks.c.message_id)).all()) == 30


def test_what_is_told_during_a_look_is_looked_at_once_more(desk: Desk) -> None:
    desk.tell(NOON, order(1, NOON))
    with ThreadPoolExecutor(1) as threads:
        with desk.engine.begin() as connection:
            (look,) = claim(connection, NOON, 5)
            telling = threads.submit(desk.tell, NOON + HOUR, order(2, NOON + HOUR))
            settle(connection, [Looked(look.customer_id)], NOON)
        telling.result(timeout=20)
    assert desk.next() == micros(NOON + HOUR)


def test_one_who_cannot_be_looked_at_keeps_nobody_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.tell(NOON, order(1, NOON, "a"), order(1, NOON, "b"))
    real = scheduling.outlook

    def outlook(known: Facts, *more: Any) -> Any:
        if known.customer_id == "a":
            raise ZeroDivisionError
        return real(known, *more)

    monkeypatch.setattr(scheduling, "outlook", outlook)
    done = desk.tick(NOON + 7 * DAY)
    assert (done.looked, done.failed) == (1, 1)
    assert [task.customer_id for task in desk.all()] == ["b"]
    monkeypatch.undo()
    assert desk.tick(NOON + 7 * DAY + HOUR).made == {"usage_guide": 1}


def test_what_would_be_done_is_told_with_its_reasons_and_does_nothing(desk: Desk) -> None:
    desk.tell(NOON, order(1, NOON, "a"), order(1, NOON, "b"), order(1, NOON), consent(1, NOON, granted=False))
    desk.tick(NOON + 7 * DAY, most=1)
    made = desk.all()[0].customer_id

    def plan(end: datetime, *customer: str) -> list[Trigger]:
        return [one for due in desk.scheduler().plan(NOON, end, *customer) for one in due]

    told = plan(NOON + 30 * DAY)
    assert [one.customer_id for one in told] == ["a", "b", "c"]
    assert {one.customer_id: one.held for one in told} == {"a": "", "b": "", "c": "opt_out"} | {made: "made"}
    assert plan(NOON + 30 * DAY) == told
    assert plan(NOON + 7 * DAY) == []
    assert plan(NOON + 30 * DAY, "b") == [told[1]]
    assert len(desk.all()) == 1


def test_receivers_are_told_of_a_task(desk: Desk) -> None:
    desk.tell(NOON, order(1, NOON))
    desk.run(NOON, NOON + 8 * DAY)
    with desk.engine.connect() as connection:
        (row,) = connection.execute(select(webhooks)).mappings()
    body = msgspec.json.decode(row["body"])
    assert (row["call_id"], row["customer_id"], row["event"]) == (None, "c", "task.created")
    assert (body["data"]["type"], body["data"]["id"]) == ("task", "c:usage_guide:first")


def test_customers_from_before_are_looked_at_after_an_upgrade(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        look_at(connection, ["x"], NOON)
        assert claim(connection, NOON - HOUR, 5) == []
        (found,) = claim(connection, NOON, 5)
        assert (found.customer_id, found.looked_at) == ("x", None)


def test_one_holds_a_lease_until_it_runs_out_or_is_given_back(store: CallStore) -> None:
    def held(by: str, at: datetime) -> bool:
        return hold(store.engine, "clock", by, at, timedelta(seconds=15))

    assert held("one", NOON)
    assert not held("two", NOON + timedelta(seconds=10))
    assert held("one", NOON + timedelta(seconds=10))
    assert not held("two", NOON + timedelta(seconds=20))
    assert held("two", NOON + timedelta(seconds=26))
    release(store.engine, "clock", "one")
    assert not held("one", NOON + timedelta(seconds=27))
    release(store.engine, "clock", "two")
    assert held("one", NOON + timedelta(seconds=27))
