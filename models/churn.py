"""
Churn risk of a customer by their profile and their call, joined in log-odds.

The profile's part is fitted (models/additive.py), but for the record of service, which no open table has: where a model
has learned nothing of complaints, broken promises and issues that come again, they count by weights that are set by
hand, as all that a call adds does, for no labelled calls stand behind it. These weights are a stated prior, of which a
business's own outcomes teach what each is worth (models/training/churn.py); until then a score with any of them in it
puts customers in order, and is not a calibrated probability.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from models.additive import Additive, Sum, logit, read_additive, sigmoid
from models.errors import OutOfRange
from models.profile import ProfileFeatures
from models.types import ChurnRisk, Reason, RiskLevel

MODEL_VERSION: Final = "call-prior-2"

BASE_RATE: Final = 0.10
"""Score of a call that says nothing either way; the order of a yearly churn rate in trade."""

THRESHOLDS: Final = ((0.75, RiskLevel.CRITICAL), (0.50, RiskLevel.ELEVATED), (0.30, RiskLevel.WATCH))
"""Lowest score of each level, highest first."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """How often the customer has said something of a kind, and how long ago."""

    count: int = 0
    """Customer utterances that said it."""
    since: int = 0
    """Customer utterances after the last that said it; 0 where that was the latest. Meaningless while count is 0."""

    def after(self, *, said: bool) -> "Signal":
        """The signal after one more customer utterance."""
        if said:
            return Signal(count=self.count + 1)
        return Signal(count=self.count, since=self.since + 1) if self.count else self


class CallFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """What a call says of its customer's loyalty up to now."""

    customer_utterances: int = 0
    """With words."""
    customer_talk_ms: int = 0
    max_agitation: float | None = None
    """0 ... 1, over the call; None before it was ever known, as for the four below."""
    last_agitation: float | None = None
    """Of the customer's latest utterance for which it is known."""
    last_valence: float | None = None
    """-1 ... 1, likewise."""
    valence_trend: float | None = None
    """-2 ... 2: the smoothed valence less that of the call's first customer utterances."""
    valence_range: float | None = None
    """0 ... 2: the highest smoothed valence of the call less the lowest."""
    cancel: Signal = Signal()
    """Wants to end the contract or return the goods."""
    competitor: Signal = Signal()
    """Names a competitor."""
    refund: Signal = Signal()
    complaint: Signal = Signal()
    repeat_contact: Signal = Signal()
    """Has called about this before."""
    price: Signal = Signal()
    """Finds it too expensive."""
    saved: Signal = Signal()
    """Says that they will stay."""
    satisfied: Signal = Signal()
    """Thanks, praises, or sounds satisfied."""
    unresolved: bool = False
    """Whether an issue was raised to which the customer has not yet agreed a solution."""


def spoken_of(features: CallFeatures) -> list[str]:
    """The signals that the customer's latest utterance gave."""
    signals: dict[str, Signal] = {name: getattr(features, name) for name in _WEIGHTS}
    return [name for name, signal in signals.items() if signal.count and not signal.since]


class _Weight(NamedTuple):
    """Log-odds that a signal adds."""

    first: float
    """When said once, just now."""
    more: float = 0.0
    """For each further time, up to two."""
    kept: float = 0.5
    """Share that stays however long ago it was said."""


# Ours, set by judgement: leaving in so many words weighs most, what usually comes before leaving about half, and
# the customer's own word that they stay undoes the word that they leave.
_WEIGHTS: Final = {
    "cancel": _Weight(2.2, 0.4, 0.7),
    "competitor": _Weight(1.0, 0.3, 0.6),
    "refund": _Weight(0.6, 0.2),
    "complaint": _Weight(0.7, 0.2),
    "repeat_contact": _Weight(0.9, 0.2, 0.7),
    "price": _Weight(0.5, 0.2),
    "saved": _Weight(-2.6, -0.2, 0.8),
    "satisfied": _Weight(-0.9, -0.2, 0.3),
}
_HALF_LIFE: Final = 4
"""Customer utterances in which the part of a signal that fades halves."""
_CALM: Final = 0.3
"""Agitation up to which nothing is added."""
_UNRESOLVED: Final = 0.4
_LAST_AGITATION: Final = 1.0
_MAX_AGITATION: Final = 0.6
_VALENCE: Final = -0.5
_TREND: Final = -0.4
_RANGE: Final = 0.3
_LEVEL: Final = 0.2
"""Range of valence up to which a mood has not swung, but lies level."""
_NOTICEABLE: Final = 0.25
"""Log-odds below which a call's own evidence, taken without sign, is as good as none."""
CALL_TERMS: Final = (*_WEIGHTS, "unresolved", "agitation", "valence", "valence_trend", "swings")
"""All that a call may add."""
_UNSURE: Final = 0.5
"""Standard deviation of a call's weight as a share of it: the prior may well be wrong by half."""
SUPPORT: Final = 0.3
"""Share of what tells customers apart that must be known before a profile's risk has a level. Ours, by judgement."""
_NOBODY: Final = Sum(logit(BASE_RATE), (), 1.75, 0.0)
"""A customer of whom nothing is known; the variance is the sum of the shapes' of churn-contract.json."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile says of its customer, before any call: all that the risk of a call needs of it."""

    sum: Sum
    version: str
    """Of the model."""
    call: dict[str, float] = {}
    """What each term of a call is multiplied by, where outcomes of calls taught it."""


class _Count(NamedTuple):
    """Log-odds that a count of the profile adds."""

    first: float
    more: float
    """For each further one."""
    most: int
    """From so many on it adds no more."""

    def term(self, count: float) -> float:
        return 0.0 if count < 1 else self.first + self.more * (min(count, self.most) - 1)


# Ours, set by judgement: about half of what the same weighs when it is said on the line, for it may be settled by now.
_SERVICE: Final = {
    "complaints_90": _Count(0.5, 0.3, 4),
    "broken_promises": _Count(0.3, 0.2, 3),
    "recurring": _Count(0.3, 0.2, 3),
}
SERVICE_VERSION: Final = "service-prior-1"


def standing(profile: ProfileFeatures, model: Additive) -> Standing:
    """How a customer stands without a call."""
    row, learned = profile.row(), {shape.name for shape in model.shapes}
    found = model.sum(row)
    counts = {name: row.get(name) for name in _SERVICE if name not in learned}
    if not counts:
        return Standing(sum=found, version=model.version, call=model.call)
    terms = [(name, _SERVICE[name].term(count)) for name, count in counts.items() if isinstance(count, float)]
    by_hand = tuple((name, term) for name, term in terms if term != 0.0)
    doubt = math.fsum((_UNSURE * term) ** 2 for _, term in by_hand)
    found = msgspec.structs.replace(found, terms=(*found.terms, *by_hand), variance=found.variance + doubt)
    return Standing(sum=found, version=f"{model.version}+{SERVICE_VERSION}", call=model.call)


def shipped(trade: str) -> Additive:
    """
    The model that comes with the program, of "contract" or "orders"; see docs/models/churn.md.

    Raises:
        OSError: If there is none of that trade.
    """
    return read_additive(Path(__file__).parent / "shipped" / f"churn-{trade}.json")


def profile_risk(known: Standing) -> ChurnRisk:
    """The risk of a customer who is not on a call: unknown where less than ``SUPPORT`` is known of them."""
    return _joined(known.sum, (), known.version, seen=known.sum.support >= SUPPORT)


def risk(features: CallFeatures, *, profile_known: bool, known: Standing | None = None) -> ChurnRisk:
    """
    How likely the customer is to leave, as far as this call and their profile tell.

    The score is ``sigmoid(base + terms of the profile + terms of the call)``; without a standing the base is that of
    ``BASE_RATE``. A reason's contribution is its integrated gradient on the straight path from the base to the score;
    as the sum is linear, that is the term's share of the way: ``term * (score - base score) / sum``. With the reason
    "base_rate" the contributions add up to the score.

    Args:
        features: Of the call up to now.
        profile_known: Whether anything is known of the customer beside this call; a standing with support says so, too.
        known: By the profile.

    Returns:
        No score before the customer's first words, unless there is a standing. The level is unknown where neither a
        profile nor the call gives a sign: absence of evidence is not low risk.

    Raises:
        OutOfRange: If a feature is not a number in its range.

    Source: Sundararajan, Taly, Yan: Axiomatic Attribution for Deep Networks, ICML 2017.
    """
    _check(features)
    if features.customer_utterances == 0:
        if known is not None:
            return profile_risk(known)
        return ChurnRisk(score=None, level=RiskLevel.UNKNOWN, reasons=(), model_version=MODEL_VERSION)
    weights = known.call if known else {}
    terms = tuple((name, weights.get(name, 1.0) * term) for name, term in _terms(features) if term != 0.0)
    supported = profile_known or (known is not None and known.sum.support >= SUPPORT)
    seen = supported or sum(abs(term) for _, term in terms) >= _NOTICEABLE
    if known is None:
        return _joined(_NOBODY, terms, MODEL_VERSION, seen=seen)
    return _joined(known.sum, terms, f"{known.version}+{MODEL_VERSION}", seen=seen)


def call_terms(features: CallFeatures) -> dict[str, float]:
    """What a call adds by the prior, in log-odds: from which, with outcomes, weights are learned."""
    return {name: term for name, term in _terms(features) if term != 0.0}


def _joined(profile: Sum, call: tuple[tuple[str, float], ...], version: str, *, seen: bool) -> ChurnRisk:
    own = {name for name, _ in profile.terms}
    # An attribute of the business may be called as a signal of the call is.
    renamed = ((f"call.{name}" if name in own else name, term) for name, term in call)
    terms = {name: term for name, term in (*profile.terms, *renamed) if term != 0.0}
    total, base = math.fsum(terms.values()), sigmoid(profile.base)
    score = sigmoid(profile.base + total)
    # Terms that cancel out leave a quotient of rounding errors: there the path's gradient is that of its start.
    slope = (score - base) / total if abs(total) > 1e-6 else base * (1 - base)
    reasons = [Reason(name=name, contribution=term * slope) for name, term in terms.items()]
    reasons.sort(key=lambda reason: (-abs(reason.contribution), reason.name))
    variance = profile.variance + math.fsum((_UNSURE * term) ** 2 for _, term in call)
    low, high = Sum(profile.base + total, (), variance, 0.0).interval()
    return ChurnRisk(
        score=score,
        level=_level(score) if seen else RiskLevel.UNKNOWN,
        reasons=(*reasons, Reason(name="base_rate", contribution=base)),
        model_version=version,
        low=low,
        high=high,
    )


def _level(score: float) -> RiskLevel:
    return next((level for lowest, level in THRESHOLDS if score >= lowest), RiskLevel.NONE)


def _terms(features: CallFeatures) -> Iterator[tuple[str, float]]:
    for name, weight in _WEIGHTS.items():
        signal: Signal = getattr(features, name)
        yield name, _term(signal, weight)
    if features.unresolved:
        yield "unresolved", _UNRESOLVED
    last, highest = _above(features.last_agitation), _above(features.max_agitation)
    yield "agitation", _LAST_AGITATION * last + _MAX_AGITATION * highest
    yield "valence", _VALENCE * (features.last_valence or 0.0)
    yield "valence_trend", _TREND * (features.valence_trend or 0.0)
    yield "swings", _RANGE * max(0.0, (features.valence_range or 0.0) - _LEVEL)


def _term(signal: Signal, weight: _Weight) -> float:
    if signal.count == 0:
        return 0.0
    full = weight.first + weight.more * min(signal.count - 1, 2)
    faded = math.exp2(-signal.since / _HALF_LIFE)
    return full * (weight.kept + (1 - weight.kept) * faded)


def _above(agitation: float | None) -> float:
    return max(0.0, (agitation or 0.0) - _CALM) / (1 - _CALM)


_RANGES: Final = (
    ("max_agitation", 0, 1),
    ("last_agitation", 0, 1),
    ("last_valence", -1, 1),
    ("valence_trend", -2, 2),
    ("valence_range", 0, 2),
)


def _check(features: CallFeatures) -> None:
    for name, low, high in _RANGES:
        value: float | None = getattr(features, name)
        if value is not None and not low <= value <= high:
            raise OutOfRange(name, value, low, high)
