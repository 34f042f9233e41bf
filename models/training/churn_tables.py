"""
Customers of public tables as profiles, with who left: DATA/tables of ``models.training.churn``.

Sex, age, marital status and family stand in two of the tables and are not read: nobody is to be treated by them.
"""

import csv
import gzip
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from models.profile import ProfileFeatures, Row, lapse_days, median_interval, rhythm, value_trend
from models.survival import MONTH_DAYS
from models.training.additive import Column, Floats, Purpose


class Customers(NamedTuple):
    """Profiles, and who left: shape (n,), 0 or 1."""

    rows: list[Row]
    left: Floats


class Trade(NamedTuple):
    """A kind of business."""

    purpose: Purpose
    columns: tuple[Column, ...]
    open: bool
    """Whether the licences of its tables allow to ship what was learned."""


TRADES: Final = {
    "contract": Trade(
        Purpose(
            "contract", "contracts (telecommunications); left: gave notice in the last month", "telco_churn, train"
        ),
        (
            Column("tenure_days", -1),
            Column("contract", kinds=True),
            Column("payment", kinds=True),
            Column("price"),
            Column("product", kinds=True),
            Column("support", kinds=True),
            Column("security", kinds=True),
            Column("paperless", kinds=True),
            Column("lines", kinds=True),
            Column("television", kinds=True),
        ),
        open=True,
    ),
    "orders": Trade(
        Purpose(
            "orders",
            "shops without contracts; left: no order within 3 median intervals of the customer's own, at least 60 days",
            "cdnow and online_retail, four of five customers",
        ),
        (
            Column("lapse_share", 1),
            Column("orders", -1),
            Column("orders_365", -1),
            Column("interval_days"),
            Column("days_since_order"),
            Column("tenure_days"),
            Column("value_trend"),
        ),
        open=True,
    ),
    "shop": Trade(
        Purpose("shop", "an online shop; left: as the shop says, without a definition", "ecommerce_churn, train"),
        (
            Column("tenure_days", -1),
            Column("complaints_30", 1),
            Column("days_since_order"),
            Column("orders"),
            Column("satisfaction"),
            Column("payment", kinds=True),
            Column("category", kinds=True),
            Column("cashback"),
            Column("addresses"),
            Column("devices"),
            Column("distance"),
            Column("coupons"),
            Column("app_hours"),
            Column("growth"),
            Column("city_tier", kinds=True),
            Column("login", kinds=True),
        ),
        open=False,
    ),
}


def customers(trade: str, tables: Path, *, held_out: bool) -> Customers:
    """Of a trade: those to learn from, or those that only reported figures may look at."""
    split = "public_eval.csv" if held_out else "train.csv"
    if trade == "contract":
        return _table(tables / "telco_churn" / split, _telco, "Yes")
    if trade == "shop":
        return _table(tables / "ecommerce_churn" / split, _shop, "1")
    looks = [found for history in _histories(tables) if history.held_out == held_out and (found := look(history))]
    return Customers([row for row, _ in looks], np.array([float(left) for _, left in looks]))


HAZARD: Final = Trade(
    Purpose(
        "contract-hazard",
        "contracts (telecommunications); left within a month, taking all who stayed up to then as at risk in it",
        "telco_churn, train, months of the customers",
    ),
    (Column("tenure_days"), *TRADES["contract"].columns[1:]),
    open=True,
)


def months(of: Customers) -> Customers:
    """
    Each month of each customer, and whether they left in it: customers are taken as followed from their beginning.

    All else is as it was when last seen, for the table tells no more.
    """
    rows: list[Row] = []
    left: list[float] = []
    for row, gone in zip(of.rows, of.left, strict=True):
        last = round(float(row["tenure_days"] or 0) / MONTH_DAYS)
        for month in range(1, last + 1):
            rows.append({**row, "tenure_days": month * MONTH_DAYS})
            left.append(float(gone and month == last))
    return Customers(rows, np.array(left))


def _table(path: Path, read: Callable[[Mapping[str, str]], ProfileFeatures], yes: str) -> Customers:
    with path.open(encoding="utf-8", newline="") as lines:
        told = list(csv.DictReader(lines))
    return Customers([read(row).row() for row in told], np.array([float(row["churn"] == yes) for row in told]))


def _telco(row: Mapping[str, str]) -> ProfileFeatures:
    television = {row["StreamingTV"], row["StreamingMovies"]}
    return ProfileFeatures(
        tenure_days=float(row["tenure"]) * MONTH_DAYS,
        attributes={
            "contract": row["Contract"],
            "payment": row["PaymentMethod"],
            "price": row["MonthlyCharges"],
            "product": row["InternetService"],
            "support": row["TechSupport"],
            "security": row["OnlineSecurity"],
            "paperless": row["PaperlessBilling"],
            "lines": row["MultipleLines"],
            "television": "Yes" if "Yes" in television else "No",
        },
    )


_ATTRIBUTES: Final = {
    "category": "PreferedOrderCat",
    "cashback": "CashbackAmount",
    "addresses": "NumberOfAddress",
    "devices": "NumberOfDeviceRegistered",
    "distance": "WarehouseToHome",
    "coupons": "CouponUsed",
    "app_hours": "HourSpendOnApp",
    "growth": "OrderAmountHikeFromlastYear",
    "city_tier": "CityTier",
    "login": "PreferredLoginDevice",
}
_SAME: Final = {"CC": "Credit Card", "COD": "Cash on Delivery", "Mobile": "Mobile Phone", "Phone": "Mobile Phone"}
"""Two names of one thing in this table."""


def _shop(row: Mapping[str, str]) -> ProfileFeatures:
    def number(name: str, unit: float = 1.0) -> float | None:
        return float(row[name]) * unit if row[name] else None

    attributes = {name: _SAME.get(row[column], row[column]) for name, column in _ATTRIBUTES.items() if row[column]}
    return ProfileFeatures(
        tenure_days=number("Tenure", MONTH_DAYS),
        complaints_30=number("Complain"),
        days_since_order=number("DaySinceLastOrder"),
        orders=number("OrderCount"),
        satisfaction=number("SatisfactionScore"),
        attributes={**attributes, "payment": _SAME.get(row["PreferredPaymentMode"], row["PreferredPaymentMode"])},
    )


class History(NamedTuple):
    """Orders of one customer, by time."""

    customer: str
    days: list[int]
    """Ordinals."""
    amounts: list[float]
    end: int
    """Last day of the table."""

    @property
    def held_out(self) -> bool:
        """One of five, by a checksum of the name."""
        return zlib.crc32(self.customer.encode()) % 5 == 0


def _histories(tables: Path) -> Iterator[History]:
    for name, told in (("cdnow", _cdnow(tables)), ("online_retail", _retail(tables))):
        orders: dict[str, list[tuple[int, float]]] = {}
        for customer, day, amount in told:
            orders.setdefault(f"{name}-{customer}", []).append((day, amount))
        end = max(day for some in orders.values() for day, _ in some)
        for customer, some in sorted(orders.items()):
            days, amounts = zip(*sorted(some), strict=True)
            yield History(customer, list(days), list(amounts), end)


def _cdnow(tables: Path) -> Iterator[tuple[str, int, float]]:
    for line in (tables / "cdnow" / "CDNOW_master.txt").read_text(encoding="utf-8").splitlines()[1:]:
        customer, day, _, amount = line.split()
        yield customer, date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal(), float(amount)


def _retail(tables: Path) -> Iterator[tuple[str, int, float]]:
    """Invoices; those of returns begin with C."""
    invoices: dict[tuple[str, int, str], float] = {}
    with gzip.open(tables / "online_retail" / "transactions.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["CustomerID"] and not row["InvoiceNo"].startswith("C"):
                key = row["CustomerID"], date.fromisoformat(row["InvoiceDate"][:10]).toordinal(), row["InvoiceNo"]
                invoices[key] = invoices.get(key, 0.0) + float(row["Quantity"]) * float(row["UnitPrice"])
    for (customer, day, _), amount in invoices.items():
        yield customer, day, amount


def look(history: History) -> tuple[Row, bool] | None:
    """
    One look at a customer who has not lapsed, at a day drawn from all on which it is known how it went on.

    One look a customer, so that no two rows are the same person.
    """
    days, end = history.days, history.end
    possible: list[tuple[int, bool]] = []
    for n in sorted({bisect_right(days, day) for day in days}):
        due = days[n - 1] + lapse_days(median_interval(days[:n]))
        following = days[n] if n < len(days) else None
        until = min(due, end, following - 1 if following is not None else end)
        if due <= end:
            possible += [(day, following is None or following > due) for day in range(days[n - 1] + 1, int(until) + 1)]
    if not possible:
        return None
    at, left = possible[zlib.crc32(b"look " + history.customer.encode()) % len(possible)]
    seen = bisect_right(days, at)
    features = ProfileFeatures(tenure_days=float(at - days[0]), value_trend=value_trend(history.amounts[:seen]))
    return {**features.row(), **rhythm(days[:seen], float(at))}, left
