"""Conversation measures against the plain definition, millisecond by millisecond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.call import measures as module
from agent_assist.call.measures import Talk, asks_to_wait, is_assent
from agent_assist.types import AudioFault, Degraded, Measures
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


TEXTS = ("good morning to you", "请稍等", "我帮您看一下", "嗯", "hold on please", "")


@st.composite
def spoken(draw: st.DrawFn) -> list[Utterance]:
    return [said(one.channel, one.start_ms, one.end_ms, draw(st.sampled_from(TEXTS))) for one in draw(conversations())]


def plain_holds(utterances: list[Utterance], end_ms: int) -> tuple[int, int, int]:
    """Time on hold, holds and the longest silence, on a grid of 100 ms."""
    ticks = end_ms // 100
    talking = [any(u.start_ms <= t * 100 < u.end_ms for u in utterances) for t in range(ticks)]
    held, holds, longest, begin = 0, 0, 0, 0
    for tick, talks in enumerate([*talking, True]):
        if not talks:
            continue
        run = tick - begin
        longest, before = max(longest, run), [u for u in utterances if u.start_ms < begin * 100 and u.channel is A]
        meant = [u for u in before if not is_assent(u.text)]
        if run > 30 and meant and asks_to_wait(max(meant, key=lambda u: u.start_ms).text):
            held, holds = held + run * 100, holds + 1
        begin = tick + 1
    return held, holds, longest * 100


@pytest.mark.parametrize("settle_at", [3, 100])
@pytest.mark.slow
def test_holds_are_exact_whenever_finals_arrive(settle_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SETTLE_AT", settle_at)

    @given(spoken(), st.integers(0, 80))
    def check(utterances: list[Utterance], after: int) -> None:
        end_ms = max((u.end_ms for u in utterances), default=0) + after * 100
        found = measured(utterances, end_ms)
        assert (found.hold_ms, found.holds, found.longest_silence_ms) == plain_holds(utterances, end_ms)
        assert found.hold_ms <= found.non_talk_ms
        assert (found.silence_ms, found.speech_end_ms) == (after * 100, end_ms - after * 100)

    check()


@given(spoken(), st.randoms(), st.integers(0, 400))
def test_how_fast_somebody_spoke_lately_does_not_depend_on_the_order_of_arrival(
    utterances: list[Utterance], random: object, after: int
) -> None:
    mixed = list(utterances)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    talk = Talk()
    for one in mixed:
        talk = talk.add(one)
    end_ms = max((u.end_ms for u in utterances), default=0) + after * 100
    found = talk.measures(end_ms)
    for channel, speaker in ((C, found.customer), (A, found.agent)):
        own = [u for u in utterances if u.channel is channel and u.text == "good morning to you"]
        inside = [(u, u.end_ms - max(u.start_ms, end_ms - 30_000)) for u in own]
        ms = sum(length for _, length in inside if length > 0)
        words = sum(4 * length / (u.end_ms - u.start_ms) for u, length in inside if length > 0)
        hold = [
            u for u in utterances if u.channel is channel and u.text == "hold on please" and u.end_ms > end_ms - 30_000
        ]
        if not hold:
            assert speaker.recent_words_per_minute == (pytest.approx(words * 60_000 / ms, abs=0.051) if ms else None)


def test_only_the_last_half_minute_counts_for_how_fast_somebody_speaks() -> None:
    found = measured([said(C, 0, 20_000, "one " * 40), said(C, 40_000, 50_000, "one " * 30)])
    assert found.customer.recent_words_per_minute == 180.0
    assert measured([said(C, 0, 60_000, "one " * 60)]).customer.recent_words_per_minute == 60.0
    assert measured([said(C, 0, 10_000, "我要退款" * 10)], 45_000).customer.recent_characters_per_minute is None


@pytest.mark.parametrize(
    "text",
    [
        "请稍等，我帮您查询一下。",
        "您等一下啊",
        "麻烦您先别挂",
        "One moment, please.",
        "Let me put you on hold.",
        "Hold on, please",
    ],
)
def test_an_agent_asks_to_wait(text: str) -> None:
    assert asks_to_wait(text)


@pytest.mark.parametrize(
    "text", ["让您久等了", "等一下会有同事联系您", "It takes a minute", "just a moment ago", "I hold the record", ""]
)
def test_other_words_ask_nobody_to_wait(text: str) -> None:
    assert not asks_to_wait(text)


def degraded(stage: str, at_ms: int, ms: int | None = None) -> Degraded:
    return Degraded(call_id="c", at_ms=at_ms, stage=stage, reason="", ms=ms)


def test_faults_of_the_sound_are_counted_once_and_levels_that_are_far_off_are_faults() -> None:
    talk = Talk().add(said(A, 0, 3_000, loudness=-26.0)).add(said(C, 4_000, 5_000, loudness=-48.0))
    events = [
        degraded("gap", 5_000, ms=400),
        degraded("load", 5_100),
        degraded("clipping_agent", 6_000),
        degraded("clipping_agent", 59_000),
        degraded("clipping_agent", 60_000),
        degraded("gap", 70_000, ms=600),
    ]
    for event in [*events, *events]:
        talk = talk.degraded(event)
    assert talk.measures().faults == (
        AudioFault(kind="loss", channel=None, count=2, ms=1_000),
        AudioFault(kind="clipping", channel=A, count=2),
        AudioFault(kind="quiet", channel=C, count=1),
    )
    assert talk.degraded(degraded("asr", 80_000)) is talk
    assert [fault.kind for fault in measured([said(A, 0, 1_000, loudness=-5.0)]).faults] == ["loud"]
