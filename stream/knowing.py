"""Who is on the calls that run: looked at again whenever something of it changes, and told in ``call.events``."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.customer.caller import same
from agent_assist.customer.events import CustomerEvent, Merged
from agent_assist.store.callers import Callers
from agent_assist.types import CustomerKnown
from stream import metrics

log = structlog.get_logger()

_AGAIN_S: Final = 1.0
"""After which a store that was away is asked again."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A look that is due."""

    since: datetime
    """When the first of what it is due for arrived."""
    said: tuple[str, ...] | None
    """Signals of the call itself; None where it is due for something else."""

    def and_(self, later: "_Wanted") -> "_Wanted":
        return _Wanted(min(self.since, later.since), self.said if later.said is None else later.said)


class Knowing:
    """
    Waits for occasions, looks, and publishes what is new; for several occasions of one call at a time it looks once.

    There is a look when what is told of a customer is stored, and one when the start of a call is: whichever comes
    first, the look after the other sees both.

    Args:
        publish: Returns when the broker has it.
        now: UTC.
    """

    def __init__(
        self,
        callers: Callers,
        publish: Callable[[CustomerKnown], Awaitable[None]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._callers = callers
        self._publish = publish
        self._now = now
        self._customers: dict[str, datetime] = {}
        self._calls: dict[str, _Wanted] = {}
        self._due = asyncio.Event()

    def told(self, events: Iterable[tuple[CustomerEvent, datetime]]) -> None:
        """Events of customers, each with when it arrived, are stored."""
        for event, since in events:
            for customer in (event.customer_id, event.into) if isinstance(event, Merged) else (event.customer_id,):
                self._customers.setdefault(customer, since)
        self._due.set()

    def begun(self, call_id: str, since: datetime) -> None:
        """The start of a call is stored."""
        self._want(call_id, _Wanted(since, None))

    def signalled(self, call_id: str, said: tuple[str, ...], since: datetime) -> None:
        """The customer of a call has given these signals, which are not all counted yet."""
        self._want(call_id, _Wanted(since, said))

    def _want(self, call_id: str, wanted: _Wanted) -> None:
        known = self._calls.get(call_id)
        self._calls[call_id] = wanted if known is None else known.and_(wanted)
        self._due.set()

    async def run(self) -> None:
        """Until cancelled; begins with all calls that run: a worker that died may have been told something of them."""
        began = self._now()
        first = True
        while True:
            try:
                if first:
                    for call_id in await asyncio.to_thread(self._callers.running, began):
                        self.begun(call_id, began)
                    first = False
                await self._due.wait()
                self._due.clear()
                await self.look()
            except SQLAlchemyError as error:
                metrics.FAILED.labels("knowing").inc()
                log.warning("knowing_waits", error=type(error).__name__, pii_detail=str(error))
                self._due.set()
                await asyncio.sleep(_AGAIN_S)

    async def look(self) -> None:
        """
        All that is due now.

        Raises:
            SQLAlchemyError: If the store is away; what was due stays due.
        """
        customers, self._customers = self._customers, {}
        if customers:
            try:
                concerned = await asyncio.to_thread(self._callers.concerned, list(customers), self._now())
            except SQLAlchemyError:
                self._customers = self._customers | customers
                raise
            # To whom of several a call owes its look nobody needs to know: the first counts.
            since = min(customers.values())
            for call_id in concerned:
                self._want(call_id, _Wanted(since, None))
        while self._calls:
            call_id, wanted = next(iter(self._calls.items()))
            del self._calls[call_id]
            try:
                found = await asyncio.to_thread(self._look, call_id, wanted)
            except SQLAlchemyError:
                self._want(call_id, wanted)
                raise
            except Exception as error:
                # One customer at whom nobody can look must not keep the calls of all others up.
                metrics.FAILED.labels("knowing").inc()
                log.exception("look_failed", call=call_id, error=type(error).__name__)
                continue
            if found is not None:
                await self._publish(found)

    def _look(self, call_id: str, wanted: _Wanted) -> CustomerKnown | None:
        """What is to be told; None where the call has ended, nobody is known, or nothing is new."""
        line = self._callers.line(call_id)
        if line is None:
            return None
        found = self._callers.again(line, self._now(), wanted.said)
        if found is None or same(line.known, found):
            return None
        return CustomerKnown(call_id=call_id, caller=found, arrived_at=wanted.since)
