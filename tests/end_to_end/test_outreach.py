"""What is done of its own accord by the running program: tasks that are there once, and alerts that are told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agent_assist.customer.outreach import DEFAULT
from models.types import ChurnRisk, Reason, RiskLevel
from stream.wire import ChurnSignal, encode

pytestmark = [pytest.mark.broker, pytest.mark.idle]


@pytest.fixture
def outreach(tmp_path: Path) -> str:
    """As by default, but for quiet hours: nobody knows when tests run."""
    file = tmp_path / "outreach.yaml"
    told = yaml.safe_load(DEFAULT.read_text(encoding="utf-8")) | {"quiet": {"from": "00:00", "to": "00:00"}}
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    return str(file)


@asynccontextmanager
async def asking(program: Any) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {program.addresses['token']}"}
    async with httpx.AsyncClient(base_url=program.addresses["api"], headers=headers) as client:
        yield client


async def until(client: httpx.AsyncClient, path: str, name: str, wanted: Any) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while True:
            answer = await client.get(path)
            answer.raise_for_status()
            if wanted(found := answer.json()[name]):
                return list(found)
            await asyncio.sleep(0.2)


def order(customer: str, at: datetime, status: str = "paid", number: int = 1) -> dict[str, Any]:
    return {
        "event": "order", "event_id": f"{customer}-{number}", "customer_id": customer, "at": at.isoformat(),
        "order_id": f"{customer}-o", "ordered_at": (at - timedelta(days=1)).isoformat(), "amount": "10",
        "currency": "CNY", "status": status, "promised_by": (at + timedelta(hours=1)).isoformat(),
    }  # fmt: skip


async def test_a_late_order_is_a_task_once_also_after_a_restart_and_a_no_cancels_it(start: Any, outreach: str) -> None:
    # Promised within the hour and not sent: by the day before it was likely to be late.
    now = datetime.now(UTC)
    first = await start(recogniser="none", outreach=outreach)
    async with asking(first) as client:
        (await client.post("/v1/customers/events", json=[order("c1", now), order("c2", now)])).raise_for_status()
        found = await until(client, "/v1/tasks", "tasks", lambda tasks: len(tasks) == 2)
        assert {(one["id"], one["state"], one["team"]) for one in found} == {
            ("c1:late_order:c1-o", "open", "logistics"),
            ("c2:late_order:c2-o", "open", "logistics"),
        }
    first.process.terminate()
    await first.process.wait()
    second = await start(recogniser="none", outreach=outreach)
    async with asking(second) as client:
        refused = {
            "event": "consent", "event_id": "no", "customer_id": "c1", "at": now.isoformat(), "purpose": "outbound",
            "granted": False,
        }  # fmt: skip
        later = now + timedelta(seconds=1)
        events = [refused, order("c2", later, number=2), order("c3", later)]
        (await client.post("/v1/customers/events", json=events)).raise_for_status()
        # What was told last was looked at; all others were before.
        await until(client, "/v1/tasks?customer_id=c3", "tasks", lambda tasks: len(tasks) == 1)
        await until(client, "/v1/tasks?state=cancelled", "tasks", lambda tasks: len(tasks) == 1)
        found = (await client.get("/v1/tasks")).json()["tasks"]
        assert {one["id"]: (one["state"], one["note"]) for one in found} == {
            "c1:late_order:c1-o": ("cancelled", "opt_out"),
            "c2:late_order:c2-o": ("open", ""),
            "c3:late_order:c3-o": ("open", ""),
        }
        # It arrived: there is nothing to tell any more.
        sent = order("c2", later + timedelta(seconds=1), "delivered", number=3)
        (await client.post("/v1/customers/events", json=[sent])).raise_for_status()
        await until(client, "/v1/tasks?customer_id=c2&state=cancelled", "tasks", lambda tasks: len(tasks) == 1)


async def test_a_risk_from_a_call_is_an_alert_that_is_told_to_all_who_listen(start: Any, outreach: str) -> None:
    program = await start(recogniser="none", outreach=outreach)
    broker = program.addresses["broker"]
    risk = ChurnRisk(
        score=0.8, level=RiskLevel.CRITICAL, reasons=(Reason(name="price", contribution=0.7),), model_version="m"
    )
    signal = encode(ChurnSignal(customer_id="li", call_id="k", at_ms=1, risk=risk))
    url = f"{program.addresses['api'].replace('http', 'ws', 1)}/v1/live"
    protocols: Any = ["warmline.v1", f"token.{program.addresses['token']}"]
    async with (
        asking(program) as client,
        websockets.connect(url, subprotocols=protocols) as board,
        AIOKafkaProducer(bootstrap_servers=broker) as producer,
        AIOKafkaConsumer("churn.signals", bootstrap_servers=broker, auto_offset_reset="earliest") as reader,
        asyncio.timeout(60),
    ):
        await producer.send_and_wait("churn.signals", signal, key=b"li")
        while (told := json.loads(await board.recv()))["kind"] != "alert":
            pass
        assert (told["data"]["kind"], told["data"]["alert"]["team"]) == ("opened", "retention")
        kinds = [(message.key, json.loads(message.value)["type"]) for message in [await anext(reader) for _ in "12"]]
        assert sorted(kinds) == [(b"alert:li", "alert"), (b"li", "churn")]
        (alert,) = await until(client, "/v1/alerts?customer_id=li", "alerts", lambda alerts: len(alerts) == 1)
        assert (alert["level"], alert["state"], alert["branch"]) == ("critical", "open", "offer")
        (task,) = (await client.get("/v1/tasks?customer_id=li")).json()["tasks"]
        assert (task["rule"], task["state"], task["team"]) == ("offer", "open", "retention")
        (await client.post("/v1/alerts/li/close")).raise_for_status()
        while (told := json.loads(await board.recv()))["kind"] != "alert":
            pass
        assert told["data"]["kind"] == "closed"
        assert (await client.get("/v1/tasks?customer_id=li")).json()["tasks"][0]["state"] == "cancelled"
        shown = (await client.get("/metrics")).text
        assert 'warmline_alert_changes_total{kind="opened",level="critical"} 1.0' in shown
