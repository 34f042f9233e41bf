"""
Training of the churn model: ``python -m models.training.churn --data DIR --out DIR``, and what a business's own
outcomes teach.

``DIR`` holds the tables of models/training/churn_tables.py. Only the rows to train on are read; figures of the others
are the business of benchmarks/churn.py.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from models.additive import Additive, write_additive
from models.churn import CALL_TERMS
from models.errors import TooFewOutcomes
from models.profile import ProfileFeatures, Row
from models.training.additive import SEED, Column, Floats, Purpose, fit, folds, log_loss, out_of_fold
from models.training.churn_tables import HAZARD, TRADES, customers, months

FEWEST: Final = 100
"""Customers who left, and as many who stayed, without whom nothing is learned: about ten for each of ten features."""
_CALL: Final = "call."
_SURE: Final = 4.0
"""Precision of the belief that a term of a call counts once, as the prior has it: its standard deviation is a half."""
_RISES: Final = {
    "tenure_days": -1,
    "lapse_share": 1,
    "complaints_30": 1,
    "complaints_90": 1,
    "complaints_365": 1,
    "contact_surprise": 1,
    "recurring": 1,
    "broken_promises": 1,
    "open_cases": 1,
    "satisfaction": -1,
}
"""Fields of a profile of which more is never good, or never bad."""


class Outcomes(NamedTuple):
    """Customers of a business at a time, and who had left when their time was over."""

    rows: list[Row]
    left: Floats
    columns: tuple[Column, ...]
    calls: list[dict[str, float]]
    """Log-odds that a call added by the prior, by term; empty of a customer who did not call."""


class Figures(NamedTuple):
    """Of customers by models that had not seen them."""

    n: int
    left: int
    auc: float
    brier: float
    log_loss: float
    log_loss_without: float
    """Of the base rate alone."""


def read_outcomes(path: Path) -> Outcomes:
    """
    Outcomes of a CSV: a column ``left`` (0 or 1), fields of a profile and attributes by name, and ``call.NAME`` for a
    term of a call. An empty cell is not known. ``customer_id`` is not learned from.

    Raises:
        TooFewOutcomes: If too few left, or stayed.
        ValueError: If a cell cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        told = list(csv.DictReader(lines))
    if told and "left" not in told[0]:
        raise ValueError(f"expected a column left, got {', '.join(told[0])} (file={path})")
    left = np.array([_zero_or_one(row["left"], n) for n, row in enumerate(told, 2)])
    if min(left.sum(), len(left) - left.sum()) < FEWEST:
        raise TooFewOutcomes(FEWEST, int(left.sum()), int(len(left) - left.sum()))
    names = [name for name in told[0] if name not in {"left", "customer_id"} and not name.startswith(_CALL)]
    columns = tuple(_column(name, [row[name] for row in told]) for name in names)
    kinds = {column.name for column in columns if column.kinds}
    rows: list[Row] = [
        {name: (row[name] if name in kinds else float(row[name])) if row[name] else None for name in names}
        for row in told
    ]
    terms = [name for name in told[0] if name.startswith(_CALL)]
    unknown = {name.removeprefix(_CALL) for name in terms} - set(CALL_TERMS)
    if unknown:
        raise ValueError(f"expected terms of {', '.join(CALL_TERMS)}, got {', '.join(sorted(unknown))} (file={path})")
    calls = [{name.removeprefix(_CALL): float(row[name]) for name in terms if row[name]} for row in told]
    return Outcomes(rows, left, columns, calls)


def refit(outcomes: Outcomes, name: str) -> Additive:
    """A model of a business's own outcomes, calls among them."""
    purpose = Purpose(name, "this business", "its own outcomes")
    model = fit(outcomes.rows, outcomes.left, outcomes.columns, purpose)
    # By models that did not see the customer: the profile must not explain away what calls have taught.
    base = out_of_fold(outcomes.rows, outcomes.left, outcomes.columns, purpose)
    return msgspec.structs.replace(model, call=call_weights(base, outcomes.calls, outcomes.left))


def call_weights(base: Floats, calls: Sequence[dict[str, float]], left: Floats) -> dict[str, float]:
    """
    What each term of a call is worth beside its prior weight: 1 where no outcome says otherwise.

    The most probable weights under a normal belief around 1, none below 0. Only customers who called teach.

    Args:
        base: Log-odds without the call, shape (n,).
    """
    names = sorted({name for call in calls for name in call})
    at = [n for n, call in enumerate(calls) if call]
    if not at:
        return {}
    x = np.array([[calls[n].get(name, 0.0) for name in names] for n in at])
    weights = np.ones(len(names))
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(base[at] + x @ weights, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + _SURE * np.eye(len(names))
        weights = weights + np.linalg.solve(hessian, x.T @ (left[at] - p) - _SURE * (weights - 1))
    return {name: round(max(0.0, float(weight)), 4) for name, weight in zip(names, weights, strict=True)}


def cross_validated(outcomes: Outcomes) -> Figures:
    """Figures of a refit, on customers that it did not see."""
    purpose = Purpose("trial", "", "")
    found = out_of_fold(outcomes.rows, outcomes.left, outcomes.columns, purpose)
    parts, whole = folds(outcomes.left, seed=SEED + 2), found.copy()
    for part in np.unique(parts):
        there = parts != part
        calls = [call for call, here in zip(outcomes.calls, there, strict=True) if here]
        weights = call_weights(found[there], calls, outcomes.left[there])
        for n in np.flatnonzero(~there).tolist():
            whole[n] += sum(weights.get(name, 1.0) * term for name, term in outcomes.calls[n].items())
    return figures(whole, outcomes.left)


def figures(log_odds: Floats, left: Floats) -> Figures:
    """AUC, Brier score and log loss."""
    p = 1 / (1 + np.exp(-log_odds))
    stayed = np.sort(log_odds[left == 0])
    wins = np.searchsorted(stayed, log_odds[left == 1], "left") + np.searchsorted(stayed, log_odds[left == 1], "right")
    share = float(left.mean())
    return Figures(
        n=len(left),
        left=int(left.sum()),
        auc=float(wins.mean() / (2 * len(stayed))),
        brier=float(np.mean((p - left) ** 2)),
        log_loss=log_loss(left, log_odds),
        log_loss_without=log_loss(left, np.full(len(left), np.log(share / (1 - share)))),
    )


def told(found: Figures) -> str:
    """Figures in one line."""
    return (
        f"{found.n} customers, {found.left} left: AUC {found.auc:.3f}, Brier {found.brier:.4f}, log loss "
        f"{found.log_loss:.4f} (by the share alone {found.log_loss_without:.4f}), cross-validated"
    )


def _column(name: str, cells: Sequence[str]) -> Column:
    numbers = all(_is_number(cell) for cell in cells if cell)
    if not numbers and name in ProfileFeatures.__struct_fields__:
        raise ValueError(
            f"expected numbers in the column {name}, got {next(c for c in cells if c and not _is_number(c))}"
        )
    return Column(name, _RISES.get(name, 0), kinds=not numbers)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _zero_or_one(cell: str, line: int) -> float:
    if cell not in {"0", "1"}:
        raise ValueError(f"expected 0 or 1 in the column left, got {cell!r} (line={line})")
    return float(cell)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m models.training.churn", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with tables/")
    parser.add_argument("--out", type=Path, required=True, help="a directory for churn-TRADE.json")
    parser.add_argument("--weights", choices=("open", "research"), default="open")
    given = parser.parse_args()
    for name, trade in TRADES.items():
        if trade.open != (given.weights == "open"):
            continue
        learned = customers(name, given.data / "tables", held_out=False)
        found = out_of_fold(learned.rows, learned.left, trade.columns, trade.purpose)
        print(f"{name}: {told(figures(found, learned.left))}")
        write_additive(given.out / f"churn-{name}.json", fit(learned.rows, learned.left, trade.columns, trade.purpose))
    if given.weights == "open":
        learned = months(customers("contract", given.data / "tables", held_out=False))
        hazard = fit(learned.rows, learned.left, HAZARD.columns, HAZARD.purpose)
        print(f"{HAZARD.purpose.name}: {len(learned.rows)} months, {int(learned.left.sum())} left")
        write_additive(given.out / "churn-contract-hazard.json", hazard)


if __name__ == "__main__":
    main()
