"""The figures of the text benchmark."""

import numpy as np
import pytest

from benchmarks.wording import calibration_error, macro_f1, probabilities
from models.sentiment import Sentiment


def test_probabilities_come_back_from_value_and_neutral() -> None:
    said = [Sentiment(value=0.3, confidence=0.5, neutral=0.5), Sentiment(value=None, confidence=0.0)]
    assert probabilities(said, two_way=False) == pytest.approx(np.array([[0.1, 0.5, 0.4], [0, 1, 0]]))


def test_a_set_without_neutral_texts_is_told_the_likelier_of_two() -> None:
    said = [Sentiment(value=0.3, confidence=0.5, neutral=0.5), Sentiment(value=None, confidence=0.0)]
    assert probabilities(said, two_way=True) == pytest.approx(np.array([[0.2, 0, 0.8], [0.5, 0, 0.5]]), abs=1e-6)


def test_what_is_as_often_right_as_it_is_sure_has_no_error() -> None:
    found = np.array([[0.75, 0.25]] * 4)
    assert calibration_error(found, np.array([0, 0, 0, 1])) == pytest.approx(0)
    assert calibration_error(found, np.array([1, 1, 1, 1])) == pytest.approx(0.75)


def test_classes_count_alike() -> None:
    assert macro_f1(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])) == pytest.approx(0.429, abs=1e-3)
