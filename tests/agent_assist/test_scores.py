"""Scores of sentiment: the published example, and what each profile is by its definition."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.call.record import empty
from agent_assist.call.scores import (
    Label,
    Profile,
    ScoredTurn,
    SpeakerScore,
    Turns,
    label_of,
    read_turns,
    scores,
    speaker_score,
    turns_of,
)
from agent_assist.errors import TurnsError
from audio.types import Channel
from models.types import Utterance

A, C = Channel.AGENT, Channel.CUSTOMER
TURNS = st.lists(
    st.builds(
        lambda begin, length, label, words: ScoredTurn(
            speaker=C, begin_ms=begin, end_ms=begin + length, label=label, words=words
        ),
        st.integers(0, 100_000),
        st.integers(0, 30_000),
        st.sampled_from(Label),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=20,
)


def turn(begin_ms: int, end_ms: int, label: Label, words: int = 1) -> ScoredTurn:
    return ScoredTurn(speaker=C, begin_ms=begin_ms, end_ms=end_ms, label=label, words=words)


@pytest.fixture
def example(data: Path) -> Turns:
    return read_turns((data / "turns_contact_lens.json").read_bytes(), "example")


def test_the_published_example_comes_out_in_every_number(example: Turns) -> None:
    assert scores(example, Profile.CONTACT_LENS).speakers == {
        A: SpeakerScore(quarters=(0.0, -5.0, 0.0, 5.0), overall=0.0, talk_ms=15_079, words_per_minute=239, trend=None),
        C: SpeakerScore(quarters=(-2.5, 5.0, 5.0, 5.0), overall=3.1, talk_ms=13_619, words_per_minute=163, trend=None),
    }


def test_the_other_profiles_differ_on_the_same_turns(example: Turns) -> None:
    plain = scores(example, Profile.PLAIN_MEAN).speakers
    assert (plain[C].overall, plain[A].overall) == (2.5, 0.0)
    assert plain[A].quarters == (None, -5.0, None, 5.0)
    # -100, 100, 100, 100 by the weights 2 ... 5, over 14; the halves are -100 and 100.
    ends = scores(example, Profile.END_WEIGHTED)
    assert (ends.speakers[C].overall, ends.speakers[C].trend) == (71.4, 100.0)
    assert (ends.lowest, ends.highest) == (-100.0, 100.0)


def test_talk_that_is_not_given_is_the_sum_of_the_turns(example: Turns) -> None:
    found = scores(Turns(turns=example.turns), Profile.CONTACT_LENS).speakers
    assert (found[A].talk_ms, found[C].talk_ms) == (90 + 1_970 + 3_990 + 3_510 + 5_590, 4_480 + 3_820 + 2_280 + 3_060)
    assert found[A].overall == 0.0


def test_a_turn_belongs_to_the_quarter_in_which_it_begins() -> None:
    found = speaker_score(
        [turn(0, 10, Label.NEGATIVE), turn(999, 3_000, Label.POSITIVE), turn(1_000, 4_000, Label.NEGATIVE)],
        Profile.CONTACT_LENS,
    )
    assert found.quarters == (0.0, -5.0, 0.0, 0.0)


def test_halves_are_rounded_away_from_zero() -> None:
    # Quarters 5 and 0: (5 + 0 + 0 + 0) / 4 = 1.25.
    for label, overall in ((Label.POSITIVE, 1.3), (Label.NEGATIVE, -1.3)):
        assert speaker_score([turn(0, 1_000, label)], Profile.CONTACT_LENS).overall == overall


def test_only_neutral_turns_have_no_plain_mean() -> None:
    neutral = [turn(0, 1_000, Label.NEUTRAL)]
    assert speaker_score(neutral, Profile.PLAIN_MEAN).overall is None
    assert speaker_score(neutral, Profile.CONTACT_LENS).overall == 0.0
    assert speaker_score(neutral, Profile.END_WEIGHTED).overall is None
    assert speaker_score(neutral, Profile.END_WEIGHTED).trend is None
    assert speaker_score(neutral * 2, Profile.END_WEIGHTED).trend == 0.0


@given(TURNS)
def test_a_score_stays_on_its_scale_and_turns_around_with_its_labels(turns: list[ScoredTurn]) -> None:
    other = {Label.POSITIVE: Label.NEGATIVE, Label.NEGATIVE: Label.POSITIVE, Label.NEUTRAL: Label.NEUTRAL}
    around = [turn(one.begin_ms, one.end_ms, other[one.label], one.words) for one in turns]
    for profile in Profile:
        [found] = scores(Turns(turns=tuple(turns)), profile).speakers.values()
        [back] = scores(Turns(turns=tuple(around)), profile).speakers.values()
        highest = 100 if profile is Profile.END_WEIGHTED else 5
        for one, opposite in zip((*found.quarters, found.overall), (*back.quarters, back.overall), strict=True):
            assert one is None or -highest <= one <= highest
            assert opposite == (None if one is None else -one)


@given(TURNS, st.randoms())
def test_the_order_of_the_turns_in_the_file_does_not_matter(turns: list[ScoredTurn], random: object) -> None:
    begins = list({(one.begin_ms, one.end_ms): one for one in turns}.values())
    mixed = list(begins)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    for profile in Profile:
        assert speaker_score(mixed, profile) == speaker_score(begins, profile)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": "cross"}, "turn=2, field=label"),
        ({"end_ms": 5}, "expected at least begin_ms, 160, got 5 (file=t.json, turn=2, field=end_ms)"),
        ({"words": "eight"}, "expected int, got str (file=t.json, turn=2, field=words)"),
        ({"begin_ms": -1}, "turn=2, field=begin_ms"),
        ({"mood": 1}, "unknown field mood (file=t.json, turn=2)"),
        ({"label": None}, "turn=2, field=label"),
    ],
)
def test_an_error_names_turn_and_field(data: Path, change: dict[str, object], told: str) -> None:
    call = json.loads((data / "turns_contact_lens.json").read_text())
    call["turns"][1] |= change
    with pytest.raises(TurnsError) as raised:
        read_turns(json.dumps(call).encode(), "t.json")
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "expected JSON, got "),
        (b"\xff", "expected JSON, got "),
        (b"[]", "expected object, got array (file=t.json)"),
        (b'{"turns": []}', "field=turns"),
        (b"{}", "required field turns"),
        (b'{"turns": [{"speaker": "agent"}]}', "required field begin_ms (file=t.json, turn=1)"),
        (b'{"talk_ms": {"agent": 0}, "turns": []}', "field=talk_ms"),
    ],
)
def test_what_is_no_file_of_turns_is_told_in_one_sentence(content: bytes, told: str) -> None:
    with pytest.raises(TurnsError) as raised:
        read_turns(content, "t.json")
    assert told in str(raised.value)


def said(channel: Channel, start_ms: int, text: str, sentiment: float | None) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{start_ms}",
        channel=channel,
        number=0,
        start_ms=start_ms,
        end_ms=start_ms + 2_000,
        text=text,
        language="en",
        confidence=1.0,
        words=(),
        sentiment=sentiment,
        emotion=None,
        loudness_dbfs=None,
    )


def test_the_utterances_of_a_stored_call_are_its_turns() -> None:
    record = empty("c")
    with pytest.raises(TurnsError):
        turns_of(record)
    told = turns_of(
        type(record)(
            **{name: getattr(record, name) for name in record.__struct_fields__}
            | {"utterances": (said(A, 0, "good morning to you", 0.6), said(C, 3_000, "我的订单没到", None))}
        )
    )
    assert [(one.speaker, one.label, one.words) for one in told.turns] == [
        (A, Label.POSITIVE, 4),
        (C, Label.NEUTRAL, 6),
    ]
    assert [label_of(x) for x in (-0.3, -0.25, 0.25, 0.3)] == ["negative", "neutral", "neutral", "positive"]
