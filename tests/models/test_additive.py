"""Additive models in log-odds, and how they are fitted."""

import math
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.additive import Additive, read_additive, sigmoid, write_additive
from models.errors import WeightsDamaged
from models.profile import Row
from models.training.additive import Column, Floats, Purpose, fit, log_loss, out_of_fold

PURPOSE = Purpose("test", "a trade of dice", "a seed")
COLUMNS = (Column("age", -1), Column("price"), Column("plan", kinds=True))


def population(n: int = 3000, seed: int = 1) -> tuple[list[Row], Floats, Floats]:
    """Customers, who left, and the log-odds by which they did: a known hazard."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    truth = np.zeros(n)
    for at in range(n):
        age, price, plan = rng.uniform(0, 10), rng.uniform(0, 1), rng.choice(["month", "year"])
        known = rng.uniform() > 0.1
        truth[at] = (
            0.5 - 0.4 * age + 3 * (price - 0.5) ** 2 + (1.0 if plan == "month" else 0.0) + (0.0 if known else 1.0)
        )
        rows.append({"age": age, "price": price if known else None, "plan": str(plan)})
        truth[at] = truth[at] if known else 0.5 - 0.4 * age + (1.0 if plan == "month" else 0.0) + 1.0
    return rows, (rng.uniform(size=n) < 1 / (1 + np.exp(-truth))).astype(np.float64), truth


@pytest.fixture(scope="module")
def model() -> Additive:
    rows, left, _ = population()
    return fit(rows, left, COLUMNS, PURPOSE)


def test_a_known_hazard_is_found_again(model: Additive) -> None:
    rows, _, truth = population(2000, seed=2)
    found = np.array([model.sum(row).log_odds for row in rows])
    assert float(np.corrcoef(found, truth)[0, 1]) > 0.97
    assert abs(float(found.mean() - truth.mean())) < 0.15


def test_chances_are_right_among_customers_never_seen(model: Additive) -> None:
    rows, left, truth = population(6000, seed=3)
    found = np.array([model.sum(row).log_odds for row in rows])
    assert log_loss(left, found) < log_loss(left, truth) + 0.01
    order = np.argsort(found)
    for part in np.array_split(order, 5):
        assert abs(left[part].mean() - np.mean(1 / (1 + np.exp(-found[part])))) < 0.05


def test_the_interval_holds_the_true_chance(model: Additive) -> None:
    rows, _, truth = population(1000, seed=4)
    spans = [model.sum(row).interval() for row in rows]
    inside = np.mean([low <= sigmoid(true) <= high for (low, high), true in zip(spans, truth, strict=True)])
    assert inside > 0.85


def test_a_rising_feature_never_falls() -> None:
    rng = np.random.default_rng(5)
    rows: list[Row] = [{"x": float(x)} for x in rng.uniform(size=400)]
    noise = (rng.uniform(size=400) < 0.5).astype(np.float64)
    for rises in (1, -1):
        [shape] = fit(rows, noise, (Column("x", rises),), PURPOSE).shapes
        assert all(rises * (b - a) >= 0 for a, b in pairwise(shape.terms))


@settings(max_examples=50)
@given(st.floats(0, 10), st.floats(0, 1), st.sampled_from(["month", "year"]), st.sampled_from(["age", "plan"]))
def test_what_is_not_known_is_not_guessed_and_widens_the_interval(
    age: float, price: float, plan: str, name: str
) -> None:
    full: Row = {"age": age, "price": price, "plan": plan}
    known, unknown = MODEL.sum(full), MODEL.sum({key: value for key, value in full.items() if key != name})
    assert name not in dict(unknown.terms)
    assert unknown.variance > known.variance
    assert unknown.support < known.support


def test_being_unknown_has_a_term_where_the_training_tells_what_it_means(model: Additive) -> None:
    found = model.sum({"age": 5.0, "plan": "year"})
    assert dict(found.terms)["price"] > 0.3
    assert model.sum({"age": 5.0, "plan": "a new one"}).support < 1


@given(st.dictionaries(st.sampled_from(["age", "price", "plan"]), st.floats() | st.text(max_size=5) | st.none()))
def test_whatever_a_row_holds_the_sum_is_a_number(row: Row) -> None:
    found = MODEL.sum(row)
    assert math.isfinite(found.log_odds)
    low, high = found.interval()
    assert 0 <= low <= sigmoid(found.log_odds) <= high <= 1
    assert 0 <= found.support <= 1 + 1e-9


def test_the_same_customers_give_the_same_bytes(model: Additive, tmp_path: Path) -> None:
    rows, left, _ = population()
    again = fit(rows, left, COLUMNS, PURPOSE)
    for name, one in (("a", model), ("b", again)):
        write_additive(tmp_path / name, one)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_additive(tmp_path / "a") == model


def test_a_damaged_model_is_refused(model: Additive, tmp_path: Path) -> None:
    write_additive(tmp_path / "m", msgspec.structs.replace(model, covariance=model.covariance[:-1]))
    with pytest.raises(WeightsDamaged, match="covariance"):
        read_additive(tmp_path / "m")
    (tmp_path / "m").write_text("{}")
    with pytest.raises(WeightsDamaged):
        read_additive(tmp_path / "m")


def test_noise_teaches_nothing() -> None:
    rng = np.random.default_rng(6)
    rows: list[Row] = [{"x": float(x), "y": str(int(4 * x) % 2)} for x in rng.uniform(size=600)]
    left = (rng.uniform(size=600) < 0.3).astype(np.float64)
    found = out_of_fold(rows, left, (Column("x"), Column("y", kinds=True)), PURPOSE)
    assert log_loss(left, found) < log_loss(left, np.full(600, np.log(0.3 / 0.7))) + 0.03


MODEL = fit(*population(1500)[:2], COLUMNS, PURPOSE)
