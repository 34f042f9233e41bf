"""The page of a customer while one of their calls runs, from the overlay's link on: over the real program."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.weights]

KNOWN = {"event": "customer", "event_id": "1", "customer_id": "c-9", "at": "2026-01-01T00:00:00Z", "name": "王女士"}
CASE = {
    "event": "case", "event_id": "2", "customer_id": "c-9", "at": "2026-01-02T00:00:00Z", "case_id": "k1",
    "opened_at": "2026-01-02T00:00:00Z", "type": "fault", "issue": "路由器", "promised_by": "2026-01-03T00:00:00Z",
}  # fmt: skip


async def test_a_call_changes_the_page_of_its_customer_while_it_runs_and_after(
    start: Any, browser: Browser, check: Any, data: Path
) -> None:
    program = await start(trade="orders")
    api = program.addresses["api"]
    headers = {"authorization": f"Bearer {program.addresses['token']}"}
    async with httpx.AsyncClient(base_url=api, headers=headers) as client, asyncio.timeout(30):
        (await client.post("/v1/customers/events", json=[KNOWN, CASE])).raise_for_status()
        while (await client.get("/v1/customers/c-9")).status_code != 200:  # noqa: ASYNC110 - it is told nobody
            await asyncio.sleep(0.2)
    agent = await program.grant("agent", "anna")
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    desk = await context.new_page()
    complaints: list[str] = []
    desk.on("pageerror", lambda error: complaints.append(str(error)))
    await desk.goto(f"{api}/overlay#token={agent}")
    await expect(desk.get_by_test_id("waiting")).to_be_visible()
    # Before they had a call the agent does not see the customer.
    stranger = await context.new_page()
    await stranger.goto(f"{api}/customer?id=c-9#token={agent}")
    await expect(stranger.get_by_test_id("problem")).to_have_attribute("data-status", "404")

    more = ("--agent-id", "anna", "--customer-id", "c-9", "--customer-name", "王女士")
    playing = asyncio.create_task(program.play(data / "zh_late_order.wav", "zh-1", 1.5, *more))
    async with context.expect_page() as opening:
        await desk.get_by_test_id("customer-link").click(timeout=30_000)
    page = await opening.value
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await expect(page.get_by_test_id("name")).to_have_text("王女士", timeout=15_000)
    assert "token" not in page.url
    await expect(page.get_by_test_id("case")).to_contain_text("已逾期")
    await expect(page.get_by_test_id("on-call")).to_contain_text("anna")
    await expect(page.get_by_test_id("on-call-risk")).to_have_text(re.compile("较高|严重"), timeout=60_000)
    assert not playing.done(), "the risk came after the call"
    await check(page, "customer-on-call")
    await playing
    await expect(page.get_by_test_id("on-call")).to_have_count(0, timeout=30_000)
    # The call is a contact of the customer now, in which they complained.
    await expect(page.get_by_text("1 次投诉")).to_be_visible(timeout=30_000)
    await page.goto(f"{api}/replay?call=zh-1")
    await page.get_by_test_id("customer-link").click(timeout=15_000)
    await expect(page.get_by_test_id("name")).to_have_text("王女士")
    assert complaints == []
