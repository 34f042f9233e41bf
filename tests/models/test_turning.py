"""Turning points: planted ones are found, none where there are none, and what came before is told with them."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.changepoints import change_points, noise_of, without_outbursts
from models.curve import Point
from models.turning import (
    Before,
    Cause,
    Seen,
    Turn,
    Turns,
    likely_cause,
    turns_of,
)

NOISE = np.array([0.30, 0.15])
CALM, ANGRY, GLAD = (0.0, 0.15), (-0.8, 0.75), (0.7, 0.1)


def planted(levels: list[tuple[tuple[float, float], int]], rng: np.random.Generator, noise: float = 1.0) -> np.ndarray:
    """Levels, each so many utterances long, with so much of the noise that is believed."""
    values = np.repeat([level for level, _ in levels], [length for _, length in levels], axis=0)
    return values + rng.normal(size=values.shape) * NOISE * noise


def found(values: np.ndarray, weights: np.ndarray | None = None) -> list[int]:
    noise = noise_of(values, NOISE)
    weights = np.ones(len(values)) if weights is None else weights
    return change_points(without_outbursts(values, noise), weights, noise)


def point(n: int, valence: float | None, agitation: float | None, speech_ms: int = 4_000) -> Point:
    return Point(8_000 * (n + 1), speech_ms, valence, None, agitation, 0.8)


def pushed(values: np.ndarray) -> Turns:
    turns = Turns()
    for n, (valence, agitation) in enumerate(values.tolist()):
        turns = turns.push(point(n, round(valence, 3), round(agitation, 3)), Before())
    return turns


@given(st.floats(-1, 1), st.floats(0, 1), st.integers(0, 200))
def test_a_constant_series_has_no_turn(valence: float, agitation: float, n: int) -> None:
    assert found(np.tile([valence, agitation], (n, 1))) == []


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(4, 90), st.integers(4, 90), st.booleans())
def test_a_planted_turn_is_found_within_one_utterance_and_no_other(
    seed: int, before: int, after: int, rises: bool
) -> None:
    levels = [(ANGRY, before), (CALM, after)] if rises else [(CALM, before), (ANGRY, after)]
    # Two fifths of the noise that is believed: with all of it some of a hundred series are missed (below).
    places = found(planted(levels, np.random.default_rng(seed), noise=0.4))
    assert len(places) == 1
    assert abs(places[0] - before) <= 1


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(4, 60), st.integers(4, 60), st.integers(4, 60))
def test_a_customer_who_grows_angry_and_leaves_content_turns_twice(seed: int, a: int, b: int, c: int) -> None:
    places = found(planted([(CALM, a), (ANGRY, b), (GLAD, c)], np.random.default_rng(seed), noise=0.4))
    assert len(places) == 2
    assert abs(places[0] - a) <= 1
    assert abs(places[1] - a - b) <= 1


@pytest.mark.parametrize("n", [5, 6, 8, 12, 20, 50, 200])
@pytest.mark.slow
def test_pure_noise_is_seldom_taken_for_a_turn(n: int) -> None:
    rng = np.random.default_rng(n)
    wrong = sum(bool(found(planted([(CALM, n)], rng))) for _ in range(300))
    assert wrong <= 0.12 * 300


@pytest.mark.parametrize(("n", "at_least"), [(6, 0.8), (10, 0.85), (20, 0.85), (50, 0.85), (200, 0.95)])
@pytest.mark.slow
def test_in_all_the_noise_that_is_believed_most_turns_to_anger_are_found(n: int, at_least: float) -> None:
    rng = np.random.default_rng(n)
    half = n // 2
    right = 0
    for _ in range(200):
        places = found(planted([(CALM, half), (ANGRY, n - half)], rng))
        right += len(places) == 1 and abs(places[0] - half) <= 1
    assert right >= at_least * 200


@given(st.integers(0, 2**32), st.integers(4, 60), st.floats(0.01, 100), st.floats(-50, 50))
def test_turns_stand_where_they_stood_after_a_shift_and_a_scale(seed: int, n: int, scale: float, shift: float) -> None:
    values = planted([(CALM, n), (ANGRY, n)], np.random.default_rng(seed))
    weights = np.ones(2 * n)
    noise = noise_of(values, NOISE)
    moved = values * scale + shift
    assert noise_of(moved, NOISE * scale) == pytest.approx(noise * scale, rel=1e-6)
    assert change_points(moved, weights, noise * scale) == change_points(values, weights, noise)


@given(st.integers(0, 2**32), st.integers(4, 40))
def test_the_cut_is_the_cheapest_of_all_single_cuts_where_there_is_one(seed: int, n: int) -> None:
    values = planted([(CALM, n), (ANGRY, n)], np.random.default_rng(seed))[:, :1]
    noise = noise_of(values, NOISE[:1])
    places = change_points(values, np.ones(2 * n), noise)
    if len(places) == 1:

        def errors(cut: int) -> float:
            return sum(float(((part - part.mean()) ** 2).sum()) for part in (values[:cut], values[cut:]))

        assert places[0] == min(range(2, 2 * n - 1), key=errors)


def test_an_outburst_of_one_utterance_is_no_turn() -> None:
    values = np.array([CALM] * 6 + [ANGRY] + [CALM] * 6)
    assert found(values) == []
    assert found(np.array([CALM] * 6 + [ANGRY] * 2 + [CALM] * 6)) == [6, 8]


def test_grunts_make_no_turn() -> None:
    values = np.array([CALM] * 5 + [ANGRY] * 3 + [CALM] * 5)
    weights = np.ones(13)
    assert found(values, weights) == [5, 8]
    weights[5:8] = 0.03
    assert found(values, weights) == []


def test_what_is_not_known_on_one_measure_may_be_told_by_the_other() -> None:
    values = np.array([(math.nan, CALM[1])] * 6 + [(math.nan, ANGRY[1])] * 6)
    assert found(values) == [6]
    seen = tuple(
        Seen(8_000 * n, 4_000, 1.0, None, float(agitation), msgspec.structs.astuple(Before()))
        for n, (_, agitation) in enumerate(values)
    )
    [(_, turn)] = turns_of(seen)
    assert (turn.direction, turn.size, turn.agitation) == ("worse", None, 0.6)


def test_a_turn_tells_its_time_its_size_and_its_direction() -> None:
    turns = pushed(np.array([CALM] * 3 + [ANGRY] * 3 + [GLAD] * 3))
    assert turns.found == (
        Turn(
            start_ms=28_000,
            at_ms=32_000,
            direction="worse",
            size=-4.0,
            agitation=0.6,
            cause=Cause.UNKNOWN,
            before=Before(),
        ),
        Turn(
            start_ms=52_000,
            at_ms=56_000,
            direction="better",
            size=7.5,
            agitation=-0.65,
            cause=Cause.UNKNOWN,
            before=Before(),
        ),
    )


def test_the_topic_becomes_known_after_the_mood_and_only_of_the_last_utterance() -> None:
    turns = pushed(np.array([CALM] * 3))
    turns = turns.push(point(3, *ANGRY), Before()).about(8_000 * 4, "refund")
    turns = turns.push(point(4, *ANGRY), Before()).about(8_000 * 9, "price")
    [turn] = turns.push(point(5, *ANGRY), Before()).found
    assert (turn.cause, turn.before.topic) == (Cause.TOPIC, "refund")


@pytest.mark.parametrize(
    ("before", "worse", "better"),
    [
        (Before(), Cause.UNKNOWN, Cause.UNKNOWN),
        (Before(agent_from_ms=1, agent_to_ms=2), Cause.AGENT, Cause.AGENT),
        (Before(agent_from_ms=1, agent_to_ms=2, topic="refund"), Cause.AGENT, Cause.AGENT),
        (Before(agent_from_ms=1, agent_to_ms=2, silence_ms=3_001), Cause.SILENCE, Cause.AGENT),
        (Before(silence_ms=3_000, topic="refund"), Cause.TOPIC, Cause.TOPIC),
        (Before(agent_from_ms=1, agent_to_ms=2, overtalk_ms=300), Cause.OVERTALK, Cause.AGENT),
        (Before(hold_ms=20_000, silence_ms=20_000), Cause.HOLD, Cause.UNKNOWN),
    ],
)
def test_the_likely_cause_is_what_stands_out_of_what_came_before(before: Before, worse: Cause, better: Cause) -> None:
    assert (likely_cause(before, "worse"), likely_cause(before, "better")) == (worse, better)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.lists(st.integers(2, 30), min_size=1, max_size=8), st.data())
def test_turns_stored_in_between_go_on_as_if_nothing_had_been(
    seed: int, lengths: list[int], data: st.DataObject
) -> None:
    moods = [(CALM, ANGRY, GLAD)[n % 3] for n in range(len(lengths))]
    values = planted(list(zip(moods, lengths, strict=True)), np.random.default_rng(seed))
    whole = pushed(values)
    cut = data.draw(st.integers(0, len(values)))
    turns = msgspec.json.decode(msgspec.json.encode(pushed(values[:cut])), type=Turns)
    for n, (valence, agitation) in enumerate(values[cut:].tolist(), cut):
        turns = turns.push(point(n, round(valence, 3), round(agitation, 3)), Before())
    assert turns == whole
    assert turns.found == whole.found


def test_a_call_of_two_hours_keeps_its_largest_turns_in_little_space() -> None:
    rng = np.random.default_rng(1)
    values = planted([(CALM, 70), (ANGRY, 40)] * 10, rng, noise=0.4)
    largest, turns = 0, Turns()
    for n, (valence, agitation) in enumerate(values.tolist()):
        before = Before(agent_from_ms=8_000 * n, agent_to_ms=8_000 * n + 3_000, silence_ms=200, topic="refund")
        turns = turns.push(point(n, round(valence, 3), round(agitation, 3)), before)
        largest = max(largest, len(msgspec.json.encode(turns)))
    assert largest < 8_000
    places = [turn.at_ms // 8_000 - 1 for turn in turns.found]
    true = sorted({110 * n for n in range(1, 10)} | {110 * n + 70 for n in range(10)})
    assert all(min(abs(place - at) for at in true) <= 1 for place in places)
    assert len(places) == len(set(places))
    assert 12 <= len(places) <= 13


def test_turns_of_a_long_call_are_those_of_the_whole_series() -> None:
    values = np.round(planted([(CALM, 33), (ANGRY, 31), (CALM, 34), (GLAD, 32)], np.random.default_rng(3), 0.4), 3)
    places = [turn.at_ms // 8_000 - 1 for turn in pushed(values).found]
    assert places == found(values) == [33, 64, 98]
