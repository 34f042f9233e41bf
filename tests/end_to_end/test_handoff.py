"""A bot cannot reset a password, the customer calls, and the overlay shows what was tried: the real program."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from aiokafka import AIOKafkaConsumer

pytestmark = [pytest.mark.broker, pytest.mark.idle]


async def attributes(program: Any) -> dict[str, str]:
    """Of the next call, as the channel of an overlay that waits tells them first."""
    base, token = program.addresses["api"].replace("http", "ws", 1), program.addresses["token"]
    protocols: Any = ["warmline.v1", f"token.{token}"]
    async with asyncio.timeout(60), websockets.connect(f"{base}/v1/live?call=latest", subprotocols=protocols) as socket:
        async for text in socket:
            message = json.loads(text)
            if message["kind"] in {"snapshot", "started"}:
                return dict(message["data"]["attributes"])
    raise AssertionError("the channel ended")


async def hints_of(program: Any, call_id: str) -> list[dict[str, Any]]:
    consumer = AIOKafkaConsumer(
        "routing.hints", bootstrap_servers=program.addresses["broker"], auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            async for message in consumer:
                if message.value and message.key == call_id.encode():
                    return [json.loads(message.value)]
    finally:
        await consumer.stop()
    return []


async def test_a_failed_step_of_a_bot_is_on_the_overlay_when_the_call_rings(start: Any, data: Path) -> None:
    program = await start(recogniser="none")
    at = datetime.now(UTC).isoformat()
    handoff = {
        "id": "bot-1", "at": at, "customer_id": "c-9", "language": "zh",
        "turns": [{"by": "customer", "text": "我要重置密码,手机 13800138000"}],
        "operations": [
            {"step": "发送短信验证码", "result": "ok", "at": at},
            {"step": "重置密码", "result": "failed", "at": at, "error": "目录服务超时"},
        ],
    }  # fmt: skip
    headers = {"authorization": f"Bearer {await program.grant('switch', 'acd')}"}
    async with httpx.AsyncClient(base_url=program.addresses["api"], headers=headers) as client:
        assert (await client.post("/v1/handoffs", json=handoff)).status_code == 201
        assert (await client.put("/v1/agents/anna", json={"id": "anna", "languages": ["zh"]})).status_code == 200
        hint = (await client.post("/v1/routing/hint", json={"call_id": "rang", "customer_id": "c-9"})).json()
        assert [one["agent_id"] for one in hint["agents"]] == ["anna"]
        assert await hints_of(program, "rang") == [hint]
        overlay = asyncio.create_task(attributes(program))
        await program.play(data / "en_cancel_plan.wav", "rang", 10, "--customer-id", "c-9")
        given = await overlay
        assert given["bot_failed_step"] == "重置密码(目录服务超时)"
        assert given["bot_summary"].startswith("客户想要:我要重置密码,手机 [phone]。已完成:发送短信验证码。")
        assert given["bot_log"].splitlines()[1].endswith("✗ 重置密码: 目录服务超时")
    root = {"authorization": f"Bearer {program.addresses['token']}"}
    async with httpx.AsyncClient(base_url=program.addresses["api"], headers=root) as client:
        whole = (await client.get("/v1/calls/rang/handoff")).json()
        assert (whole["id"], whole["failed"]) == ("bot-1", 1)
        assert (await client.get("/v1/routing/hints/rang")).json()["id"] == hint["id"]
