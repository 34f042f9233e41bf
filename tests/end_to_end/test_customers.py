"""A customer of whom other systems told, and a call that adds to it: over the real broker, into the real store."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.broker, pytest.mark.idle]


async def profile(client: httpx.AsyncClient, customer: str, until: Any) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            answer = await client.get(f"/v1/customers/{customer}")
            if answer.status_code == 200 and until(found := answer.json()):
                return dict(found)
            await asyncio.sleep(0.2)


async def test_what_is_told_and_what_a_call_adds_is_known(start: Any, data: Path, make_watcher: Any) -> None:
    program = await start(recogniser="none")
    headers = {"authorization": f"Bearer {program.addresses['token']}"}
    events = [
        {"event": "customer", "event_id": "1", "customer_id": "c-9", "at": "2026-01-01T00:00:00Z", "name": "Kim",
         "language": "en"},
        {
            "event": "case", "event_id": "2", "customer_id": "c-9", "at": "2026-01-02T00:00:00Z", "case_id": "k1",
            "opened_at": "2026-01-02T00:00:00Z", "type": "fault", "issue": "router",
        },
    ]  # fmt: skip
    async with httpx.AsyncClient(base_url=program.addresses["api"], headers=headers) as client:
        (await client.post("/v1/customers/events", json=events)).raise_for_status()
        found = await profile(client, "c-9", lambda found: found["cases"])
        assert (found["name"], found["reasons"][0]["evidence"]) == ("Kim", ["2"])
        watcher = make_watcher()
        following = asyncio.create_task(watcher.follow(program, "called"))
        await program.play(data / "en_cancel_plan.wav", "called", 10, "--customer-id", "c-9")
        found = await profile(client, "c-9", lambda found: found["contacts"])
        (contact,) = found["contacts"]
        assert (contact["channel"], contact["direction"]) == ("phone", "in")
        assert found["reasons"][0]["reason"] == "case"
        # What was known at ring stands with the call.
        given = (await client.get("/v1/calls/called")).json()["attributes"]
        assert (given["likely_reason"], given["customer_stage"]) == ("Open case k1 router", "lead")
        watcher.ended.set()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
