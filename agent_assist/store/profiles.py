"""Customers as they are now: their facts from the store, and what follows from them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec
import structlog

from agent_assist.customer.caller import Caller, Running, caller
from agent_assist.customer.profile import Profile, placed, profile
from agent_assist.customer.purchases import Bought, Trade, bought
from agent_assist.customer.rfm import population
from agent_assist.customer.tags import Business, Fitted, TagRule, percentiles
from agent_assist.customer.worth import Ledger
from agent_assist.store.customers import Counts, CustomerStore, Part
from agent_assist.store.segments import Standing, Standings
from models.errors import FitError

log = structlog.get_logger()


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

    def caller(
        self, customer_id: str, now: datetime, language: Literal["zh", "en"] | None, running: Running | None = None
    ) -> Caller | None:
        """
        A customer who is on a call; None of whom nothing was told.

        Args:
            language: Of the words; None for the customer's own.
            running: The call, as far as it has come.
        """
        known, business = self.store.facts(customer_id), self.counted()
        if known.version is None:
            return None
        seen = profile(known, now, self.rules, business)
        own: Literal["zh", "en"] = "en" if seen.language.startswith("en") else "zh"
        return caller(seen, known, self.rules, business, language or own, running)

    def counted(self) -> Business:
        """The business with what all customers are like, as far as they were counted."""
        return self._against(self.store.counts())

    def count(self, now: datetime) -> Counts:
        """
        Look at all customers, and keep what they are like; takes minutes for a million.

        They are read twice: for where the fifths end, then for where each of them stands. Some numbers of each are
        held meanwhile, and nothing else of them.
        """
        currency = Trade(currency=self.business.currency)
        averages: list[Decimal] = []
        ledger = Ledger(self.business.zone)
        customers = 0

        def all_bought() -> Iterator[Bought]:
            nonlocal customers
            for one in self.store.all_facts():
                had = bought(one, now, currency)
                customers += 1
                ledger.add(had, now)
                if (mean := had.average) is not None:
                    averages.append(mean)
                yield had

        fifths = population(all_bought(), now)
        before = self.store.counts()
        counts = Counts(
            as_of=now,
            customers=customers,
            order_values=percentiles(averages),
            population=fifths,
            fitted=self._fit(ledger),
            before=None if before is None or before.as_of >= now else before.as_of,
        )
        counts = self._place(counts)
        self.store.keep_counts(counts)
        return counts

    def _place(self, counts: Counts) -> Counts:
        """With where each customer stands, which is kept, and what that comes to."""
        business, now = self._against(counts), counts.as_of
        standings = Standings(self.store.engine)
        sums: dict[tuple[str, str], tuple[int, Decimal]] = {}

        def placing() -> Iterator[Standing]:
            for one in self.store.all_facts():
                had = bought(one, now, Trade(currency=business.currency))
                place = placed(one, had, now, business)
                for part in (("segment", place.segment), ("stage", place.stage.value)):
                    n, value = sums.get(part, (0, Decimal(0)))
                    sums[part] = n + 1, value + had.total
                yield Standing(
                    customer_id=one.customer_id,
                    segment=place.segment,
                    stage=place.stage.value,
                    value=float(had.total),
                )

        standings.keep(now, placing())
        parts: Callable[[str], tuple[Part, ...]] = lambda kind: tuple(  # noqa: E731
            Part(id=name, customers=n, value=value) for (of, name), (n, value) in sorted(sums.items()) if of == kind
        )
        before = counts.before
        return msgspec.structs.replace(
            counts,
            segments=parts("segment"),
            stages=parts("stage"),
            segment_moves=() if before is None else standings.moves("segment", before, now),
            stage_moves=() if before is None else standings.moves("stage", before, now),
        )

    def _fit(self, ledger: Ledger) -> Fitted | None:
        """How all of them buy; None where that does not hold or the data do not tell it."""
        if self.business.worth.trade != "orders":
            return None
        try:
            return ledger.fit()
        except FitError as error:
            log.info("worth_not_fitted", detail=str(error))
            return None

    def _against(self, counts: Counts | None) -> Business:
        """The business, with what all customers are like."""
        if counts is None:
            return self.business
        return self.business._replace(
            order_values=counts.order_values, population=counts.population, fitted=counts.fitted
        )
