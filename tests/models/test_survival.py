"""How long customers with a contract stay."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.additive import Additive, Shape, logit
from models.profile import ProfileFeatures, Row
from models.survival import MONTH_DAYS, remaining, shipped_hazard, staying
from models.training.additive import Column, Purpose, fit
from models.training.churn_tables import Customers, months

HAZARD = shipped_hazard()


def constant(hazard: float) -> Additive:
    shape = Shape(name="tenure_days", edges=(1.0,), terms=(0.0, 0.0), missing=None, spread=0.0)
    return msgspec.structs.replace(
        HAZARD, base=logit(hazard), shapes=(shape,), covariance=((0.0,), (0.0, 0.0), (0.0,) * 3)
    )


@pytest.mark.parametrize("hazard", [0.02, 0.1, 0.5])
def test_an_even_hazard_has_the_half_life_of_its_formula(hazard: float) -> None:
    found = remaining(constant(hazard), ProfileFeatures(tenure_days=100))
    for days, share in ((found.median_days, 0.5), (found.low_days, 0.9), (found.high_days, 0.1)):
        assert days == pytest.approx(math.log(share) / math.log(1 - hazard) * MONTH_DAYS)


def test_whoever_stays_for_longer_than_one_looks_has_no_day() -> None:
    found = remaining(constant(0.0005), ProfileFeatures(tenure_days=100))
    assert found.median_days is None
    assert found.low_days is not None


def test_without_a_tenure_nothing_is_told() -> None:
    assert set(msgspec.structs.astuple(remaining(HAZARD, ProfileFeatures(attributes={"contract": "One year"})))) == {
        None
    }


@given(st.floats(0, 5000), st.sampled_from(["Month-to-month", "One year", "Two year"]))
def test_fewer_are_left_with_every_month(tenure: float, contract: str) -> None:
    profile = ProfileFeatures(tenure_days=tenure, attributes={"contract": contract})
    chances = staying(HAZARD, profile, 60)
    assert chances == sorted(chances, reverse=True)
    found = remaining(HAZARD, profile)
    ends = [math.inf if one is None else one for one in (found.low_days, found.median_days, found.high_days)]
    assert ends == sorted(ends)


def test_a_longer_contract_holds_longer() -> None:
    median = [
        remaining(HAZARD, ProfileFeatures(tenure_days=365, attributes={"contract": contract})).median_days
        for contract in ("Month-to-month", "Two year")
    ]
    assert median[0] is not None
    assert median[1] is None or median[0] < median[1]


def test_a_known_hazard_is_found_in_months_of_customers_who_were_seen_for_a_time() -> None:
    rng = np.random.default_rng(1)
    rows: list[Row] = []
    left = []
    for _ in range(1500):
        plan = str(rng.choice(["month", "year"]))
        stays, seen = rng.geometric(0.10 if plan == "month" else 0.02), rng.integers(1, 30)
        rows.append({"tenure_days": float(min(stays, seen)) * MONTH_DAYS, "plan": plan})
        left.append(float(stays <= seen))
    told = months(Customers(rows, np.array(left)))
    assert told.left.sum() == sum(left)
    hazard = fit(told.rows, told.left, (Column("tenure_days"), Column("plan", kinds=True)), Purpose("h", "", ""))
    for plan, share in (("month", 0.10), ("year", 0.02)):
        profile = ProfileFeatures(tenure_days=0.0, attributes={"plan": plan})
        assert staying(hazard, profile, 12)[12] == pytest.approx((1 - share) ** 12, abs=0.06)
