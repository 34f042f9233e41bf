"""Churn risk from a call alone."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.additive import logit
from models.churn import (
    BASE_RATE,
    CALL_TERMS,
    MODEL_VERSION,
    SUPPORT,
    CallFeatures,
    Signal,
    call_terms,
    profile_risk,
    risk,
    shipped,
    standing,
)
from models.errors import OutOfRange
from models.profile import ProfileFeatures
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


number = st.none() | st.floats(0, 4000)
profiles = st.builds(
    ProfileFeatures,
    tenure_days=number,
    orders=number,
    orders_365=number,
    days_since_order=number,
    interval_days=number,
    lapse_share=st.none() | st.floats(0, 3),
    attributes=st.fixed_dictionaries(
        {},
        optional={
            "contract": st.sampled_from(["Month-to-month", "One year", "Two year", "unheard of"]),
            "price": st.sampled_from(["20", "70.5", "110", "free"]),
            "complaint": st.text(max_size=3),
        },
    ),
)
TRADES = ("contract", "orders")
MODELS = {trade: shipped(trade) for trade in TRADES}
STRANGER = ProfileFeatures()
ENGAGED = ProfileFeatures(
    tenure_days=1500, attributes={"contract": "Two year", "product": "DSL", "support": "Yes", "price": "60"}
)


@given(features, profiles, st.sampled_from(TRADES))
def test_the_reasons_of_profile_and_call_add_up_to_the_score(
    call: CallFeatures, profile: ProfileFeatures, trade: str
) -> None:
    known = standing(profile, MODELS[trade])
    for found in (profile_risk(known), risk(call, profile_known=True, known=known)):
        assert found.score is not None
        assert abs(math.fsum(reason.contribution for reason in found.reasons) - found.score) < 1e-9
        assert len({reason.name for reason in found.reasons}) == len(found.reasons)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.score <= found.high


@given(features, profiles, st.sampled_from(TRADES))
def test_a_call_adds_the_same_log_odds_to_every_profile(
    call: CallFeatures, profile: ProfileFeatures, trade: str
) -> None:
    known = standing(profile, MODELS[trade])
    before, after = profile_risk(known).score, risk(call, profile_known=True, known=known).score
    assert before is not None
    assert after is not None
    assert logit(after) - logit(before) == pytest.approx(math.fsum(call_terms(call).values()), abs=1e-6)
    assert set(call_terms(call)) <= set(CALL_TERMS)


def test_before_the_first_word_the_profile_alone_speaks() -> None:
    known = standing(ENGAGED, MODELS["contract"])
    assert risk(CallFeatures(), profile_known=True, known=known) == profile_risk(known)
    assert profile_risk(known).level is RiskLevel.NONE


@pytest.mark.parametrize("trade", TRADES)
def test_of_a_stranger_nothing_is_guessed(trade: str) -> None:
    known = standing(STRANGER, MODELS[trade])
    assert known.sum.support < SUPPORT
    found = profile_risk(known)
    assert found.level is RiskLevel.UNKNOWN
    assert found.reasons[0].name == "base_rate"
    silent = CallFeatures(customer_utterances=1)
    assert risk(silent, profile_known=False, known=known).level is RiskLevel.UNKNOWN
    leaving = CallFeatures(customer_utterances=1, cancel=SAID)
    assert risk(leaving, profile_known=False, known=known).level is not RiskLevel.UNKNOWN


def test_the_interval_is_wider_without_a_profile() -> None:
    call, model = CallFeatures(customer_utterances=1, complaint=SAID), MODELS["contract"]
    less = msgspec.structs.replace(ENGAGED, tenure_days=None)
    widths = [standing(profile, model).sum.variance for profile in (ENGAGED, less)]
    assert widths[0] < widths[1]
    for found in (risk(call, profile_known=False), risk(call, profile_known=False, known=standing(STRANGER, model))):
        assert found.low is not None
        assert found.high is not None
        assert found.high - found.low > 0.5


def test_learned_weights_of_a_call_take_the_place_of_those_set_by_hand() -> None:
    doubtful = msgspec.structs.replace(MODELS["contract"], call={"cancel": 0.5})
    call = CallFeatures(customer_utterances=1, cancel=SAID)
    by_hand, learned = (
        risk(call, profile_known=True, known=standing(ENGAGED, model)).score for model in (MODELS["contract"], doubtful)
    )
    assert by_hand is not None
    assert learned is not None
    assert logit(by_hand) - logit(learned) == pytest.approx(0.5 * call_terms(call)["cancel"])
