"""Heads fitted to texts; needs what the extra `train` installs."""

from collections.abc import Sequence

import numpy as np
import pytest

from models.e5 import LAYERS, TRUNK
from models.embedding import WIDTH
from models.training.heads import Recipe, batches, counted, fit, mixed, packed, rarity, scores, tabulate
from models.training.labelled import Labelled
from models.training.text import calibrated, worn
from models.training.top import Top
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


def marks_of(count: int) -> np.ndarray:
    return dense(count)[:, WIDTH:]


def test_every_fourth_text_is_worn() -> None:
    second = worn(_ROWS)
    assert len(second) == len(_ROWS) // 4
    assert [row.sentiment for row in second] == [row.sentiment for row in _ROWS[::4]]


def layers() -> dict[str, np.ndarray]:
    """The weights of a top, small and by chance."""
    random = np.random.default_rng(5)
    shapes = {"qkv": (WIDTH, 3 * WIDTH), "ao": (WIDTH, WIDTH), "fi": (WIDTH, 2 * WIDTH), "fo": (2 * WIDTH, WIDTH)}
    found: dict[str, np.ndarray] = {}
    for layer in range(TRUNK, LAYERS):
        for name, shape in shapes.items():
            found[f"l{layer}.{name}.w"] = (random.normal(size=shape) / 20).astype(np.float32)
            found[f"l{layer}.{name}.b"] = np.zeros(shape[1], dtype=np.float32)
        for name in ("aln", "oln"):
            found[f"l{layer}.{name}.w"] = np.ones(WIDTH, dtype=np.float32)
            found[f"l{layer}.{name}.b"] = np.zeros(WIDTH, dtype=np.float32)
    return found


def pieces(rows: Sequence[Labelled]) -> list[np.ndarray]:
    """Of every text a piece that all have and one by its kind, in some noise."""
    random = np.random.default_rng(7)
    kinds = random.normal(size=(3, WIDTH))
    first = np.zeros((1, WIDTH))
    return [
        np.vstack([first, kinds[at % 3], random.normal(size=(at % 4, WIDTH)) / 4]).astype(np.float16)
        for at in range(len(rows))
    ]


def test_heads_and_top_learn_and_give_the_same_scores_where_they_run() -> None:
    pytest.importorskip("torch")
    grams = counted(_ROWS, _BITS)
    idf = rarity(grams, _BITS)
    lower, share = pieces(_ROWS), np.ones(len(_ROWS), dtype=np.float32)
    table = tabulate(_ROWS, grams, idf, marks_of(len(_ROWS)), share)
    top, before = Top(layers()), layers()
    recipe = Recipe(bits=_BITS, passes=20, batch=16, rate=3e-3)
    fitted = fit({"en": table}, {"en": idf}, recipe, {"en": lower}, top)["en"]
    assert all(not np.array_equal(before[name], weight) for name, weight in top.weights().items())
    vectors = top(lower).detach().numpy()
    table = tabulate(_ROWS, grams, idf, np.hstack([vectors, table.dense]), share)
    fitted = calibrated(fitted, table)
    found = scores(fitted, table)
    assert (found[:, :3].argmax(axis=1) == table.sentiment).mean() > 0.95
    assert (found[:, 3:].argmax(axis=1) == table.emotion).mean() > 0.95
    assert rarity(grams, _BITS).max() == idf.max()
    alone = Head(**packed(fitted)).scores_of(_ROWS[7].text, "en", table.dense[7])
    assert alone == pytest.approx(found[7], abs=0.05)


def test_two_heads_mixed_give_the_mean_of_their_scores() -> None:
    random = np.random.default_rng(11)
    grams = counted(_ROWS, _BITS)
    idf, share = rarity(grams, _BITS), np.ones(len(_ROWS), dtype=np.float32)
    shapes = {"grams": (1 << _BITS, 8), "hidden": (WIDTH + 6, 5), "hidden_bias": (5,), "out": (5, 8)}
    shapes |= {"direct": (WIDTH + 6, 8), "bias": (8,)}
    one, other = (
        {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()} | {"idf": idf}
        for _ in range(2)
    )
    tuned, plain = dense(len(_ROWS)), dense(len(_ROWS) + 1)[:-1]
    plain[:, WIDTH:] = tuned[:, WIDTH:]
    found = [scores(head, tabulate(_ROWS, grams, idf, seen, share)) for head, seen in ((one, tuned), (other, plain))]
    both = tabulate(_ROWS, grams, idf, np.hstack([tuned[:, :WIDTH], plain]), share)
    assert scores(mixed(one, other), both) == pytest.approx(sum(found) / 2, abs=1e-4)


def test_packed_n_grams_are_wrong_by_half_a_step_at_most() -> None:
    grams = np.random.default_rng(5).normal(size=(1 << _BITS, 8)).astype(np.float32) * np.arange(8, dtype=np.float32)
    kept = packed({"grams": grams, "bias": np.ones(8, dtype=np.float32)})
    assert kept["grams"].nbytes == grams.nbytes / 4
    off = np.abs(kept["grams"] * kept["grams_scale"] - grams).max(axis=0)
    assert (off <= np.abs(grams).max(axis=0) / 127 * 0.501 + 1e-9).all()
    assert kept["bias"].dtype == np.float16


def test_a_text_has_nearly_the_same_vector_alone_and_beside_longer_ones() -> None:
    """Nearly, for bfloat16 rounds sums of other lengths otherwise."""
    pytest.importorskip("torch")
    top, lower = Top(layers()), pieces(_ROWS[:9])
    together = top(lower).detach().numpy()
    for vector, one in zip(together, lower, strict=True):
        assert top([one]).detach().numpy()[0] @ vector == pytest.approx(1, abs=1e-3)


def test_a_row_that_is_thin_is_read_in_some_passes_alone() -> None:
    grams = counted(_ROWS, _BITS)
    thin = np.full(len(_ROWS), 3)
    share = np.ones(len(_ROWS), dtype=np.float32)
    table = tabulate(_ROWS, grams, rarity(grams, _BITS), marks_of(len(_ROWS)), share, thin)
    read = [rows for _, rows in batches({"en": table}, Recipe(passes=3, batch=7, rate=1.0))]
    assert sorted(np.concatenate(read)) == list(range(len(_ROWS)))


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
