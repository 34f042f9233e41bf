from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent_assist.customer.events import Interaction, Known, Order
from agent_assist.customer.facts import facts
from agent_assist.customer.outreach import DEFAULT, load
from agent_assist.customer.trials import Outcome
from agent_assist.errors import CustomerTableError

ZONE = ZoneInfo("Asia/Shanghai")
SINCE = datetime(2026, 3, 1, 12, tzinfo=ZONE)
DAY = timedelta(days=1)

TRIALS = """
  - id: call-first
    salt: "2026"
    task: call_back
    groups: {standard: 0.5, call: 0.5}
    outcome: {bought_within_days: 60}
    expected: 0.05
    by_segment: true
"""
ROLLOUTS = """
  - id: guide
    salt: "1"
    task: usage_guide
    stage: pilot
    stages:
      - {name: pilot, shares: {core: 0.2}, criteria: [{measure: call-first, at_least: 0}]}
      - {name: wide, shares: {core: 1, potential: 0.5}}
"""


def bought(at: datetime, told: datetime | None = None, number: int = 1, **more: Any) -> Order:
    return Order(
        event_id=f"e{number}",
        customer_id="c",
        at=told or at,
        order_id="o",
        ordered_at=at,
        amount=Decimal(1),
        currency="CNY",
        **more,
    )


def complained(at: datetime) -> Interaction:
    return Interaction(event_id="i", customer_id="c", at=at, interaction_id="i", channel="chat", complaint=True)


def until(day: int) -> Known:
    return Known(event_id=f"k{day}", customer_id="c", at=SINCE - DAY, contract_until=date(2026, 3, day))


@pytest.mark.parametrize(
    ("outcome", "event", "expected"),
    [
        (Outcome(bought_within_days=10), bought(SINCE + DAY), 1.0),
        (Outcome(bought_within_days=10), bought(SINCE - DAY), 0.0),
        (Outcome(bought_within_days=10), bought(SINCE + 11 * DAY), 0.0),
        (Outcome(bought_within_days=10), bought(SINCE + DAY, SINCE + 9 * DAY, status="returned"), 0.0),
        (Outcome(no_complaint_within_days=10), complained(SINCE + DAY), 0.0),
        (Outcome(no_complaint_within_days=10), complained(SINCE - DAY), 1.0),
        (Outcome(no_complaint_within_days=10), complained(SINCE + 11 * DAY), 1.0),
        (Outcome(contract_runs_after_days=10), until(11), 1.0),
        (Outcome(contract_runs_after_days=10), until(10), 0.0),
        (Outcome(contract_runs_after_days=10), bought(SINCE - DAY), None),
    ],
)
def test_an_outcome_is_that_of_the_window(
    outcome: Outcome, event: Order | Interaction | Known, expected: float | None
) -> None:
    before = Known(event_id="k", customer_id="c", at=SINCE - 2 * DAY)
    assert outcome.of(facts("c", [before, event], SINCE + outcome.window), SINCE, ZONE) == expected


def test_of_whom_nothing_is_known_no_outcome_is() -> None:
    assert Outcome(no_complaint_within_days=10).of(facts("c", []), SINCE, ZONE) is None


def test_an_order_that_comes_back_after_the_window_was_bought_in_it() -> None:
    events = [bought(SINCE + DAY), bought(SINCE + DAY, SINCE + 20 * DAY, 2, status="returned")]
    outcome = Outcome(bought_within_days=10)
    assert outcome.of(facts("c", events, SINCE + outcome.window), SINCE, ZONE) == 1.0
    assert outcome.of(facts("c", events, SINCE + 30 * DAY), SINCE, ZONE) == 0.0


def file(tmp_path: Path, trials: str, rollouts: str) -> Path:
    text = DEFAULT.read_text(encoding="utf-8")
    path = tmp_path / "outreach.yaml"
    text = text.replace("experiments: []", f"experiments: {trials}").replace("rollouts: []", f"rollouts: {rollouts}")
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_of_the_file_that_comes_along_can_be_used(tmp_path: Path) -> None:
    shipped = DEFAULT.read_text(encoding="utf-8").replace("#", "")
    for line in (*TRIALS.split("\n"), *ROLLOUTS.split("\n")):
        assert line.strip() in shipped
    found = load(file(tmp_path, TRIALS, ROLLOUTS))
    assert (found.trials[0].standard, found.trials[0].treated, found.trials[0].outcome.window) == (
        "standard",
        "call",
        60 * DAY,
    )
    assert (found.rollouts[0].now(), found.rollouts[0].stages[0].criteria[0].measure) == (0, "call-first")
    assert (load().trials, load().rollouts) == ((), ())


@pytest.mark.parametrize(
    ("trials", "rollouts", "told"),
    [
        (TRIALS.replace("0.5}", "0.25, more: 0.25}"), "[]", "expected two groups"),
        (TRIALS.replace("60}", "60, no_complaint_within_days: 3}"), "[]", "expected one outcome, got 2"),
        (TRIALS.replace("call_back", "greeting"), "[]", "greeting"),
        (TRIALS.replace("expected", "expects"), "[]", "expects"),
        (TRIALS + TRIALS, "[]", "expected ids that differ"),
        (TRIALS + TRIALS.replace("call-first", "second"), "[]", "expected one trial and one rollout of a task"),
        ("[]", ROLLOUTS, "expected the id of a trial as the measure"),
        (TRIALS, ROLLOUTS.replace("stage: pilot", "stage: soon"), "expected one of the stages pilot, wide, got 'soon'"),
        (TRIALS, ROLLOUTS.replace("core: 1,", "core: 0.1,"), "shares that never fall"),
        (TRIALS, ROLLOUTS.replace("id: guide", "id: call-first"), "expected ids that differ"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, trials: str, rollouts: str, told: str) -> None:
    with pytest.raises(CustomerTableError, match=told):
        load(file(tmp_path, trials, rollouts))
