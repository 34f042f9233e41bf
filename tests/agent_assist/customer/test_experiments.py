from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.experiments import (
    Criterion,
    Experiment,
    Exposure,
    Rollout,
    RolloutStage,
    judge,
    result,
)
from models.trials import Arm, Difference, always, sample_ratio

TRIAL = Experiment(id="call-first", salt="2026", groups={"standard": 0.5, "call": 0.5})
START = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS = [f"c{n}" for n in range(20_000)]


def exposed(customer: str, group: str, minute: int = 0, stratum: str = "", experiment: str = TRIAL.id) -> Exposure:
    at = START + timedelta(minutes=minute)
    return Exposure(experiment=experiment, customer_id=customer, group=group, at=at, stratum=stratum)


def test_an_assignment_is_the_same_for_ever() -> None:
    # Written down once: a change here deals the customers of every running trial anew.
    assert [TRIAL.group(f"c{n}") for n in range(8)] == [
        "call",
        "standard",
        "standard",
        "standard",
        "standard",
        "standard",
        "standard",
        "standard",
    ]


def test_groups_have_the_shares_that_were_set_and_some_are_in_none() -> None:
    trial = Experiment(id="t", salt="s", groups={"a": 0.2, "b": 0.3, "c": 0.1})
    found = [trial.group(customer) for customer in CUSTOMERS]
    counts = [found.count(name) for name in ("a", "b", "c", None)]
    assert sample_ratio(counts, [0.2, 0.3, 0.1, 0.4]) > 0.001


def test_trials_are_independent_of_each_other() -> None:
    named = Experiment(id="other", salt=TRIAL.salt, groups=TRIAL.groups)
    salted = Experiment(id=TRIAL.id, salt="x", groups=TRIAL.groups)
    trials = [TRIAL, named, salted]
    for one, other in combinations(trials, 2):
        both = [(one.group(customer), other.group(customer)) for customer in CUSTOMERS]
        assert sample_ratio([both.count((a, b)) for a in TRIAL.groups for b in TRIAL.groups], [1] * 4) > 0.001


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["standard", "call"]), st.integers(0, 9)), max_size=20),
    st.integers(),
)
def test_the_order_and_number_of_exposures_does_not_matter(drawn: list[tuple[int, str, int]], seed: int) -> None:
    exposures = [exposed(f"c{who}", group, minute, stratum=str(minute % 2)) for who, group, minute in drawn]
    outcomes = {f"c{who}": float(who % 2) for who in range(4)}
    found = result(TRIAL, exposures, outcomes)
    again = exposures + exposures
    Random(seed).shuffle(again)
    assert result(TRIAL, again, outcomes) == found
    assert sum(found.exposed.values()) + found.crossed == len({who for who, _, _ in drawn})
    counted = sum(group.n for groups in found.strata.values() for group in groups.values())
    assert counted + found.unknown == sum(found.exposed.values())


def test_who_met_both_groups_counts_in_none_and_other_trials_do_not_count() -> None:
    found = result(
        TRIAL,
        [
            exposed("c1", "standard"),
            exposed("c1", "call"),
            exposed("c2", "call"),
            exposed("c3", "call", experiment="x"),
        ],
        {"c1": 1.0, "c2": 1.0, "c3": 1.0},
    )
    assert (found.exposed, found.crossed) == ({"standard": 0, "call": 1}, 1)
    assert found.pairs("standard", "call") == [(Arm(0, 0.0, 0.0), Arm(1, 1.0, 1.0))]


def test_a_broken_assignment_is_noticed() -> None:
    lost = [exposed(f"c{n}", "call") for n in range(900)] + [exposed(f"d{n}", "standard") for n in range(1_100)]
    assert result(TRIAL, lost, {}).ratio_p < 0.001


def test_a_known_effect_is_found_from_exposures() -> None:
    random = Random(4)
    exposures = [
        exposed(customer, group, stratum=customer[-1]) for customer in CUSTOMERS if (group := TRIAL.group(customer))
    ]
    outcomes = {one.customer_id: float(random.random() < (0.75 if one.group == "call" else 0.70)) for one in exposures}
    found = result(TRIAL, exposures, outcomes)
    assert found.ratio_p > 0.001
    seen = always(found.pairs("standard", "call"), scale=0.05)
    assert seen is not None
    assert 0 < seen.low <= 0.05 <= seen.high


PILOT = RolloutStage(
    name="pilot",
    shares={"core": 0.2},
    criteria=(Criterion(measure="retention", at_least=0.0), Criterion(measure="csat", at_least=-0.1)),
)
WIDER = RolloutStage(name="wider", shares={"core": 1.0, "potential": 0.5}, criteria=())
ROLLOUT = Rollout(id="cards", salt="1", stages=(PILOT, WIDER))


def test_who_has_it_keeps_it_and_only_set_segments_have_it() -> None:
    first = {customer for customer in CUSTOMERS if ROLLOUT.has(0, customer, "core")}
    assert sample_ratio([len(first), len(CUSTOMERS) - len(first)], [0.2, 0.8]) > 0.001
    assert all(ROLLOUT.has(1, customer, "core") for customer in CUSTOMERS)
    assert not any(ROLLOUT.has(0, customer, "potential") for customer in CUSTOMERS)
    with pytest.raises(ValueError, match="less of 'core'"):
        Rollout(id="cards", salt="1", stages=(WIDER, PILOT))


def seen(low: float, high: float) -> Difference:
    return Difference(estimate=(low + high) / 2, low=low, high=high, level=0.95, n=(500, 500))


@pytest.mark.parametrize(
    ("retention", "csat", "expected"),
    [
        (seen(0.0, 0.1), seen(-0.1, 0.2), "advance"),
        (seen(-0.01, 0.1), seen(-0.1, 0.2), "hold"),
        (seen(0.01, 0.1), seen(-0.3, -0.11), "stop"),
        (seen(0.01, 0.1), None, "hold"),
        (None, seen(-0.3, -0.11), "stop"),
    ],
)
def test_a_stage_is_followed_only_when_it_surely_succeeded(
    retention: Difference | None, csat: Difference | None, expected: str
) -> None:
    assert judge(PILOT, {"retention": retention, "csat": csat}) == expected
    assert judge(WIDER, {"retention": retention}) == "hold"


@pytest.mark.parametrize("groups", [{"a": 1.0}, {"a": 0.5, "b": 0.0}, {"a": 0.7, "b": 0.5}])
def test_a_trial_needs_two_groups_that_are_not_more_than_all(groups: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="two groups"):
        Experiment(id="t", salt="s", groups=groups)
