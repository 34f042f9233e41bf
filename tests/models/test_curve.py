"""The curve of a mood: causal, incremental, moved by what is said; and the statistics of its swings."""

import statistics
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.curve import DEAD_BAND, PUBLIC, Curve, Point, Sample, Smooth, Sums

HALF_LIFE_S = 2.0

moods = st.none() | st.floats(-1, 1)
levels = st.none() | st.floats(0, 1)


@st.composite
def series(draw: st.DrawFn, longest: int = 30) -> list[Point]:
    now, points = 0, list[Point]()
    for _ in range(draw(st.integers(0, longest))):
        speech_ms = draw(st.integers(0, 20_000))
        now += speech_ms + draw(st.integers(0, 30_000))
        points.append(Point(now, speech_ms, draw(moods), draw(moods), draw(levels), confidence=draw(st.floats(0, 1))))
    return points


def said(valence: float | None, end_ms: int = 4_000, speech_ms: int = 4_000, confidence: float = 0.8) -> Point:
    return Point(end_ms, speech_ms, valence, None, None, confidence)


def run(points: list[Point], curve: Curve | None = None) -> tuple[Curve, list[Sample]]:
    curve, samples = curve or Curve(), list[Sample]()
    for point in points:
        curve, sample = curve.push(point)
        samples.append(sample)
    return curve, samples


def scores(valences: list[float]) -> list[float]:
    _, samples = run([said(v, 5_000 * n) for n, v in enumerate(valences, 1)])
    return [sample.score for sample in samples if sample.score is not None]


@given(series(), st.data())
def test_pushed_one_by_one_and_stored_between_it_is_the_curve_of_the_whole(
    points: list[Point], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(points)))
    whole, samples = run(points)
    half, first = run(points[:cut])
    resumed, second = run(points[cut:], msgspec.json.decode(msgspec.json.encode(half), type=Curve))
    assert resumed == whole
    assert first + second == samples


@given(series())
def test_a_sample_lies_within_what_was_heard_so_far(points: list[Point]) -> None:
    _, samples = run(points)
    for n, sample in enumerate(samples, 1):
        heard = [p.valence for p in points[:n] if p.valence is not None]
        if sample.score is not None:
            assert min(heard) - 1e-9 <= sample.score / PUBLIC <= max(heard) + 1e-9
        if sample.agitation is not None:
            assert -1e-9 <= sample.agitation <= 1 + 1e-9


def test_nothing_is_known_before_anything_is() -> None:
    _, [sample] = run([said(None)])
    assert sample == Sample(score=None, trend="steady", arousal=None, agitation=None)
    assert Curve().swings is None


def test_a_hm_hardly_moves_it_and_a_sentence_moves_it_about_half_way() -> None:
    calm, _ = run([said(0.0), said(0.0), said(0.0)])
    _, [hm] = run([said(-1.0, speech_ms=300, confidence=0.0)], calm)
    _, [sentence] = run([said(-1.0, speech_ms=2_500)], calm)
    _, [speech] = run([said(-1.0, speech_ms=15_000)], calm)
    assert hm.score is not None
    assert -0.2 < hm.score < 0
    assert sentence.score is not None
    assert -3.2 < sentence.score < -1.8
    assert speech.score is not None
    assert speech.score < -4.8


@given(st.floats(-1, 1), st.floats(0.1, 20), st.integers(1, 9))
def test_certain_speech_counts_the_same_in_one_piece_or_many(value: float, seconds: float, pieces: int) -> None:
    start = Smooth(0.7, 0.3)
    whole, parts = start.push(value, seconds, HALF_LIFE_S), start
    for _ in range(pieces):
        parts = parts.push(value, seconds / pieces, HALF_LIFE_S)
    assert parts.value == pytest.approx(whole.value, abs=1e-9)
    assert parts.weight == pytest.approx(whole.weight, abs=1e-9)


@given(st.lists(st.floats(-0.4, 0.4), min_size=1, max_size=30), st.floats(-0.5, 0.5), st.floats(-2, 2))
def test_a_shift_or_a_scale_of_what_goes_in_is_one_of_what_comes_out(
    valences: list[float], shift: float, scale: float
) -> None:
    plain = scores(valences)
    assert scores([v + shift for v in valences]) == pytest.approx([s + PUBLIC * shift for s in plain], abs=1e-9)
    assert scores([v * scale for v in valences]) == pytest.approx([s * scale for s in plain], abs=1e-9)


def test_the_trend_keeps_still_within_its_dead_band() -> None:
    curve, _ = run([said(0.0)] * 4)
    inside, [still] = run([said(0.9 * DEAD_BAND / PUBLIC, speech_ms=20_000, confidence=1.0)], curve)
    assert still.trend == "steady"
    _, [up] = run([said(0.8)], inside)
    _, [down] = run([said(-0.8)], inside)
    assert (up.trend, down.trend) == ("rising", "falling")


def test_a_mood_that_stays_is_steady_again() -> None:
    _, samples = run([said(0.5)] * 2 + [said(-0.7)] * 12)
    assert samples[2].trend == "falling"
    assert samples[-1].trend == "steady"
    assert samples[-1].score == pytest.approx(-3.5, abs=0.01)


def test_a_flat_negative_call_has_no_swing() -> None:
    curve, _ = run([said(-0.8, 6_000 * n) for n in range(1, 40)])
    swings = curve.swings
    assert swings is not None
    assert (swings.samples, swings.sign_changes) == (39, 0)
    assert (swings.range, swings.variance, swings.shift) == pytest.approx((0, 0, 0), abs=1e-9)
    assert swings.slope == pytest.approx(0, abs=1e-9)


def test_the_swings_of_a_curve_reckoned_by_hand() -> None:
    sums = Sums()
    for minute, score in enumerate([2.0, 1.0, -1.0, -2.0, 0.4, 3.0]):
        sums = sums.push(score, minute * 60_000)
    swings = sums.swings
    assert swings is not None
    # The scores add up to 3.4; the squared deviations of the minutes 0 ... 5 to 17.5.
    assert swings.range == 5.0
    assert swings.sign_changes == 2
    assert swings.variance == pytest.approx((4 + 1 + 1 + 4 + 0.16 + 9) / 6 - (3.4 / 6) ** 2)
    assert swings.slope == pytest.approx((0 * 2 + 1 - 2 - 6 + 1.6 + 15 - 2.5 * 3.4) / 17.5)
    assert swings.shift == pytest.approx(3 - (2 + 1 - 1) / 3)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=60))
def test_the_running_statistics_are_those_of_the_whole(values: list[float]) -> None:
    sums = Sums()
    for n, value in enumerate(values):
        sums = sums.push(value, 7_000 * n)
    swings = sums.swings
    assert swings is not None
    minutes = [7 * n / 60 for n in range(len(values))]
    assert swings.range == max(values) - min(values)
    assert swings.variance == pytest.approx(statistics.pvariance(values), abs=1e-9)
    assert swings.slope == pytest.approx(statistics.linear_regression(minutes, values).slope, abs=1e-6)
    signs = [value > 0 for value in values if abs(value) >= DEAD_BAND]
    assert swings.sign_changes == sum(a != b for a, b in pairwise(signs))
    if len(values) > 3:
        assert swings.shift == pytest.approx(values[-1] - sum(values[:3]) / 3, abs=1e-9)
    else:
        assert swings.shift is None


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=40), st.floats(-3, 3), st.floats(-2, 2))
def test_swings_do_not_see_a_shift_and_follow_a_scale(values: list[float], shift: float, scale: float) -> None:
    def swings(scaled: list[float]) -> tuple[float, float, float, float]:
        sums = Sums()
        for n, value in enumerate(scaled):
            sums = sums.push(value, 7_000 * n)
        found = sums.swings
        assert found is not None
        assert found.shift is not None
        return found.range, found.variance, found.slope, found.shift

    size, variance, slope, change = swings(values)
    assert swings([v + shift for v in values]) == pytest.approx((size, variance, slope, change), abs=1e-6)
    expected = (size * abs(scale), variance * scale**2, slope * scale, change * scale)
    assert swings([v * scale for v in values]) == pytest.approx(expected, abs=1e-6)


def test_the_curve_of_a_long_call_is_as_small_as_that_of_a_short_one() -> None:
    curve, _ = run([said((-1) ** n * 0.123456789, 6_000 * n) for n in range(2_000)])
    assert len(msgspec.json.encode(curve)) < 800
