"""What outcomes teach of who leaves."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.additive import read_additive
from models.errors import TooFewOutcomes
from models.training.churn import call_weights, cross_validated, read_outcomes, refit
from models.training.churn_tables import TRADES, History, customers, look
from stream.commands.churn import refit as command
from stream.errors import StreamError

TABLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "tables"


def simulated(n: int, seed: int = 1) -> list[dict[str, Any]]:
    """
    Customers with a known hazard: log-odds -1.5 - 0.001 * tenure + 1 of a monthly plan + half of what the prior says of
    a call with a wish to cancel, and all that it says of a complaint.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for at in range(n):
        tenure, plan = rng.uniform(0, 2000), str(rng.choice(["month", "year"]))
        called = rng.uniform() < 0.5
        cancel, complaint = (2.2 * (rng.uniform() < 0.4), 0.7 * (rng.uniform() < 0.4)) if called else (None, None)
        odds = -0.5 - 0.001 * tenure + (plan == "month") + 0.5 * (cancel or 0.0) + (complaint or 0.0)
        rows.append(
            {
                "customer_id": f"c{at}",
                "left": int(rng.uniform() < 1 / (1 + np.exp(-odds))),
                "tenure_days": round(tenure, 1) if rng.uniform() < 0.9 else "",
                "plan": plan,
                "call.cancel": "" if cancel is None else cancel,
                "call.complaint": "" if complaint is None else complaint,
            }
        )
    return rows


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.mark.slow
def test_own_outcomes_teach_the_profile_and_what_a_call_is_worth(tmp_path: Path) -> None:
    known = read_outcomes(written(tmp_path / "o.csv", simulated(4000)))
    model = refit(known, "own")
    assert {shape.name for shape in model.shapes} == {"tenure_days", "plan"}
    assert model.call["cancel"] == pytest.approx(0.5, abs=0.15)
    assert model.call["complaint"] == pytest.approx(1.0, abs=0.35)
    found = cross_validated(known)
    assert found.auc > 0.70
    assert found.log_loss < found.log_loss_without


def test_without_calls_their_weights_stay_as_they_were() -> None:
    assert call_weights(np.zeros(3), [{}, {}, {}], np.array([0.0, 1.0, 0.0])) == {}
    few = call_weights(np.zeros(2), [{"price": 0.5}, {}], np.array([1.0, 0.0]))
    assert few["price"] == pytest.approx(1.0, abs=0.1)


def test_too_few_outcomes_are_refused(tmp_path: Path) -> None:
    rows = [{**row, "left": 0} for row in simulated(500)]
    with pytest.raises(TooFewOutcomes, match="got 0 and 500"):
        read_outcomes(written(tmp_path / "o.csv", rows))


@pytest.mark.parametrize(
    ("change", "said"),
    [({"left": "yes"}, "expected 0 or 1"), ({"tenure_days": "long"}, "expected numbers in the column tenure_days")],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, change: dict[str, str], said: str) -> None:
    rows = simulated(800)
    path = written(tmp_path / "o.csv", [{**rows[0], **change}, *rows[1:]])
    with pytest.raises(StreamError, match=said):
        command(path)


def test_an_unknown_term_of_a_call_is_told(tmp_path: Path) -> None:
    rows = [{**row, "call.weather": 1} for row in simulated(800)]
    with pytest.raises(StreamError, match="weather"):
        command(written(tmp_path / "o.csv", rows))


def test_a_trial_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "o.csv", simulated(800))
    command(path)
    assert "AUC" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]
    command(path, out=tmp_path / "model.json")
    assert read_additive(tmp_path / "model.json").version.startswith("own-")


def test_a_customer_is_looked_at_before_they_lapse_and_left_only_if_no_order_came_in_time() -> None:
    regular = [look(History(f"r{n}", list(range(0, 400, 20)), [5.0] * 20, 500)) for n in range(40)]
    once = [look(History(f"o{n}", [100], [5.0], 500)) for n in range(40)]
    assert all(row["lapse_share"] <= 1 for row, _ in filter(None, [*regular, *once]))  # type: ignore[operator]
    assert {left for _, left in filter(None, once)} == {True}
    # Of a regular one only looks after the last order are of one who left.
    assert {left for row, left in filter(None, regular) if row["orders"] != 20} == {False}
    assert {left for row, left in filter(None, regular) if row["orders"] == 20} <= {True}
    assert look(History("new", [480], [5.0], 500)) is None


@pytest.mark.corpus
@pytest.mark.parametrize("trade", TRADES)
def test_learned_and_held_out_customers_are_others(trade: str) -> None:
    learned, held_out = (customers(trade, TABLES, held_out=which) for which in (False, True))
    assert min(len(learned.rows), len(held_out.rows)) >= 1000
    wanted = {column.name for column in TRADES[trade].columns}
    assert wanted <= {name for row in learned.rows for name, value in row.items() if value is not None}
    assert set(np.unique(learned.left)) == {0.0, 1.0}
