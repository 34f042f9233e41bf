"""Graded warning: levels, one open alert a customer, and escalation in business time."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.alerts import (
    Alert,
    AlertChange,
    AlertPolicy,
    Hours,
    acknowledged,
    closed,
    judged,
    level_of,
    passed,
)
from models.types import ChurnRisk, RiskLevel

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = AlertPolicy()


def risk(score: float | None, level: RiskLevel = RiskLevel.NONE) -> ChurnRisk:
    return ChurnRisk(score=score, level=level, reasons=(), model_version="m")


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def judge(alert: Alert | None, score: float, at: datetime = START, *, core: bool = False) -> tuple[Any, Any]:
    return judged(alert, "c", risk(score), at, POLICY, core=core)


@pytest.mark.parametrize(
    ("score", "plain", "core"),
    [
        (0.29, RiskLevel.NONE, RiskLevel.NONE),
        (0.30, RiskLevel.WATCH, RiskLevel.ELEVATED),
        (0.49, RiskLevel.WATCH, RiskLevel.ELEVATED),
        (0.50, RiskLevel.ELEVATED, RiskLevel.CRITICAL),
        (0.74, RiskLevel.ELEVATED, RiskLevel.CRITICAL),
        (0.75, RiskLevel.CRITICAL, RiskLevel.CRITICAL),
    ],
)
def test_levels_follow_the_table_and_are_one_higher_for_the_core(
    score: float, plain: RiskLevel, core: RiskLevel
) -> None:
    assert level_of(risk(score), RiskLevel.NONE, core=False, slack=0.05) is plain
    assert level_of(risk(score), RiskLevel.NONE, core=True, slack=0.05) is core


@given(st.lists(st.floats(-0.024, 0.024), max_size=40), st.sampled_from([0.30, 0.50, 0.75]), st.booleans())
def test_a_score_that_trembles_about_a_threshold_changes_the_level_at_most_once(
    noise: list[float], threshold: float, core: bool
) -> None:
    level = level_of(risk(threshold - 0.03), RiskLevel.NONE, core=core, slack=0.05)
    seen = [level]
    for one in noise:
        level = level_of(risk(threshold + one), level, core=core, slack=0.05)
        seen.append(level)
    assert sum(a is not b for a, b in pairwise(seen)) <= 1


def test_a_level_is_left_when_the_score_is_clearly_below() -> None:
    assert level_of(risk(0.46), RiskLevel.ELEVATED, core=False, slack=0.05) is RiskLevel.ELEVATED
    assert level_of(risk(0.44), RiskLevel.ELEVATED, core=False, slack=0.05) is RiskLevel.WATCH
    assert level_of(risk(None), RiskLevel.ELEVATED, core=False, slack=0.05) is RiskLevel.ELEVATED
    assert level_of(risk(0.1, RiskLevel.UNKNOWN), RiskLevel.WATCH, core=False, slack=0.05) is RiskLevel.WATCH


def test_an_alert_is_opened_taken_on_raised_and_closed() -> None:
    alert, change = judge(None, 0.55)
    assert change.kind == "opened"
    assert alert.due_at == after(240)
    assert judge(alert, 0.56) == (alert, None)
    alert, change = acknowledged(alert, "anna", after(5))
    assert change is not None
    assert change.kind == "acknowledged"
    assert acknowledged(alert, "ben", after(6)) == (alert, None)
    assert passed(alert, after(10_000), POLICY) == (alert, None)
    alert, change = judge(alert, 0.8, after(10))
    assert (change.kind, alert.state, alert.due_at) == ("raised", "open", after(40))
    alert, change = judge(alert, 0.1, after(20))
    assert (alert, change.kind) == (None, "closed")


def test_nobody_takes_it_on_and_it_is_escalated_each_time_once_and_then_no_more() -> None:
    alert, _ = judge(None, 0.9)
    assert passed(alert, after(29.9), POLICY) == (alert, None)
    times = []
    for minute in range(0, 500, 5):
        alert, change = passed(alert, after(minute), POLICY)
        if change is not None:
            times.append(change.at)
    assert times == [after(30), after(60)]


def test_what_a_person_closed_opens_again_only_when_it_is_worse_or_new() -> None:
    alert, _ = judge(None, 0.4)
    alert, _ = closed(alert, "anna", after(1))
    assert closed(alert, "ben", after(2)) == (alert, None)
    assert judge(alert, 0.45) == (alert, None)
    assert judge(alert, 0.6)[1].kind == "opened"
    calm, _ = judge(alert, 0.1)
    assert judge(calm, 0.4)[1].kind == "opened"


@given(st.lists(st.tuples(st.sampled_from(["risk", "tick", "ack", "close"]), st.floats(0, 1)), max_size=60))
def test_whatever_happens_a_customer_has_one_open_alert_at_most(story: list[tuple[str, float]]) -> None:
    alert: Alert | None = None
    told: list[AlertChange] = []
    for minute, (what, value) in enumerate(story):
        at = after(20 * minute)
        step = {
            "risk": lambda a, at=at, value=value: judge(a, value, at),
            "tick": lambda a, at=at: passed(a, at, POLICY),
            "ack": lambda a, at=at: acknowledged(a, "anna", at),
            "close": lambda a, at=at: closed(a, "anna", at),
        }[what]
        alert, change = step(alert)
        told += [change] if change else []
    opened = 0
    for change in told:
        opened += (change.kind == "opened") - (change.kind == "closed")
        assert opened in {0, 1}
    assert opened == (alert is not None and alert.state != "closed")


def test_business_minutes_stand_still_over_the_night_and_the_weekend() -> None:
    hours = Hours(zone=ZoneInfo("Asia/Shanghai"), opens=time(9), closes=time(18), days=frozenset(range(5)))
    friday = datetime(2026, 3, 6, 17, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    monday = datetime(2026, 3, 9, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert hours.after(friday, 30) == friday + timedelta(minutes=30)
    assert hours.after(friday, 60) == monday
    assert hours.after(friday + timedelta(days=1), 30) == monday


def test_an_hour_is_an_hour_on_the_night_when_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 29, 1, 30, tzinfo=berlin)
    assert Hours(zone=berlin).after(before, 60) - before.astimezone(UTC) == timedelta(hours=1)


@given(
    st.floats(0, 8760).map(lambda hours: START + timedelta(hours=hours)),
    st.floats(0, 5000),
    st.floats(0, 5000),
)
def test_business_time_adds_up(at: datetime, one: float, other: float) -> None:
    hours = Hours(zone=ZoneInfo("Europe/Berlin"), opens=time(8), closes=time(17, 30), days=frozenset({0, 2, 4}))
    apart = hours.after(hours.after(at, one), other) - hours.after(at, one + other)
    # At the very end of a day the same moment has two names: its closing, and the next opening.
    assert abs(apart) < timedelta(milliseconds=1) or hours.after(at, one + other + 0.001) - hours.after(
        at, one + other
    ) > timedelta(minutes=1)


def test_hours_without_a_day_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a day"):
        Hours(days=frozenset())
