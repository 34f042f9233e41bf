"""Calls found again, and clips of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_assist.call.record import NO_MEASURES
from agent_assist.errors import ClipError
from agent_assist.store.calls import CallStore
from agent_assist.store.library import Library, NewClip, Query
from agent_assist.types import (
    CallEnded,
    CallMeasures,
    CallMood,
    CallStarted,
    Card,
    CardKind,
    CurvePoint,
    Final,
)
from audio.types import Channel
from models.curve import Swings
from models.meaning import Clause, Meaning
from models.types import Emotion, EmotionLabel, Utterance

AGENT, CUSTOMER = Channel.AGENT, Channel.CUSTOMER
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def final(call: str, channel: Channel, at_s: int, text: str, label: EmotionLabel | None = None) -> Final:
    feeling = None if label is None else Emotion(label=label, valence=0, arousal=0, agitation=0, confidence=1)
    return Final(
        call_id=call,
        utterance=Utterance(
            id=f"{call}:{channel}:{at_s}", channel=channel, number=at_s, start_ms=at_s * 1_000,
            end_ms=at_s * 1_000 + 900, text=text, language="zh", confidence=1,
            words=(), sentiment=None, emotion=feeling, loudness_dbfs=None,
        ),
    )  # fmt: skip


def call(
    name: str, hour: int, *messages: Any, agent: str = "anna", shift: float | None = None, silence: int = 0
) -> list[Any]:
    measures = msgspec.structs.replace(NO_MEASURES, non_talk_ms=silence)
    swings = Swings(samples=4, range=1, variance=0, slope=0, sign_changes=0, shift=shift)
    point = CurvePoint(utterance_id="u", at_ms=1, score=0.0, trend="steady", arousal=None, agitation=None)
    return [
        CallStarted(
            call_id=name, at=START + timedelta(hours=hour), protocol="twilio", agent_id=agent,
            customer_id=f"k-{name}", customer_name="王女士",
        ),
        *messages,
        CallMood(call_id=name, at_ms=5, point=point, swings=swings, turns=()),
        CallMeasures(call_id=name, at_ms=5, measures=measures),
        CallEnded(call_id=name, duration_ms=60_000, reason="hangup"),
    ]  # fmt: skip


def card(name: str, rule: str) -> Card:
    return Card(
        id=f"{name}:{rule}", call_id=name, rule=rule, kind=CardKind.ALERT, title="", text="", at_ms=1,
        utterance_id="u", priority=1, language="zh", reason="",
    )  # fmt: skip


@pytest.fixture
def library(store: CallStore) -> Library:
    store.write(
        [
            *call("angry", 1,
                  final("angry", CUSTOMER, 1, "我要退款,100%的退款", EmotionLabel.ANGRY),
                  final("angry", AGENT, 3, "好的"),
                  final("angry", CUSTOMER, 5, "退款什么时候到", EmotionLabel.NEUTRAL),
                  card("angry", "cancel"), shift=-3.0),
            *call("calm", 2, final("calm", AGENT, 1, "我给您办理退款"),
                  final("calm", CUSTOMER, 3, "Thank YOU", EmotionLabel.SATISFIED),
                  agent="ben", shift=2.0, silence=9_000),
            *call("empty", 3),
        ],
        {},
    )  # fmt: skip
    return Library(store)


def ids(library: Library, **wanted: Any) -> list[str]:
    return [found.call.call_id for found in library.find(Query(**wanted))]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["empty", "calm", "angry"]),
        ({"words": "退款"}, ["calm", "angry"]),
        ({"words": "退款", "speaker": Channel.CUSTOMER}, ["angry"]),
        ({"words": "退款 什么"}, ["angry"]),
        ({"words": "退款 好的"}, []),
        ({"words": "thank you"}, ["calm"]),
        ({"words": "100%"}, ["angry"]),
        ({"words": "%"}, ["angry"]),
        ({"words": "_"}, []),
        ({"words": "'; DROP TABLE calls; --"}, []),
        ({"emotion": "angry"}, ["angry"]),
        ({"rule": "cancel"}, ["angry"]),
        ({"shift": -2.0}, ["angry"]),
        ({"shift": 2.0}, ["calm"]),
        ({"silence_ms": 5_000}, ["calm"]),
        ({"agent_id": "anna"}, ["empty", "angry"]),
        ({"customer": "K-CALM"}, ["calm"]),
        ({"customer": "王"}, ["empty", "calm", "angry"]),
        ({"since": START + timedelta(hours=2)}, ["empty", "calm"]),
        ({"until": START + timedelta(hours=2)}, ["angry"]),
        ({"words": "退款", "emotion": "satisfied"}, ["calm"]),
    ],
)
def test_calls_are_found_by_what_is_asked_for(library: Library, wanted: dict[str, Any], found: list[str]) -> None:
    assert ids(library, **wanted) == found


def test_the_places_of_the_words_are_told(library: Library) -> None:
    (first,) = library.find(Query(words="退款", speaker=Channel.CUSTOMER))
    assert [(hit.start_ms, hit.text) for hit in first.hits] == [
        (1_000, "我要退款,100%的退款"),
        (5_000, "退款什么时候到"),
    ]
    assert library.find(Query(rule="cancel"))[0].hits == ()


def test_a_page_goes_on_where_the_one_before_ended(library: Library) -> None:
    (first,) = library.find(Query(), limit=1)
    rest = library.find(Query(), before=(first.call.started_at, first.call.call_id))
    assert [first.call.call_id, *(one.call.call_id for one in rest)] == ["empty", "calm", "angry"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(words=st.text(max_size=60))
def test_no_words_can_break_the_search(library: Library, words: str) -> None:
    found = library.find(Query(words=words.replace("\0", "")))
    assert all(hit.text for one in found for hit in one.hits)


def test_finals_come_back_in_the_order_in_which_they_arrived(store: CallStore) -> None:
    early, late = final("c", Channel.AGENT, 9, "late"), final("c", Channel.CUSTOMER, 1, "early")
    store.write([late], {}, [10])
    store.write([early, late], {}, [4, 12])
    said = [event.utterance.text for event in store.events("c") if isinstance(event, Final)]
    assert said == ["late", "early"]


def test_a_clip_is_kept_found_and_dropped(library: Library) -> None:
    wanted = NewClip(
        call_id="calm", start_ms=1_000, end_ms=4_000, title="好的挽留", note="Well done", tags=("retention", "zh")
    )
    clip = library.keep(wanted, "q")
    assert library.clip(clip.id) == clip
    assert (clip.by, clip.tags) == ("q", ("retention", "zh"))
    assert library.clips(tag="retention") == library.clips(words="挽留 well") == library.clips(call_id="calm") == [clip]
    assert library.clips(tag="reten") == library.clips(words="other") == library.clips(call_id="angry") == []
    assert library.drop(clip.id)
    assert not library.drop(clip.id)
    assert library.clip(clip.id) is None


@pytest.mark.parametrize(
    ("start", "end", "name"), [(0, 60_001, "calm"), (5, 5, "calm"), (9, 5, "calm"), (0, 1, "none")]
)
def test_a_clip_lies_within_a_call_that_is_known(library: Library, start: int, end: int, name: str) -> None:
    with pytest.raises(ClipError, match="expected"):
        library.keep(NewClip(call_id=name, start_ms=start, end_ms=end, title="t"), "q")


def test_what_was_meant_is_kept_for_the_rules_and_not_shown(store: CallStore) -> None:
    meaning = Meaning(space="s", clauses=(Clause(start=0, end=4, vector=bytes(range(256))),))
    said = final("c", Channel.CUSTOMER, 1, "我要退款")
    said = msgspec.structs.replace(said, utterance=msgspec.structs.replace(said.utterance, meaning=meaning))
    store.write([CallStarted(call_id="c", at=START, protocol="test"), said], {})
    record = store.call("c")
    assert record is not None
    kept = [event.utterance.meaning for event in store.events("c") if isinstance(event, Final)]
    assert kept == [meaning]
    assert [one.meaning for one in record.utterances] == [None]
