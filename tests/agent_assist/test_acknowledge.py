"""Whether the agent takes the customer's emotion up, and greets by name."""

from collections.abc import Callable

import pytest

from agent_assist.call.acknowledge import acknowledgements, greeted_by_name, takes_up
from audio.types import Channel
from models.types import Emotion, EmotionLabel, Utterance

A, C = Channel.AGENT, Channel.CUSTOMER
ANGRY, ANXIOUS, SATISFIED = EmotionLabel.ANGRY, EmotionLabel.ANXIOUS, EmotionLabel.SATISFIED


def said(
    channel: Channel, start_s: int, text: str, label: EmotionLabel | None = None, confidence: float = 0.8
) -> Utterance:
    emotion = None
    if label is not None:
        emotion = Emotion(label=label, valence=None, arousal=None, agitation=None, confidence=confidence)
    return Utterance(
        id=f"c:{channel}:{start_s}",
        channel=channel,
        number=0,
        start_ms=start_s * 1000,
        end_ms=start_s * 1000 + 900,
        text=text,
        language="en",
        confidence=1.0,
        words=(),
        sentiment=None,
        emotion=emotion,
        loudness_dbfs=None,
    )


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("非常抱歉给您带来不便", ANGRY),
        ("我理解这对您很重要，我们会优先处理", ANXIOUS),
        ("您别着急，我马上为您处理", ANXIOUS),
        ("I understand how frustrating that is, and I apologize.", ANGRY),
        ("I'm so sorry about that.", ANGRY),
        ("That must be really frustrating.", ANGRY),
        ("You are welcome.", SATISFIED),
        ("谢谢您的认可", SATISFIED),
    ],
)
def test_phrases_that_take_an_emotion_up_are_heard(text: str, emotion: EmotionLabel) -> None:
    assert takes_up(text, emotion)


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("请提供一下订单号", ANGRY),
        ("What is your order number?", ANGRY),
        ("您要理解我们的规定", ANGRY),
        ("I do not understand what you want.", ANGRY),
        ("我不理解您的意思", ANGRY),
        ("You are welcome.", ANGRY),
        ("I am sorry to hear that.", SATISFIED),
    ],
)
def test_other_words_take_none_up(text: str, emotion: EmotionLabel) -> None:
    assert not takes_up(text, emotion)


def test_an_emotion_is_to_be_taken_up_in_the_next_two_utterances_and_assents_do_not_count() -> None:
    def judged(*agent: str) -> list[bool]:
        lines = [said(C, 0, "This is the third time!", ANGRY)]
        lines += [said(A, 2 * n + 2, text) for n, text in enumerate(agent)]
        return [one.acknowledged for one in acknowledgements(lines)]

    assert judged("What is your number?", "I am sorry about that.") == [True]
    assert judged("mm-hmm", "What is your number?", "I am sorry about that.") == [True]
    assert judged("What is your number?", "One moment.", "I am sorry about that.") == [False]
    assert judged() == []


def test_a_stretch_of_one_emotion_asks_for_one_reply() -> None:
    found = acknowledgements(
        [
            said(C, 0, "This is the third time!", ANGRY),
            said(C, 2, "Nobody calls back!", ANGRY),
            said(A, 4, "I am very sorry."),
            said(C, 6, "It is broken again.", ANGRY),
            said(A, 8, "Your number, please."),
            said(C, 10, "Hm.", ANGRY, 0.2),
            said(A, 12, "Thank you."),
        ]
    )
    assert [(one.utterance_id, one.acknowledged, one.by) for one in found] == [
        ("c:customer:0", True, "c:agent:4"),
        ("c:customer:6", False, None),
    ]


def test_an_emotion_on_the_agents_channel_is_never_judged() -> None:
    def lines(label: EmotionLabel | None) -> list[Utterance]:
        return [said(A, 0, "Hello.", label), said(C, 2, "Late again!", ANGRY), said(A, 4, "Your number?", label)]

    for label in EmotionLabel:
        assert acknowledgements(lines(label)) == acknowledgements(lines(None))
    assert [one.utterance_id for one in acknowledgements(lines(ANGRY))] == ["c:customer:2"]


def test_both_sample_calls_have_their_anger_taken_up(spoken: Callable[[str], list[Utterance]]) -> None:
    for name in ("zh_late_order", "en_cancel_plan"):
        found = acknowledgements(spoken(name))
        assert [one.acknowledged for one in found if one.emotion is ANGRY] == [True]


@pytest.mark.parametrize(
    ("name", "text", "greeted"),
    [
        ("李丽", "李女士您好", True),
        ("李丽", "李丽您好，请问有什么可以帮您", True),
        ("李女士", "李女士您好", True),
        ("欧阳明", "欧阳先生您好", True),
        ("李丽", "您好，请问有什么可以帮您", False),
        ("李丽", "王女士您好", False),
        ("Ms Anna Miller", "Good morning, Ms Miller.", True),
        ("Anna Miller", "Hello Anna, how can I help?", True),
        ("Anna Miller", "Hello, how can I help?", False),
        (None, "Hello Anna", None),
        ("  ", "Hello Anna", None),
    ],
)
def test_a_greeting_by_name_is_heard(name: str | None, text: str, greeted: bool | None) -> None:
    assert greeted_by_name([said(A, 0, text), said(C, 2, "Hello, 李女士, Anna Miller")], name) is greeted


def test_a_name_that_comes_late_is_no_greeting() -> None:
    lines = [said(A, n, "Let me see.") for n in range(3)]
    assert greeted_by_name([*lines, said(A, 9, "Thank you, Anna.")], "Anna Miller") is False
