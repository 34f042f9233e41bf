"""Information collected again: annotated dialogues, the time to a second, and what is no such question."""

from datetime import UTC, datetime

import msgspec
import pytest

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.call.fields import REQUIRED, Field, fields_asked, fields_given, known_of
from agent_assist.call.recollect import Recollecting, hint, recollection
from agent_assist.call.state import CallState
from agent_assist.types import CallStarted, Final, Hint
from audio.types import Channel
from models.intent import Intent
from models.types import Utterance

F = Field
Line = tuple[str, float, float, str]


def said(line: Line, intents: tuple[Intent, ...] = ()) -> Utterance:
    who, start_s, end_s, text = line
    channel = Channel.AGENT if who == "A" else Channel.CUSTOMER
    return Utterance(
        id=f"c:{channel}:{round(start_s * 1000)}",
        channel=channel,
        number=0,
        start_ms=round(start_s * 1000),
        end_ms=round(end_s * 1000),
        text=text,
        language="zh" if any("一" <= letter <= "鿿" for letter in text) else "en",
        confidence=1.0,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
        intents=intents,
    )


CHINESE: list[Line] = [
    ("A", 0, 3, "您好,请问有什么可以帮您?"),
    ("C", 4, 8, "我的订单一直没收到。"),
    ("A", 9, 12, "麻烦您提供一下订单号和手机号码。"),
    ("C", 13, 22, "订单号是20261108,手机号是13800138000。"),
    ("A", 23, 26, "请问您怎么称呼?"),
    ("C", 27, 29, "我姓李。"),
    ("A", 30, 33, "好的,我帮您转给专员。"),
    ("A", 60, 63, "您好李女士,麻烦您再报一下手机号。"),
    ("C", 64, 66, "我刚才不是说过了吗?"),
    ("A", 66.2, 66.8, "嗯"),
    ("C", 67, 72, "13800138000。"),
    ("A", 73, 76, "好的,正在为您处理。"),
    ("A", 100, 104, "为了您的账户安全,请提供一下身份证号码。"),
    ("C", 105, 112, "110101199003078888。"),
    ("A", 113, 116, "好的,核实通过。"),
]
ENGLISH: list[Line] = [
    ("A", 0, 3, "Good morning, how can I help you?"),
    ("C", 4, 9, "My parcel is lost. My order number is 4 4 2 1 7."),
    ("A", 10, 13, "Sorry about that. May I have your name and your order number?"),
    ("C", 14, 20, "Anna Miller, and it is 44217."),
    ("A", 21, 24, "What's your email address?"),
    ("C", 25, 30, "anna at example dot com"),
    ("A", 31, 34, "Could you please confirm your phone number?"),
    ("C", 35, 41, "I already told the last person. It is five five five zero one four two."),
    ("A", 42, 45, "Thank you. I will send your order number by text message."),
]


def test_a_chinese_call_counts_the_seconds_of_what_was_asked_again() -> None:
    found = recollection([said(line) for line in CHINESE], 120_000)
    [one] = found.asked
    assert (one.start_ms, one.end_ms, one.ms) == (60_000, 72_000, 12_000)
    assert (one.fields, one.known) == (("phone",), {"phone": "call"})
    assert one.question_id == "c:agent:60000"
    assert one.answer_ids == ("c:customer:64000", "c:customer:67000")
    assert (found.ms, found.share) == (12_000, 0.1)


def test_an_english_call_counts_fields_by_their_share_of_the_question() -> None:
    found = recollection([said(line) for line in ENGLISH], 50_000)
    first, last = found.asked
    # Of name and order number the order number was known: half of 10 s.
    assert (first.known, first.ms) == ({"order_number": "call"}, 5_000)
    assert (last.known, last.ms) == ({"phone": "told"}, 10_000)
    assert (found.ms, found.share) == (15_000, 0.3)


def test_what_the_profile_has_is_known_from_the_start_and_hinted_at_with_the_question() -> None:
    known = known_of({"order_no": "20261108", "Phone": "138", "email": " ", "tier": "gold"}, "李")
    assert known == {F.ORDER, F.PHONE, F.NAME}
    call = Recollecting(known=known)
    needless: dict[str, tuple[Field, ...]] = {}
    for line in CHINESE[:4]:
        call, fields = call.push(said(line))
        needless |= {said(line).id: fields} if fields else {}
    assert needless == {"c:agent:9000": (F.PHONE, F.ORDER)}
    chinese = hint("c", said(CHINESE[2]), (F.PHONE, F.ORDER), "zh")
    assert (chinese.id, chinese.at_ms, chinese.fields) == ("c:hint:c:agent:9000", 12_000, ("phone", "order_number"))
    assert chinese.text == "已知:手机号、订单号"
    assert hint("c", said(CHINESE[2]), (F.PHONE, F.ORDER), "en").text == "already known: phone, order no."
    [one] = call.told(26_000).asked
    assert (one.ms, one.known) == (13_000, {"phone": "profile", "order_number": "profile"})


def test_the_agent_of_a_running_call_who_asks_for_what_is_known_gets_a_hint_once_for_each_question() -> None:
    assistant = Assistant(load())
    start = CallStarted(
        call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="test", attributes={"order_no": "20261108"}
    )
    told: list[Hint] = []
    state = None
    numbers = {Channel.AGENT: 0, Channel.CUSTOMER: 0}
    finals: list[Final] = []
    for line in CHINESE[:9]:
        utterance = said(line)
        number = numbers[utterance.channel]
        numbers[utterance.channel] += 1
        finals.append(Final(call_id="c", utterance=msgspec.structs.replace(utterance, number=number)))
    # Each comes twice, and the state goes through its saved form in between.
    for event in [start, *(final for each in finals for final in (each, each))]:
        state, found = assistant.step(state, event)
        state = msgspec.json.decode(msgspec.json.encode(state), type=CallState)
        told += [each for each in found if isinstance(each, Hint)]
    assert [(each.id, each.fields, each.text) for each in told] == [
        ("c:hint:c:agent:9000", ("order_number",), "已知:订单号"),
        ("c:hint:c:agent:60000", ("phone",), "已知:手机号"),
    ]


def test_an_intent_of_having_told_it_before_is_enough() -> None:
    call, fields = Recollecting().push(said(("A", 0, 2, "请问您的地址是什么?")))
    assert fields == ()
    call, fields = call.push(said(("C", 3, 6, "怎么又要问一遍"), (Intent.ALREADY_TOLD,)))
    assert fields == (F.ADDRESS,)
    assert call.told(6_000).asked[0].known == {"address": "told"}


def test_what_must_be_verified_is_neither_hinted_at_nor_counted() -> None:
    lines: list[Line] = [
        ("A", 0, 3, "请提供一下身份证号码和手机号"),
        ("C", 4, 12, "身份证110101199003078888,手机13800138000"),
        ("A", 20, 23, "麻烦再报一下身份证号"),
        ("C", 24, 30, "我已经说过了"),
    ]
    known = {F.IDENTITY, F.CARD}
    assert {F.IDENTITY, F.CARD} == REQUIRED
    assert recollection([said(line) for line in lines], 30_000, known=known).asked == ()
    call = Recollecting(known=frozenset(known))
    for line in lines:
        call, fields = call.push(said(line))
        assert fields == ()
    # Where the setting does not name it, it counts as the rest.
    found = recollection([said(line) for line in lines], 30_000, required=())
    assert [(one.ms, one.known) for one in found.asked] == [(10_000, {"identity_number": "call"})]


def test_a_question_without_an_answer_counts_its_own_time() -> None:
    lines: list[Line] = [("A", 0, 2, "What is your phone number?"), ("A", 5, 6, "Never mind, I see it here.")]
    found = recollection([said(line) for line in lines], 0, known={F.PHONE})
    assert [(one.ms, one.answer_ids) for one in found.asked] == [(2_000, ())]
    assert found.share is None


def test_the_order_in_which_utterances_are_given_does_not_matter() -> None:
    utterances = [said(line) for line in ENGLISH]
    assert recollection(utterances[::-1], 50_000) == recollection(utterances, 50_000)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("麻烦您提供一下订单号和手机号码。", (F.PHONE, F.ORDER)),
        ("请问您的姓名是什么?", (F.NAME,)),
        ("您贵姓?", (F.NAME,)),
        ("您的邮箱地址是多少?", (F.EMAIL,)),
        ("请您再确认一下收货地址", (F.ADDRESS,)),
        ("请报一下您的出生日期", (F.BIRTHDAY,)),
        ("方便告诉我您的会员号吗", (F.ACCOUNT,)),
        ("Can I take your date of birth, please?", (F.BIRTHDAY,)),
        ("What's the best number to reach you on?", (F.PHONE,)),
        ("Could you spell your last name for me?", (F.NAME,)),
        ("I just need your order number.", (F.ORDER,)),
        ("Who am I speaking with?", (F.NAME,)),
        ("And your postcode, please?", (F.ADDRESS,)),
        ("May I have the last four digits of your card?", (F.CARD,)),
        ("Can I have your email address and your home address?", (F.ADDRESS, F.EMAIL)),
    ],
)
def test_questions_for_a_field_are_heard(text: str, fields: tuple[Field, ...]) -> None:
    assert fields_asked(text) == fields


@pytest.mark.parametrize(
    "text",
    [
        "我帮您核对一下地址",
        "我这边看到您的订单号了",
        "您的手机号是13800138000,对吗?",
        "不用提供订单号",
        "I will send your order number by text message.",
        "I have your phone number here.",
        "You do not need to give me your name again.",
        "My name is Anna, how can I help you?",
        "Your order will arrive tomorrow.",
        "请问还有什么可以帮您?",
    ],
)
def test_other_words_ask_for_nothing(text: str) -> None:
    assert fields_asked(text) == ()


@pytest.mark.parametrize(
    ("text", "asked", "given"),
    [
        ("订单号是二零二六一一零八", (), {F.ORDER}),
        ("13800138000", (F.PHONE,), {F.PHONE}),
        ("13800138000", (), set()),
        ("我不知道", (F.PHONE, F.ORDER), set()),
        ("My name is Anna.", (), {F.NAME}),
        ("it is five five five zero one four two", (F.PHONE,), {F.PHONE}),
        ("朝阳区建国路8号", (F.ADDRESS,), {F.ADDRESS}),
    ],
)
def test_what_a_customer_has_given_is_heard(text: str, asked: tuple[Field, ...], given: set[Field]) -> None:
    assert fields_given(text, asked) == given
