"""Customers as they are now: their facts from the store, and what follows from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent_assist.customer.profile import Profile, profile
from agent_assist.customer.purchases import Bought, Trade, bought
from agent_assist.customer.rfm import population
from agent_assist.customer.tags import Business, TagRule, percentiles
from agent_assist.store.customers import Counts, CustomerStore


@dataclass(frozen=True, slots=True)
class Profiles:
    """Blocks as the store does."""

    store: CustomerStore
    rules: Sequence[TagRule]
    business: Business

    def of(self, customer_id: str, now: datetime, at: datetime | None = None) -> Profile | None:
        """A customer now, or as known at a time; None of whom nothing was told."""
        counts = self.store.counts()
        business = self.business
        if counts is not None:
            business = business._replace(order_values=counts.order_values, population=counts.population)
        found = profile(self.store.facts(customer_id, at), at or now, self.rules, business)
        return None if found.version is None else found

    def count(self, now: datetime) -> Counts:
        """Look at all customers, and keep what they are like; takes a minute or more for a million."""
        trade, means, customers = Trade(currency=self.business.currency), list[Decimal](), 0

        def seen() -> Iterator[Bought]:
            # Of each customer a few numbers are kept, and no orders.
            nonlocal customers
            for one in self.store.all_facts():
                had = bought(one, now, trade)
                customers += 1
                if had.average is not None:
                    means.append(had.average)
                yield had

        found = population(seen(), now)
        counts = Counts(as_of=now, customers=customers, order_values=percentiles(means), population=found)
        self.store.keep_counts(counts)
        return counts
