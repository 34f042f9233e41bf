"""What is done by the reason for leaving: each reason leads to one branch and no other, on a call and after it."""

from datetime import UTC, datetime

import msgspec
import pytest

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.customer.events import Consent
from agent_assist.customer.facts import facts
from agent_assist.customer.interventions import BRANCHES, REASONS, SILENT, Branch, allowed, branch, words
from agent_assist.types import CallStarted, Card, Final, Withheld
from audio.types import Channel
from models.churn import CALL_TERMS
from models.intent import Intent
from models.profile import ProfileFeatures
from models.types import ChurnRisk, Emotion, EmotionLabel, Reason, RiskLevel, Utterance

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PLAYBOOK = load()
CALM = Emotion(label=EmotionLabel.NEUTRAL, valence=0.0, arousal=0.0, agitation=0.1, confidence=0.9)
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.8, arousal=0.8, agitation=0.95, confidence=0.9)
RULES: dict[str, Branch] = {
    "confused": "tutorial",
    "recommend.plan_check": "offer",
    "offer_smaller_plan": "offer",
    "soothe_and_escalate": "win_back",
    "manager_asked": "win_back",
    "threat": "win_back",
}
"""Which rules of the default playbook begin a branch on a call."""


def risk(*reasons: tuple[str, float]) -> ChurnRisk:
    found = tuple(Reason(name=name, contribution=share) for name, share in reasons)
    return ChurnRisk(score=0.8, level=RiskLevel.CRITICAL, reasons=found, model_version="m")


def test_every_reason_of_the_models_leads_to_one_branch_or_says_nothing_of_why() -> None:
    names = {*CALL_TERMS, *ProfileFeatures.__struct_fields__} - {"attributes"}
    of_branch = [name for reasons in REASONS.values() for name in reasons]
    assert len(of_branch) == len(set(of_branch))
    assert not SILENT & set(of_branch)
    assert names - SILENT == set(of_branch)
    assert set(REASONS) == set(BRANCHES)


@pytest.mark.parametrize(("name", "way"), [(name, way) for way in BRANCHES for name in sorted(REASONS[way])])
def test_a_reason_reaches_its_branch(name: str, way: Branch) -> None:
    assert branch(risk((name, 0.3), ("cancel", 0.5), ("base_rate", 0.1))) == way
    assert branch(risk((f"call.{name}", 0.3))) == way


def test_the_weightiest_reason_decides_and_what_speaks_against_leaving_does_not() -> None:
    assert branch(risk(("complaint", 0.1), ("price", 0.3))) == "offer"
    assert branch(risk(("complaint", 0.1), ("price", -0.3))) == "win_back"
    assert branch(risk(("recurring", 0.2), ("tenure_days", 0.4))) == "tutorial"
    assert branch(risk(("cancel", 0.9))) == branch(risk()) == "win_back"


def test_an_offer_is_made_to_nobody_who_forbids_it_and_nobody_is_called_who_forbids_that() -> None:
    def of(*forbidden: str) -> list[Branch | None]:
        said = [
            msgspec.convert(
                {"event": "consent", "event_id": one, "customer_id": "c", "at": AT, "purpose": one, "granted": False},
                Consent,
            )
            for one in forbidden
        ]
        return [allowed(way, facts("c", said)) for way in BRANCHES]

    assert of() == ["tutorial", "offer", "win_back"]
    assert of("offers") == ["tutorial", "win_back", "win_back"]
    assert of("outbound") == of("offers", "outbound") == [None, None, None]
    assert all(set(texts) == {"zh", "en"} for way in BRANCHES for texts in words(way))


def said(
    *utterances: tuple[str, Emotion, tuple[Intent, ...]], language: str = "en", **attributes: str
) -> list[Card | Withheld]:
    assistant = Assistant(PLAYBOOK)
    event = CallStarted(call_id="c", at=AT, protocol="twilio", attributes={"marketing": "yes"} | attributes)
    state, _ = assistant.step(None, event)
    told: list[Card | Withheld] = []
    for number, (text, emotion, intents) in enumerate(utterances):
        one = Utterance(
            id=f"c:{number}", channel=Channel.CUSTOMER, number=number, start_ms=number * 8_000,
            end_ms=number * 8_000 + 7_000, text=text, language=language, confidence=0.9, words=(), sentiment=None,
            emotion=emotion, loudness_dbfs=None, intents=intents,
        )  # fmt: skip
        state, new = assistant.step(state, Final(call_id="c", utterance=one))
        told += [each for each in new if isinstance(each, Card | Withheld)]
    return told


def begun(told: list[Card | Withheld]) -> set[Branch]:
    return {RULES[one.rule] for one in told if isinstance(one, Card) and one.rule in RULES}


@pytest.mark.parametrize(
    ("language", "text", "emotion", "intents", "way"),
    [
        ("en", "I do not understand how it works", CALM, (), "tutorial"),
        ("zh", "这个我不会用", CALM, (), "tutorial"),
        ("en", "that is too expensive for me", CALM, (Intent.PRICE,), "offer"),
        ("zh", "你们这个套餐太贵了", CALM, (Intent.PRICE,), "offer"),
        ("en", "this is not what I was told, three days now", ANGRY, (Intent.COMPLAINT,), "win_back"),
        ("zh", "你们到底管不管,我等了三天", ANGRY, (Intent.COMPLAINT,), "win_back"),
        ("en", "let me speak to your manager", CALM, (), "win_back"),
    ],
)
def test_on_a_call_each_reason_begins_its_branch_and_no_other(
    language: str, text: str, emotion: Emotion, intents: tuple[Intent, ...], way: Branch
) -> None:
    assert begun(said((text, emotion, intents), (text, emotion, intents), language=language)) == {way}


def test_an_offer_waits_until_the_customer_is_calm_and_is_made_to_nobody_who_has_not_agreed() -> None:
    price = "that is too expensive for me"
    angry = said((price, ANGRY, (Intent.PRICE,)))
    assert "offer" not in begun(angry)
    calmed = said((price, ANGRY, (Intent.PRICE,)), ("all right then", CALM, ()))
    assert "offer" in begun(calmed)
    refused = said((price, CALM, (Intent.PRICE,)), marketing="no")
    assert begun(refused) == set()
    assert {one.why for one in refused if isinstance(one, Withheld)} == {"consent"}
