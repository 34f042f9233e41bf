"""What becomes known of a customer while they are on the line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.playbook import Playbook, load
from agent_assist.call.assistant import Assistant
from agent_assist.call.record import record_of
from agent_assist.call.state import CallState, fold
from agent_assist.customer.caller import Caller
from agent_assist.types import CallEnded, CallRisk, CallStarted, Card, CustomerKnown, Event, Final
from audio.types import Channel
from models.churn import Standing, profile_risk, shipped, standing
from models.profile import ProfileFeatures
from models.types import RiskLevel

AT = datetime(2026, 3, 1, tzinfo=UTC)
CONTRACT = shipped("contract")
LOYAL = standing(ProfileFeatures(tenure_days=2000, attributes={"contract": "Two year", "product": "DSL"}), CONTRACT)
LOOSE = standing(
    ProfileFeatures(tenure_days=60, attributes={"contract": "Month-to-month", "product": "Fiber optic"}), CONTRACT
)
RULES = """
- id: exclusive
  kind: card
  speaker: customer
  priority: 500
  profile: 'customer.tag_ids.contains("high_risk_high_value")'
  title: {en: Exclusive}
  reason: {en: "{words}"}
  phrases: {en: ["hello"]}
"""


def start(caller: Caller | None = None, **attributes: str) -> CallStarted:
    ours = {} if caller is None else caller.attributes
    return CallStarted(call_id="c", at=AT, protocol="t", customer_id="k", attributes=ours | attributes, caller=caller)


def known(after_s: int, stands: Standing | None = None, **attributes: str) -> CustomerKnown:
    at = AT + timedelta(seconds=after_s)
    caller = Caller(at=at, customer_id="k", name="Kim", attributes=attributes, standing=stands)
    return CustomerKnown(call_id="c", caller=caller, arrived_at=at)


def ring(stands: Standing | None = None, **attributes: str) -> CallStarted:
    return start(known(-1, stands, **attributes).caller)


def risks(told: list[Any]) -> list[float | None]:
    return [each.risk.score for each in told if isinstance(each, CallRisk)]


def test_the_risk_begins_with_the_profile_and_follows_it() -> None:
    assistant = Assistant(load())
    state, told = assistant.step(None, ring(LOYAL))
    assert risks(told) == [profile_risk(LOYAL).score]
    state, told = assistant.step(state, known(10, LOOSE))
    assert risks(told) == [profile_risk(LOOSE).score]
    _, told = assistant.step(state, known(20, LOOSE))
    assert risks(told) == []


def test_the_talk_track_is_shown_when_it_becomes_known_that_the_customer_may_leave() -> None:
    assistant = Assistant(load())
    state, told = assistant.step(None, ring(LOYAL))
    assert not [each for each in told if isinstance(each, Card)]
    leaving = msgspec.structs.replace(LOOSE, sum=msgspec.structs.replace(LOOSE.sum, base=2.0))
    assert profile_risk(leaving).level is RiskLevel.CRITICAL
    _, told = assistant.step(state, known(10, leaving))
    assert [each.id for each in told if isinstance(each, Card)] == ["c:retention:known"]


def test_rules_see_what_became_known_with_the_next_words(script_of: Callable[..., Any]) -> None:
    playbook = msgspec.convert({"name": "t", "version": "1", "rules": yaml.safe_load(RULES)}, Playbook)
    assistant = Assistant(playbook)
    script = script_of(assistant)
    script.state, _ = assistant.step(None, ring(customer_tag_ids="long_term"))
    assert script.customer("hello") == []
    script.state, _ = assistant.step(script.state, known(5, customer_tag_ids="long_term,high_risk_high_value"))
    assert [card.rule for card in script.customer("hello again")] == ["exclusive"]


def test_what_is_no_longer_known_is_gone_and_what_the_telephone_side_told_stays() -> None:
    began = start(known(-1, likely_reason="late").caller, tenant="east", customer_tier="vip")
    event = known(5, customer_tier="gold", greeting="hi")
    state = fold(fold(None, began), event)
    assert state.attributes == {"tenant": "east", "customer_tier": "vip", "greeting": "hi"}
    record = record_of("c", [began, event], [])
    assert record.attributes == state.attributes
    assert record.caller is not None
    assert (record.customer_name, record.caller.attributes) == ("Kim", {"greeting": "hi"})


def test_of_a_call_that_began_without_a_customer_nothing_is_lost() -> None:
    saved = msgspec.structs.replace(fold(None, start(tenant="east")), given={})
    assert fold(saved, known(5, greeting="hi")).attributes == {"tenant": "east", "greeting": "hi"}


def test_a_start_that_comes_again_takes_nothing_back() -> None:
    state = fold(fold(None, ring(LOYAL)), known(5, LOOSE))
    assert fold(state, ring(LOYAL)) == state


def test_after_the_end_nothing_is_advised() -> None:
    assistant = Assistant(load())
    state, _ = assistant.step(None, ring(LOYAL))
    state, _ = assistant.step(state, CallEnded(call_id="c", duration_ms=1, reason="hangup"))
    assert assistant.step(state, known(10, LOOSE))[1] == []


@given(order=st.permutations(range(5)), twice=st.integers(0, 4))
def test_the_latest_look_holds_in_whatever_order_they_come(order: list[int], twice: int) -> None:
    looks = [known(number, greeting=str(number)) for number in range(5)]
    state: CallState = fold(None, ring())
    for number in [*order, twice]:
        state = fold(state, looks[number])
    assert state.attributes == {"greeting": "4"}
    record = record_of("c", [ring(), *(looks[number] for number in [*order, twice])], [])
    assert record.attributes == {"greeting": "4"}


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_state_that_is_saved_and_read_again_goes_on_alike(script_of: Callable[..., Any], cut: int) -> None:
    assistant = Assistant(load())
    script = script_of(assistant)
    said = [script.utterance(Channel.CUSTOMER, text) for text in ("I want to cancel my plan", "Blue Harbor is cheaper")]
    events: list[Event] = [
        ring(LOYAL),
        Final(call_id="c", utterance=said[0]),
        known(4, LOOSE),
        Final(call_id="c", utterance=said[1]),
        known(8, LOYAL),
        CallEnded(call_id="c", duration_ms=20_000, reason="hangup"),
    ]

    def run(save_at: int | None) -> list[Any]:
        state, found = None, []
        for number, event in enumerate(events):
            if number == save_at and state is not None:
                state = msgspec.json.decode(msgspec.json.encode(state), type=CallState)
            state, told = assistant.step(state, event)
            found += told
        return found

    assert run(cut) == run(None)
