"""A person's view: a played call arrives on the overlay, in a real browser, while it runs."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.weights]


async def test_a_played_call_arrives_on_the_overlay(start: Any, browser: Browser, picture: Any, data: Path) -> None:
    program = await start()
    page = await browser.new_page(viewport={"width": 400, "height": 1000}, locale="zh-CN")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(program.addresses["overlay"])
    await expect(page.get_by_test_id("waiting")).to_be_visible()
    assert "token" not in page.url
    await picture(page, "overlay-waiting")

    playing = asyncio.create_task(program.play(data / "zh_late_order.wav", "zh-1", 1.5))
    await expect(page.get_by_test_id("transcript-partial").first).to_be_visible(timeout=30_000)
    await picture(page, "overlay-partial")
    await expect(page.get_by_test_id("transcript-final").first).to_be_visible(timeout=30_000)
    await expect(page.get_by_test_id("tick-greeting")).to_have_attribute("data-done", "true", timeout=30_000)
    await expect(page.get_by_test_id("timer")).not_to_have_text("0:00")

    await expect(page.get_by_test_id("alert")).to_contain_text("优先安抚+升级处理", timeout=60_000)
    assert not playing.done(), "the alert came after the call"
    await expect(page.get_by_test_id("emotion")).to_have_attribute(
        "data-label", re.compile("angry|anxious|disappointed")
    )
    await expect(page.get_by_test_id("card-competitor")).to_be_visible(timeout=30_000)
    await expect(page.get_by_test_id("card-cancel_intent")).to_be_visible()
    await expect(page.get_by_test_id("risk-level")).to_have_attribute("data-level", re.compile("elevated|critical"))
    await page.get_by_test_id("emotion").click()
    await expect(page.get_by_test_id("curve").locator("canvas")).to_be_visible()
    await expect(page.get_by_test_id("turn-worse")).to_have_attribute("title", re.compile("情绪变差"), timeout=30_000)
    await picture(page, "overlay-live")

    await page.get_by_test_id("used-cancel_intent").click()
    await expect(page.get_by_test_id("used-cancel_intent")).to_be_disabled()
    await page.get_by_test_id("dismissed-competitor").click()
    await expect(page.get_by_test_id("card-competitor")).to_have_count(0)

    await playing
    await expect(page.get_by_test_id("status")).to_have_text("已结束", timeout=30_000)
    await expect(page.get_by_test_id("tick-closing")).to_have_attribute("data-done", "true", timeout=30_000)
    await expect(page.get_by_test_id("transcript-partial")).to_have_count(0)
    await page.get_by_test_id("language").click()
    await expect(page.get_by_test_id("status")).to_have_text("ended")
    await picture(page, "overlay-ended")

    # The feedback went through the topic to the store: it is there after coming again.
    await page.goto(program.addresses["api"] + "/overlay?call=zh-1")
    await expect(page.get_by_test_id("used-cancel_intent")).to_be_disabled(timeout=10_000)
    await expect(page.get_by_test_id("card-competitor")).to_have_count(0)
    ids = await page.get_by_test_id("transcript-final").evaluate_all("all => all.map(e => e.dataset.id)")
    assert len(ids) == len(set(ids)) >= 20

    await page.set_viewport_size({"width": 1100, "height": 600})
    await page.goto(program.addresses["api"] + "/")
    await expect(page.get_by_test_id("call")).to_have_count(1)
    await expect(page.get_by_test_id("call")).to_have_attribute("data-status", "ended")
    await picture(page, "calls")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("seek").first).to_be_visible()
    assert complaints == []


async def test_without_the_token_the_page_says_what_is_missing(start: Any, browser: Browser, picture: Any) -> None:
    program = await start(recogniser="none")
    page = await browser.new_page(viewport={"width": 400, "height": 600}, locale="en-GB")
    await page.goto(program.addresses["api"] + "/overlay#token=wrong")
    await expect(page.get_by_text("The token is missing or wrong")).to_be_visible()
    await page.goto("about:blank")
    await page.goto(program.addresses["api"] + "/#token=" + program.addresses["token"])
    await expect(page.get_by_test_id("empty")).to_be_visible()
    await picture(page, "calls-empty")
