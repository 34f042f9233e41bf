from datetime import date
from pathlib import Path

import numpy as np
import pytest

from benchmarks.clv import Trade, _foretold, _seen, cdnow
from models.clv import fit_purchases


def test_a_history_ends_with_the_last_day_fitted_and_what_came_is_after_it() -> None:
    first, until, later = date(2026, 1, 1), date(2026, 1, 29), date(2026, 2, 5)
    days = {
        "a": {first: 5.0, date(2026, 1, 15): 7.0, until: 9.0, date(2026, 1, 30): 11.0, date(2026, 3, 1): 1.0},
        "b": {date(2026, 2, 1): 3.0},
        "c": {date(2026, 1, 22): 2.0},
    }
    seen = _seen(Trade("t", days, until, later))
    assert list(seen.of.repeats) == [2, 0]
    assert list(seen.of.last) == [4, 0]
    assert list(seen.of.age) == [4, 1]
    assert (list(seen.mean), list(seen.first)) == ([8, 0], [5, 2])
    assert (list(seen.bought), list(seen.paid)) == ([1, 0], [11, 0])


def test_the_first_forecast_is_the_model_and_the_others_are_compared_with_it() -> None:
    actual = np.array([1.0, 0.0, 3.0])
    found = _foretold(actual, {"model": np.array([1.0, 0.0, 2.0]), "plain": np.array([0.0, 1.0, 1.0])})
    model, plain = found.forecasts
    assert (found.actual, model.total, plain.total) == (4, 3, 2)
    assert model.error.mean == pytest.approx(1 / 3)
    assert model.better is None
    assert plain.better is not None
    assert plain.better.mean == pytest.approx(1.0)


@pytest.mark.corpus
def test_purchases_by_day_give_the_published_likelihood(corpus: Path) -> None:
    found = fit_purchases(_seen(cdnow(corpus / "tables" / "cdnow" / "CDNOW_sample.txt")).of)
    assert (found.n, round(found.log_likelihood, 1)) == (2357, -9582.4)
