"""How long a hint takes over HTTP within one process: SQLite, 500 agents, a customer with 60 contacts."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import httpx
import msgspec

from agent_assist.customer import events
from agent_assist.customer.tags import Business
from agent_assist.customer.tags import load as load_tags
from agent_assist.routing.policy import Policy
from agent_assist.routing.types import Agent, RoutingHint, Skill
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.store.routing import Routing
from agent_assist.web.access import Office, RoutingDesk
from agent_assist.web.live import Live
from agent_assist.web.server import application
from benchmarks.environment import Spread, spread
from models.reading import Read

_TOKEN: Final = "bench"  # noqa: S105 - of nothing


class Took(NamedTuple):
    """Milliseconds."""

    wall: Spread
    processor: Spread
    """Of all threads of the process: what remains where nothing else runs."""


async def hints(policy: Policy, read: Callable[[str], Read], *, words: bool, n: int) -> Took:
    """Ask for so many, after 20 that do not count."""
    with tempfile.TemporaryDirectory() as home:
        store = CallStore(f"sqlite:///{home}/calls.db")
        store.upgrade()
        customers, routing = CustomerStore(store.engine), Routing(store.engine)
        customers.take(_history(), "bench", datetime.now(UTC))
        routing.replace(
            Agent(
                id=f"a{i}", languages=("zh", "en"), load=(i % 9) / 10, skills=(Skill(name="billing", level=1 + i % 5),)
            )
            for i in range(500)
        )

        async def nothing(_: object) -> None:
            return None

        desk = RoutingDesk(policy, routing, read, lambda: None)
        us = Office(
            store=store, live=Live(), token=_TOKEN, publish=nothing, tell=nothing, ready=lambda: True,
            profiles=Profiles(customers, load_tags(), Business()), routing=desk,
        )  # fmt: skip
        app: Any = application(us, hosts=("127.0.0.1",))
        transport = httpx.ASGITransport(app)
        headers = {"authorization": f"Bearer {_TOKEN}"}
        took, worked = list[float](), list[float]()
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            for i in range(n + 20):
                asked: dict[str, object] = {"call_id": f"c{i}", "phone": "+8613800138000"}
                if words:
                    asked["text"] = f"我的第{i}笔退款怎么还没有到账,已经打过三次电话了"
                began, before = time.perf_counter(), time.process_time()
                answer = await client.post("/v1/routing/hint", json=asked)
                took.append((time.perf_counter() - began) * 1_000)
                worked.append((time.process_time() - before) * 1_000)
                msgspec.json.decode(answer.content, type=RoutingHint)
        store.close()
    return Took(spread(took[20:], 2), spread(worked[20:], 2))


def _history() -> list[events.CustomerEvent]:
    at = datetime.now(UTC)
    found: list[events.CustomerEvent] = [
        events.Known(event_id="k", customer_id="k", at=at, tier="core", attributes={"manager": "a7"}),
        events.Identified(event_id="p", customer_id="k", at=at, kind="phone", value="+8613800138000"),
    ]
    found += [
        events.Interaction(
            event_id=f"i{n}",
            customer_id="k",
            at=at,
            interaction_id=f"i{n}",
            channel="phone",
            agent_id=f"a{n}",
            solved=True,
        )
        for n in range(60)
    ]
    return found
