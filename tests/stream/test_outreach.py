"""The clock beside a gateway: one of several has it, and what happened to alerts is told to the topic once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent_assist.customer.alerts import AlertChange
from agent_assist.customer.outreach import load as load_outreach
from agent_assist.customer.tags import Business, load
from agent_assist.store.alerts import AlertQuery, Alerts
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.store.scheduling import Scheduler
from models.types import ChurnRisk, RiskLevel
from stream.outreach import Clockwork, hear_all
from stream.wire import ChurnSignal, decode_signal, encode

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Message(NamedTuple):
    """As the consumer gives it."""

    value: bytes
    timestamp: float
    topic: str = "churn.signals"
    offset: int = 0


def signal(score: float, at: datetime, customer: str = "c", at_ms: int = 1) -> Message:
    risk = ChurnRisk(score=score, level=RiskLevel.WATCH, reasons=(), model_version="m")
    told = ChurnSignal(customer_id=customer, call_id="k", at_ms=at_ms, risk=risk)
    return Message(encode(told), at.timestamp() * 1000)


class Gateways:
    """Several on one store, and what they told the topic."""

    def __init__(self, store: CallStore) -> None:
        self.told: list[AlertChange] = []
        self.store = store
        self._profiles = Profiles(CustomerStore(store.engine), load(), Business())
        self.alerts = Alerts(store.engine, self._profiles, load_outreach())

    def clock(self, name: str, **more: Any) -> Clockwork:
        async def publish(change: AlertChange) -> None:
            self.told.append(change)

        scheduler = Scheduler(self.store.engine, self._profiles, load_outreach(), self.alerts)
        return Clockwork(self.store.engine, scheduler, self.alerts, holder=name, publish=more.get("publish", publish))


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[Gateways]:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    yield Gateways(store)
    store.close()


async def test_one_of_several_has_the_clock_and_another_takes_it_over(gateways: Gateways) -> None:
    first, second = gateways.clock("one"), gateways.clock("two")
    hear_all(gateways.alerts, [signal(0.8, NOON)], NOON)
    await first.tick(NOON)
    await second.tick(NOON)
    assert [change.kind for change in gateways.told] == ["opened"]
    # The first one died: after its lease the other one escalates.
    later = NOON + timedelta(minutes=31)
    await second.tick(later)
    await first.tick(later)
    assert [change.kind for change in gateways.told] == ["opened", "escalated"]


async def test_what_the_broker_did_not_take_is_told_again_under_the_same_id(gateways: Gateways) -> None:
    async def away(_: AlertChange) -> None:
        raise ConnectionError

    hear_all(gateways.alerts, [signal(0.8, NOON)], NOON)
    with pytest.raises(ConnectionError):
        await gateways.clock("one", publish=away).tick(NOON)
    await gateways.clock("one").tick(NOON)
    assert [change.id for change in gateways.told] == ["c:1"]


def test_what_is_old_or_cannot_be_read_or_is_our_own_is_left(gateways: Gateways) -> None:
    hear_all(gateways.alerts, [signal(0.8, NOON)], NOON)
    (own,) = gateways.alerts.untold()
    assert decode_signal(encode(own)) == own
    stamp = NOON.timestamp() * 1000
    hear_all(
        gateways.alerts,
        [
            Message(b"", stamp),
            Message(b"{", stamp),
            Message(encode(own), stamp),
            signal(0.9, NOON - timedelta(days=4), "old"),
            signal(0.4, NOON, "new"),
        ],
        NOON - timedelta(days=3),
    )
    assert {alert.customer_id for alert in gateways.alerts.find(AlertQuery())} == {"c", "new"}
