"""Which orders count, and what they come to in the currency of the business."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from agent_assist.customer.events import Order
from agent_assist.customer.facts import Facts

NOT_BOUGHT: Final = frozenset({"cancelled", "returned"})


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """How the business counts money: settings."""

    currency: str = "CNY"
    """ISO 4217."""
    rates: Mapping[str, Decimal] = {}
    """What one unit of another currency is worth in that of the business; orders in others do not count as money."""

    def __post_init__(self) -> None:
        for currency, rate in self.rates.items():
            if not (rate.is_finite() and rate > 0):
                raise ValueError(f"expected a rate above 0, got {rate} (currency={currency})")

    def amount(self, order: Order) -> Decimal | None:
        """In the currency of the business; None without a rate."""
        if order.currency == self.currency:
            return order.amount
        rate = self.rates.get(order.currency)
        return None if rate is None else order.amount * rate


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that were not cancelled or returned, until a time; those in a currency without a rate are only named."""

    orders: tuple[Order, ...] = ()
    """By the time at which they were ordered."""
    amounts: tuple[Decimal, ...] = ()
    """Of each order, in the currency of the business."""
    total: Decimal = Decimal(0)
    left_out: tuple[str, ...] = ()
    """Currencies of orders that do not count for want of a rate."""

    @property
    def average(self) -> Decimal | None:
        """Of an order; None without any."""
        return self.total / len(self.orders) if self.orders else None

    def since(self, at: datetime) -> timedelta | None:
        """From the last order to a time; None without any."""
        return at - self.orders[-1].ordered_at if self.orders else None


def bought(of: Facts, at: datetime, trade: Trade) -> Bought:
    """What a customer had bought at a time."""
    orders = [order for order in of.orders if order.status not in NOT_BOUGHT and order.ordered_at <= at]
    counted = [(order, amount) for order in orders if (amount := trade.amount(order)) is not None]
    return Bought(
        orders=tuple(order for order, _ in counted),
        amounts=tuple(amount for _, amount in counted),
        total=sum((amount for _, amount in counted), Decimal(0)),
        left_out=tuple(sorted({order.currency for order in orders if trade.amount(order) is None})),
    )
