"""Heads fitted to texts; needs what the extra `train` installs."""

import numpy as np
import pytest

from models.training.heads import Recipe, counted, fit, rarity, scores, tabulate
from models.training.labelled import Labelled
from models.training.text import calibrated, worn
from models.wording import Head

_BITS = 12
_KINDS = (("thank you that was great", 2, 4), ("this is a rip off", 0, 1), ("what time do you open", 1, 0))
_ROWS = [
    Labelled(f"{text} {number}", "en", "service", sentiment, emotion)
    for number in range(40)
    for text, sentiment, emotion in _KINDS
]


def dense(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, 390)).astype(np.float32) / 20


def test_every_fourth_text_is_worn() -> None:
    second = worn(_ROWS)
    assert len(second) == len(_ROWS) // 4
    assert [row.sentiment for row in second] == [row.sentiment for row in _ROWS[::4]]


def test_a_head_learns_and_gives_the_same_scores_where_it_runs() -> None:
    pytest.importorskip("torch")
    grams = counted(_ROWS, _BITS)
    idf = rarity(grams, _BITS)
    table = tabulate(_ROWS, grams, idf, dense(len(_ROWS)), np.ones(len(_ROWS), dtype=np.float32))
    fitted = calibrated(fit(table, idf, Recipe(bits=_BITS, epochs=40, batch=16)), table)
    found = scores(fitted, table)
    assert (found[:, :3].argmax(axis=1) == table.sentiment).mean() > 0.95
    assert (found[:, 3:].argmax(axis=1) == table.emotion).mean() > 0.95
    assert rarity(grams, _BITS).max() == idf.max()
    head = Head(**fitted)
    vector, marks = table.dense[7, :384], table.dense[7, 384:]
    alone = head.scores_of(_ROWS[7].text, "en", np.concatenate([vector, marks]))
    assert alone == pytest.approx(found[7], abs=1e-3)


def test_calibration_makes_doubtful_scores_of_noise() -> None:
    pytest.importorskip("torch")
    random = np.random.default_rng(3)
    rows = [row._replace(sentiment=int(random.integers(3))) for row in _ROWS]
    grams = counted(rows, _BITS)
    idf = rarity(grams, _BITS)
    table = tabulate(rows, grams, idf, dense(len(rows)), np.ones(len(rows), dtype=np.float32))
    head = {name: np.zeros(shape, np.float32) for name, shape in (("hidden_bias", 4), ("bias", 8))}
    head |= {"hidden": np.zeros((390, 4), np.float32), "out": np.zeros((4, 8), np.float32)}
    head |= {"direct": np.zeros((390, 8), np.float32), "grams": np.zeros((1 << _BITS, 8), np.float32)}
    head["bias"][0] = 5
    assert calibrated(head, table)["bias"][0] < 5 / 3
