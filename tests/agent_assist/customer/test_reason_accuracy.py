"""
How often the reason of a call is foretold, on made-up customers whose reason was written down beside them.

They are ours, so the figure says that the order of reasons is as it was meant, and not how right it is of real callers.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_assist.customer.events import CustomerEvent
from agent_assist.customer.facts import facts
from agent_assist.customer.reasons import LEAST, LikelyReason, likely_reasons

NOW = datetime(2026, 7, 15, 10, tzinfo=UTC)


def event(number: int, told: dict[str, Any]) -> CustomerEvent:
    """An event of a fixture, whose times are days before the call."""

    def at(days: float) -> str:
        return (NOW - timedelta(days=days)).isoformat()

    times = {name: at(told[name]) for name in ("at", "ordered_at", "opened_at", "promised_by") if name in told}
    if "contract_in" in told:
        times["contract_until"] = (NOW + timedelta(days=told["contract_in"])).date().isoformat()
    rest = {name: value for name, value in told.items() if name not in {*times, "contract_in"}}
    whole = {"event_id": f"e{number}", "customer_id": "k"} | rest | times
    return msgspec.convert(whole, CustomerEvent)  # type: ignore[arg-type]


def foretold(case: dict[str, Any]) -> tuple[LikelyReason, ...]:
    return likely_reasons(facts("k", [event(n, told) for n, told in enumerate(case["events"])], NOW), NOW)


@pytest.fixture(scope="module")
def cases(data: Path) -> list[dict[str, Any]]:
    return list(json.loads((data / "call_reasons.json").read_text(encoding="utf-8")))


def test_the_reason_is_the_first_of_most_and_among_three_of_nearly_all(cases: list[dict[str, Any]]) -> None:
    assert len(cases) == 30
    open_ = [case for case in cases if case["reason"] != "else"]
    ranks = [[one.reason for one in foretold(case)] for case in open_]
    first = sum(found[:1] == [case["reason"]] for case, found in zip(open_, ranks, strict=True))
    three = sum(case["reason"] in found[:3] for case, found in zip(open_, ranks, strict=True))
    assert (len(open_), first, three) == (26, 23, 25)


def test_of_who_calls_about_something_else_nothing_is_claimed(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        if case["reason"] == "else":
            assert all(one.probability < LEAST for one in foretold(case)), case["name"]


def test_each_reason_names_what_it_rests_on(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        known = {f"e{number}" for number in range(len(case["events"]))}
        for one in foretold(case):
            assert one.reason == "contract" or (one.evidence and set(one.evidence) <= known)
