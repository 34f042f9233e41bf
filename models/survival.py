"""
Days until a customer with a contract leaves, from a hazard of each month.

The hazard is an additive model (models/additive.py) of who leaves within the month, tenure among its features: followed
from the customer's tenure on, it tells how long they stay. A customer without a contract has a day on which they lapse
instead (``agent_assist.customer.behaviour.lapses_at``).

Source: Singer, Willett: It's About Time: Using Discrete-Time Survival Analysis, J. Educ. Statistics 18(2), 1993.
"""

import math
from pathlib import Path
from typing import Final

import msgspec

from models.additive import Additive, read_additive, sigmoid
from models.profile import ProfileFeatures

MONTH_DAYS: Final = 30.4375
_MONTHS: Final = 240
"""How far one looks; beyond the longest tenure of the training the hazard stays as it was there."""


class Remaining(msgspec.Struct, frozen=True, kw_only=True):
    """How long a customer stays yet; None is longer than 20 years, or not known."""

    median_days: float | None
    low_days: float | None
    """One of ten leaves before."""
    high_days: float | None
    """Nine of ten leave before."""


def shipped_hazard() -> Additive:
    """The hazard of a month of customers with a contract; see docs/models/churn.md."""
    return read_additive(Path(__file__).parent / "shipped" / "churn-contract-hazard.json")


def staying(hazard: Additive, profile: ProfileFeatures, months: int) -> list[float]:
    """Chance that the customer is still there after 0, 1 ... ``months`` months; the tenure must be known."""
    assert profile.tenure_days is not None
    row, chances = dict(profile.row()), [1.0]
    for month in range(1, months + 1):
        row["tenure_days"] = profile.tenure_days + month * MONTH_DAYS
        chances.append(chances[-1] * (1 - sigmoid(hazard.sum(row).log_odds)))
    return chances


def remaining(hazard: Additive, profile: ProfileFeatures) -> Remaining:
    """How long a customer stays yet; of one whose tenure is not known nothing is told."""
    if profile.tenure_days is None:
        return Remaining(median_days=None, low_days=None, high_days=None)
    chances = staying(hazard, profile, _MONTHS)
    return Remaining(median_days=_until(chances, 0.5), low_days=_until(chances, 0.9), high_days=_until(chances, 0.1))


def _until(chances: list[float], share: float) -> float | None:
    """Days until so many are left; within a month the hazard is taken as even."""
    month = next((n for n, chance in enumerate(chances) if chance <= share), None)
    if month is None:
        return None
    before, after = chances[month - 1], chances[month]
    part = math.log(before / share) / math.log(before / after) if after > 0 else 1.0
    return (month - 1 + part) * MONTH_DAYS
