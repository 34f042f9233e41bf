"""Synopses of calls: the two sample calls sentence by sentence, and what holds for any call."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.digest import Digest
from agent_assist.advice.summary import digest_of, synopsis, synopsis_of
from agent_assist.call.record import empty
from agent_assist.types import Assist, CallEnded, CallStarted, CallSynopsis, Degraded, SynopsisPart
from audio.types import Channel
from models.intent import Intent
from models.types import Utterance

SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Wednesday.
START = datetime(2026, 11, 25, 7, 20, tzinfo=UTC)
P = SynopsisPart

Golden = list[tuple[SynopsisPart, str, set[int], str]]
GOLDEN: dict[str, Golden] = {
    "zh_late_order": [
        (P.ISSUE, "客户来电：我上周买的空气净化器，到现在还没有收到。", {2}, ""),
        (
            P.ISSUE,
            "客户还说：每次都说在查，你们到底什么时候能解决；再不解决我就要退款，我朋友在云集优选买的，第二天就送到了，以后我也去他们家买。",
            {6, 7},
            "",
        ),
        (P.DONE, "客服处理：我查到您的包裹在中转仓延误了，我现在为您升级加急，同时补偿您一张五十元的优惠券。", {9}, ""),
        (P.PROMISE, "客服承诺：我们会优先处理。", {8}, ""),
        (P.PROMISE, "客服承诺：明天中午之前一定送到（2026-11-26 12:00前）。", {9}, "2026-11-26T12:00:00+08:00"),
        (P.PROMISE, "客服承诺：我会全程跟进。", {11}, ""),
        (P.PROMISE, "客服承诺：送到之后再给您回电确认。", {11}, ""),
        (P.OUTCOME, "客户回应：谢谢你，这次态度还不错。", {12}, ""),
        (P.SENTIMENT, "客户情绪：开始平静（-0.8），结束满意（+1.5）。", {2, 4, 10, 12}, ""),
        (P.NEXT, "下一步：2026-11-26 12:00前兑现「明天中午之前一定送到」。", {9}, "2026-11-26T12:00:00+08:00"),
    ],
    "en_cancel_plan": [
        (
            P.ISSUE,
            "The customer called about this: I would like to cancel my plan at the end of this month.",
            {2},
            "",
        ),
        (
            P.ISSUE,
            "The customer also said: It is just too expensive; last week your internet was down for two days, "
            "and nobody called me back.",
            {6, 7},
            "",
        ),
        (
            P.DONE,
            "The agent said what was done or offered: I can move you to our loyalty plan, which is twenty percent "
            "cheaper, and refund last week.",
            {9},
            "",
        ),
        (P.PROMISE, "The agent promised: I will send you the details by email.", {11}, ""),
        (
            P.PROMISE,
            "The agent promised: I will check your line tomorrow (by 2026-11-26 23:59).",
            {11},
            "2026-11-26T23:59:00+08:00",
        ),
        (
            P.OUTCOME,
            "The customer answered: Okay, great, then I will stay; Thank you very much for your help.",
            {12},
            "",
        ),
        (
            P.SENTIMENT,
            "The customer's mood: calm at the start (+0.0), satisfied at the end (+1.5).",
            {2, 4, 10, 12},
            "",
        ),
        (
            P.NEXT,
            "Next step, by 2026-11-26 23:59: “I will check your line tomorrow”.",
            {11},
            "2026-11-26T23:59:00+08:00",
        ),
    ],
}


Spoken = Callable[[str], list[Utterance]]


@pytest.mark.parametrize("name", GOLDEN)
def test_the_synopsis_of_a_sample_call_is_what_was_said_and_names_where(name: str, spoken: Spoken) -> None:
    utterances = spoken(name)
    found = synopsis("c", digest_of(utterances, START), 90_000, zone=SHANGHAI, over=True)
    turns = {utterance.id: turn for turn, utterance in enumerate(utterances, start=1)}
    assert [
        (
            one.part,
            one.text,
            {turns[each] for each in one.utterance_ids},
            "" if one.due_at is None else one.due_at.isoformat(),
        )
        for one in found.sentences
    ] == GOLDEN[name]
    assert (found.language, found.over) == (name[:2], True)
    assert found.text == ("" if found.language == "zh" else " ").join(one.text for one in found.sentences)


@pytest.mark.parametrize("name", GOLDEN)
def test_every_quoted_word_of_a_synopsis_stands_in_the_utterances_that_it_names(name: str, spoken: Spoken) -> None:
    utterances = {utterance.id: utterance for utterance in spoken(name)}
    for one in digest_of(utterances.values(), START).promises:
        assert one.text.rstrip("。.，,") in utterances[one.id].text


def line(channel: Channel, start_s: int, text: str, intents: tuple[Intent, ...] = ()) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{start_s * 1000}",
        channel=channel,
        number=0,
        start_ms=start_s * 1000,
        end_ms=start_s * 1000 + 2_000,
        text=text,
        language="zh" if any("一" <= letter <= "鿿" for letter in text) else "en",
        confidence=1.0,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
        intents=intents,
    )


A, C = Channel.AGENT, Channel.CUSTOMER


def promised(text: str) -> CallSynopsis:
    return synopsis(
        "c",
        digest_of([line(C, 0, "我的快递没收到" if "我" in text else "My parcel is lost"), line(A, 4, text)], START),
        6_000,
    )


def test_what_names_no_date_says_so() -> None:
    soon = [one for one in promised("我会尽快给您回电。").sentences if one.part is P.PROMISE]
    assert [(one.text, one.due_at, one.due_note) for one in soon] == [
        ("客服承诺：我会尽快给您回电（期限无法确定：尽快）。", None, "vague")
    ]
    work = [
        one for one in promised("We will refund you within three business days.").sentences if one.part is P.PROMISE
    ]
    assert [one.text for one in work] == [
        "The agent promised: We will refund you within three business days "
        "(by 2026-11-30 23:59, public holidays not counted)."
    ]


def test_when_a_recording_was_made_is_not_known_and_its_dates_are_not_resolved() -> None:
    record = empty("c")
    said = (line(C, 0, "我的快递没收到"), line(A, 4, "我会明天下午三点给您回电"))
    record = type(record)(
        **{name: getattr(record, name) for name in record.__struct_fields__}
        | {"utterances": said, "protocol": "recording", "started_at": START, "status": "ended"}
    )
    [promise] = [one for one in synopsis_of(record).sentences if one.part is P.PROMISE]
    assert (promise.due_at, promise.due_note, promise.due_words) == (None, "no_start", "明天下午三点")
    assert "通话开始时间不详" in promise.text


@pytest.mark.parametrize(
    "text",
    [
        "请问您会继续使用吗?",
        "祝您生活愉快,会员权益不变。",
        "您需要的话会不会麻烦?",
        "Let me see what I can do for you.",
        "I'll just check that for you.",
        "Will you hold the line?",
        "You will need to call the courier.",
    ],
)
def test_other_words_are_no_promise(text: str) -> None:
    assert digest_of([line(A, 0, text)], START).promises == ()


@pytest.mark.parametrize(
    "text",
    [
        "我们会在三个工作日内给您退款",
        "保证明天送到",
        "稍后我再给您回电",
        "I'll call you back by Friday",
        "We are going to send a technician tomorrow",
        "The refund will arrive within five days",
    ],
)
def test_promises_are_heard(text: str) -> None:
    assert [one.text for one in digest_of([line(A, 0, text)], START).promises] == [text]


def test_an_intent_makes_a_sentence_the_issue_and_a_greeting_is_none() -> None:
    digest = digest_of(
        [
            line(C, 0, "Hello, good morning to you all."),
            line(C, 3, "The box has a big dent in it now.", (Intent.TECHNICAL_FAULT,)),
        ],
        START,
    )
    assert [one.text for one in digest.issues] == ["The box has a big dent in it now."]


def test_numbers_and_addresses_of_mail_are_masked() -> None:
    said = line(C, 0, "我要取消订单20261108,手机号13800138000,邮箱li@example.com")
    assert [one.text for one in digest_of([said], START).issues] == ["我要取消订单[号码],手机号[号码],邮箱[号码]"]


def test_a_call_in_which_nothing_happens_has_no_sentence() -> None:
    assert synopsis("c", Digest(), 0).sentences == ()
    assert synopsis("c", digest_of([line(A, 0, "Hello?"), line(C, 3, "Hello")], None), 0).text == ""


LINES = st.builds(
    line,
    st.sampled_from(Channel),
    st.integers(0, 4_000),
    st.sampled_from(
        [*(sentence for golden in GOLDEN.values() for _, sentence, _, _ in golden), "好的", "I will call you tomorrow."]
    )
    | st.text(max_size=80),
)


@given(st.lists(LINES, max_size=30))
def test_every_sentence_rests_on_utterances_of_the_call_and_a_synopsis_stays_small(lines: list[Utterance]) -> None:
    found = synopsis("c", digest_of(lines, START), 0, zone=SHANGHAI)
    ids = {one.id for one in lines}
    assert len(found.sentences) <= 2 + 3 + 6 + 1 + 1 + 1
    for one in found.sentences:
        assert one.utterance_ids
        assert set(one.utterance_ids) <= ids
        assert len(one.text) < 600


def test_the_assistant_tells_the_synopsis_when_something_new_is_in_it_and_whole_at_the_end(
    told: Callable[[str], list[tuple[int, Assist | Degraded]]], spoken: Spoken, script: Any
) -> None:
    running = [(turn, each) for turn, each in told("zh_late_order") if isinstance(each, CallSynopsis)]
    assert [turn for turn, _ in running] == [2, 6, 7, 8, 9, 11, 12]
    assert not any(each.over for _, each in running)
    state, _ = script.assistant.step(None, CallStarted(call_id="c", at=START, protocol="twilio"))
    script.state = state
    for utterance in spoken("zh_late_order"):
        script.say(utterance)
    _, last = script.assistant.step(script.state, CallEnded(call_id="c", duration_ms=92_380, reason="hangup"))
    [whole] = [each for each in last if isinstance(each, CallSynopsis)]
    assert (whole.over, whole.at_ms) == (True, 92_380)
    # Without a zone of the business, in UTC.
    assert [one.due_at for one in whole.sentences if one.due_at] == [datetime(2026, 11, 26, 12, 0, tzinfo=UTC)] * 2
