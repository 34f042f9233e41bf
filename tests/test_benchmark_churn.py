"""The figures of who leaves."""

import numpy as np
import pytest

from benchmarks.churn import _scored, _simulated, _updates


@pytest.mark.slow
def test_a_score_that_is_right_lies_on_its_curve() -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(-1, 1.5, 4000)
    found = _scored("truth", odds, (rng.uniform(size=4000) < 1 / (1 + np.exp(-odds))).astype(np.float64))
    assert found.auc_interval[0] < found.auc < found.auc_interval[1]
    assert [one.said for one in found.curve] == sorted(one.said for one in found.curve)
    assert sum(one.interval[0] <= one.said <= one.interval[1] for one in found.curve) >= 7


@pytest.mark.slow
def test_a_call_adds_to_what_the_profile_tells_and_outcomes_to_the_call() -> None:
    profile, by_hand, learned = _simulated(4000)
    assert profile.auc < by_hand.auc
    assert learned.log_loss < min(by_hand.log_loss, profile.log_loss)


def test_every_update_is_timed_and_adds_up() -> None:
    took, furthest = _updates(20)
    assert took.n == 20
    assert furthest == pytest.approx(0, abs=1e-9)
