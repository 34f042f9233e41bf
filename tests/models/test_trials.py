import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import FitError, OutOfRange
from models.trials import Arm, always, arm, difference, difference_of_shares, sample_ratio


def share(n: int, successes: int) -> Arm:
    return Arm(n, successes, successes)


@pytest.mark.parametrize(
    ("counts", "shares", "p"),
    [
        # chi-square 4, 1 degree; 6, 2 degrees; 7.815 and 9.488 at 5 % with 3 and 4 degrees, from any table.
        ((600, 500), (6, 5), 1.0),
        ((120, 80), (0.5, 0.5), 0.00468),
        ((130, 100, 70), (1, 1, 1), math.exp(-9)),
    ],
)
def test_the_sample_ratio_is_pearsons(counts: tuple[int, ...], shares: tuple[float, ...], p: float) -> None:
    assert sample_ratio(counts, shares) == pytest.approx(p, rel=2e-3)


def test_the_tail_of_the_sample_ratio_is_that_of_tables() -> None:
    # Five groups of which one is off: (d² / e)(1 + 1/4) with e = 1000.
    off = math.sqrt(9.488 / 1.25 * 1000)
    counts = [round(1000 + off), *[round(1000 - off / 4)] * 4]
    assert sample_ratio(counts, [1] * 5) == pytest.approx(0.05, abs=0.002)


def test_newcombes_published_examples_come_out() -> None:
    # Newcombe 1998, table II, method 10: (a) 56/70 - 48/80, (d) 5/56 - 0/29, (g) 10/10 - 0/10.
    for (y, n), (x, m), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ):
        found = difference_of_shares(share(m, x), share(n, y))
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_a_difference_of_means_is_that_of_the_hand() -> None:
    a, b = arm([1.0, 3.0] * 50), arm([2.0, 4.0] * 50)
    found = difference([(a, b)])
    assert found is not None
    half = 1.959964 * math.sqrt(2 * (100 / 99) / 100)
    assert (found.estimate, found.low, found.high) == pytest.approx((1.0, 1 - half, 1 + half), abs=1e-6)
    assert difference([(arm([1.0, 3.0] * 14), b)]) is None


def test_strata_that_are_mixed_unequally_do_not_mislead() -> None:
    # The second group does better in both strata, and worse in all: it has more of the stratum that does badly.
    good, bad = (share(900, 810), share(100, 95)), (share(100, 20), share(900, 270))
    together = difference([(share(1000, 830), share(1000, 365))])
    apart = difference([good, bad])
    assert together is not None
    assert apart is not None
    assert together.high < 0
    assert apart.estimate == pytest.approx(0.5 * 0.05 + 0.5 * 0.1)
    assert apart.low > 0


def looks(effect: float, seed: int, rounds: int) -> tuple[int, int]:
    """Trials of 4,000 customers looked at 40 times, in which a difference was seen always validly, and naively."""
    rng = np.random.default_rng(seed)
    valid = naive = 0
    for _ in range(rounds):
        a = np.cumsum(rng.random((40, 50)) < 0.3, axis=None).reshape(40, 50)[:, -1]
        b = np.cumsum(rng.random((40, 50)) < 0.3 + effect, axis=None).reshape(40, 50)[:, -1]
        pairs = [(share(50 * (i + 1), int(a[i])), share(50 * (i + 1), int(b[i]))) for i in range(40)]
        seen = [always([pair], scale=0.05) for pair in pairs]
        valid += any(one is not None and not one.low <= 0 <= one.high for one in seen)
        plain = [difference([pair]) for pair in pairs]
        naive += any(one is not None and not one.low <= 0 <= one.high for one in plain)
    return valid, naive


def test_peeking_raises_no_false_alarms_beyond_the_bound() -> None:
    valid, naive = looks(0.0, seed=11, rounds=800)
    # At most 40 expected of 800; 60 is three standard deviations above it.
    assert valid <= 60
    # The same looks at intervals for one look: what it is good for.
    assert naive > 150


def test_a_true_effect_is_found_by_peeking() -> None:
    found, _ = looks(0.08, seed=5, rounds=100)
    assert found >= 95


@given(st.integers(2, 3_000), st.integers(2, 3_000), st.data(), st.floats(0.001, 10))
def test_what_is_always_valid_is_wider_and_has_the_same_middle(
    n: int, m: int, data: st.DataObject, scale: float
) -> None:
    pair = share(n, data.draw(st.integers(0, n))), share(m, data.draw(st.integers(0, m)))
    once, ever = difference([pair]), always([pair], scale)
    if min(n, m) < 100:
        assert ever is None
    elif ever is not None:
        assert once is not None
        assert ever.estimate == once.estimate
        assert ever.low <= once.low <= once.high <= ever.high


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(FitError, match="two groups"):
        sample_ratio([1], [1])
    with pytest.raises(FitError, match="both groups"):
        difference_of_shares(share(0, 0), share(3, 1))
    with pytest.raises(OutOfRange):
        always([(share(200, 10), share(200, 20))], scale=0)
    with pytest.raises(OutOfRange):
        difference_of_shares(share(2, 1), share(3, 1), level=1.0)
