"""Customers as they are now: their facts from the store, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent_assist.customer.profile import Profile, profile
from agent_assist.customer.purchases import Trade, bought
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
        found = profile(self.store.facts(customer_id, at), at or now, self.rules, self.counted())
        return None if found.version is None else found

    def counted(self) -> Business:
        """The business with what all customers are like, as far as they were counted."""
        counts = self.store.counts()
        if counts is None:
            return self.business
        return self.business._replace(order_values=counts.order_values, population=counts.population)

    def count(self, now: datetime) -> Counts:
        """Look at all customers, and keep what they are like; takes a minute or more for a million."""
        currency = Trade(currency=self.business.currency)
        all_bought = [bought(one, now, currency) for one in self.store.all_facts()]
        counts = Counts(
            as_of=now,
            customers=len(all_bought),
            order_values=percentiles(mean for one in all_bought if (mean := one.average) is not None),
            population=population(all_bought, now),
        )
        self.store.keep_counts(counts)
        return counts
