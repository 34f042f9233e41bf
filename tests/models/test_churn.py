"""Churn risk from a call alone."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.churn import BASE_RATE, MODEL_VERSION, CallFeatures, Signal, risk
from models.errors import OutOfRange
from models.types import RiskLevel

signals = st.builds(Signal, count=st.integers(0, 50), since=st.integers(0, 500))
unit, signed = st.none() | st.floats(0, 1), st.none() | st.floats(-1, 1)
features = st.builds(
    CallFeatures,
    customer_utterances=st.integers(1, 500),
    customer_talk_ms=st.integers(0, 10_000_000),
    max_agitation=unit,
    last_agitation=unit,
    last_valence=signed,
    valence_trend=st.none() | st.floats(-2, 2),
    cancel=signals,
    competitor=signals,
    refund=signals,
    complaint=signals,
    repeat_contact=signals,
    price=signals,
    saved=signals,
    satisfied=signals,
    unresolved=st.booleans(),
)
SAID = Signal(count=1)


def scored(call: CallFeatures) -> float:
    found = risk(call, profile_known=True).score
    assert found is not None
    return found


@given(features, st.booleans())
def test_the_reasons_add_up_to_the_score(call: CallFeatures, profile_known: bool) -> None:
    found = risk(call, profile_known=profile_known)
    assert found.score is not None
    assert 0 < found.score < 1
    assert abs(math.fsum(reason.contribution for reason in found.reasons) - found.score) < 1e-9
    assert len({reason.name for reason in found.reasons}) == len(found.reasons)
    assert found == risk(call, profile_known=profile_known)


@pytest.mark.parametrize("total", [1e-9, -1e-9, 1e-7, 1e-5])
def test_the_reasons_add_up_where_terms_nearly_cancel_out(total: float) -> None:
    # An opening valence against a falling trend: -0.5 * last_valence - 0.4 * trend is the total wanted.
    call = CallFeatures(customer_utterances=4, last_valence=0.8, valence_trend=-(total + 0.4) / 0.4)
    found = risk(call, profile_known=True)
    assert found.score == pytest.approx(BASE_RATE, abs=1e-5)
    assert abs(math.fsum(reason.contribution for reason in found.reasons) - (found.score or 0.0)) < 1e-9


@given(features, st.sampled_from(["cancel", "competitor", "refund", "complaint", "repeat_contact", "price"]))
def test_a_sign_of_leaving_never_lowers_the_risk(call: CallFeatures, name: str) -> None:
    signal: Signal = getattr(call, name)
    assert scored(msgspec.structs.replace(call, **{name: signal.after(said=True)})) >= scored(call)


@given(features, st.sampled_from(["saved", "satisfied"]))
def test_a_sign_of_staying_never_raises_the_risk(call: CallFeatures, name: str) -> None:
    signal: Signal = getattr(call, name)
    assert scored(msgspec.structs.replace(call, **{name: signal.after(said=True)})) <= scored(call)


@given(features, st.floats(0, 1), st.floats(0, 1))
def test_more_agitation_never_lowers_the_risk(call: CallFeatures, one: float, other: float) -> None:
    low, high = sorted((one, other))
    calmer = msgspec.structs.replace(call, last_agitation=low, max_agitation=low)
    angrier = msgspec.structs.replace(call, last_agitation=high, max_agitation=high)
    assert scored(calmer) <= scored(angrier)


def test_before_the_customers_first_words_there_is_no_score() -> None:
    for profile_known in (True, False):
        found = risk(CallFeatures(), profile_known=profile_known)
        assert (found.score, found.level, found.reasons) == (None, RiskLevel.UNKNOWN, ())
        assert found.model_version == MODEL_VERSION


def test_absence_of_evidence_is_not_low_risk() -> None:
    plain = CallFeatures(customer_utterances=3, last_agitation=0.2, max_agitation=0.25, last_valence=0.05)
    assert risk(plain, profile_known=False).level is RiskLevel.UNKNOWN
    assert risk(plain, profile_known=True).level is RiskLevel.NONE
    assert risk(plain, profile_known=False).score == pytest.approx(BASE_RATE, abs=0.01)


def test_the_call_of_one_who_leaves_and_is_won_back_rises_and_falls() -> None:
    hello = CallFeatures(customer_utterances=1)
    leaving = msgspec.structs.replace(hello, cancel=SAID, last_valence=-0.4)
    angry = msgspec.structs.replace(
        leaving, price=SAID, competitor=SAID, complaint=SAID, max_agitation=0.85, last_agitation=0.85, unresolved=True
    )
    kept = msgspec.structs.replace(
        angry,
        cancel=Signal(count=1, since=5),
        competitor=Signal(count=1, since=3),
        complaint=Signal(count=1, since=2),
        price=Signal(count=1, since=3),
        last_agitation=0.1,
        last_valence=0.9,
        valence_trend=0.9,
        saved=SAID,
        satisfied=SAID,
        unresolved=False,
    )
    levels = [risk(call, profile_known=False).level for call in (hello, leaving, angry, kept)]
    assert levels == [RiskLevel.UNKNOWN, RiskLevel.ELEVATED, RiskLevel.CRITICAL, RiskLevel.NONE]
    assert risk(angry, profile_known=False).reasons[0].name == "cancel"


@given(features)
def test_the_level_follows_the_thresholds(call: CallFeatures) -> None:
    found = risk(call, profile_known=True)
    assert found.score is not None
    expected = (
        RiskLevel.CRITICAL
        if found.score >= 0.75
        else RiskLevel.ELEVATED
        if found.score >= 0.50
        else RiskLevel.WATCH
        if found.score >= 0.30
        else RiskLevel.NONE
    )
    assert found.level is expected


def test_a_signal_counts_what_was_said_and_how_long_ago() -> None:
    signal = Signal()
    for said in (False, True, True, False, False):
        signal = signal.after(said=said)
    assert signal == Signal(count=2, since=2)
    assert Signal().after(said=False) == Signal()


@pytest.mark.parametrize("wrong", [{"last_agitation": 1.1}, {"last_valence": math.nan}, {"valence_trend": -3.0}])
def test_a_measure_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OutOfRange, match=r"expected .* got"):
        risk(CallFeatures(customer_utterances=1, **wrong), profile_known=True)
