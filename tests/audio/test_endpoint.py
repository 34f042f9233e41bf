"""Probabilities to segments."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.endpoint import Endpointer, EndpointPolicy, Segment

W = 512
"""A window."""

# All lengths are whole windows, so that a segment can be told by counting.
PLAIN = EndpointPolicy(
    min_silence=4 * W,
    least_silence=4 * W,
    short=10 * W,
    long=20 * W,
    min_speech=W,
    pre_roll=0,
    post_roll=0,
    max_length=1_000 * W,
    look_back=10 * W,
)
ROLLING = replace(PLAIN, pre_roll=3 * W, post_roll=2 * W)
CUTTING = replace(PLAIN, max_length=20 * W, look_back=8 * W)


def segments(policy: EndpointPolicy, probabilities: list[float], piece: int = W) -> list[Segment]:
    endpointer = Endpointer(policy)
    closed = [s for p in probabilities for _ in range(W // piece) for s in endpointer.push(p, piece)]
    return closed + endpointer.flush()


def windows(*bounds: tuple[float, float]) -> list[Segment]:
    return [Segment(round(start * W), round(end * W)) for start, end in bounds]


def test_silence_has_no_segments() -> None:
    assert segments(EndpointPolicy(), [0.0] * 500) == []
    assert Endpointer(EndpointPolicy()).flush() == []


def test_trailing_silence_is_not_part_of_the_segment() -> None:
    assert segments(PLAIN, [0.1, 0.9, 0.9, 0.1, 0.1]) == windows((1, 3))


def test_a_segment_opens_at_the_upper_threshold_and_goes_on_above_the_lower() -> None:
    assert segments(PLAIN, [0.49] * 9) == []
    assert segments(PLAIN, [0.49, 0.50, *[0.35] * 9, *[0.34] * 9]) == windows((1, 11))


def test_a_pause_that_is_too_short_keeps_the_segment_whole() -> None:
    assert segments(PLAIN, [0.9, 0, 0, 0, 0.9, 0, 0, 0, 0]) == windows((0, 5))
    assert segments(PLAIN, [0.9, 0, 0, 0, 0, 0.9, 0, 0, 0, 0]) == windows((0, 1), (5, 6))


def test_a_segment_is_told_as_soon_as_its_silence_is_long_enough() -> None:
    endpointer = Endpointer(PLAIN)
    assert [endpointer.push(p, W) for p in (0.9, 0.9, 0, 0, 0)] == [[]] * 5
    assert endpointer.push(0, W) == windows((0, 2))
    assert endpointer.push(0, W) == []


def test_the_pre_roll_is_taken_in_but_not_before_the_stream() -> None:
    assert segments(ROLLING, [0] * 5 + [0.9]) == windows((2, 6))
    assert segments(ROLLING, [0, 0.9]) == windows((0, 2))


def test_the_pre_roll_never_reaches_into_the_segment_before() -> None:
    policy = replace(ROLLING, pre_roll=10 * W)
    assert segments(policy, [0.9, *[0] * 4, 0.9]) == windows((0, 3), (3, 6))


def test_the_post_roll_is_taken_in_but_not_beyond_the_stream() -> None:
    assert segments(ROLLING, [0.9, 0, 0, 0, 0, 0]) == windows((0, 3))
    assert segments(ROLLING, [0.9, 0]) == windows((0, 2))
    assert segments(ROLLING, [0.9]) == windows((0, 1))


def test_a_click_is_dropped_and_what_is_as_long_as_speech_is_not() -> None:
    policy = replace(PLAIN, min_speech=3 * W)
    assert segments(policy, [0.9, 0.9, 0, 0, 0, 0, 0]) == []
    assert segments(policy, [0.9, 0.9, 0.9, 0, 0, 0, 0]) == windows((0, 3))


def test_a_segment_is_confirmed_once_it_has_enough_speech() -> None:
    endpointer = Endpointer(replace(PLAIN, min_speech=2 * W))
    states: list[tuple[int | None, bool]] = []
    for probability in (0, 0.9, 0, 0.9, 0, 0, 0, 0):
        endpointer.push(probability, W)
        states.append((endpointer.start, endpointer.confirmed))
    assert states == [(None, False), (W, False), (W, False), *[(W, True)] * 4, (None, False)]


def test_who_talks_long_is_cut_where_they_draw_breath() -> None:
    policy = replace(PLAIN, min_silence=8 * W, least_silence=2 * W, short=10 * W, long=40 * W)
    breath = [0.0] * 2
    # After 40 windows two of silence are enough, after 10 it takes eight, and five half way between.
    assert segments(policy, [0.9] * 40 + breath + [0.9] * 5) == windows((0, 40), (42, 47))
    assert segments(policy, [0.9] * 10 + [0.0] * 7 + [0.9] * 5) == windows((0, 22))
    assert segments(policy, [0.9] * 10 + [0.0] * 8 + [0.9] * 5) == windows((0, 10), (18, 23))
    assert segments(policy, [0.9] * 25 + [0.0] * 4 + [0.9] * 5) == windows((0, 34))
    assert segments(policy, [0.9] * 25 + [0.0] * 5 + [0.9] * 5) == windows((0, 25), (30, 35))


def test_a_long_segment_is_cut_at_its_quietest_point_and_loses_nothing() -> None:
    probabilities = [0.9] * 14 + [0.4] + [0.9] * 15
    assert segments(CUTTING, probabilities) == windows((0, 15), (15, 30))


def test_the_quietest_point_is_looked_for_in_the_last_stretch_only() -> None:
    probabilities = [0.9] * 5 + [0.36] + [0.9] * 8 + [0.4] + [0.9] * 15
    assert segments(CUTTING, probabilities)[0] == Segment(0, 15 * W)


def test_unbroken_speech_stays_as_long_as_it_may() -> None:
    assert segments(CUTTING, [0.9] * 50) == windows((0, 20), (20, 40), (40, 50))


def test_what_follows_a_forced_cut_is_no_segment_where_nothing_more_is_said() -> None:
    policy = replace(CUTTING, min_speech=2 * W, post_roll=W)
    # The cut falls on the first and quietest window of a pause; what follows it is more pause.
    assert segments(policy, [0.9] * 17 + [0.01, 0.02, 0.03] + [0.04] * 9) == windows((0, 18))
    assert segments(policy, [0.9] * 17 + [0.01, 0.02, 0.03] + [0.9] * 9) == windows((0, 18), (18, 29))


def test_flush_ends_what_is_open_and_a_second_one_nothing() -> None:
    endpointer = Endpointer(ROLLING)
    endpointer.push(0.9, W)
    assert endpointer.flush() == windows((0, 1))
    assert endpointer.flush() == []
    assert endpointer.start is None


def test_skipped_audio_serves_as_pre_roll() -> None:
    endpointer = Endpointer(ROLLING)
    endpointer.skip(5 * W)
    assert endpointer.earliest == 2 * W
    endpointer.push(0.9, W)
    assert endpointer.flush() == windows((2, 6))


@given(st.lists(st.floats(0, 1), max_size=80), st.sampled_from([PLAIN, ROLLING, CUTTING]))
def test_segments_are_ordered_and_disjoint_and_the_size_of_the_pieces_does_not_matter(
    probabilities: list[float], policy: EndpointPolicy
) -> None:
    found = segments(policy, probabilities)
    assert found == segments(policy, probabilities, piece=128)
    assert all(0 <= start < end <= len(probabilities) * W for start, end in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(end - start <= policy.max_length for start, end in found)


@given(st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), max_size=120), st.sampled_from([PLAIN, ROLLING, CUTTING]))
def test_no_window_of_speech_is_lost(probabilities: list[float], policy: EndpointPolicy) -> None:
    found = segments(replace(policy, min_speech=0), probabilities)
    for n, probability in enumerate(probabilities):
        if probability >= policy.open_at:
            assert any(start <= n * W and (n + 1) * W <= end for start, end in found)


@given(st.lists(st.floats(0, 1), max_size=80), st.sampled_from([PLAIN, ROLLING, CUTTING, EndpointPolicy()]))
def test_no_segment_reaches_back_before_the_earliest_that_was_told(
    probabilities: list[float], policy: EndpointPolicy
) -> None:
    endpointer, earliest = Endpointer(policy), 0
    for probability in probabilities:
        closed = endpointer.push(probability, W)
        assert all(segment.start >= earliest for segment in closed)
        assert endpointer.earliest >= earliest
        earliest = endpointer.earliest
    assert all(segment.start >= earliest for segment in endpointer.flush())


@pytest.mark.parametrize(
    "wrong",
    [
        {"open_at": 0.3},
        {"open_at": 1.5},
        {"close_at": -0.1},
        {"least_silence": 9_000},
        {"post_roll": 4_000},
        {"look_back": 320_000},
        {"short": 80_000},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        replace(EndpointPolicy(), **wrong)  # type: ignore[arg-type]
