"""Cards before their evidence is final, and what holds whatever a call brings."""

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_assist.advice.playbook import Playbook
from agent_assist.call.assistant import Assistant
from agent_assist.call.record import add, empty
from agent_assist.call.state import CallState
from agent_assist.types import Assist, CallEnded, Card, Degraded, Event, Final, Partial, Webhook, Withdrawn, Withheld
from audio.types import Channel
from models.intent import Intent
from models.types import Emotion, EmotionLabel, Utterance

RULES = """
name: all
version: "1"
calm: {cards_per_minute: 2}
offers: {per_call: 3, wait_ms: 30000}
rules:
  - &rule {id: early, kind: card, speaker: customer, priority: 9, title: {en: t}, reason: {en: "{words}"},
           early: true, once: always, cooldown_ms: 9000, phrases: {en: [cancel]}, unless: {en: [mistake]}}
  - {<<: *rule, id: tick, kind: tick, speaker: agent, once: call, cooldown_ms: 0, phrases: {en: [cancel]}}
  - {<<: *rule, id: plain, early: false, priority: 8, hits: {at_least: 2}, phrases: {en: [cancel, hello]}}
  - {<<: *rule, id: must, early: false, compliance: true, phrases: {en: [hello]}}
  - {<<: *rule, id: offer, early: false, offer: true, cooldown_ms: 1, phrases: {en: [cheaper]}, intents: [price],
     either: true}
  - {<<: *rule, id: quiet, early: false, speaker: null, phrases: {}, measures: [{name: silence_ms, at_least: 4000}]}
  - {<<: *rule, id: greet, early: false, speaker: agent, phrases: {en: [hello]}, not_said: {within_ms: 15000}}
  - {<<: *rule, id: sorry, early: false, speaker: agent, phrases: {en: [hello]},
     not_said: {within_ms: 8000, after: {speaker: customer, phrases: {en: [cancel]}}}}
  - {<<: *rule, id: bye, early: false, speaker: agent, phrases: {en: [cheaper]}, not_said: {}}
  - {<<: *rule, id: after, early: false, after: true, once: call, cooldown_ms: 0, phrases: {en: [cheaper]}}
  - {id: hook, kind: webhook, webhook: x, priority: 1, phrases: {en: [hello]}}
"""
PLAYBOOK = msgspec.convert(yaml.safe_load(RULES), Playbook)
ASSISTANT = Assistant(PLAYBOOK)
WORDS = ["please cancel", "cancel by mistake", "hello", "make it cheaper", "hm", "cancel hello cheaper"]
State = CallState | None
Told = list[Assist | Degraded]


def utterance(channel: Channel, number: int, start: int, end: int, text: str, mood: Emotion | None = None) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{start}",
        channel=channel,
        number=number,
        start_ms=start,
        end_ms=end,
        text=text,
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=mood,
        loudness_dbfs=None,
        intents=(Intent.PRICE,) if mood is not None and mood.confidence > 0.9 else (),
    )


def partial(channel: Channel, start: int, end: int, text: str, revision: int = 1) -> Partial:
    return Partial(
        call_id="c",
        utterance_id=f"c:{channel}:{start}",
        channel=channel,
        revision=revision,
        start_ms=start,
        end_ms=end,
        text=text,
        committed=len(text),
        language="en",
    )


@st.composite
def calls(draw: st.DrawFn) -> list[Event]:
    """Finals in the order of their end, each with partials that need not be borne out, and the end of the call."""
    found: list[tuple[int, int, Event]] = []
    for channel in Channel:
        now = 0
        for number in range(draw(st.integers(0, 7))):
            start = now + draw(st.integers(500, 9000))
            now = start + draw(st.integers(500, 9000))
            mood = None
            if channel is Channel.CUSTOMER and draw(st.booleans()):
                label = draw(st.sampled_from([EmotionLabel.ANGRY, EmotionLabel.NEUTRAL]))
                agitation = draw(st.none() | st.floats(0, 1))
                confidence = draw(st.floats(0, 1))
                mood = Emotion(label=label, valence=None, arousal=None, agitation=agitation, confidence=confidence)
            for revision in range(draw(st.integers(0, 2))):
                at = draw(st.integers(start, now))
                found.append((at, 0, partial(channel, start, at, draw(st.sampled_from(["", *WORDS])), revision)))
            said = utterance(channel, number, start, now, draw(st.sampled_from(WORDS)), mood)
            found.append((now, 1, Final(call_id="c", utterance=said)))
    events = [event for _, _, event in sorted(found, key=lambda each: each[:2])]
    end = max((at for at, _, _ in found), default=0) + draw(st.integers(0, 9000))
    return [*events, CallEnded(call_id="c", duration_ms=end, reason="hangup")]


def advised(state: State, events: list[Event]) -> tuple[State, Told]:
    told: Told = []
    for event in events:
        state, new = ASSISTANT.step(state, event)
        told += new
    return state, told


def stored(state: State) -> State:
    return None if state is None else msgspec.json.decode(msgspec.json.encode(state), type=CallState)


def decided(told: Told) -> list[object]:
    """All but what is provisional or takes that back."""
    return [
        each for each in told if not isinstance(each, Withdrawn) and not (isinstance(each, Card) and each.provisional)
    ]


@settings(max_examples=150, deadline=None)
@given(calls())
@pytest.mark.slow
def test_partials_never_change_what_finals_decide(events: list[Event]) -> None:
    finals: list[Event] = [event for event in events if not isinstance(event, Partial)]
    assert decided(advised(None, events)[1]) == decided(advised(None, finals)[1])


@settings(max_examples=100, deadline=None)
@given(calls(), st.data())
@pytest.mark.slow
def test_a_call_in_two_halves_is_the_call_at_once(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events)))
    whole, told = advised(None, events)
    half, first = advised(None, events[:cut])
    assert stored(half) == half
    resumed, second = advised(stored(half), events[cut:])
    assert (resumed, first + second) == (whole, told)


@settings(max_examples=100, deadline=None)
@given(calls(), st.data())
def test_an_event_that_comes_again_tells_nothing_new(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(events)))
    state, _ = advised(None, events[:cut])
    again = events[cut - 1]
    assert ASSISTANT.step(state, again) == (state, [])


@settings(max_examples=150, deadline=None)
@given(calls())
def test_nothing_is_shown_twice_and_what_is_provisional_is_settled_by_the_end(events: list[Event]) -> None:
    _, told = advised(None, events)
    shown = [each.id for each in told if isinstance(each, Card | Webhook) and not getattr(each, "provisional", False)]
    assert len(shown) == len(set(shown))
    open_ids: set[str] = set()
    for each in told:
        match each:
            case Card(provisional=True):
                assert each.id not in open_ids
                open_ids.add(each.id)
            case Card():
                open_ids.discard(each.id)
            case Withdrawn():
                open_ids.remove(each.card_id)
            case _:
                pass
    assert open_ids == set()


@settings(max_examples=100, deadline=None)
@given(calls())
def test_a_record_keeps_what_was_decided_and_nothing_provisional(events: list[Event]) -> None:
    _, told = advised(None, events)
    record = empty("c")
    for message in told:
        record = add(record, message)
    assert {card.id for card in record.cards} == {each.id for each in decided(told) if isinstance(each, Card)}
    assert not any(card.provisional for card in record.cards)


@settings(max_examples=150, deadline=None)
@given(calls())
def test_no_offer_is_shown_while_the_gate_is_closed(events: list[Event]) -> None:
    state: State = None
    shown = 0
    for event in events:
        state, told = ASSISTANT.step(state, event)
        offers = [each for each in told if isinstance(each, Card) and each.offer]
        assert not (offers and state.memory.upset)
        shown += len(offers)
        if isinstance(event, Final) and (emotion := event.utterance.emotion) is not None:
            angry = emotion.label is EmotionLabel.ANGRY and emotion.confidence >= 0.5
            assert not (offers and (angry or (emotion.agitation or 0) >= 0.6))
    assert shown <= 3


@settings(max_examples=150, deadline=None)
@given(calls())
def test_no_minute_has_more_cards_than_it_may_and_compliance_is_never_left_out(events: list[Event]) -> None:
    state: State = None
    times: list[int] = []
    for event in events:
        state, told = ASSISTANT.step(state, event)
        now = event.duration_ms if isinstance(event, CallEnded) else state.reached_ms
        for each in told:
            assert not (isinstance(each, Withheld) and each.rule == "must")
            if isinstance(each, Card) and each.kind == "card" and not (each.provisional or each.compliance):
                times.append(now)
    assert all(sum(start <= time < start + 60_000 for time in times) <= 2 for start in times)


def test_a_card_that_the_final_bears_out_comes_again_confirmed() -> None:
    state, told = advised(None, [partial(Channel.CUSTOMER, 0, 1000, "cancel it")])
    (first,) = told
    assert isinstance(first, Card)
    assert first.provisional
    assert ASSISTANT.step(state, partial(Channel.CUSTOMER, 0, 2000, "cancel it now", 2))[1] == []
    _, told = advised(state, [Final(call_id="c", utterance=utterance(Channel.CUSTOMER, 0, 0, 3000, "cancel it now"))])
    (card,) = [each for each in told if isinstance(each, Card)]
    assert (card.id, card.provisional) == (first.id, False)


def test_what_may_still_change_is_not_looked_at() -> None:
    heard = msgspec.structs.replace(partial(Channel.CUSTOMER, 0, 1000, "please cancel"), committed=6)
    assert advised(None, [heard])[1] == []


def test_a_card_that_the_final_belies_or_that_has_none_is_withdrawn() -> None:
    state, told = advised(None, [partial(Channel.CUSTOMER, 0, 1000, "cancel it")])
    belied = Final(call_id="c", utterance=utterance(Channel.CUSTOMER, 0, 0, 3000, "cancel it by mistake"))
    nothing = partial(Channel.CUSTOMER, 0, 2000, "", 2)
    later = Final(call_id="c", utterance=utterance(Channel.CUSTOMER, 1, 4000, 5000, "hm"))
    end = CallEnded(call_id="c", duration_ms=5000, reason="hangup")
    for event in (belied, nothing, later, end):
        _, new = advised(state, [event])
        gone = [each.card_id for each in new if isinstance(each, Withdrawn)]
        assert gone == [each.id for each in told if isinstance(each, Card)]


def test_a_late_partial_of_what_is_final_tells_nothing() -> None:
    said = Final(call_id="c", utterance=utterance(Channel.CUSTOMER, 0, 0, 3000, "hm"))
    state, _ = advised(None, [said])
    assert ASSISTANT.step(state, partial(Channel.CUSTOMER, 0, 2000, "cancel it")) == (state, [])
