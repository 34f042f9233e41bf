"""Recommendations: ranked by what speaks for them, few at once, and none while the customer is upset."""

from datetime import UTC, datetime

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_assist.advice.evidence import Evidence
from agent_assist.advice.holding import Heard
from agent_assist.advice.names import Lexicon
from agent_assist.advice.playbook import Playbook, load
from agent_assist.advice.recommendation import Recommendations
from agent_assist.advice.recommending import Recommender
from agent_assist.call.assistant import Assistant
from agent_assist.call.course import Course, Stepped
from agent_assist.call.state import CallState
from agent_assist.errors import PlaybookError
from agent_assist.types import CallStarted, Card, Final, Withheld
from audio.types import Channel
from models.intent import Intent
from models.types import Emotion, EmotionLabel, Utterance

CANDIDATES = """
at_most: 1
candidates:
  - {id: exchange, kind: solution, title: {en: Exchange}, reason: {en: "{words}"}, weight: 0.5, when: {intents: [refund], phrases: {en: [broken]}}}
  - {id: voucher, kind: product, title: {en: Voucher}, reason: {en: r}, weight: 0.5, topics: [voucher], when: {intents: [refund]}}
  - {id: repair, kind: service, title: {en: Repair}, reason: {en: r}, weight: 0.9, when: {phrases: {en: [broken]}}, after_steps: [classify]}
  - {id: upgrade, kind: product, title: {en: Upgrade}, reason: {en: r}, weight: 0.9, when: {phrases: {en: [broken]}}, only: customer.tier == "gold"}
"""  # noqa: E501 - one line each
CALM = Emotion(label=EmotionLabel.NEUTRAL, valence=0.0, arousal=0.0, agitation=0.1, confidence=0.9)
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.9, confidence=0.9)


def candidates(text: str = CANDIDATES) -> Recommendations:
    return msgspec.convert(yaml.safe_load(text), Recommendations)


def utterance(
    text: str, *intents: Intent, number: int = 0, emotion: Emotion = CALM, channel: Channel = Channel.CUSTOMER
) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{number}",
        channel=channel,
        number=number,
        start_ms=number * 5_000,
        end_ms=number * 5_000 + 3_000,
        text=text,
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=emotion,
        loudness_dbfs=None,
        intents=intents,
    )


def ranked(said: Utterance, state: CallState | None = None, among: Recommendations | None = None) -> list[str]:
    heard = Heard(said, Evidence.of(said.text, Lexicon({})), None)
    found = Recommender(among or candidates(), "t").rank(state or CallState(call_id="c"), heard, (), {})
    return [each.candidate.id for each in found]


def test_what_has_more_for_it_stands_first_and_equals_stand_by_their_id() -> None:
    assert ranked(utterance("it is broken", Intent.REFUND)) == ["exchange", "voucher"]
    assert ranked(utterance("money back please", Intent.REFUND)) == ["exchange", "voucher"]
    gold = CallState(call_id="c", attributes={"customer_tier": "gold"})
    assert ranked(utterance("it is broken", Intent.REFUND), gold) == ["upgrade", "exchange", "voucher"]


def test_a_candidate_waits_for_the_steps_before_it_and_is_shown_once() -> None:
    done = Course(flow="f", done={"classify": Stepped(utterance_id="u", at_ms=1)})
    assert ranked(utterance("it is broken"), CallState(call_id="c", course=done)) == ["repair", "exchange"]
    shown = CallState(call_id="c", course=done, fired={"recommend.repair": 5})
    assert ranked(utterance("it is broken"), shown) == ["exchange"]


def test_what_the_agent_says_recommends_nothing() -> None:
    assert ranked(utterance("it is broken", channel=Channel.AGENT)) == []


@settings(max_examples=50)
@given(
    st.permutations(candidates().candidates),
    st.lists(st.sampled_from([Intent.REFUND, Intent.PRICE]), max_size=2),
    st.sampled_from(["it is broken", "well", "not broken"]),
)
def test_the_order_in_which_candidates_are_written_does_not_matter(
    written: list[object], intents: list[Intent], text: str
) -> None:
    among = msgspec.structs.replace(candidates(), candidates=tuple(written))
    assert ranked(utterance(text, *intents), among=among) == ranked(utterance(text, *intents))


def shown(*said: Utterance, more: dict[str, object] | None = None, **attributes: str) -> list[Card | Withheld]:
    text = {"name": "t", "version": "1", "rules": [], "recommendations": yaml.safe_load(CANDIDATES)}
    assistant = Assistant(msgspec.convert(text | (more or {}), Playbook))
    event = CallStarted(call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="twilio", attributes=attributes)
    state, _ = assistant.step(None, event)
    told: list[Card | Withheld] = []
    for each in said:
        state, new = assistant.step(state, Final(call_id="c", utterance=each))
        told += [one for one in new if isinstance(one, Card | Withheld)]
    return told


def test_no_more_than_the_policys_number_is_shown_at_once_and_the_next_comes_later() -> None:
    first, second = shown(utterance("broken", Intent.REFUND), utterance("yes", Intent.REFUND, number=1))
    assert isinstance(first, Card)
    assert isinstance(second, Card)
    assert (first.rule, first.offer, first.trigger, first.reason) == ("recommend.exchange", True, ("broken",), "broken")
    assert second.rule == "recommend.voucher"


def test_nothing_is_recommended_while_the_customer_is_upset_and_it_comes_when_they_have_calmed_down() -> None:
    assert shown(utterance("broken", Intent.REFUND, emotion=ANGRY)) == []
    [late] = shown(utterance("broken", Intent.REFUND, emotion=ANGRY), utterance("all right", number=1))
    assert isinstance(late, Card)
    assert (late.rule, late.at_ms) == ("recommend.exchange", 8_000)


def test_what_a_customer_does_not_want_to_hear_of_is_withheld() -> None:
    said = (utterance("broken", Intent.REFUND), utterance("yes", Intent.REFUND, number=1))
    told = shown(*said, no_offers_about="voucher")
    assert [(one.rule, one.why) for one in told if isinstance(one, Withheld)] == [("recommend.voucher", "topic")]


def test_offers_enough_for_one_call_end_the_recommendations() -> None:
    said = (utterance("broken", Intent.REFUND), utterance("yes", Intent.REFUND, number=1))
    told = shown(*said, more={"offers": {"per_call": 1}})
    assert [type(one) for one in told] == [Card, Withheld]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: voucher", "id: exchange", "exchange twice"),
        ("weight: 0.9", "weight: 1.5", "weight"),
        ("at_most: 1", "at_most: 0", "at_most"),
        ('customer.tier == "gold"', "nonsense(", "CEL"),
    ],
)
def test_candidates_that_cannot_be_meant_are_refused(old: str, new: str, told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=told):
        candidates(CANDIDATES.replace(old, new))


def test_a_step_that_no_flow_has_is_refused(tmp_path: object) -> None:
    text = f"name: t\nversion: '1'\nrules: []\nrecommendations: {yaml.safe_load(CANDIDATES)}"
    (tmp_path / "p.yaml").write_text(text, "utf-8")  # type: ignore[operator]
    with pytest.raises(PlaybookError, match="classify"):
        load(tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("intent", "rule"),
    [
        (Intent.REFUND, "exchange"),
        (Intent.DELIVERY, "track_and_rush"),
        (Intent.TECHNICAL_FAULT, "guided_fix"),
        (Intent.PRICE, "plan_check"),
    ],
)
def test_the_default_recommendation_fits_what_the_customer_wants(intent: Intent, rule: str) -> None:
    assert ranked(utterance("hm", intent), among=load().recommendations)[0] == rule
