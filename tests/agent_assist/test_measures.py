"""Conversation measures against the plain definition, millisecond by millisecond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.call import measures as module
from agent_assist.call.measures import Talk, is_assent
from agent_assist.types import Measures
from audio.types import Channel
from models.types import Utterance

A, C = Channel.AGENT, Channel.CUSTOMER


def said(
    channel: Channel, start_ms: int, end_ms: int, text: str = "good morning", loudness: float | None = None
) -> Utterance:
    return Utterance(
        id=f"c:{channel}:{start_ms}",
        channel=channel,
        number=0,
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        language="en",
        confidence=1.0,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=loudness,
    )


def measured(utterances: list[Utterance], end_ms: int | None = None) -> Measures:
    talk = Talk()
    for utterance in sorted(utterances, key=lambda u: (u.end_ms, u.start_ms, u.channel)):
        talk = talk.add(utterance)
    return talk.measures(end_ms)


def plain(utterances: list[Utterance], end_ms: int) -> tuple[int, int, int, int, int]:
    """Talk, overtalk, non-talk, interruptions by the customer and by the agent, on a grid of 100 ms."""
    heard = {channel: [False] * (end_ms // 100) for channel in Channel}
    for u in utterances:
        for tick in range(u.start_ms // 100, u.end_ms // 100):
            heard[u.channel][tick] = True
    either = [a or c for a, c in zip(heard[A], heard[C], strict=True)]
    both = [a and c for a, c in zip(heard[A], heard[C], strict=True)]
    silent, run = 0, 0
    for talking in [*either, True]:
        if talking:
            silent += run if run > 30 else 0
        run = 0 if talking else run + 1
    interruptions = {
        channel: sum(
            other.start_ms < u.start_ms and u.start_ms + 300 <= other.end_ms < u.end_ms
            for u in utterances
            for other in utterances
            if u.channel is channel and other.channel is not channel
        )
        for channel in Channel
    }
    return sum(either) * 100, sum(both) * 100, silent * 100, interruptions[C], interruptions[A]


@st.composite
def conversations(draw: st.DrawFn) -> list[Utterance]:
    found: list[Utterance] = []
    for channel in Channel:
        now = 0
        for gap, length in draw(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 300)), max_size=14)):
            start = now + gap * 100
            now = start + length * 100
            found.append(said(channel, start, now))
    return found


@pytest.mark.parametrize("settle_at", [3, 100])
def test_measures_are_exact_whenever_finals_arrive(settle_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SETTLE_AT", settle_at)

    @given(conversations(), st.integers(0, 80))
    def check(utterances: list[Utterance], after: int) -> None:
        end_ms = max((u.end_ms for u in utterances), default=0) + after * 100
        found = measured(utterances, end_ms)
        talk, over, silent, by_customer, by_agent = plain(utterances, end_ms)
        assert (found.talk_ms, found.overtalk_ms, found.non_talk_ms) == (talk, over, silent)
        assert (found.customer.interruptions, found.agent.interruptions) == (by_customer, by_agent)
        assert found.interruptions == by_customer + by_agent
        for channel, speaker in ((C, found.customer), (A, found.agent)):
            own = sum(u.end_ms - u.start_ms for u in utterances if u.channel is channel)
            assert speaker.talk_ms == own
            assert speaker.talk_share == (round(own / talk, 3) if talk else None)

    check()


def test_silence_counts_whole_and_only_when_longer_than_three_seconds() -> None:
    assert measured([said(A, 0, 1000), said(C, 4000, 5000)]).non_talk_ms == 0
    assert measured([said(A, 0, 1000), said(C, 4001, 5000)]).non_talk_ms == 3001
    assert measured([said(A, 3001, 4000)], 8000).non_talk_ms == 3001 + 4000


def test_who_begins_while_the_other_speaks_and_goes_on_interrupts() -> None:
    found = measured([said(A, 0, 5000), said(C, 4600, 8000)])
    assert (found.customer.interruptions, found.agent.interruptions) == (1, 0)


@pytest.mark.parametrize(
    ("utterances", "why"),
    [
        ([said(A, 0, 5000), said(C, 4701, 8000)], "the overlap is short"),
        ([said(A, 0, 5000), said(C, 2000, 4000)], "the customer stops first"),
        ([said(A, 0, 5000), said(C, 0, 8000)], "they begin at once"),
        ([said(A, 0, 5000), said(C, 4600, 8000, "嗯，好的")], "it is an assent"),
        ([said(A, 0, 5000, "mm-hmm"), said(C, 4600, 8000)], "what it overlaps is an assent"),
    ],
)
def test_other_overlaps_are_no_interruption(utterances: list[Utterance], why: str) -> None:
    assert measured(utterances).interruptions == 0, why


@pytest.mark.parametrize("text", ["嗯", "嗯嗯。", "对，对", "好的", "ok", "Okay, yeah.", "Mm-hmm.", "uh huh", "I see"])
def test_words_of_listening_are_assents(text: str) -> None:
    assert is_assent(text)


@pytest.mark.parametrize(
    "text", ["好贵啊这个", "okay but I want a refund", "no", "rights issue", "我明白你的意思但是不行", ""]
)
def test_other_words_are_none(text: str) -> None:
    assert not is_assent(text)


def test_rates_are_over_the_talk_time_of_their_kind() -> None:
    found = measured([said(C, 0, 60_000, "one two three " * 20), said(C, 70_000, 100_000, "您好您好13")])
    assert found.customer.words_per_minute == 60.0
    assert found.customer.characters_per_minute == 12.0
    assert found.agent.words_per_minute is None
    assert measured([said(C, 0, 1000)]).customer.characters_per_minute is None


def test_loudness_is_weighted_by_time() -> None:
    assert (
        measured([said(A, 0, 3000, loudness=-20.0), said(A, 4000, 5000, loudness=-40.0)]).agent.loudness_dbfs == -25.0
    )
    assert measured([said(A, 0, 3000)]).agent.loudness_dbfs is None


def test_nothing_said_is_no_share() -> None:
    found = Talk().measures()
    assert (found.talk_ms, found.customer.talk_share, found.agent.talk_share) == (0, None, None)
