"""The talk track: once, when a customer is answered who may leave or when the call says so; lines by the reasons."""

from datetime import UTC, datetime

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.playbook import Playbook, load
from agent_assist.advice.retaining import talk_track
from agent_assist.call.assistant import Assistant
from agent_assist.call.before import risk_before
from agent_assist.call.state import CallState
from agent_assist.types import CallStarted, Card
from models.types import ChurnRisk, Reason, RiskLevel

RETENTION = """
risk: {level: critical}
title: {en: "Keep {customer_name}"}
text: {en: Listen first.}
reason: {en: "Risk: {words}"}
most: 2
lines:
  price: {name: {en: the price}, say: {en: Look at the plan.}}
  competitor: {name: {en: a competitor}, say: {en: Compare.}}
  complaint: {name: {en: a complaint}, say: {en: Say sorry.}}
"""
PLAYBOOK = msgspec.convert({"name": "t", "version": "1", "rules": [], "retention": yaml.safe_load(RETENTION)}, Playbook)


def answered(assistant: Assistant, **attributes: str) -> list[Card]:
    event = CallStarted(
        call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="twilio", customer_name="Ann", attributes=attributes
    )
    state, told = assistant.step(None, event)
    again = assistant.step(state, event)[1]
    assert not any(isinstance(each, Card) for each in again)
    return [each for each in told if isinstance(each, Card)]


def risk(level: RiskLevel, *reasons: tuple[str, float]) -> ChurnRisk:
    found = tuple(Reason(name=name, contribution=share) for name, share in reasons)
    return ChurnRisk(score=0.9, level=level, reasons=found, model_version="t")


def test_it_is_shown_when_a_customer_is_answered_whose_risk_was_known_to_be_critical() -> None:
    [card] = answered(Assistant(PLAYBOOK), risk_level="critical", churn_reasons="competitor, unknown_to_us, price")
    assert (card.id, card.rule, card.at_ms, card.utterance_id) == ("c:retention:start", "retention", 0, "")
    assert (card.title, card.text) == ("Keep Ann", "Listen first. Compare. Look at the plan.")
    assert card.reason == "Risk: a competitor, the price"


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"churn_risk": "0.75"}, True),
        ({"churn_risk": "0.74"}, False),
        ({"risk_level": "CRITICAL"}, True),
        ({"risk_level": "elevated", "churn_risk": "0.99"}, False),
        ({"churn_risk": "high"}, False),
        ({"churn_risk": "1.5"}, False),
        ({"churn_risk": "nan"}, False),
        ({}, False),
    ],
)
def test_it_asks_for_a_risk_that_high_and_heeds_nothing_that_is_none(attributes: dict[str, str], shown: bool) -> None:
    assert bool(answered(Assistant(PLAYBOOK), **attributes)) is shown


def test_lines_are_those_of_the_weightiest_reasons_and_none_for_what_speaks_against_leaving() -> None:
    found = risk(RiskLevel.CRITICAL, ("price", 0.1), ("complaint", 0.3), ("competitor", -0.5))
    [decided] = talk_track(PLAYBOOK.retention, CallState(call_id="c"), "start", found, "t")
    assert isinstance(decided.gives, Card)
    assert decided.gives.text == "Listen first. Say sorry. Look at the plan."


def test_it_is_shown_once_a_call_whatever_the_risk_does() -> None:
    state = CallState(call_id="c", fired={"retention": 0})
    assert talk_track(PLAYBOOK.retention, state, "start", risk(RiskLevel.CRITICAL), "t") == []


@given(st.sampled_from([level for level in RiskLevel if level is not RiskLevel.CRITICAL]))
def test_a_lower_risk_of_the_call_shows_nothing(level: RiskLevel) -> None:
    assert talk_track(PLAYBOOK.retention, CallState(call_id="c"), "start", risk(level), "t") == []


def test_a_level_goes_before_what_the_score_would_say() -> None:
    known = risk_before({"churn_risk": "0.2", "risk_level": "critical", "churn_reasons": "price,complaint"})
    assert known is not None
    assert (known.level, known.score) == (RiskLevel.CRITICAL, 0.2)
    assert sum(reason.contribution for reason in known.reasons) == pytest.approx(0.2)


def test_the_default_talk_track_comes_in_the_language_that_the_telephone_side_tells() -> None:
    assistant = Assistant(load())
    [chinese] = answered(assistant, risk_level="critical", churn_reasons="price", language="zh")
    [english] = answered(assistant, risk_level="critical", churn_reasons="price")
    assert "方案" in chinese.text
    assert "plan" in english.text


def test_the_default_talk_track_comes_when_the_call_itself_turns_critical(script_of: object) -> None:
    script = script_of(Assistant(load()))  # type: ignore[operator]
    shown: list[Card] = []
    for text in ("I want to cancel my contract", "I am going to switch to another provider", "cancel my contract now",
                 "I want to cancel it, I have called three times about this", "I want a refund"):  # fmt: skip
        shown += script.customer(text)
    assert script.state.risk.level is RiskLevel.CRITICAL
    tracks = [card for card in shown if card.rule == "retention"]
    assert len(tracks) == 1
    assert "What makes" in tracks[0].text or "what makes you want to leave" in tracks[0].text
