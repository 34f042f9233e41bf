"""What is told of a customer on the line changes their call: tags, risk and advice; and a replay agrees."""

import asyncio
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.end_to_end.conftest import WARMLINE

pytestmark = [pytest.mark.broker, pytest.mark.idle]

HIGH = "high_risk_high_value"
PLAYBOOK = """
name: living
version: "1"
rules:
  - id: exclusive
    kind: card
    speaker: customer
    priority: 500
    profile: customer.tag_ids.contains("high_risk_high_value")
    title: {zh: 专属策略, en: Exclusive strategy}
    text: {zh: 先解决投诉, en: Solve the complaint first}
    reason: {zh: 高风险高价值, en: High risk and high value}
"""


def told(kind: str, event: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {"event": kind, "event_id": event, "customer_id": "c-7", "at": at.isoformat(), **more}


def order(number: int, at: datetime) -> dict[str, Any]:
    name, when = f"o{number}", at - timedelta(days=40 + number)
    more = {"order_id": name, "amount": "900", "currency": "CNY", "ordered_at": when.isoformat()}
    return told("order", name, when, **more)


def customer(at: datetime) -> dict[str, Any]:
    more = {"name": "Kim", "language": "en", "joined_at": at.isoformat()}
    return told("customer", "n", at, **more, attributes={"contract": "One year", "product": "DSL"})


def complaint(name: str, at: datetime) -> dict[str, Any]:
    return told("case", name, at, case_id=name, opened_at=at.isoformat(), type="complaint", issue="router")


class Overlay:
    """All that the live channel tells of a call."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.came = asyncio.Event()

    async def follow(self, program: Any, call_id: str) -> None:
        url = program.addresses["api"].replace("http", "ws", 1) + f"/v1/live?call={call_id}"
        protocols = [websockets.Subprotocol(f"token.{program.addresses['token']}")]
        while True:
            try:
                async with websockets.connect(
                    url, subprotocols=[websockets.Subprotocol("warmline.v1"), *protocols], max_size=None
                ) as socket:
                    async for text in socket:
                        self.messages.append(json.loads(text))
                        self.came.set()
            except (websockets.WebSocketException, OSError):
                pass
            # Before the call is known there, the channel closes.
            await asyncio.sleep(0.1)

    async def until(self, wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while True:
                for message in self.messages:
                    if wanted(message):
                        return message
                self.came.clear()
                await self.came.wait()


def has_tag(message: dict[str, Any]) -> bool:
    caller = message["data"]["caller"] if message["kind"] == "known" else None
    return caller is not None and HIGH in {tag["id"] for tag in caller["tags"]}


async def asked(client: httpx.AsyncClient, path: str, until: Any) -> Any:
    """What the API says, once it says so."""
    async with asyncio.timeout(60):
        while True:
            answer = await client.get(path)
            if answer.status_code == 200 and until(found := answer.json()):
                return found
            await asyncio.sleep(0.1)


async def test_a_second_complaint_changes_tags_risk_and_advice_of_the_call_that_runs(
    start: Any, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "playbook").mkdir()
    (tmp_path / "playbook" / "playbook.yaml").write_text(PLAYBOOK, encoding="utf-8")
    settings = {"playbook": str(tmp_path / "playbook"), "trade": "contract", "emotion": "rules"}
    program = await start(recogniser="none", **settings)
    environment = os.environ | {f"WARMLINE_{name.upper()}": value for name, value in settings.items()}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        line = [WARMLINE, *words, "--home", str(program.home)]
        return subprocess.run(line, check=False, env=environment, capture_output=True, text=True)

    now = datetime.now(UTC)
    known = [customer(now - timedelta(days=400)), *(order(n, now) for n in range(3))]
    headers = {"authorization": f"Bearer {program.addresses['token']}"}
    overlay = Overlay()
    async with httpx.AsyncClient(base_url=program.addresses["api"], headers=headers) as client:
        first, second = complaint("k1", now - timedelta(days=9)), complaint("k2", now)
        (await client.post("/v1/customers/events", json=[*known, first])).raise_for_status()
        await asked(client, "/v1/customers/c-7", lambda found: found["complaints"] == 1)
        assert (await asyncio.to_thread(command, "customer", "count")).returncode == 0
        following = asyncio.create_task(overlay.follow(program, "living"))
        playing = asyncio.create_task(program.play(data / "en_cancel_plan.wav", "living", 3, "--customer-id", "c-7"))
        await overlay.until(lambda message: message["kind"] == "risk" or message["kind"] == "snapshot")
        assert not any(has_tag(message) for message in overlay.messages)
        (await client.post("/v1/customers/events", json=[second])).raise_for_status()
        found = await overlay.until(has_tag)
        tag = next(tag for tag in found["data"]["caller"]["tags"] if tag["id"] == HIGH)
        assert {proof["event_id"] for proof in tag["because"] if proof["what"] == "complaint"} == {"k1", "k2"}
        card = await overlay.until(lambda message: message["kind"] == "card")
        assert card["data"]["rule"] == "exclusive"
        await playing
        await asked(client, "/v1/customers/c-7/timeline", lambda found: found["entries"][0]["status"] == "ended")
        risks = (await client.get("/v1/customers/c-7/risks")).json()["risks"]
        told_after = [message for message in overlay.messages if message["kind"] == "risk"]
        assert risks[0]["risk"]["score"] == told_after[-1]["data"]["risk"]["score"]
        weights = [{reason["name"]: reason["contribution"] for reason in one["risk"]["reasons"]} for one in risks]
        assert weights[0]["complaints_90"] > weights[-1]["complaints_90"] > 0
        assert risks[0]["risk"]["score"] > risks[-1]["risk"]["score"]
        replayed = await asyncio.to_thread(command, "replay", "living", "--check", "--json")
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        assert [card["rule"] for card in json.loads(replayed.stdout)["same"]] == ["exclusive"]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
