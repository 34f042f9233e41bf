import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import clv
from models.clv import Histories, Money, Purchases, contract_value, fit_money, fit_purchases, value, worth
from models.errors import FitError, OutOfRange
from models.simplex import least

Floats = npt.NDArray[np.float64]

PAPER = Purchases(r=0.243, alpha=4.414, a=0.793, b=2.426)


def one(repeats: float, last: float, age: float) -> Histories:
    return Histories(repeats=np.array([repeats]), last=np.array([last]), age=np.array([age]))


def simulated(model: Purchases, n: int, ages: Floats, rng: np.random.Generator) -> tuple[Histories, Floats]:
    """Histories as the model tells them, and what each customer buys in the 26 weeks after."""
    repeats, last, after = np.zeros(n), np.zeros(n), np.zeros(n)
    rates, leaves = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    for i in range(n):
        time = 0.0
        while True:
            time += rng.exponential(1 / rates[i]) if rates[i] > 1e-9 else math.inf
            if time > ages[i] + 26:
                break
            if time <= ages[i]:
                repeats[i], last[i] = repeats[i] + 1, time
            else:
                after[i] += 1
            if rng.random() < leaves[i]:
                break
    return Histories(repeats=repeats, last=last, age=ages), after


@pytest.mark.corpus
def test_the_published_parameters_of_cdnow_come_out(corpus: Path) -> None:
    with (corpus / "tables" / "cdnow" / "cdnow_customers_summary_with_transactions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    column: Callable[[str], Floats] = lambda name: np.array([float(row[name]) for row in rows])  # noqa: E731
    found = fit_purchases(Histories(repeats=column("x"), last=column("t_x"), age=column("T")))
    assert found.n == 2357
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=6e-4)
    assert found.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    money = fit_money(column("x"), column("zbar"))
    # Published with two decimals; the note's q is 3.74.
    assert (money.p, money.q, money.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert money.log_likelihood == pytest.approx(-4055.92, abs=0.01)


def test_an_expectation_is_as_published() -> None:
    # Fader, Hardie, Lee: Implementing the BG/NBD Model for Customer Base Analysis in Excel, 2005: customer 1, 39 weeks.
    assert PAPER.expected(one(2, 30.43, 38.86), 39)[0] == pytest.approx(1.226, abs=5e-4)


def test_a_simulated_trade_gives_its_parameters_back_and_its_purchases() -> None:
    rng = np.random.default_rng(7)
    truth = Purchases(r=0.8, alpha=6.0, a=0.7, b=3.0)
    histories, after = simulated(truth, 6_000, rng.uniform(20, 60, 6_000), rng)
    found = fit_purchases(histories)
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.8, 6.0, 0.7, 3.0), rel=0.25)
    spread = math.sqrt(float(after.var()) * after.size)
    assert abs(float(truth.expected(histories, 26).sum()) - float(after.sum())) < 4 * spread
    assert float(found.expected(histories, 26).sum()) == pytest.approx(float(after.sum()), rel=0.08)


def test_a_trade_that_nobody_leaves_is_foretold_as_one() -> None:
    rng = np.random.default_rng(2)
    age = rng.uniform(20, 40, 800)
    rate = rng.gamma(2.0, 1 / 10.0, 800)
    repeats = rng.poisson(rate * age).astype(np.float64)
    # The last of so many purchases that are spread evenly.
    last = np.where(repeats > 0, age * rng.random(800) ** (1 / np.maximum(repeats, 1)), 0)
    histories = Histories(repeats=repeats, last=last, age=age)
    found = fit_purchases(histories)
    # The negative binomial model's (r + x) t / (alpha + T).
    stays = (2.0 + repeats) * 20 / (10.0 + age)
    assert float(found.expected(histories, 20).sum()) == pytest.approx(float(stays.sum()), rel=0.06)


def test_simulated_money_gives_its_parameters_back_in_any_currency() -> None:
    rng = np.random.default_rng(3)
    repeats = rng.integers(1, 12, 5_000).astype(np.float64)
    scale = rng.gamma(4.0, 1 / 16.0, 5_000)
    mean = rng.gamma(6.0 * repeats, 1 / (scale * repeats))
    found = fit_money(repeats, mean)
    assert (found.p, found.q, found.gamma) == pytest.approx((6.0, 4.0, 16.0), rel=0.15)
    dear = fit_money(repeats, 1000 * mean)
    assert (dear.p, dear.q, dear.gamma) == pytest.approx((found.p, found.q, 1000 * found.gamma), rel=1e-3)


@given(
    st.integers(0, 5_000), st.floats(0, 1), st.floats(0.1, 600), st.floats(0, 5_000), st.floats(0.02, 20),
    st.floats(0.02, 200), st.floats(0.02, 20), st.floats(0.02, 20),
)  # fmt: skip
def test_no_history_and_no_model_gives_nonsense(
    repeats: int, share: float, age: float, weeks: float, r: float, alpha: float, a: float, b: float
) -> None:
    last = 0.0 if repeats == 0 else max(share * age, 1e-3)
    model = Purchases(r=r, alpha=alpha, a=a, b=b)
    history = one(repeats, last, max(age, last))
    alive = model.alive(history)[0]
    assert 0 <= alive <= 1
    try:
        expected = float(model.expected(history, weeks)[0])
    except FitError:
        # A horizon of a thousand times what was observed.
        assert weeks / (alpha + age) > 50
        return
    rate = (r + repeats) / (alpha + age)
    assert -1e-9 <= expected <= rate * weeks * (1 + 1e-3) + 1e-6


@given(st.integers(1, 60), st.floats(1, 50), st.floats(0, 50), st.floats(0.1, 100))
def test_silence_makes_a_customer_less_alive(repeats: int, last: float, silent: float, more: float) -> None:
    sooner, later = one(repeats, last, last + silent), one(repeats, last, last + silent + more)
    assert PAPER.alive(later)[0] <= PAPER.alive(sooner)[0]


@pytest.mark.parametrize("a", [1.0, 1 + 1e-7, 1 - 1e-7])
def test_the_formula_is_safe_where_it_divides_zero_by_zero(a: float) -> None:
    near = Purchases(r=0.5, alpha=5, a=1.001, b=2).expected(one(3, 10, 20), 20)[0]
    assert Purchases(r=0.5, alpha=5, a=a, b=2).expected(one(3, 10, 20), 20)[0] == pytest.approx(near, rel=2e-3)
    assert math.isfinite(Purchases(r=0.5, alpha=5, a=0.4, b=0.6).expected(one(0, 0, 20), 20)[0])


def test_money_is_drawn_towards_all_and_less_so_with_more_purchases() -> None:
    money = Money(p=6.25, q=3.74, gamma=15.44)
    none, few, many = money.expected(np.array([0.0, 2.0, 40.0]), np.array([math.nan, 100.0, 100.0]))
    assert none == pytest.approx(6.25 * 15.44 / 2.74)
    assert none < few < many < 100
    with pytest.raises(FitError, match="q above 1"):
        Money(p=6, q=0.9, gamma=15).expected(np.array([0.0]), np.array([0.0]))


def test_value_without_discount_is_money_times_purchases() -> None:
    history, money = one(2, 30.43, 38.86), np.array([20.0])
    plain = value(PAPER, history, money, 39, margin=0.3, discount=0.0)
    assert plain[0] == pytest.approx(PAPER.expected(history, 39)[0] * 20 * 0.3)
    assert value(PAPER, history, money, 39, margin=0.3, discount=0.1)[0] < plain[0]


@given(st.floats(1, 1000), st.floats(0, 0.99), st.floats(0, 0.5), st.integers(0, 40))
def test_the_value_of_a_contract_is_the_sum_of_its_renewals(
    margin: float, retention: float, discount: float, periods: int
) -> None:
    summed = sum(margin * (retention / (1 + discount)) ** period for period in range(1, periods + 1))
    assert contract_value(margin, retention, discount, periods) == pytest.approx(summed, abs=1e-6)
    assert contract_value(margin, retention, discount) >= summed - 1e-6


def test_a_contract_without_end_or_discount_has_no_value() -> None:
    assert contract_value(10, 1.0, 0.0, 12) == 120
    with pytest.raises(OutOfRange):
        contract_value(10, 1.0, 0.0)
    with pytest.raises(OutOfRange):
        contract_value(10, 1.1, 0.1)


def test_what_cannot_be_fitted_is_named() -> None:
    with pytest.raises(FitError, match="at least 30 customers with repeats, got 0"):
        fit_purchases(Histories(repeats=np.zeros(50), last=np.zeros(50), age=np.ones(50)))
    with pytest.raises(FitError, match="0 <= last <= age"):
        one(1, 5, 4)
    with pytest.raises(FitError, match="only with repeats"):
        one(0, 3, 4)
    clockwork = Histories(repeats=np.full(40, 10.0), last=np.full(40, 10.0), age=np.full(40, 10.0))
    with pytest.raises(FitError, match="data that tell the parameters"):
        fit_purchases(clockwork)


def test_the_simplex_finds_the_end_of_a_bent_valley() -> None:
    found = least(lambda at: float(100 * (at[1] - at[0] ** 2) ** 2 + (1 - at[0]) ** 2), np.array([-1.2, 1.0]))
    assert found == pytest.approx([1.0, 1.0], abs=1e-3)


@pytest.mark.parametrize(("repeats", "last", "age", "mean"), [(0, 0, 10, 0), (3, 20, 30, 25), (12, 35, 38, 40)])
def test_what_one_is_worth_is_what_all_are_and_what_is_drawn_agrees(
    repeats: float, last: float, age: float, mean: float
) -> None:
    money = Money(p=6.25, q=3.74, gamma=15.44)
    of = one(repeats, last, age)
    found = worth(PAPER, money, of, mean, weeks=52, margin=0.3, discount=0.1)
    paid = money.expected(of.repeats, np.array([mean]))
    assert found.expected == pytest.approx(float(value(PAPER, of, paid, 52, margin=0.3, discount=0.1)[0]))
    assert found.alive == pytest.approx(float(PAPER.alive(of)[0]))
    # Without discount the draws' mean is the expectation, up to chance: drawn here a hundred times as often.
    plain = float(value(PAPER, of, paid, 52, margin=1.0, discount=0.0)[0])
    drawn = clv._drawn(PAPER, money, of, mean, 52, draws=400_000)
    assert float(drawn.mean()) == pytest.approx(plain, rel=0.03)
    assert found.low <= found.expected <= found.high


def test_what_one_is_worth_is_asked_of_one_alone() -> None:
    two = Histories(repeats=np.zeros(2), last=np.zeros(2), age=np.ones(2))
    with pytest.raises(FitError, match="one customer"):
        worth(PAPER, Money(p=6, q=3, gamma=15), two, 0.0, weeks=52, margin=1, discount=0)


def test_where_customers_do_not_differ_all_are_worth_the_mean_and_where_purchases_do_not_their_own() -> None:
    rng = np.random.default_rng(3)
    repeats = rng.integers(1, 9, 3_000).astype(np.float64)
    alike = fit_money(repeats, rng.gamma(4.0 * repeats, 5.0 / repeats))
    assert alike.expected(np.array([8.0]), np.array([40.0]))[0] == pytest.approx(20.0, rel=0.15)
    steady = fit_money(repeats, rng.gamma(3.0, 7.0, 3_000))
    assert steady.expected(np.array([8.0]), np.array([40.0]))[0] == pytest.approx(40.0, rel=0.15)
    for money in (alike, steady):
        found = worth(PAPER, money, one(3, 20, 30), 25.0, weeks=52, margin=0.3, discount=0.1)
        assert 0 <= found.low <= found.expected <= found.high < 1_000
