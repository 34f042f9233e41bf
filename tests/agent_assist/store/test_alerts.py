"""Alerts in SQL: one of each customer, told once, with the call-back that follows from it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from agent_assist.customer.alerts import AlertChange
from agent_assist.customer.events import Consent, Known, Merged, Order, Split
from agent_assist.customer.outlook import Outlook
from agent_assist.customer.outreach import load as load_outreach
from agent_assist.customer.tags import Business, load
from agent_assist.store import scheduling
from agent_assist.store.alerts import AlertQuery, Alerts, Heard, levels
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.following import Wanted
from agent_assist.store.profiles import Profiles
from agent_assist.store.scheduling import Scheduler
from agent_assist.store.tables import alert_changes, webhooks
from agent_assist.store.tasks import TaskQuery, Tasks
from agent_assist.types import CallStarted
from models.types import ChurnRisk, Reason, RiskLevel

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Desk:
    """A store and its alerts."""

    def __init__(self, store: CallStore) -> None:
        self.store, self.engine = store, store.engine
        self.customers = CustomerStore(store.engine)
        self.profiles = Profiles(self.customers, load(), Business())
        self.outreach, self.wanted = load_outreach(), Wanted({"crm"}, {"alert.changed": ["crm"]})
        self.alerts = Alerts(self.engine, self.profiles, self.outreach, self.wanted)

    def hear(
        self, score: float, minute: float, call: str = "call-1", customer: str = "c", reason: str = "price"
    ) -> AlertChange | None:
        reasons = (Reason(name=reason, contribution=score), Reason(name="base_rate", contribution=0.1))
        risk = ChurnRisk(score=score, level=RiskLevel.WATCH, reasons=reasons, model_version="m")
        at = START + minute * MINUTE
        heard = Heard(customer_id=customer, call_id=call, at_ms=int(minute * 60_000), at=at, risk=risk)
        return self.alerts.hear(heard)

    def tasks(self, **wanted: Any) -> list[tuple[str, str, str]]:
        found = Tasks(self.store).find(TaskQuery(**wanted))
        return [(task.customer_id or "", task.rule, task.state) for task in found]

    def tick(self, at: datetime) -> None:
        Scheduler(self.engine, self.profiles, self.outreach, self.alerts, self.wanted).tick(at)

    def told(self) -> list[str]:
        return [change.kind for change in self.alerts.untold()]


@pytest.fixture
def desk(store: CallStore) -> Desk:
    return Desk(store)


def consent(at: datetime, purpose: Any = "outbound") -> Consent:
    return Consent(event_id=f"no-{purpose}", customer_id="c", at=at, purpose=purpose, granted=False)


def test_a_risk_opens_an_alert_of_a_team_and_makes_a_call_back_once(desk: Desk) -> None:
    desk.customers.take([Known(event_id="k", customer_id="c", at=START, name="Li", language="en")], "test", START)
    change = desk.hear(0.8, 1)
    assert change is not None
    alert = change.alert
    assert (change.kind, change.id, alert.level, alert.team) == ("opened", "c:1", RiskLevel.CRITICAL, "retention")
    assert (alert.branch, alert.reasons, alert.source) == ("offer", ("price",), "call-1")
    assert alert.due_at == START + 31 * MINUTE
    assert desk.hear(0.81, 2) is None
    (task,) = Tasks(desk.store).find(TaskQuery())
    assert (task.customer_id, task.customer_name, task.rule, task.title) == ("c", "Li", "offer", "Exclusive offer")
    assert (task.team, task.due_at, task.call_id) == ("retention", alert.due_at, None)
    assert desk.alerts.find(AlertQuery()) == [alert]


def test_what_is_told_again_changes_nothing(desk: Desk) -> None:
    story = [(0.8, 1.0), (0.1, 2.0), (0.6, 3.0)]
    told = [change.kind for score, minute in story if (change := desk.hear(score, minute)) is not None]
    assert told == ["opened", "closed", "opened"]
    assert [desk.hear(score, minute) for score, minute in story] == [None, None, None]
    assert [alert.level for alert in desk.alerts.find(AlertQuery())] == [RiskLevel.ELEVATED]


def test_what_becomes_known_between_two_words_of_a_call_counts(desk: Desk) -> None:
    def hear(score: float, told: datetime) -> str | None:
        risk = ChurnRisk(score=score, level=RiskLevel.WATCH, reasons=(), model_version="m")
        change = desk.alerts.hear(Heard(customer_id="c", call_id="call-1", at_ms=9_000, at=told, risk=risk))
        return None if change is None else change.kind

    assert hear(0.4, START) == "opened"
    assert hear(0.8, START + timedelta(milliseconds=300)) == "raised"
    assert hear(0.4, START) is None
    assert hear(0.8, START + timedelta(milliseconds=300)) is None


def test_a_greeting_on_another_call_lowers_nothing(desk: Desk) -> None:
    desk.hear(0.8, 1)
    assert desk.hear(0.1, 60, "call-2") is None
    assert desk.hear(0.1, 61, "call-1") is not None
    desk.hear(0.8, 70, "call-3")
    late = desk.hear(0.1, 15 * 24 * 60, "call-4")
    assert late is not None
    assert late.kind == "closed"


def test_nobody_takes_it_on_and_it_goes_one_up_each_time_once(desk: Desk) -> None:
    desk.hear(0.8, 0)
    assert desk.alerts.pass_by(START + 29 * MINUTE) == []
    teams = []
    for minute in range(0, 500, 10):
        teams += [change.alert.team for change in desk.alerts.pass_by(START + minute * MINUTE)]
    assert teams == ["retention-lead", "head-of-service"]
    assert desk.told() == ["opened", "escalated", "escalated"]


def test_after_a_rest_each_step_is_made_up(desk: Desk) -> None:
    desk.hear(0.8, 0)
    first, second = desk.alerts.pass_by(START + DAY), desk.alerts.pass_by(START + DAY)
    assert [change.at for change in (*first, *second)] == [START + 30 * MINUTE, START + 60 * MINUTE]
    assert desk.alerts.pass_by(START + DAY) == []


def test_a_person_takes_it_on_and_closes_it_and_the_call_back_goes_with_it(desk: Desk) -> None:
    desk.hear(0.8, 0, reason="complaint")
    taken = desk.alerts.acknowledge("c", "boss", START + MINUTE)
    assert taken is not None
    assert (taken.alert.by, taken.alert.due_at) == ("boss", None)
    assert desk.alerts.acknowledge("c", "other", START + MINUTE) is None
    assert desk.alerts.pass_by(START + DAY) == []
    assert desk.tasks() == [("c", "win_back", "open")]
    assert desk.alerts.close("c", "boss", START + 2 * MINUTE) is not None
    assert desk.alerts.close("c", "boss", START + 2 * MINUTE) is None
    assert desk.tasks() == [("c", "win_back", "cancelled")]
    assert desk.alerts.close("nobody", "boss", START) is None


def test_who_does_not_want_to_be_called_has_an_alert_and_no_call_back(desk: Desk) -> None:
    desk.customers.take([consent(START)], "test", START)
    assert desk.hear(0.8, 1) is not None
    assert desk.tasks() == []


def test_a_call_back_is_cancelled_by_a_no(desk: Desk) -> None:
    desk.hear(0.8, 1)
    desk.customers.take([consent(START)], "test", START)
    desk.tick(START)
    assert desk.tasks() == [("c", "offer", "cancelled")]


def test_who_wants_no_offers_is_called_without_one(desk: Desk) -> None:
    desk.customers.take([consent(START, "offers")], "test", START)
    desk.hear(0.8, 1)
    assert desk.tasks() == [("c", "win_back", "open")]


def test_the_watch_has_no_call_back_and_the_core_is_one_level_higher(desk: Desk) -> None:
    desk.hear(0.4, 1)
    gold = Known(event_id="k", customer_id="g", at=START, tier="gold")
    desk.customers.take([gold], "test", START)
    desk.hear(0.4, 1, customer="g")
    found = {alert.customer_id: alert.level for alert in desk.alerts.find(AlertQuery())}
    assert found == {"c": RiskLevel.WATCH, "g": RiskLevel.ELEVATED}
    assert desk.tasks() == [("g", "offer", "open")]
    with desk.engine.connect() as connection:
        assert levels(connection) == {RiskLevel.WATCH: 1, RiskLevel.ELEVATED: 1, RiskLevel.CRITICAL: 0}


def test_what_was_closed_by_a_person_opens_when_it_has_gone_and_come_again(desk: Desk) -> None:
    desk.hear(0.4, 1)
    desk.alerts.close("c", "boss", START + 2 * MINUTE)
    assert desk.hear(0.42, 3) is None
    assert desk.hear(0.05, 4) is None
    again = desk.hear(0.4, 5)
    assert again is not None
    assert again.kind == "opened"


def test_two_ids_that_are_one_person_have_one_alert(desk: Desk) -> None:
    at = START + MINUTE
    order = Order(
        event_id="o", customer_id="a", at=START, order_id="o", ordered_at=START, amount=Decimal(1), currency="CNY"
    )
    desk.customers.take([order, Known(event_id="k", customer_id="b", at=START, name="Li")], "test", START)
    desk.hear(0.8, 0, customer="b")
    desk.customers.take([Merged(event_id="m", customer_id="b", at=at, into="a")], "test", at)
    desk.tick(at)
    found = {alert.customer_id: alert.state for alert in desk.alerts.find(AlertQuery())}
    assert found == {"a": "open", "b": "closed"}
    assert desk.tasks(state="open") == [("a", "offer", "open")]
    # What a call tells of the old id is of the new one.
    desk.hear(0.1, 5, "call-1", customer="b")
    assert {alert.state for alert in desk.alerts.find(AlertQuery(customers=("a", "b")))} == {"closed"}


def test_an_agent_sees_what_is_of_a_customer_of_theirs_under_any_id(desk: Desk) -> None:
    desk.store.write([CallStarted(call_id="x", at=START, protocol="t", customer_id="b", agent_id="anna")], {})
    desk.customers.take([Known(event_id=f"k{one}", customer_id=one, at=START, name="Li") for one in "abcd"], "t", START)
    for one in "acd":
        desk.hear(0.8, 0, f"call-{one}", customer=one)

    def seen() -> tuple[set[str], set[str]]:
        alerts = {alert.customer_id for alert in desk.alerts.find(AlertQuery(agent_id="anna"))}
        return alerts, {customer for customer, *_ in desk.tasks(agent_id="anna", beside="theirs")}

    assert seen() == (set(), set())
    # b, c and a go on under each other, in a ring; d is another person.
    links = [("b", "c"), ("c", "a"), ("a", "b")]
    merged = [Merged(event_id=f"m{n}", customer_id=x, at=START, into=y) for n, (x, y) in enumerate(links)]
    desk.customers.take(merged[:1], "t", START)
    assert seen() == ({"c"}, {"c"})
    desk.customers.take(merged, "t", START)
    assert seen() == ({"a", "c"}, {"a", "c"})
    split = [Split(event_id=f"s{one}", customer_id=one, at=START + DAY) for one in "abc"]
    desk.customers.take(split, "t", START + DAY)
    assert seen() == (set(), set())


@pytest.mark.parametrize(
    ("own", "theirs", "level", "kind"),
    [(0.3, 0.8, RiskLevel.CRITICAL, "raised"), (0.8, 0.3, RiskLevel.CRITICAL, None)],
)
def test_of_two_alerts_of_one_person_the_more_severe_one_goes_on(
    desk: Desk, own: float, theirs: float, level: RiskLevel, kind: str | None
) -> None:
    at = START + DAY
    desk.customers.take([Known(event_id=f"k{one}", customer_id=one, at=START, name="Li") for one in "ab"], "t", START)
    desk.hear(own, 0, "call-1", customer="a")
    desk.hear(theirs, 1, "call-2", customer="b")
    before = desk.told()
    desk.customers.take([Merged(event_id="m", customer_id="b", at=at, into="a")], "test", at)
    desk.tick(at)
    found = {alert.customer_id: (alert.state, alert.level) for alert in desk.alerts.find(AlertQuery())}
    assert found["a"] == ("open", level)
    assert found["b"][0] == "closed"
    assert desk.told()[len(before) :] == ["closed", *([] if kind is None else [kind])]
    # The call-back is that of the one who goes on, and is there once.
    assert desk.tasks(state="open") == [("a", "offer", "open")]


def test_changes_are_told_in_their_order_until_they_were_told(desk: Desk) -> None:
    desk.hear(0.4, 1)
    desk.hear(0.8, 2)
    changes = desk.alerts.untold()
    assert [(change.id, change.kind) for change in changes] == [("c:1", "opened"), ("c:2", "raised")]
    desk.alerts.told([changes[0].id])
    assert desk.told() == ["raised"]
    with desk.engine.connect() as connection:
        rows = connection.execute(select(webhooks).order_by(webhooks.c.seq)).mappings().all()
        assert len(connection.execute(select(alert_changes)).all()) == 2
    assert [(row["event"], row["customer_id"], row["call_id"]) for row in rows] == [("alert.changed", "c", None)] * 2
    data = msgspec.json.decode(rows[1]["body"])["data"]
    assert data["type"] == "alert"
    assert msgspec.convert(data, AlertChange) == changes[1]


def test_of_several_who_hear_at_once_one_opens_the_alert(desk: Desk) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda n: desk.hear(0.8, 1, f"call-{n}"), range(8)))
    assert sum(change is not None for change in found) == 1
    assert desk.told() == ["opened"]
    assert len(desk.tasks()) == 1


def test_alerts_are_found_by_state_team_customer_and_agent(desk: Desk) -> None:
    started = CallStarted(call_id="k", at=START, protocol="twilio", customer_id="c", agent_id="anna")
    desk.store.write([started], {})
    desk.hear(0.8, 1)
    desk.hear(0.4, 2, customer="d")
    desk.alerts.acknowledge("d", "boss", START + 3 * MINUTE)

    def found(**wanted: Any) -> list[str]:
        return [alert.customer_id for alert in desk.alerts.find(AlertQuery(**wanted))]

    assert found() == ["d", "c"]
    assert found(state="open") == found(team="retention") == found(customers=("c",)) == found(agent_id="anna") == ["c"]
    assert found(agent_id="ben") == []


def test_a_profile_that_changes_for_the_worse_opens_an_alert_and_the_first_look_does_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(level: RiskLevel, score: float) -> Callable[..., Outlook]:
        return lambda *_: Outlook(ChurnRisk(score=score, level=level, reasons=(), model_version="m"))

    def look(day: int, level: RiskLevel, score: float) -> list[str]:
        at = START + day * DAY
        monkeypatch.setattr(scheduling, "outlook", seen(level, score))
        desk.customers.take([Known(event_id=f"k{day}", customer_id="c", at=at)], "test", at)
        before = len(desk.told())
        desk.tick(at)
        return desk.told()[before:]

    assert look(0, RiskLevel.CRITICAL, 0.8) == []
    assert look(1, RiskLevel.WATCH, 0.4) == []
    assert look(2, RiskLevel.ELEVATED, 0.6) == []
    assert look(3, RiskLevel.CRITICAL, 0.8) == ["opened"]
    (alert,) = desk.alerts.find(AlertQuery())
    assert (alert.source, alert.branch) == ("profile", "win_back")
    assert look(4, RiskLevel.CRITICAL, 0.9) == []
    assert look(5, RiskLevel.ELEVATED, 0.6) == ["lowered"]
    assert look(6, RiskLevel.NONE, 0.1) == ["closed"]
