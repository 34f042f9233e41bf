"""What follows a deed, by kind, with an interval that can be reckoned by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.effects import Change, Deed, Reading, changes, effects, student_t

CURVE = [
    Reading(10_000, -1.0),
    Reading(30_000, -3.0),
    Reading(50_000, -1.0),
    Reading(80_000, 2.0),
    Reading(200_000, 4.0),
]


def changed(kind: str, delta: float) -> Change:
    return Change(kind=kind, at_ms=0, before=0.0, after=delta)


def test_a_deed_is_measured_by_the_curve_before_it_and_the_last_of_it_in_time() -> None:
    [used, offer] = changes(CURVE, [Deed("offer", 50_000), Deed("card", 30_500)])
    assert (used.kind, used.before, used.after, used.delta) == ("card", -3.0, 2.0, 5.0)
    assert (offer.before, offer.after, offer.delta) == (-1.0, 2.0, 3.0)


def test_of_a_deed_with_nothing_before_or_after_it_nothing_is_said() -> None:
    assert changes(CURVE, [Deed("card", 9_999), Deed("card", 100_000), Deed("card", 200_000)]) == []
    assert changes(CURVE, [Deed("card", 100_000)], within_ms=100_000)[0].delta == 2.0
    assert changes([], [Deed("card", 1)]) == []


def test_the_mean_of_each_kind_has_the_interval_of_students_t() -> None:
    [card, offer] = effects([changed("offer", 2.0), *(changed("card", delta) for delta in (1.0, 2.0, 3.0, 6.0))])
    assert (card.kind, card.n, card.mean, card.few) == ("card", 4, 3.0, True)
    # Deviations -2, -1, 0, 3: variance 14 / 3, standard error sqrt(14 / 12), t of 3 degrees 3.182.
    half = 3.182 * math.sqrt(14 / 12)
    assert card.interval == pytest.approx((3 - half, 3 + half))
    assert (offer.n, offer.mean, offer.interval, offer.few) == (1, 2.0, None, True)


def test_ten_are_no_longer_few() -> None:
    [effect] = effects(changed("card", 1.0) for _ in range(10))
    assert not effect.few
    assert effect.interval == (1.0, 1.0)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=50), st.floats(-5, 5))
def test_a_mean_and_its_interval_follow_a_shift(deltas: list[float], shift: float) -> None:
    [plain] = effects(changed("card", delta) for delta in deltas)
    [moved] = effects(changed("card", delta + shift) for delta in deltas)
    assert plain.interval is not None
    assert moved.interval is not None
    assert moved.mean == pytest.approx(plain.mean + shift, abs=1e-9)
    assert moved.interval == pytest.approx([end + shift for end in plain.interval], abs=1e-6)


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 10, 30, 31, 60, 1_000])
def test_the_quantile_leaves_five_in_two_hundred_above(freedom: int) -> None:
    """By the area under the density of Student's t, in an angle whose tangent is t / sqrt(freedom)."""
    edge = math.atan(student_t(freedom) / math.sqrt(freedom))
    angle = np.linspace(-edge, edge, 200_001)
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    area = float(np.trapezoid(constant * np.cos(angle) ** (freedom - 1), angle))
    assert area == pytest.approx(0.95, abs=2e-4)
