"""Customers as they are now: their facts from the store, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent_assist.customer.profile import Profile, profile
from agent_assist.customer.tags import Business, TagRule
from agent_assist.store.customers import CustomerStore


@dataclass(frozen=True, slots=True)
class Profiles:
    """Blocks as the store does."""

    store: CustomerStore
    rules: Sequence[TagRule]
    business: Business

    def of(self, customer_id: str, now: datetime, at: datetime | None = None) -> Profile | None:
        """A customer now, or as known at a time; None of whom nothing was told."""
        found = profile(self.store.facts(customer_id, at), at or now, self.rules, self.business)
        return None if found.version is None else found
