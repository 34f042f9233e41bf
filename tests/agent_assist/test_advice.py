"""What the default playbook's rules do over several utterances, and what happens to rules that cannot be run."""

from collections.abc import Callable
from typing import Any

import pytest

from agent_assist.advice import matching as module
from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.types import Card, CardKind, Degraded
from audio.types import Channel
from models.types import Emotion, EmotionLabel


def feeling(label: str, confidence: float = 0.8) -> Emotion:
    return Emotion(label=EmotionLabel(label), valence=None, arousal=None, agitation=0.3, confidence=confidence)


def rules(found: list[Card]) -> set[str]:
    return {card.rule for card in found}


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("anxious", "我理解这对您很重要,我们会优先处理"),
        ("disappointed", "很抱歉给您带来不便,让我们一起解决"),
        ("angry", "非常抱歉让您这么生气,您反映的问题我马上处理,请让我先了解一下经过"),
        ("satisfied", "谢谢您的认可,能帮到您我们很高兴"),
    ],
)
def test_a_reply_matches_the_emotion(script: Any, label: str, text: str) -> None:
    (card,) = script.customer("我想改一下发票抬头", feeling(label))
    assert (card.rule, card.text, card.kind) == ("matched_reply", text, CardKind.CARD)


@pytest.mark.parametrize("label", ["neutral", "unknown"])
def test_no_reply_is_offered_for_other_emotions(script: Any, label: str) -> None:
    assert script.customer("我想改一下发票抬头", feeling(label)) == []


def test_no_reply_is_offered_for_an_emotion_that_is_a_guess(script: Any) -> None:
    assert script.customer("我想改一下发票抬头", feeling("anxious", 0.4)) == []


def test_a_complaint_in_words_is_soothed_whatever_the_voice_says(script: Any) -> None:
    (card,) = script.customer("你们服务太差了我要投诉", feeling("unknown", 0.0))
    assert card.rule == "matched_reply"
    assert "抱歉" in card.text


@pytest.mark.parametrize(
    "said",
    [
        "我完全理解您的心情",
        "非常抱歉给您带来不便",
        "我们会优先处理的",
        "I completely understand.",
        "I'm so sorry to hear that.",
    ],
)
def test_no_reply_is_offered_that_the_agent_has_just_given(script: Any, said: str) -> None:
    script.agent(said)
    assert script.customer("我想改一下发票抬头", feeling("anxious")) == []


def test_what_the_agent_said_long_ago_does_not_count(script: Any) -> None:
    script.agent("非常抱歉给您带来不便")
    script.now += 30_000
    assert "matched_reply" in rules(script.customer("我想改一下发票抬头", feeling("anxious")))


def test_a_reply_is_offered_once_a_call_and_thanks_do_not_use_it_up(script: Any) -> None:
    assert rules(script.customer("好的", feeling("satisfied"))) == {"matched_reply"}
    assert rules(script.customer("好的", feeling("satisfied"))) == set()
    assert rules(script.customer("我想改一下发票抬头", feeling("anxious"))) == {"matched_reply"}
    assert rules(script.customer("我想改一下发票抬头", feeling("disappointed"))) == set()


def test_a_competitor_gets_one_card_for_each_name(script: Any) -> None:
    (first,) = script.customer("云集优选比你们便宜")
    assert "云集优选" in first.title
    assert script.customer("人家云集友选就是便宜") == []
    (second,) = script.customer("Blue Harbor也便宜")
    assert "Blue Harbor" in second.title
    assert "云集优选" not in second.text


def test_two_competitors_in_one_breath_share_a_card(script: Any) -> None:
    (card,) = script.customer("Both Blue Harbor and 云集优选 are cheaper")
    assert "Blue Harbor" in card.title
    assert "云集优选" in card.title
    assert script.customer("Blue Harbor is cheaper") == []


def test_a_wish_without_a_name_adds_nothing_to_a_card_with_one(script: Any) -> None:
    assert "competitor" in rules(script.customer("I will move to Blue Harbor"))
    assert "competitor" not in rules(script.customer("yes I am going to another provider"))


def test_the_name_stands_in_the_card_of_an_english_call(script: Any) -> None:
    (card,) = script.customer("Blue Harper offers the same data for half the price.")
    assert card.trigger == ("Blue Harper",)
    assert card.title == "Talk track: our advantages over Blue Harbor"
    assert "{" not in card.text + card.title + card.reason


def test_a_sentence_that_a_pause_cuts_in_two_is_heard_once(script: Any) -> None:
    assert script.customer("这已经是我第三次", span=(0, 2000)) == []
    (card,) = script.customer("打电话了", span=(2600, 4000))
    assert (card.rule, card.utterance_id) == ("repeated_contact", "c:customer:2600")


def test_a_denial_before_a_pause_still_denies(script: Any) -> None:
    script.customer("I don't want to", span=(0, 1000))
    assert script.customer("cancel my plan", span=(1600, 2600)) == []


def test_sentences_with_a_long_pause_between_are_not_joined(script: Any) -> None:
    script.customer("这已经是我第三次", span=(0, 2000))
    assert script.customer("打电话了", span=(6000, 7000)) == []


def test_a_greeting_counts_only_at_the_start(script: Any) -> None:
    for _ in range(3):
        script.agent("请稍等")
    assert script.agent("您好，请问有什么可以帮您") == []


def test_a_closing_may_stand_in_two_utterances(script: Any) -> None:
    script.customer("我想查一下订单")
    script.customer("就是上周那个")
    script.now += 15_000
    assert "closing" not in rules(script.agent("请问还有其他可以帮您的吗"))
    script.customer("没有了")
    (card,) = [each for each in script.agent("好的，祝您生活愉快，再见") if each.rule == "closing"]
    assert len(card.trigger) == 2


CLOSING = [
    "请问您的问题都解决了吗？感谢您的来电，祝您生活愉快。",
    "请问还有其他可以帮您的吗？那祝您生活愉快再见",
    "您看问题解决了吗感谢来电",
    "还有什么需要我帮忙的吗谢谢您的来电",
    "还有别的问题吗好的感谢您的支持再见",
    "您还有其他疑问吗没有的话祝您一天愉快",
    "You are welcome. Is there anything else I can help you with? Have a wonderful day.",
    "did that solve your problem? thank you for calling",
    "is there anything else? goodbye",
    "do you have any other questions? have a nice evening",
    "has your issue been resolved? thanks for your call, bye",
    "anything else I can do for you today? take care",
]
NO_CLOSING = [
    "感谢您的耐心等待",
    "请问您的问题是什么",
    "感谢您的来电",
    "请问还有其他问题吗",
    "再见",
    "我帮您看看问题解决了没有",
    "thank you for waiting",
    "have a look at your screen please",
    "is there anything else",
    "thank you for calling",
    "do you have your order number",
]


def late(script: Any) -> Any:
    for _ in range(3):
        script.agent("请稍等")
        script.customer("嗯")
    script.now += 15_000
    return script


@pytest.mark.parametrize("text", CLOSING)
def test_a_closing_is_ticked(script: Any, text: str) -> None:
    assert ("closing", CardKind.TICK) in {(card.rule, card.kind) for card in late(script).agent(text)}


@pytest.mark.parametrize("text", NO_CLOSING)
def test_half_a_closing_is_none(script: Any, text: str) -> None:
    assert "closing" not in rules(late(script).agent(text))


def test_cards_come_in_the_language_that_the_customer_speaks_most(script: Any) -> None:
    script.customer("你好")
    script.customer("我想查订单")
    (card,) = script.customer("I want to cancel my order")
    assert card.language == "zh"
    assert card.title == "客户有离开的意向"


def test_a_rule_that_cannot_be_run_is_told_and_silences_no_other(
    monkeypatch: pytest.MonkeyPatch, script_of: Callable[[Assistant], Any]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    script = script_of(Assistant(load()))
    monkeypatch.setattr(module, "agitated", broken)
    told = script.say(script.utterance(Channel.CUSTOMER, "我要退款"))
    (degraded,) = [each for each in told if isinstance(each, Degraded)]
    assert degraded.reason == "the rule soothe_and_escalate could not be run (ZeroDivisionError)"
    assert [each.rule for each in told if isinstance(each, Card)] == ["cancel_intent"]


def test_signals_count_each_time_and_a_content_customer_settles_the_issue(script: Any) -> None:
    script.customer("我要退款")
    script.customer("我要退款，太贵了")
    features = script.state.features
    assert (features.cancel.count, features.refund.count, features.price.count, features.unresolved) == (2, 2, 1, True)
    script.customer("不要退款了")
    assert script.state.features.refund.count == 2
    script.customer("那行", feeling("satisfied"))
    features = script.state.features
    assert (features.satisfied.count, features.cancel.since, features.unresolved) == (1, 2, False)
