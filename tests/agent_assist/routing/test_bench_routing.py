"""The cases that were judged by hand, and the simulated day, as the benchmark counts them."""

from pathlib import Path
from typing import Any

import pytest

from agent_assist.routing.policy import load
from benchmarks.floor import days
from benchmarks.routing import _cases, _classify, _name
from stream.build import routing
from stream.settings import load as load_settings

POLICY = load()


@pytest.fixture(scope="module")
def queues() -> Any:
    return {(one.system, one.load): one for one in days(_cases().roster, POLICY)}


def test_nine_in_ten_of_the_cases_go_to_whom_a_person_would_give_them() -> None:
    right = {one.system: one.right for one in _name(POLICY) if one.cases == "by hand"}
    assert right["warmline"] >= 0.9
    assert right["warmline"] > max(right["skill only"], right["longest idle"])


def test_ordinary_callers_wait_less_than_behind_lanes_in_strict_order(queues: Any) -> None:
    ours, strict = queues["warmline", 0.95], queues["warmline's agents, lanes in strict order", 0.95]
    longest = [{one.lane: one.max for one in each.lanes}["ordinary"] for each in (ours, strict)]
    assert longest[0] < longest[1]
    assert {one.lane: one.mean for one in ours.lanes}["core"] < {one.lane: one.mean for one in ours.lanes}["ordinary"]


def test_work_is_shared_and_more_callers_get_an_agent_who_meets_their_needs(queues: Any) -> None:
    for load_ in (0.7, 0.85, 0.95):
        assert queues["warmline", load_].gini < 0.1
        assert queues["warmline", load_].needs_met > queues["skill only, by arrival", load_].needs_met


@pytest.mark.corpus
@pytest.mark.weights
def test_what_is_no_complaint_and_no_fault_is_seldom_sent_to_specialists(corpus: Path) -> None:
    _, read = routing(load_settings({}))
    (one,) = _classify([corpus / "text" / "en_bitext"], 200, read)
    others, complaints = one.matrix["other"], one.matrix["complaint"]
    assert others["other"] >= 0.9 * sum(others.values())
    assert complaints["complaint"] >= 0.8 * sum(complaints.values())
