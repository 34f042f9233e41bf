"""What was known before a call, as its attributes tell it at the start: the churn risk, and earlier offers."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from models.churn import THRESHOLDS
from models.types import ChurnRisk, Reason, RiskLevel

_VERSION: Final = "given"


def risk_before(attributes: Mapping[str, str]) -> ChurnRisk | None:
    """
    The risk in a call's attributes: ``churn_risk`` is a score from 0 to 1, ``risk_level`` a level; one is enough.

    ``churn_reasons`` names its reasons, with commas, the weightiest first; they share the score alike.

    Returns:
        None where neither is given as it should be: what another program got wrong must not stop a call.
    """
    score = _score(attributes.get("churn_risk", ""))
    level = _level(attributes.get("risk_level", ""))
    if level is None and score is not None:
        level = next((level for least, level in THRESHOLDS if score >= least), RiskLevel.NONE)
    if level is None:
        return None
    names = [name.strip() for name in attributes.get("churn_reasons", "").split(",") if name.strip()]
    share = 0.0 if score is None else score / max(len(names), 1)
    reasons = tuple(Reason(name=name, contribution=share) for name in names)
    return ChurnRisk(score=score, level=level, reasons=reasons, model_version=_VERSION)


def _score(text: str) -> float | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return score if 0 <= score <= 1 else None


def _level(text: str) -> RiskLevel | None:
    known = {level.value: level for level in RiskLevel if level is not RiskLevel.UNKNOWN}
    return known.get(text.strip().lower())


class OfferBefore(NamedTuple):
    """An offer that the customer was shown on an earlier call."""

    rule: str
    days: int
    """Since that call began."""
    refused: bool


OFFERS: Final = "offers_before"
"""Attribute of a call in which they stand: ``rule:days:shown`` or ``rule:days:refused``, with commas."""


def written(offers: Iterable[OfferBefore]) -> str:
    """As the attribute says it."""
    return ",".join(f"{each.rule}:{each.days}:{'refused' if each.refused else 'shown'}" for each in offers)


def offers_before(attributes: Mapping[str, str]) -> list[OfferBefore]:
    """What the attribute says; what cannot be read is left out."""
    found: list[OfferBefore] = []
    for part in attributes.get(OFFERS, "").split(","):
        rule, _, rest = part.strip().partition(":")
        days, _, outcome = rest.partition(":")
        if rule and days.isdecimal() and outcome in {"shown", "refused"}:
            found.append(OfferBefore(rule, int(days), outcome == "refused"))
    return found
