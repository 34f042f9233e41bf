"""The risk during a call of a customer with a profile."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.customer.caller import Caller
from agent_assist.types import CallRisk, CallStarted
from audio.types import Channel
from models.additive import logit
from models.churn import Standing, profile_risk, shipped, standing
from models.profile import ProfileFeatures

MODEL = shipped("contract")
PROFILES = {
    "loyal": ProfileFeatures(tenure_days=2000, attributes={"contract": "Two year", "product": "DSL"}),
    "loose": ProfileFeatures(tenure_days=60, attributes={"contract": "Month-to-month", "product": "Fiber optic"}),
}


AT = datetime(2026, 3, 1, tzinfo=UTC)


def started(customer: str | None, caller: Caller | None) -> CallStarted:
    return CallStarted(call_id="c", at=AT, protocol="recording", customer_id=customer, caller=caller)


def standing_of(customer: str) -> Standing | None:
    return standing(PROFILES[customer], MODEL) if customer in PROFILES else None


@pytest.fixture
def risk_after(script_of: Callable[..., Any]) -> Callable[[str | None, str], CallRisk]:
    def said(customer: str | None, text: str) -> CallRisk:
        assistant = Assistant(load())
        script = script_of(assistant)
        stands = None if customer is None else standing_of(customer)
        caller = None if stands is None else Caller(at=AT, customer_id=customer, standing=stands)
        script.state, _ = assistant.step(None, started(customer, caller))
        told = script.say(script.utterance(Channel.CUSTOMER, text))
        [found] = [one for one in told if isinstance(one, CallRisk)]
        return found

    return said


def test_the_same_words_weigh_the_same_on_top_of_each_profile(
    risk_after: Callable[[str | None, str], CallRisk],
) -> None:
    added = []
    for customer, profile in PROFILES.items():
        before, after = (
            profile_risk(standing(profile, MODEL)).score,
            risk_after(customer, "I want to cancel my plan").risk,
        )
        assert before is not None
        assert after.score is not None
        assert after.score > before
        assert {"cancel", "contract", "base_rate"} <= {reason.name for reason in after.reasons}
        added.append(logit(after.score) - logit(before))
    assert added[0] == pytest.approx(added[1])


@pytest.mark.slow
def test_a_stranger_has_the_risk_of_their_call_alone(risk_after: Callable[[str | None, str], CallRisk]) -> None:
    nobody, unknown = risk_after(None, "I want to cancel my plan"), risk_after("who", "I want to cancel my plan")
    assert nobody.risk == unknown.risk
    assert nobody.risk.low is not None
    assert nobody.risk.model_version == "call-prior-2"
