"""The standard flow: what was done stays done, branches bend it, deviations are told and nothing is blocked."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_assist.advice.checking import check
from agent_assist.advice.playbook import Playbook, load
from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState
from agent_assist.errors import PlaybookError
from agent_assist.types import Assist, CallEnded, CallFlow, CallStarted, Degraded, Event, Final
from audio.types import Channel
from models.intent import Intent
from models.types import Emotion, EmotionLabel, Utterance

FLOWS = """
- id: gold_service
  title: {en: Gold}
  profile: customer.tier == "gold"
  steps: [{id: hello, title: {en: Hello}, done: {phrases: {en: [hello]}}}]
- id: service
  title: {en: Service, zh: 服务}
  steps:
    - {id: hello, title: {en: Hello, zh: 问候}, done: {phrases: {en: [hello], zh: [您好]}}}
    - {id: who, title: {en: Who}, done: {phrases: {en: [your name]}}}
    - {id: survey, title: {en: Survey}, optional: true, done: {phrases: {en: [a survey]}}}
    - {id: what, title: {en: What}, done: {speaker: customer, phrases: {en: [broken]}, intents: [refund]}}
    - {id: bye, title: {en: Bye}, done: {phrases: {en: [goodbye]}}}
  branches:
    - id: complaint
      title: {en: Complaint}
      when: {intents: [complaint], emotions: [angry], phrases: {en: [terrible]}, risk: {level: critical}}
      reason: {en: "Heard: {words}"}
      after: hello
      steps: [{id: sorry, title: {en: Sorry}, done: {phrases: {en: [so sorry]}}}]
    - id: vip
      title: {en: Vip}
      when: {profile: customer.tier == "vip"}
      reason: {en: A vip}
      waives: [who]
"""
PLAYBOOK = msgspec.convert({"name": "t", "version": "1", "rules": [], "flows": yaml.safe_load(FLOWS)}, Playbook)
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.8, confidence=0.9)


def started(**attributes: str) -> CallStarted:
    return CallStarted(call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="twilio", attributes=attributes)


def said(
    number: int,
    line: str,
    *,
    end_ms: int | None = None,
    emotion: Emotion | None = None,
    intents: tuple[Intent, ...] = (),
) -> Final:
    """``A: words`` or ``C: words``, ten seconds after each other."""
    channel = Channel.AGENT if line[0] == "A" else Channel.CUSTOMER
    end = (number + 1) * 10_000 if end_ms is None else end_ms
    return Final(
        call_id="c",
        utterance=Utterance(
            id=f"c:{channel}:{number}",
            channel=channel,
            number=number,
            start_ms=end - 2_000,
            end_ms=end,
            text=line[3:],
            language="zh" if "一" <= line[3] <= "鿿" else "en",
            confidence=0.9,
            words=(),
            sentiment=None,
            emotion=emotion,
            loudness_dbfs=None,
            intents=intents,
        ),
    )


def run(events: list[Event], playbook: Playbook = PLAYBOOK) -> tuple[CallState, list[CallFlow]]:
    assistant, state = Assistant(playbook), None
    told: list[Assist | Degraded] = []
    for event in events:
        state, new = assistant.step(state, event)
        told += new
    assert state is not None
    return state, [each for each in told if isinstance(each, CallFlow)]


def talk(*lines: str, end: bool = True, **attributes: str) -> list[CallFlow]:
    events: list[Event] = [started(**attributes), *(said(number, line) for number, line in enumerate(lines))]
    return run([*events, CallEnded(call_id="c", duration_ms=900_000, reason="hangup")] if end else events)[1]


def states(flow: CallFlow) -> dict[str, str]:
    return {step.id: step.state for step in flow.steps}


def test_a_call_begins_with_all_steps_open_and_goes_on_with_each_that_is_done() -> None:
    first, second, third = talk("A: hello there", "A: may I have your name", end=False)
    assert set(states(first).values()) == {"open"}
    assert (first.current, second.current, third.current) == ("hello", "who", "what")
    assert states(third) == {"hello": "done", "who": "done", "survey": "open", "what": "open", "bye": "open"}
    assert third.steps[1].utterance_id == "c:agent:1"


def test_nothing_is_told_while_nothing_changes() -> None:
    assert len(talk("A: hello", "A: hello", "C: well", end=False)) == 2


def test_a_whole_flow_is_followed_whole() -> None:
    last = talk("A: hello", "A: your name please", "C: it is broken", "A: goodbye")[-1]
    assert (last.adherence, last.over, last.current) == (1.0, True, None)
    assert not any(step.out_of_order for step in last.steps)


def test_what_was_skipped_is_told_and_what_is_done_late_is_out_of_order() -> None:
    told = talk("A: hello", "C: it is broken", "A: your name please")
    assert states(told[2])["who"] == "skipped"
    assert states(told[3])["who"] == "done"
    assert [step.id for step in told[3].steps if step.out_of_order] == ["who"]
    assert told[-1].adherence == pytest.approx(3 / 4)


def test_an_optional_step_is_never_missed_nor_late() -> None:
    last = talk("A: hello", "A: your name please", "C: it is broken", "A: goodbye", "A: a survey")[-1]
    assert last.adherence == 1.0
    assert not any(step.out_of_order or step.state == "skipped" for step in last.steps)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (said(1, "C: this is terrible"), "words"),
        (said(1, "C: I say this once", intents=(Intent.COMPLAINT,)), "intent"),
        (said(1, "C: I say this once", emotion=ANGRY), "emotion"),
    ],
)
def test_a_branch_is_taken_by_words_intent_or_emotion_and_adds_its_steps(event: Final, why: str) -> None:
    flow = run([started(), said(0, "A: hello"), event])[1][-1]
    assert [(branch.id, branch.why, branch.utterance_id) for branch in flow.branches] == [
        ("complaint", why, event.utterance.id)
    ]
    assert [step.id for step in flow.steps] == ["hello", "sorry", "who", "survey", "what", "bye"]
    assert (flow.steps[1].branch, flow.current) == ("complaint", "sorry")


def test_a_branch_is_taken_by_the_risk_that_was_known_before_the_call() -> None:
    [flow] = talk(end=False, risk_level="critical")
    assert [(branch.why, branch.utterance_id) for branch in flow.branches] == [("risk", "")]
    assert not talk(end=False, risk_level="elevated")[0].branches


def test_a_branch_by_profile_waives_a_step_that_then_does_not_count() -> None:
    last = talk("A: hello", "C: it is broken", "A: goodbye", customer_tier="vip")[-1]
    assert states(last)["who"] == "waived"
    assert last.adherence == 1.0


def test_steps_of_a_branch_are_not_late_for_what_was_done_before_it_was_taken() -> None:
    last = talk("A: hello", "A: your name please", "C: this is terrible", "A: I am so sorry", "C: it is broken")[-1]
    assert not any(step.out_of_order for step in last.steps)
    late = talk("A: hello", "C: this is terrible", "A: your name please", "A: I am so sorry")[-1]
    assert [step.id for step in late.steps if step.out_of_order] == ["sorry"]


def test_the_first_flow_that_fits_is_followed() -> None:
    assert talk(end=False, customer_tier="gold")[0].flow == "gold_service"
    assert talk(end=False)[0].flow == "service"


def test_a_profile_that_cannot_be_calculated_is_told_and_stops_nothing() -> None:
    flows = yaml.safe_load(FLOWS.replace('customer.tier == "vip"', "int(customer.tier) > 2"))
    playbook = msgspec.convert({"name": "t", "version": "1", "rules": [], "flows": flows}, Playbook)
    _, told = Assistant(playbook).step(None, started(customer_tier="best"))
    assert any(isinstance(each, Degraded) and "vip" in each.reason for each in told)
    assert any(isinstance(each, CallFlow) for each in told)


def test_titles_come_in_the_language_that_is_spoken() -> None:
    told = talk("A: 您好", end=False)
    assert [(flow.language, flow.title) for flow in told] == [("en", "Service"), ("zh", "服务")]
    assert talk(end=False, language="zh-CN")[0].title == "服务"


LINES = st.lists(
    st.sampled_from(["A: hello", "A: your name", "C: broken", "C: terrible", "A: so sorry", "A: goodbye", "C: well"]),
    max_size=12,
)


@settings(max_examples=40)
@given(LINES)
def test_what_was_done_or_taken_stays_so(lines: list[str]) -> None:
    told = talk(*lines)
    for before, after in pairwise(told):
        done = {step.id: step.at_ms for step in before.steps if step.state == "done"}
        assert done.items() <= {step.id: step.at_ms for step in after.steps}.items()
        assert set(before.branches) <= set(after.branches)


@settings(max_examples=40)
@given(LINES)
def test_the_same_events_give_the_same_flow_and_those_that_come_twice_change_nothing(lines: list[str]) -> None:
    events: list[Event] = [started(), *(said(number, line) for number, line in enumerate(lines))]
    state, told = run(events)
    assert run(events) == (state, told)
    assert run([each for event in events for each in (event, event)]) == (state, told)


@settings(max_examples=40)
@given(LINES, st.integers(0, 12))
def test_a_state_that_was_stored_goes_on_as_if_it_had_not_been(lines: list[str], cut: int) -> None:
    events: list[Event] = [started(), *(said(number, line) for number, line in enumerate(lines))]
    assistant = Assistant(PLAYBOOK)
    state = None
    for number, event in enumerate(events):
        if number == cut and state is not None:
            state = msgspec.json.decode(msgspec.json.encode(state), type=CallState)
        state, _ = assistant.step(state, event)
    assert state == run(events)[0]


@settings(max_examples=40)
@given(st.permutations(["A: hello", "C: broken", "A: your name"]))
def test_of_what_ends_at_the_same_moment_nothing_is_out_of_order(lines: list[str]) -> None:
    events: list[Event] = [started(), *(said(number, line, end_ms=10_000) for number, line in enumerate(lines))]
    last = run(events)[1][-1]
    assert {step.id for step in last.steps if step.state == "done"} == {"hello", "who", "what"}
    assert not any(step.out_of_order for step in last.steps)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: who", "id: hello", "hello twice"),
        ("after: hello", "after: nowhere", "nowhere"),
        ("waives: [who]", "waives: [nobody]", "nobody"),
        ("waives: [who]", "colour: red", "colour"),
        ("{phrases: {en: [your name]}}", "{}", "expected phrases, intents or rules"),
        ('{profile: customer.tier == "vip"}', "{}", "expected phrases, intents, emotions, risk, profile or rules"),
    ],
)
def test_a_flow_that_cannot_be_followed_is_refused(old: str, new: str, told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=told):
        msgspec.convert(
            {"name": "t", "version": "1", "rules": [], "flows": yaml.safe_load(FLOWS.replace(old, new))}, Playbook
        )


DEFAULT = {
    "zh": ["A: 您好,很高兴为您服务", "A: 请问怎么称呼您,核对一下您的手机号", "C: 我买的东西坏了",
           "A: 您是想换货对吗", "C: 对", "A: 我马上帮您处理换货", "A: 问题都解决了吗,祝您生活愉快,再见"],
    "en": ["A: good morning, how can I help", "A: may I have your order number", "C: my router is broken",
           "A: so you want a new one", "C: yes", "A: I will send a new one today", "A: anything else, goodbye"],
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_default_flow_recognises_its_steps_in_both_languages(language: str) -> None:
    events: list[Event] = [started(), *(said(number, line) for number, line in enumerate(DEFAULT[language]))]
    events.append(CallEnded(call_id="c", duration_ms=90_000, reason="hangup"))
    last = run(events, load())[1][-1]
    assert states(last) == dict.fromkeys(["greet", "identify", "classify", "solve", "close"], "done")
    assert last.adherence == 1.0


@pytest.mark.parametrize(
    ("line", "branch", "step"),
    [
        ("C: 我要投诉你们", "complaint", "A: 非常抱歉"),
        ("C: I want to make a complaint", "complaint", "A: I am so sorry"),
    ],
)
def test_the_default_flow_bends_to_a_complaint(line: str, branch: str, step: str) -> None:
    last = run([started(), said(0, line), said(1, step)], load())[1][-1]
    assert [one.id for one in last.branches] == [branch]
    assert states(last)["soothe"] == "done"


def test_the_default_flow_bends_to_a_valued_customer() -> None:
    flow = run([started(customer_tier="gold"), said(0, "A: I will personally take care of it")], load())[1][-1]
    assert states(flow)["own_contact"] == "done"


def test_a_flow_after_one_that_fits_always_is_found_to_be_unreachable() -> None:
    flows = tuple(reversed(PLAYBOOK.flows))
    [finding] = check(msgspec.structs.replace(PLAYBOOK, flows=flows))
    assert (finding.rule, finding.kind) == ("gold_service", "unreachable")
    assert check(PLAYBOOK) == []


def test_a_flow_that_names_a_rule_that_is_none_is_refused(tmp_path: Path) -> None:
    text = FLOWS.replace("{phrases: {en: [goodbye]}}", "{rules: [leave_taking]}")
    (tmp_path / "flows.yaml").write_text(f"name: t\nversion: '1'\nrules: []\nflows: {yaml.safe_load(text)}", "utf-8")
    with pytest.raises(PlaybookError, match="leave_taking"):
        load(tmp_path)
