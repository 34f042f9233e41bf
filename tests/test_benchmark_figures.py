"""The figures of the benchmarks, on data whose figures are known."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import (
    FEWEST_GROUPS,
    Covered,
    accuracy,
    auc,
    ccc,
    confusion,
    coverage_accuracy,
    ece,
    ece_by_chance,
    interval,
    macro_f1,
    per_class,
    ratio_interval,
    resampled,
    top,
    uar,
)

LABELS = st.sampled_from(["angry", "happy", "sad"])
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=60)
SURE = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)
NUMBERS = st.lists(st.integers(-20, 20), max_size=30)

TRUTH = ["angry", "angry", "angry", "angry", "sad", "sad"]
SAID = ["angry", "angry", "angry", "sad", "sad", "angry"]


def test_recalls_count_alike_however_many_files_a_class_has() -> None:
    assert accuracy(TRUTH, SAID) == pytest.approx(4 / 6)
    assert uar(TRUTH, SAID) == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert macro_f1(TRUTH, SAID) == pytest.approx((6 / 8 + 2 / 4) / 2)


def test_a_class_that_is_only_predicted_has_no_figure_of_its_own() -> None:
    assert uar(["sad", "sad"], ["sad", "happy"]) == 0.5
    assert macro_f1(["sad", "sad"], ["sad", "happy"]) == pytest.approx(2 / 3)


def test_each_class_has_its_own_figures() -> None:
    counts = confusion(TRUTH, SAID, ["angry", "happy", "sad"])
    assert counts["angry"] == {"angry": 3, "happy": 0, "sad": 1}
    found = per_class(counts)
    assert (found["sad"].n, found["sad"].recall, found["sad"].precision, found["sad"].f1) == (2, 0.5, 0.5, 0.5)
    assert (found["happy"].n, found["happy"].recall, found["happy"].precision, found["happy"].f1) == (0, *[None] * 3)
    with pytest.raises(KeyError):
        confusion(["fear"], ["sad"], ["sad"])


def test_figures_of_nothing_are_none() -> None:
    assert accuracy([], []) is uar([], []) is macro_f1([], []) is ece([], []) is auc([], [1]) is auc([1], []) is None
    assert interval(accuracy, [], []) is None
    assert coverage_accuracy([], []) == ()


def test_concordance_of_known_series() -> None:
    truth = np.array([0.0, 1.0, 2.0, 3.0])
    assert ccc(truth, truth) == 1.0
    assert ccc(truth, -truth + 3) == -1.0
    # Variance 1.25 each, covariance 1.25, means one apart: 2.5 / 3.5.
    assert ccc(truth, truth + 1) == pytest.approx(2.5 / 3.5)
    assert ccc(truth[:1], truth[:1]) is None
    assert ccc(np.ones(3), np.ones(3)) is None


def test_calibration_is_the_weighted_distance_of_each_bin() -> None:
    # Two bins: 4 at 0.9 of which 3 are right, 1 at 0.5 that is wrong.
    sure, right = [0.9, 0.9, 0.9, 0.9, 0.5], [True, True, True, False, False]
    assert ece(sure, right) == pytest.approx((4 * abs(0.75 - 0.9) + 1 * abs(0 - 0.5)) / 5)
    assert ece([1.0, 1.0], [True, True]) == 0.0
    assert ece([0.0, 1.0], [True, False]) == 1.0
    # Within a bin errors of both signs cancel; 0.64 and 0.66 share one, 0.66 and 0.67 do not.
    assert ece([0.64, 0.66], [True, False]) == pytest.approx(abs(1 - 1.3) / 2)
    assert ece([0.66, 0.67], [True, False]) == pytest.approx((0.34 + 0.67) / 2)


def test_what_is_certain_has_no_error_by_chance_and_few_files_have_more_than_many() -> None:
    assert ece_by_chance([]) is None
    assert ece_by_chance([1.0] * 20) == (0.0, 0.0)
    few, many = ece_by_chance([0.6] * 20), ece_by_chance([0.6] * 2_000)
    assert few is not None
    assert many is not None
    # Of one bin the error is that of a mean: 1.96 standard deviations of n draws.
    assert few[1] == pytest.approx(1.96 * (0.24 / 20) ** 0.5, rel=0.2)
    assert many[1] == pytest.approx(1.96 * (0.24 / 2_000) ** 0.5, rel=0.2)


def test_the_most_confident_are_kept() -> None:
    sure = [0.99, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    right = [True, True, True, True, True, False, True, False, False, False]
    assert coverage_accuracy(sure, right) == (
        Covered(coverage=1.0, accuracy=0.6),
        Covered(coverage=0.9, accuracy=0.6667),
        Covered(coverage=0.8, accuracy=0.75),
        Covered(coverage=0.7, accuracy=0.8571),
        Covered(coverage=0.5, accuracy=1.0),
    )


def test_equal_confidence_keeps_the_mean_of_those_that_have_it() -> None:
    assert [one.accuracy for one in coverage_accuracy([0.5] * 4, [True, False, False, False])] == [0.25] * 5


def test_area_under_the_curve_counts_ties_half() -> None:
    assert auc([1, 2], [0, 1]) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert auc([0.1], [0.2]) == 0.0


def test_the_most_probable_class_has_its_share() -> None:
    assert top({"angry": 0.1, "sad": 0.3}) == ("sad", pytest.approx(0.75))


def test_speakers_are_resampled_where_there_are_enough_of_them() -> None:
    speakers = [str(n % FEWEST_GROUPS) for n in range(200)]
    assert (resampled(speakers), resampled(speakers[:3])) == ("speakers", "files")
    # Half of the speakers are always right, half never: their files are far from independent.
    right = [int(speaker) % 2 for speaker in speakers]
    by_files = interval(accuracy, [1] * 200, right)
    by_speakers = interval(accuracy, [1] * 200, right, groups=speakers)
    assert by_files is not None
    assert by_speakers is not None
    assert by_speakers[1] - by_speakers[0] > 2 * (by_files[1] - by_files[0])
    assert interval(accuracy, [1] * 200, right, groups=["one"] * 200) == by_files


def test_an_interval_of_text_is_that_of_its_codes() -> None:
    codes = {"angry": 0, "sad": 1}
    assert interval(uar, TRUTH, SAID) == interval(uar, [codes[t] for t in TRUTH], [codes[s] for s in SAID])


def test_intervals_narrow_with_more_files() -> None:
    few, many = (
        interval(accuracy, [1, 1, 1, 1] * 5, [1, 0, 1, 1] * 5),
        interval(accuracy, [1] * 400, [1, 0, 1, 1] * 100),
    )
    assert few is not None
    assert many is not None
    assert many[1] - many[0] < (few[1] - few[0]) / 3


def test_a_ratio_has_the_interval_of_its_files() -> None:
    low, high = ratio_interval([1] * 50 + [0] * 50, [2] * 100)
    assert low < 0.25 < high
    assert ratio_interval([1, 1], [4, 4]) == (0.25, 0.25)


@given(PAIRS)
@pytest.mark.slow
def test_figures_lie_between_none_and_all_and_their_intervals_around_them(pairs: list[tuple[str, str]]) -> None:
    truth, said = [one for one, _ in pairs], [one for _, one in pairs]
    for figure in (accuracy, uar, macro_f1):
        value = figure(truth, said)
        assert value is not None
        assert 0 <= value <= 1
        assert figure(truth, truth) == 1.0
    share, found = accuracy(truth, said), interval(accuracy, truth, said)
    assert share is not None
    assert found is not None
    assert found[0] - 1e-4 <= share <= found[1] + 1e-4


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs: list[tuple[str, str]], chance: Random) -> None:
    mixed = list(pairs)
    chance.shuffle(mixed)
    for figure in (accuracy, uar, macro_f1):
        before, after = (figure([t for t, _ in rows], [s for _, s in rows]) for rows in (pairs, mixed))
        assert before == pytest.approx(after)


@given(SURE, st.randoms(use_true_random=False))
def test_confidence_and_hits_alone_decide(rows: list[tuple[float, bool]], chance: Random) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)
    sure, right = [s for s, _ in rows], [r for _, r in rows]
    found = coverage_accuracy(sure, right)
    assert found == coverage_accuracy([s for s, _ in mixed], [r for _, r in mixed])
    assert found[0].accuracy == pytest.approx(sum(right) / len(right), abs=1e-4)
    error = ece(sure, right)
    assert error is not None
    assert 0 <= error <= 1
    # Bins can only hide what lies apart, never add to it.
    assert abs(np.mean(sure) - np.mean(right)) - 1e-9 <= error <= np.mean(np.abs(np.subtract(sure, right))) + 1e-9


@given(NUMBERS, NUMBERS)
def test_area_is_the_share_of_pairs_in_order(high: list[int], low: list[int]) -> None:
    pairs = [(one > other) + (one == other) / 2 for one in high for other in low]
    assert auc(high, low) == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=40))
def test_concordance_is_symmetric_and_at_most_one(pairs: list[tuple[int, int]]) -> None:
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = ccc(x, y), ccc(y, x)
    assert (there is None) == (back is None) == (len(set(x)) == len(set(y)) == 1 and x[0] == y[0])
    if there is not None:
        assert there == pytest.approx(back)
        assert -1 - 1e-9 <= there <= 1 + 1e-9
