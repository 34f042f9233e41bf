"""Fits the heads of ``models.wording`` to labelled texts."""

# Torch is only there where training is.
# pyright: reportMissingImports=false

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.ngrams import ngrams
from models.training.labelled import Labelled

_OUTPUTS: Final = 8
_FAR: Final = -30.0
"""Added to the score of "neutral" where a set knows no neutral texts: then it is no choice."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head is fitted; the defaults were chosen on texts of the training files that were held back."""

    bits: int = 17
    hidden: int = 128
    epochs: int = 4
    batch: int = 512
    rate: float = 3e-3
    gram_scale: float = 2.0
    """N-grams of a text have this length: the longer, the faster they are learnt beside vector and phrases."""
    gram_decay: float = 1e-6
    dense_decay: float = 1e-2
    dropout: float = 0.3
    """Of the hidden layer."""
    gram_dropout: float = 0.2
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Texts as numbers, row by row."""

    starts: npt.NDArray[np.int64]
    """Shape (n + 1,), where each row's n-grams begin."""
    buckets: npt.NDArray[np.int64]
    weights: Floats
    """Of the n-grams, each row of length 1."""
    dense: Floats
    """Shape (n, d)."""
    sentiment: npt.NDArray[np.int64]
    """-1 where it is not known, as for the emotion."""
    emotion: npt.NDArray[np.int64]
    two_way: npt.NDArray[np.bool_]
    share: Floats
    """What each row counts."""

    def __len__(self) -> int:
        return len(self.sentiment)


def counted(rows: Sequence[Labelled], bits: int) -> list[tuple[npt.NDArray[np.int64], Floats]]:
    """The n-grams of every text."""
    return [ngrams(row.text, row.language, bits) for row in rows]


def rarity(grams: Sequence[tuple[npt.NDArray[np.int64], Floats]], bits: int) -> Floats:
    """Inverse document frequency of each bucket, ``log((1 + n) / (1 + d)) + 1``."""
    documents = np.zeros(1 << bits, dtype=np.float32)
    for buckets, _ in grams:
        documents[buckets] += 1
    found: Floats = (np.log((1 + len(grams)) / (1 + documents)) + 1).astype(np.float32)
    return found


def tabulate(
    rows: Sequence[Labelled],
    grams: Sequence[tuple[npt.NDArray[np.int64], Floats]],
    idf: Floats,
    dense: Floats,
    share: Floats,
) -> Table:
    """Put texts, their n-grams and their vectors together."""
    weights = [counts * idf[buckets] for buckets, counts in grams]
    return Table(
        starts=np.cumsum([0, *(len(buckets) for buckets, _ in grams)]),
        buckets=np.concatenate([buckets for buckets, _ in grams]),
        weights=np.concatenate([weight / max(float(np.linalg.norm(weight)), 1e-9) for weight in weights]),
        dense=dense,
        sentiment=np.array([-1 if row.sentiment is None else row.sentiment for row in rows]),
        emotion=np.array([-1 if row.emotion is None else row.emotion for row in rows]),
        two_way=np.array([row.two_way for row in rows]),
        share=share,
    )


def fit(table: Table, idf: Floats, recipe: Recipe = Recipe()) -> dict[str, Floats]:
    """
    Fit a head.

    Returns:
        The tensors of ``models.wording.Head`` by name.
    """
    import torch  # noqa: PLC0415

    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    # Vectors lie in a narrow cone and would hardly be heeded as they are.
    mean, spread = table.dense.mean(axis=0), table.dense.std(axis=0) + 1e-6
    table = replace(table, dense=((table.dense - mean) / spread).astype(np.float32))
    net = _net(table.dense.shape[1], len(idf), recipe)
    steps = recipe.epochs * (len(table) // recipe.batch + 1)
    optimiser = torch.optim.AdamW(
        [
            {"params": net["grams"].parameters(), "weight_decay": recipe.gram_decay},
            {"params": [*net["inner"].parameters(), *net["out"].parameters()], "weight_decay": recipe.dense_decay},
            {"params": net["direct"].parameters(), "weight_decay": recipe.dense_decay},
        ],
        lr=recipe.rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=steps + 1, pct_start=0.1)
    net.train()
    for rows in _batches(len(table), recipe):
        loss = _loss(_forward(net, table, rows, recipe), table, rows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    found = {
        name: np.ascontiguousarray(weight.detach().numpy().T)
        for name, weight in (
            ("hidden", net["inner"].weight),
            ("hidden_bias", net["inner"].bias),
            ("out", net["out"].weight),
            ("direct", net["direct"].weight),
            ("bias", net["direct"].bias),
        )
    }
    for weight, bias in (("hidden", "hidden_bias"), ("direct", "bias")):
        found[weight] = found[weight] / spread[:, None]
        found[bias] = found[bias] - mean @ found[weight]
    return {"idf": idf, "grams": net["grams"].weight.detach().numpy() * recipe.gram_scale} | found


def _net(dense: int, buckets: int, recipe: Recipe) -> Any:
    from torch import nn  # noqa: PLC0415

    net = nn.ModuleDict(
        {
            "grams": nn.EmbeddingBag(buckets, _OUTPUTS, mode="sum"),
            "inner": nn.Linear(dense, recipe.hidden),
            "out": nn.Linear(recipe.hidden, _OUTPUTS, bias=False),
            "direct": nn.Linear(dense, _OUTPUTS),
            "drop": nn.Dropout(recipe.dropout),
            "thin": nn.Dropout(recipe.gram_dropout),
        }
    )
    net["grams"].weight.data.zero_()
    return net


def _batches(count: int, recipe: Recipe) -> Iterator[npt.NDArray[np.int64]]:
    random = np.random.default_rng(recipe.seed)
    for _ in range(recipe.epochs):
        order = random.permutation(count)
        for start in range(0, count, recipe.batch):
            yield order[start : start + recipe.batch]


def _forward(net: Any, table: Table, rows: npt.NDArray[np.int64], recipe: Recipe) -> Any:
    import torch  # noqa: PLC0415

    sizes = table.starts[rows + 1] - table.starts[rows]
    offsets = np.cumsum(sizes) - sizes
    places = np.arange(int(sizes.sum())) + np.repeat(table.starts[rows] - offsets, sizes)
    weights = net["thin"](torch.from_numpy(table.weights[places] * np.float32(recipe.gram_scale)))
    said = net["grams"](torch.from_numpy(table.buckets[places]), torch.from_numpy(offsets), weights)
    dense = torch.from_numpy(table.dense[rows])
    inner = net["drop"](torch.relu(net["inner"](dense)))
    return said + net["out"](inner) + net["direct"](dense)


def _loss(scores: Any, table: Table, rows: npt.NDArray[np.int64]) -> Any:
    import torch  # noqa: PLC0415
    from torch.nn.functional import cross_entropy  # noqa: PLC0415

    share = torch.from_numpy(table.share[rows])
    away = np.zeros((len(rows), _OUTPUTS), dtype=np.float32)
    away[table.two_way[rows], 1] = _FAR
    open_scores = scores + torch.from_numpy(away)
    total: Any = 0.0
    for labels, part in ((table.sentiment[rows], slice(0, 3)), (table.emotion[rows], slice(3, 8))):
        known = torch.from_numpy(np.flatnonzero(labels >= 0))
        losses = cross_entropy(open_scores[known, part], torch.from_numpy(labels)[known], reduction="none")
        total = total + (losses * share[known]).sum() / len(rows)
    return total


def scores(head: dict[str, Floats], table: Table) -> Floats:
    """The scores of every row, shape (n, 8); the same sums as in ``models.wording.Head``."""
    said = np.zeros((len(table), _OUTPUTS), dtype=np.float32)
    sizes = np.diff(table.starts)
    for column in range(_OUTPUTS):
        products = table.weights * head["grams"][table.buckets, column]
        said[:, column] = np.bincount(np.repeat(np.arange(len(table)), sizes), products, len(table))
    inner = np.maximum(table.dense @ head["hidden"] + head["hidden_bias"], 0)
    total = said + inner @ head["out"] + table.dense @ head["direct"] + head["bias"]
    return np.asarray(total, dtype=np.float32)
