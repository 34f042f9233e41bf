"""A gateway's web side without Kafka: a store, a hub, and the application on a real port."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from litestar import Litestar
from websockets.asyncio.client import ClientConnection, connect

from agent_assist.call.record import NO_MEASURES
from agent_assist.customer.events import CustomerEvent
from agent_assist.customer.outreach import load as load_outreach
from agent_assist.customer.tags import Business, load
from agent_assist.routing.policy import load as load_routing
from agent_assist.store.alerts import Alerts
from agent_assist.store.callers import Callers
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.store.recordings import Recordings
from agent_assist.store.routing import Routing
from agent_assist.store.trials import Trials
from agent_assist.types import (
    Assist,
    CallEnded,
    CallMeasures,
    CallMood,
    CallRisk,
    CallStarted,
    Card,
    CardFeedback,
    CardKind,
    CurvePoint,
    CustomerKnown,
    FeedbackAction,
    Final,
    Partial,
)
from agent_assist.web.access import Office, RoutingDesk
from agent_assist.web.live import Live
from agent_assist.web.server import application
from audio.types import Channel
from models.reading import PhraseReader, Read
from models.turning import Turn
from models.types import ChurnRisk, RiskLevel, Utterance

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
TOKEN = "correct-horse"
# No compression: what a slow reader has not read must fill buffers.
PEER: dict[str, Any] = {
    "subprotocols": ["warmline.v1", f"token.{TOKEN}"],
    "compression": None,
    "max_size": None,
    "ping_interval": None,
    "proxy": None,
}


@dataclass(frozen=True)
class Call:
    """Messages of one call."""

    id: str

    def started(self, after_s: int = 0) -> CallStarted:
        at = START + timedelta(seconds=after_s)
        return CallStarted(call_id=self.id, at=at, protocol="twilio", customer_name="王女士")

    def partial(self, number: int, revision: int = 0) -> Partial:
        start = number * 2_000
        return Partial(
            call_id=self.id,
            utterance_id=f"{self.id}:customer:{start}",
            channel=Channel.CUSTOMER,
            revision=revision,
            start_ms=start,
            end_ms=start + 500 + 100 * revision,
            text=f"said {number}",
            language="en",
        )

    def final(self, number: int, text: str = "") -> Final:
        start = number * 2_000
        said = Utterance(
            id=f"{self.id}:customer:{start}",
            channel=Channel.CUSTOMER,
            number=number,
            start_ms=start,
            end_ms=start + 1_500,
            text=text or f"said {number}",
            language="en",
            confidence=0.9,
            words=(),
            sentiment=None,
            emotion=None,
            loudness_dbfs=None,
        )
        return Final(call_id=self.id, utterance=said)

    def card(self, number: int, kind: CardKind = CardKind.CARD) -> Card:
        said = self.final(number).utterance
        return Card(
            id=f"{self.id}:cancel:{said.id}",
            call_id=self.id,
            rule="cancel",
            kind=kind,
            title="t",
            text="x",
            at_ms=said.end_ms,
            utterance_id=said.id,
            priority=500,
            language="en",
            reason="r",
        )

    def risk(self, at_ms: int, score: float) -> CallRisk:
        found = ChurnRisk(score=score, level=RiskLevel.WATCH, reasons=(), model_version="m")
        return CallRisk(call_id=self.id, customer_id=None, at_ms=at_ms, risk=found)

    def measures(self, at_ms: int) -> CallMeasures:
        return CallMeasures(call_id=self.id, at_ms=at_ms, measures=NO_MEASURES)

    def mood(self, number: int, *turns: Turn) -> CallMood:
        said = self.final(number).utterance
        point = CurvePoint(
            utterance_id=said.id, at_ms=said.end_ms, score=-1.0, trend="steady", arousal=None, agitation=None
        )
        return CallMood(call_id=self.id, at_ms=said.end_ms, point=point, swings=None, turns=turns)

    def feedback(self, number: int) -> CardFeedback:
        return CardFeedback(
            call_id=self.id, card_id=self.card(number).id, action=FeedbackAction.USED, at=START, agent_id=None
        )

    def ended(self, duration_ms: int = 90_000) -> CallEnded:
        return CallEnded(call_id=self.id, duration_ms=duration_ms, reason="hangup")


@dataclass
class Site:
    """The web side of a gateway."""

    store: CallStore
    live: Live
    static: Path
    app: Litestar
    recordings: Recordings
    published: list[Assist] = field(default_factory=list)
    is_ready: bool = True
    port: int = 0

    def url(self, call: str | None = None, **query: object) -> str:
        pairs = {"call": call} if call else {}
        text = "&".join(f"{name}={value}" for name, value in (pairs | query).items())
        return f"ws://127.0.0.1:{self.port}/v1/live?{text}"

    def listen(self, call: str | None = None, **query: object) -> Any:
        """A client of the live channel; close it, or use it in ``async with``."""
        return connect(self.url(call, **query), **PEER)


async def tell(client: ClientConnection, timeout_s: float = 10.0) -> dict[str, Any]:
    """The next message but keep-alives."""
    async with asyncio.timeout(timeout_s):
        while True:
            message = json.loads(await client.recv())
            if message["kind"] != "ping":
                return dict(message)


@pytest.fixture
def call() -> Callable[[str], Call]:
    return Call


@pytest.fixture
def next_message() -> Callable[..., Any]:
    return tell


def read_words(text: str) -> Read:
    return PhraseReader().read([text], [""])[0]


@contextmanager
def made(tmp_path: Path, **options: Any) -> Iterator[Site]:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    static = tmp_path / "static"
    site: Site

    async def pass_on(message: Assist) -> None:
        site.published.append(message)

    async def tell_of(event: CustomerEvent) -> None:
        CustomerStore(store.engine).take([event], "api", event.at)

    async def know(message: CustomerKnown) -> None:
        store.write([message], {})
        live.publish(message)

    live = Live()
    profiles = Profiles(CustomerStore(store.engine), load(), options.pop("business", Business()))
    outreach = options.pop("outreach", load_outreach())
    recordings = Recordings(str(tmp_path / "recordings"))
    app = application(
        Office(
            store=store,
            live=live,
            token=TOKEN,
            publish=options.pop("publish", pass_on),
            ready=lambda: site.is_ready,
            recordings=recordings,
            knowledge=options.pop("knowledge", None),
            tell=tell_of,
            know=know,
            profiles=profiles,
            callers=Callers(profiles, store.engine),
            alerts=Alerts(store.engine, profiles, outreach),
            trials=Trials(store.engine, profiles.store, outreach),
            routing=RoutingDesk(load_routing(), Routing(store.engine), read_words, lambda: None),
            playbook=options.pop("playbook", None),
            playbooks=options.pop("playbooks", None),
            origins=frozenset(options.pop("origins", ())),
        ),
        hosts=("127.0.0.1", "localhost", "::1"),
        static=options.pop("static", static),
        **options,
    )
    site = Site(store, live, static, app, recordings)
    yield site
    store.close()


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[..., Any]:
    """Make a site with other options; a context."""
    return lambda **options: made(tmp_path, **options)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with made(tmp_path) as site:
        yield site


@asynccontextmanager
async def served(site: Site) -> AsyncIterator[Site]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    site.port = listening.getsockname()[1]
    config = uvicorn.Config(
        site.app, log_config=None, access_log=False, ws_max_size=65_536, timeout_graceful_shutdown=1, lifespan="off"
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield site
    finally:
        server.should_exit = True
        await serving
        listening.close()


@pytest.fixture
def serve() -> Callable[[Site], Any]:
    """Serve a site on a port of its own; a context."""
    return served


@pytest.fixture
async def served_site(site: Site) -> AsyncIterator[Site]:
    """The application under uvicorn."""
    async with served(site):
        yield site


@pytest.fixture
def tell_next() -> Callable[..., Any]:
    """The next message of a live channel but keep-alives."""
    return tell
