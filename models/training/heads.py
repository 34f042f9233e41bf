"""Fits the heads of ``models.wording``, and the upper layers of the encoder under them, to labelled texts."""

# Torch is only there where training is.
# pyright: reportMissingImports=false

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.progress import track

from models.embedding import WIDTH
from models.ngrams import ngrams
from models.training.labelled import Labelled, Language
from models.training.top import Halves, Top

_OUTPUTS: Final = 8
_SAMPLE: Final = 2_000
"""Texts whose vectors say how all lie."""
_FAR: Final = -30.0
"""Added to the score of "neutral" where a set knows no neutral texts: then it is no choice."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head is fitted; the defaults were chosen on texts of the training files that were held back."""

    passes: int
    batch: int
    rate: float
    bits: int = 17
    hidden: int = 128
    top_rate: float = 1e-4
    """Of the encoder's upper layers."""
    gram_scale: float = 2.0
    """N-grams of a text have this length: the longer, the faster they are learnt beside vector and phrases."""
    gram_decay: float = 1e-6
    dense_decay: float = 1e-2
    dropout: float = 0.3
    """Of the hidden layer."""
    gram_dropout: float = 0.2
    piece_dropout: float = 0.2
    """Share of a text's pieces that the upper layers do not see."""
    seed: int = 1
    threads: int = 1
    """Sums come out otherwise with more."""


TUNED: Final = Recipe(passes=2, batch=128, rate=1.5e-3)
"""With the top."""
PLAIN: Final = Recipe(passes=4, batch=512, rate=3e-3)
"""On vectors that stay as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Texts as numbers, row by row."""

    starts: npt.NDArray[np.int64]
    """Shape (n + 1,), where each row's n-grams begin."""
    buckets: npt.NDArray[np.int64]
    weights: Floats
    """Of the n-grams, each row of length 1."""
    dense: Floats
    """Shape (n, d): vectors and marks, or in training the marks alone."""
    sentiment: npt.NDArray[np.int64]
    """-1 where it is not known, as for the emotion."""
    emotion: npt.NDArray[np.int64]
    two_way: npt.NDArray[np.bool_]
    share: Floats
    """What each row counts."""
    thin: npt.NDArray[np.int64]
    """In every so manieth pass a row is read."""

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
    thin: npt.NDArray[np.int64] | None = None,
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
        thin=np.ones(len(rows), dtype=np.int64) if thin is None else thin,
    )


def fit(
    tables: Mapping[Language, Table],
    idf: Mapping[Language, Floats],
    recipe: Recipe,
    lower: Mapping[Language, Sequence[Halves]] | None = None,
    top: Top | None = None,
) -> dict[Language, dict[str, Floats]]:
    """
    Fit a head for each language, and tune the top that they share if there is one.

    Args:
        lower: Of each text what the trunk gives, shape (pieces, width); where it is None the tables have vectors.
        top: It is changed.

    Returns:
        The tensors of ``models.wording.Head`` by name.
    """
    import torch  # noqa: PLC0415

    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    parts: dict[Language, _Part] = {
        name: _Part(table, idf[name], recipe, None if lower is None else lower[name], top)
        for name, table in tables.items()
    }
    steps = list(batches(tables, recipe))
    optimiser = torch.optim.AdamW(_groups(parts, top, recipe))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [group["lr"] for group in optimiser.param_groups], total_steps=len(steps) + 1, pct_start=0.1
    )
    random = np.random.default_rng(recipe.seed)
    for name, rows in track(steps, "training", disable=not sys.stderr.isatty()):
        loss = _loss(parts[name].scores(rows, random), tables[name], rows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return {name: part.head() for name, part in parts.items()}


class _Part:
    """What is fitted for one language."""

    def __init__(
        self, table: Table, idf: Floats, recipe: Recipe, lower: Sequence[Halves] | None, top: Top | None
    ) -> None:
        import torch  # noqa: PLC0415

        self._table, self._idf, self._recipe, self._lower, self._top = table, idf, recipe, lower, top
        seen = [table.dense]
        if lower is not None and top is not None:
            some = np.random.default_rng(recipe.seed).choice(len(table), min(len(table), _SAMPLE), replace=False)
            with torch.no_grad():
                seen.insert(0, top([lower[row] for row in some]).numpy())
        # Vectors lie in a narrow cone and would hardly be heeded as they are.
        self._mean = np.concatenate([one.mean(axis=0) for one in seen])
        self._spread = np.concatenate([one.std(axis=0) for one in seen]) + np.float32(1e-6)
        self.net = _net(len(self._mean), len(idf), recipe)
        self.net.train()

    def scores(self, rows: npt.NDArray[np.int64], random: np.random.Generator) -> Any:
        """Scores of some rows, shape (n, 8), with what is left out in training left out."""
        import torch  # noqa: PLC0415

        table, net, scale = self._table, self.net, self._recipe.gram_scale
        sizes = table.starts[rows + 1] - table.starts[rows]
        offsets = np.cumsum(sizes) - sizes
        places = np.arange(int(sizes.sum())) + np.repeat(table.starts[rows] - offsets, sizes)
        weights = net["thin"](torch.from_numpy(table.weights[places] * np.float32(scale)))
        said = net["grams"](torch.from_numpy(table.buckets[places]), torch.from_numpy(offsets), weights)
        dense = torch.from_numpy(table.dense[rows])
        if self._lower is not None and self._top is not None:
            lower = [self._lower[row] for row in rows]
            kept = [random.random(len(one)) >= self._recipe.piece_dropout for one in lower]
            for one in kept:
                one[0] = True
            dense = torch.cat([self._top(lower, kept), dense], dim=1)
        dense = (dense - torch.from_numpy(self._mean)) / torch.from_numpy(self._spread)
        return said + net["out"](net["drop"](torch.relu(net["inner"](dense)))) + net["direct"](dense)

    def head(self) -> dict[str, Floats]:
        """The tensors of ``models.wording.Head`` by name."""
        net = self.net
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
            found[weight] = found[weight] / self._spread[:, None]
            found[bias] = found[bias] - self._mean @ found[weight]
        return {"idf": self._idf, "grams": net["grams"].weight.detach().numpy() * self._recipe.gram_scale} | found


def _groups(parts: Mapping[Language, _Part], top: Top | None, recipe: Recipe) -> list[dict[str, Any]]:
    nets = [part.net for part in parts.values()]
    dense = [weight for net in nets for name in ("inner", "out", "direct") for weight in net[name].parameters()]
    grams = [net["grams"].weight for net in nets]
    layers = [] if top is None else list(top.parameters.values())
    return [
        {"params": grams, "lr": recipe.rate, "weight_decay": recipe.gram_decay},
        {"params": dense, "lr": recipe.rate, "weight_decay": recipe.dense_decay},
        *([{"params": layers, "lr": recipe.top_rate, "weight_decay": recipe.dense_decay}] if layers else []),
    ]


def mixed(tuned: dict[str, Floats], plain: dict[str, Floats]) -> dict[str, Floats]:
    """
    The mean of the scores of two heads, as one head.

    Args:
        tuned: On the vector of a tuned top and the marks.
        plain: On that of the plain one, with the same n-grams.

    Returns:
        On both vectors and the marks.
    """
    ours, theirs = len(tuned["direct"]) - WIDTH, len(tuned["hidden_bias"])
    wide = np.zeros((2 * WIDTH + ours, 2 * theirs), dtype=np.float32)
    wide[:WIDTH, :theirs], wide[2 * WIDTH :, :theirs] = tuned["hidden"][:WIDTH], tuned["hidden"][WIDTH:]
    wide[WIDTH:, theirs:] = plain["hidden"]
    half = np.float32(0.5)
    marks = tuned["direct"][WIDTH:] + plain["direct"][WIDTH:]
    direct = np.vstack([tuned["direct"][:WIDTH], plain["direct"][:WIDTH], marks])
    return {
        "idf": tuned["idf"],
        "grams": (tuned["grams"] + plain["grams"]) * half,
        "hidden": wide,
        "hidden_bias": np.concatenate([tuned["hidden_bias"], plain["hidden_bias"]]),
        "out": np.vstack([tuned["out"], plain["out"]]) * half,
        "direct": direct * half,
        "bias": (tuned["bias"] + plain["bias"]) * half,
    }


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


def batches(tables: Mapping[Language, Table], recipe: Recipe) -> Iterator[tuple[Language, npt.NDArray[np.int64]]]:
    """The languages in turn by chance, a batch each."""
    random = np.random.default_rng(recipe.seed)
    for at in range(recipe.passes):
        found: list[tuple[Language, npt.NDArray[np.int64]]] = []
        for name, table in tables.items():
            rows = np.arange(len(table))
            order = random.permutation(rows[(rows + at) % table.thin == 0])
            starts = range(0, len(order), recipe.batch)
            found.extend((name, order[start : start + recipe.batch]) for start in starts)
        yield from (found[number] for number in random.permutation(len(found)))


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


def packed(head: Mapping[str, Floats]) -> dict[str, npt.NDArray[Any]]:
    """A head as it is kept: n-grams, most of it by far, in eight bits with a scale a column, the rest in sixteen."""
    scale = np.maximum(np.abs(head["grams"]).max(axis=0), 1e-9) / 127
    rest = {name: tensor.astype(np.float16) for name, tensor in head.items() if name != "grams"}
    return rest | {
        "grams": np.rint(head["grams"] / scale).astype(np.int8),
        "grams_scale": scale.astype(np.float32),
    }
