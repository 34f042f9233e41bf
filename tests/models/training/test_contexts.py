"""Baselines drawn for training."""

import numpy as np
import pytest

from models.training.contexts import draw, measure_scale, moments


def test_a_baseline_of_one_utterance_is_that_utterance() -> None:
    sounds = np.arange(12, dtype=np.float32).reshape(4, 3)
    mean, variance, weight = moments(np.array([[0.0, 0.5, 0.0, 0.0], [0.0] * 4]), sounds)
    assert mean[0] == pytest.approx(sounds[1])
    assert variance[0] == pytest.approx(0)
    assert weight[:, 0] == pytest.approx([0.5, 0])


def test_a_baseline_of_all_is_their_mean_and_variance_and_weighs_no_more_than_memory() -> None:
    sounds = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    mean, variance, weight = moments(np.ones((1, 100)), sounds)
    assert mean[0] == pytest.approx(sounds.mean(axis=0), abs=1e-5)
    assert variance[0] == pytest.approx(sounds.var(axis=0), abs=1e-5)
    assert weight[0, 0] == 40


def test_some_baselines_are_empty_some_short_and_some_long() -> None:
    emotions = np.arange(60) % 4
    weights = draw(np.random.default_rng(0), 400, emotions, np.ones(60))
    used = (weights > 0).sum(axis=1)
    assert weights.shape == (400, 60)
    assert 0.05 < (used == 0).mean() < 0.16
    assert ((used > 0) & (used < 10)).mean() > 0.1
    assert (used == 60).mean() > 0.3
    assert (weights >= 0).all()


def test_what_is_not_calm_weighs_less() -> None:
    calm = np.where(np.arange(40) < 20, 1.0, 0.2)
    weights = draw(np.random.default_rng(0), 400, np.zeros(40, np.int64), calm)
    assert weights[:, :20].sum() > 3 * weights[:, 20:].sum()


def test_the_scale_is_that_within_speakers_not_between_them() -> None:
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(20), 50)
    vectors = (rng.normal(size=(2, 1000, 1)) + 5 * rng.normal(size=20)[speakers][None, :, None]).astype(np.float32)
    scale = measure_scale(vectors, speakers)
    assert scale.width[0] == pytest.approx(1, abs=0.05)
    assert scale.doubt[0] < 0.1
    assert scale.standard(np.full((1, 1), 1e9, np.float32))[0, 0] == 8
