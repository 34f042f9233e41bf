"""From ``call.events`` to ``call.assist``: state of the calls, cards, risk."""

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from agent_assist.call.assistant import Assistant
from agent_assist.call.contact import contact, signals
from agent_assist.call.state import CallState
from agent_assist.customer.events import Interaction
from agent_assist.types import Assist, CallEnded, CallRisk, CallStarted, Card, Degraded, Event, Partial, Withheld
from stream import metrics
from stream.wire import ChurnSignal

Publish = Callable[[Assist | Degraded | ChurnSignal | Interaction], Awaitable[None]]


Signalled = Callable[[str, tuple[str, ...], datetime], None]


class KeptState(msgspec.Struct, frozen=True, kw_only=True):
    """A call's state as it stands in the table."""

    state: CallState
    offset: int
    """Of the last event that is in the state, so that a replay counts nothing twice."""
    ended_at: float | None = None
    """Seconds since the epoch, by the broker's time of the event."""


class Message(Protocol):
    """What is asked of a Kafka message."""

    offset: int
    timestamp: float


class Desk(Protocol):
    """Who has an assistant for each tenant, and may change it at any time."""

    @property
    def foretells(self) -> bool:
        """Whether partials tell anything to any of them."""
        ...

    def assistant(self, tenant: str | None) -> Assistant:
        """For a call."""
        ...


class Adviser:
    """
    Fold the events of each call and publish what follows.

    Args:
        states: Call id to ``KeptState`` as JSON; written after what follows from an event is published. The same
            event again gives the same ids.
        signalled: Told of a call whose customer is known the signals that they have given, where they are not all
            counted in what is known; and since when.
    """

    def __init__(
        self, desk: Desk, publish: Publish, states: MutableMapping[str, bytes], signalled: Signalled | None = None
    ) -> None:
        self._desk = desk
        self._publish = publish
        self._states = states
        self._signalled = signalled

    async def receive(self, event: Event, message: Message) -> None:
        """Take the next event of a call."""
        if isinstance(event, Partial) and not self._desk.foretells:
            return
        call_id = event.call_id
        saved = self._states.get(call_id)
        kept = None if saved is None else msgspec.json.decode(saved, type=KeptState)
        if kept is not None and message.offset <= kept.offset:
            return
        before = None if kept is None else kept.state
        given = event.attributes if isinstance(event, CallStarted) else {} if before is None else before.attributes
        state, told = self._desk.assistant(given.get("tenant")).step(before, event)
        # Most partials tell nothing and change nothing: they are not worth a record in the table's changelog.
        if isinstance(event, Partial) and not told:
            return
        for assist in told:
            if isinstance(assist, Card) and not assist.provisional:
                metrics.CARDS.labels(assist.rule).inc()
            if isinstance(assist, Withheld):
                metrics.WITHHELD.labels(assist.why).inc()
            await self._publish(assist)
            if isinstance(assist, CallRisk) and assist.customer_id is not None:
                await self._publish(
                    ChurnSignal(customer_id=assist.customer_id, call_id=call_id, at_ms=assist.at_ms, risk=assist.risk)
                )
        if isinstance(event, CallEnded) and (one := contact(state, event.duration_ms)) is not None:
            await self._publish(one)
        if self._signalled is not None and state.known_at is not None and not isinstance(event, CallEnded):
            said = signals(state)
            if said != state.counted:
                self._signalled(call_id, said, datetime.fromtimestamp(message.timestamp, UTC))
        ended_at = message.timestamp if isinstance(event, CallEnded) else None
        self._states[call_id] = msgspec.json.encode(KeptState(state=state, offset=message.offset, ended_at=ended_at))

    def forget(self, now: float, after_s: float = 600.0) -> None:
        """Drop the calls that ended a while ago; late copies of their events then give the same ids once more."""
        for call_id, saved in list(self._states.items()):
            ended_at = msgspec.json.decode(saved, type=KeptState).ended_at
            if ended_at is not None and now - ended_at > after_s:
                del self._states[call_id]
