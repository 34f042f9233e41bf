"""The beta distribution, against its closed forms and itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.beta import cumulative, quantile

SHAPES = st.floats(1, 500)


@given(st.floats(0, 1))
def test_closed_forms_are_met(x: float) -> None:
    assert cumulative(x, 1, 1) == pytest.approx(x)
    assert cumulative(x, 3, 1) == pytest.approx(x**3, abs=1e-12)
    assert cumulative(x, 1, 4) == pytest.approx(1 - (1 - x) ** 4, abs=1e-12)
    assert cumulative(x, 2, 2) == pytest.approx(3 * x**2 - 2 * x**3, abs=1e-12)


@given(st.floats(0.001, 0.999), SHAPES, SHAPES)
def test_both_tails_add_up_and_a_quantile_leads_back(p: float, a: float, b: float) -> None:
    x = quantile(p, a, b)
    assert cumulative(x, a, b) == pytest.approx(p, abs=1e-5)
    assert cumulative(x, a, b) + cumulative(1 - x, b, a) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("x", "a", "b"), [(0.5, 0, 1), (0.5, 1, -1), (1.5, 1, 1), (-0.1, 1, 1)])
def test_what_is_no_distribution_is_refused(x: float, a: float, b: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        cumulative(x, a, b)
