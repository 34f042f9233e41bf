"""
Who leaves, on real tables, beside logistic regression and boosted trees: ``python -m benchmarks.churn --data DIR``.

Each model learns from the rows to train on and is measured on customers that none of them has seen. The third part is
a simulation with a known hazard, since no open table has calls with outcomes: it shows what the join of profile and
call does, and says nothing of real calls.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.figures import Floats, Interval, auc, interval, spanned
from models.additive import Additive
from models.churn import CallFeatures, Signal, call_terms, profile_risk, risk, shipped, standing
from models.profile import ProfileFeatures, Row
from models.survival import MONTH_DAYS, shipped_hazard, staying
from models.training.additive import Column, Purpose, fit, log_loss
from models.training.churn import call_weights
from models.training.churn_tables import TRADES, Customers, customers

_SEED: Final = 5
_BINS: Final = 10
_HIDDEN: Final = 0.3
"""Share of what is known that is taken away to see what a model does without."""
_MONTHS: Final = (6, 12, 24, 48, 72)
OURS: Final = "warmline"


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """A tenth of the customers, by their score."""

    said: float
    """Mean score."""
    left: float
    """Share who left."""
    interval: Interval
    """Of that share, 95 %."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One model on customers it has not seen."""

    by: str
    auc: float
    auc_interval: Interval
    brier: float
    brier_interval: Interval
    log_loss: float
    log_loss_interval: Interval
    curve: tuple[Bin, ...]


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of business."""

    name: str
    trade: str
    version: str
    learned: int
    n: int
    left: float
    """Share, of those measured."""
    models: tuple[Scored, ...]
    without: float
    """Log loss of the share of the training alone."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A way to judge simulated customers who called."""

    by: str
    auc: float
    auc_interval: Interval
    log_loss: float


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """
    Share of customers still there after so many months from their beginning.

    By kind of contract, for over all kinds Kaplan-Meier does not hold: those without a term are the newer ones, too, so
    that who is no longer seen would have left sooner than who is.
    """

    contract: str
    n: int
    months: int
    said: float
    """Mean over the customers, by the hazard."""
    kept: float
    """Kaplan-Meier's estimate."""
    interval: Interval


class Survival(msgspec.Struct, frozen=True, kw_only=True):
    """How long customers with a contract stay."""

    version: str
    n: int
    concordance: float
    """Of two customers of whom it is known who left first, the share in which the hazard says so (Harrell's C)."""
    concordance_interval: Interval
    stays: tuple[Stay, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark writes."""

    environment: Environment
    trades: tuple[Trade, ...]
    survival: Survival
    simulated: tuple[Call, ...]
    update_ms: Spread
    """Profile and call to a score with reasons and interval."""
    furthest: float
    """Greatest difference between a score and the sum of its reasons."""


def _scored(by: str, log_odds: Floats, left: Floats) -> Scored:
    p = 1 / (1 + np.exp(-log_odds))
    figure: dict[str, Callable[[Any, Any], float | None]] = {
        "auc": lambda odds, truth: auc(odds[truth == 1], odds[truth == 0]),
        "brier": lambda odds, truth: float(np.mean((1 / (1 + np.exp(-odds)) - truth) ** 2)),
        "log_loss": lambda odds, truth: log_loss(truth, odds),
    }
    found = {name: round(one(log_odds, left) or 0.0, 4) for name, one in figure.items()}
    around = {f"{name}_interval": interval(one, log_odds, left) for name, one in figure.items()}
    parts = np.array_split(np.argsort(p, kind="stable"), _BINS)
    curve = tuple(
        Bin(
            said=round(float(p[part].mean()), 4),
            left=round(float(left[part].mean()), 4),
            interval=interval(lambda truth: float(np.mean(truth)), left[part]) or (0.0, 1.0),
        )
        for part in parts
    )
    return msgspec.convert({"by": by, **found, **around, "curve": curve}, Scored)


def _matrix(rows: Sequence[Row], columns: Sequence[Column], kinds: dict[str, list[str]]) -> Floats:
    """Numbers as they are, NaN where not known; a column of 0 and 1 for each kind."""
    found: list[list[float]] = []
    for column in columns:
        values = [row.get(column.name) for row in rows]
        if column.kinds:
            found += [[float(str(value) == kind) for value in values] for kind in kinds[column.name]]
        else:
            found.append([np.nan if value is None else float(value) for value in values])
    return np.array(found).T


def _peers(columns: Sequence[Column], learned: Customers, seen: Customers) -> list[Scored]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kinds = {one.name: sorted({str(row.get(one.name)) for row in learned.rows}) for one in columns if one.kinds}
    x, at = _matrix(learned.rows, columns, kinds), _matrix(seen.rows, columns, kinds)
    line = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), LogisticRegression(max_iter=2000)
    )
    # Chosen on folds of the rows to train on, as our smoothing is.
    trees = GridSearchCV(
        HistGradientBoostingClassifier(random_state=_SEED),
        {"learning_rate": [0.03, 0.1], "max_iter": [100, 300], "max_leaf_nodes": [8, 31]},
        scoring="neg_log_loss",
        cv=5,
    )
    found = []
    for name, model in (("logistic regression", line), ("boosted trees", trees)):
        p = np.clip(model.fit(x, learned.left).predict_proba(at)[:, 1], 1e-6, 1 - 1e-6)
        found.append(_scored(name, np.log(p / (1 - p)), seen.left))
    return found


def _odds(model: Additive, rows: Sequence[Row]) -> Floats:
    return np.array([model.sum(row).log_odds for row in rows])


def _trade(name: str, tables: Path) -> Trade:
    trade = TRADES[name]
    learned, seen = (customers(name, tables, held_out=which) for which in (False, True))
    model = shipped(name) if trade.open else fit(learned.rows, learned.left, trade.columns, trade.purpose)
    rng = np.random.default_rng(_SEED)
    hidden = [{key: value for key, value in row.items() if rng.uniform() >= _HIDDEN} for row in seen.rows]
    share = float(learned.left.mean())
    return Trade(
        name=name,
        trade=trade.purpose.trade,
        version=model.version,
        learned=len(learned.rows),
        n=len(seen.rows),
        left=round(float(seen.left.mean()), 4),
        models=(
            _scored(OURS, _odds(model, seen.rows), seen.left),
            *_peers(trade.columns, learned, seen),
            _scored(f"{OURS}, {_HIDDEN:.0%} hidden", _odds(model, hidden), seen.left),
        ),
        without=round(log_loss(seen.left, np.full(len(seen.left), np.log(share / (1 - share)))), 4),
    )


def _survival(tables: Path) -> Survival:
    hazard, seen = shipped_hazard(), customers("contract", tables, held_out=True)
    tenure = np.array([float(row["tenure_days"] or 0) / MONTH_DAYS for row in seen.rows]).round()
    new = [ProfileFeatures(tenure_days=0.0, attributes={k: str(v) for k, v in row.items() if v}) for row in seen.rows]
    said = np.array([staying(hazard, one, _MONTHS[-1]) for one in new])
    contract = np.array([str(row["contract"]) for row in seen.rows])
    stays = [
        Stay(
            contract=kind,
            n=int((of := contract == kind).sum()),
            months=month,
            said=round(float(said[of, month].mean()), 4),
            kept=round(_kept(tenure[of], seen.left[of], month), 4),
            interval=interval(lambda t, gone, month=month: _kept(t, gone, month), tenure[of], seen.left[of])
            or (0.0, 1.0),
        )
        for kind in sorted(set(contract.tolist()))
        for month in _MONTHS
    ]
    risks = 1 - said[:, _MONTHS[1]]
    return Survival(
        version=hazard.version,
        n=len(new),
        concordance=round(_concordance(tenure, seen.left, risks), 4),
        concordance_interval=interval(_concordance, tenure, seen.left, risks) or (0.0, 1.0),
        stays=tuple(stays),
    )


def _kept(tenure: Floats, left: Floats, month: int) -> float:
    """Source: Kaplan, Meier: Nonparametric estimation from incomplete observations, JASA 53, 1958."""
    share = 1.0
    for at in range(1, month + 1):
        there = (tenure >= at).sum()
        share *= 1 - ((tenure == at) & (left == 1)).sum() / max(there, 1)
    return float(share)


def _concordance(tenure: Floats, left: Floats, risks: Floats) -> float:
    """Source: Harrell, Lee, Mark: Multivariable prognostic models, Statistics in Medicine 15, 1996."""
    later = (tenure[:, None] < tenure[None, :]) & (left[:, None] == 1)
    apart = risks[:, None] - risks[None, :]
    return float(((apart > 0) + 0.5 * (apart == 0))[later].mean())


def _simulated(n: int) -> tuple[Call, ...]:
    """
    Customers whose log-odds are -1.5 - 0.001 * days of tenure + what a call truly adds: of a wish to cancel half of
    what the prior has, of a complaint one and a half times that.
    """
    rng = np.random.default_rng(_SEED)
    tenure = rng.uniform(0, 2000, n)
    calls = [
        CallFeatures(
            customer_utterances=5,
            cancel=Signal(count=int(rng.uniform() < 0.3)),
            complaint=Signal(count=int(rng.uniform() < 0.4)),
            satisfied=Signal(count=int(rng.uniform() < 0.3)),
        )
        for _ in range(n)
    ]
    terms = [call_terms(call) for call in calls]
    true = {"cancel": 0.5, "complaint": 1.5}
    added = np.array([sum(true.get(name, 1.0) * term for name, term in one.items()) for one in terms])
    left = (rng.uniform(size=n) < 1 / (1 + np.exp(1.5 + 0.001 * tenure - added))).astype(np.float64)
    rows: list[Row] = [{"tenure_days": float(days)} for days in tenure]
    half = n // 2
    model = fit(rows[:half], left[:half], (Column("tenure_days", -1),), Purpose("simulated", "", ""))
    base = _odds(model, rows)
    weights = call_weights(base[:half], terms[:half], left[:half])
    ways = {
        "profile alone": base,
        "call by hand": base + np.array([sum(one.values()) for one in terms]),
        "call learned": base + np.array([sum(weights[name] * term for name, term in one.items()) for one in terms]),
    }
    return tuple(_call(name, odds[half:], left[half:]) for name, odds in ways.items())


def _call(name: str, odds: Floats, left: Floats) -> Call:
    found = _scored(name, odds, left)
    return Call(by=name, auc=found.auc, auc_interval=found.auc_interval, log_loss=found.log_loss)


def _updates(n: int) -> tuple[Spread, float]:
    """Time of each update in ms, and how far a score is from its reasons at most."""
    rng, model = np.random.default_rng(_SEED), shipped("contract")
    took, furthest = [], 0.0
    for _ in range(n):
        profile = ProfileFeatures(
            tenure_days=float(rng.uniform(0, 3000)),
            attributes={"contract": "One year", "price": f"{rng.uniform(20, 120):.2f}", "product": "DSL"},
        )
        call = CallFeatures(customer_utterances=9, cancel=Signal(count=1, since=int(rng.integers(9))))
        begun = time.perf_counter()
        known = standing(profile, model)
        found = risk(call, profile_known=True, known=known)
        took.append((time.perf_counter() - begun) * 1000)
        for one in (found, profile_risk(known)):
            furthest = max(furthest, abs((one.score or 0.0) - sum(reason.contribution for reason in one.reasons)))
    return spread(took, digits=3), furthest


def run(data: Path, *, out: Path | None, json: bool) -> None:
    """Measure and print."""
    update, furthest = _updates(2000)
    result = Result(
        environment=environment("warmline bench churn --data DIR", ("numpy", "scikit-learn")),
        trades=tuple(_trade(name, data / "tables") for name in TRADES),
        survival=_survival(data / "tables"),
        simulated=_simulated(8000),
        update_ms=update,
        furthest=float(f"{furthest:.1e}"),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("trade", "by", "AUC", "Brier", "log loss", box=None)
    for trade in result.trades:
        for one in trade.models:
            table.add_row(
                trade.name,
                one.by,
                spanned(one.auc, one.auc_interval),
                spanned(one.brier, one.brier_interval),
                spanned(one.log_loss, one.log_loss_interval),
            )
    for call in result.simulated:
        table.add_row("simulated", call.by, spanned(call.auc, call.auc_interval), "", f"{call.log_loss:.3f}")
    console.print(table)
    for stay in result.survival.stays:
        told = spanned(stay.kept, stay.interval)
        console.print(
            f"{stay.contract}, after {stay.months} months: {stay.said:.2f} said, {told} were", highlight=False
        )
    concordance = spanned(result.survival.concordance, result.survival.concordance_interval)
    console.print(f"concordance: {concordance}", highlight=False)
    console.print(
        f"an update takes {result.update_ms.p50} ms, p99 {result.update_ms.p99} ms; "
        f"reasons add up within {result.furthest}"
    )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.churn", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with tables/")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    run(given.data, out=given.out, json=given.json)


if __name__ == "__main__":
    main()
