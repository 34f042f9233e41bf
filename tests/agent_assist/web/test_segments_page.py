"""The board of segments, in a real browser: counts, moves, and who is in a segment."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from agent_assist.customer.events import CustomerEvent, Known, Order
from agent_assist.customer.tags import Business, load
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.web.passes import Pass, Role, issue
from agent_assist.web.server import STATIC

pytestmark = pytest.mark.browser

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
COUNTS = 4
CUSTOMERS = 420


def token(role: Role = Role.SUPERVISOR) -> str:
    return issue("correct-horse", Pass(role=role, name="boss", expires_at=int(time.time()) + 3_600))


def trade() -> list[CustomerEvent]:
    """Customers who buy at paces of their own, some of whom stop."""
    events: list[CustomerEvent] = []
    for n in range(CUSTOMERS):
        events.append(Known(event_id=f"k{n}", customer_id=f"c{n:03}", at=NOW - 400 * DAY, name=f"客户{n}"))
        pace, last = 12 + 17 * (n % 9), (n * 37) % 380
        events += [
            Order(
                event_id=f"o{n}-{k}", customer_id=f"c{n:03}", at=at, order_id=f"o{n}-{k}", ordered_at=at,
                amount=Decimal(40 + 11 * (n % 23) + 5 * k), currency="CNY",
            )
            for k in range(1 + n % 6)
            if (at := NOW + (90 - last - pace * k) * DAY) <= NOW + 90 * DAY and n % 31
        ]  # fmt: skip
    return events


Opened = Callable[..., Any]


@pytest.fixture
def opened(make_site: Callable[..., Any], serve: Any, browser: Browser) -> Opened:
    """A site whose customers were counted so often, and the board of it."""

    @asynccontextmanager
    async def begin(
        counts: int = COUNTS, *, role: Role = Role.SUPERVISOR, width: int = 1280
    ) -> AsyncIterator[tuple[Any, Page]]:
        with make_site(static=STATIC) as site:
            profiles = Profiles(CustomerStore(site.store.engine), load(), Business())
            profiles.store.take(trade(), "api", NOW)
            for number in range(counts):
                profiles.count(NOW + 30 * number * DAY)
            async with serve(site):
                context = await browser.new_context(
                    viewport={"width": width, "height": 900}, locale="zh-CN", reduced_motion="reduce"
                )
                page = await context.new_page()
                complaints: list[str] = []
                page.on("pageerror", lambda error: complaints.append(str(error)))
                await page.goto(f"http://127.0.0.1:{site.port}/segments#token={token(role)}")
                yield site, page
                assert complaints == []
                await context.close()

    return begin


async def test_a_supervisor_sees_where_customers_stand_and_who_moved(opened: Opened, check: Any) -> None:
    async with opened() as (_, page):
        await expect(page.get_by_test_id("counted")).to_contain_text(f"{CUSTOMERS} 位客户")
        counts = await page.locator("[data-testid^=part-] td:nth-child(2)").all_inner_texts()
        assert sum(int(text.replace(",", "")) for text in counts) == CUSTOMERS
        moved = await page.get_by_test_id("moves").locator("tbody button, tbody span").all_inner_texts()
        assert sum(int(text) for text in moved) == CUSTOMERS
        await check(page, "segments")
        await page.get_by_test_id("by-stage").click()
        await expect(page.get_by_test_id("part-lapsed")).to_be_visible()
        await check(page, "segments-stages")


async def test_the_board_holds_at_800_pixels(opened: Opened, check: Any) -> None:
    async with opened(width=800) as (_, page):
        await expect(page.get_by_test_id("moves")).to_be_visible()
        await check(page, "segments-800")


async def test_a_segment_and_a_move_list_their_customers_with_the_keyboard(opened: Opened, check: Any) -> None:
    async with opened() as (_, page):
        row = page.get_by_test_id("part-faded")
        held = int(await row.locator("td").first.inner_text())
        assert held > 50
        await row.get_by_test_id("hold").press("Enter")
        await expect(page.get_by_test_id("held")).to_have_count(50)
        await expect(page.locator("#held")).to_be_focused()
        await check(page, "segments-held")
        while await page.get_by_test_id("more").count():
            before = await page.get_by_test_id("held").count()
            await page.get_by_test_id("more").press("Enter")
            await expect(page.get_by_test_id("held").nth(before)).to_be_visible()
        await expect(page.get_by_test_id("held")).to_have_count(held)
        links = await page.get_by_test_id("held").get_by_role("link").evaluate_all("all => all.map(one => one.href)")
        assert len(set(links)) == held
        await page.get_by_test_id("by-stage").press("Enter")
        await expect(page.get_by_test_id("held")).to_have_count(0)
        move = page.locator(".moves .moved button").first
        moved = int(await move.inner_text())
        await move.press("Enter")
        await expect(page.get_by_test_id("held")).to_have_count(moved)
        await page.get_by_test_id("held").first.get_by_role("link").press("Enter")
        await expect(page.get_by_test_id("name")).to_contain_text("客户")


async def test_a_first_count_has_nothing_to_compare_with(opened: Opened, check: Any) -> None:
    async with opened(1) as (_, page):
        await expect(page.get_by_test_id("first-count")).to_be_visible()
        await check(page, "segments-first")


async def test_before_a_count_the_board_says_how_to_make_one(opened: Opened, check: Any) -> None:
    async with opened(0) as (_, page):
        await expect(page.get_by_test_id("never")).to_contain_text("warmline customer count")
        await check(page, "segments-never")


async def test_the_board_is_for_supervisors(opened: Opened, check: Any) -> None:
    async with opened(1, role=Role.AGENT) as (_, page):
        await expect(page.get_by_test_id("problem")).to_have_text("分群只供主管查看。")
        await check(page, "segments-forbidden")


async def test_a_server_that_is_away_can_be_asked_again(opened: Opened) -> None:
    async with opened(1) as (_, page):
        await page.route("**/v1/segments", lambda route: route.fulfill(status=503, json={"detail": "starting"}))
        await page.reload()
        await expect(page.get_by_test_id("problem")).to_have_text("服务器暂时无法响应。")
        await page.unroute("**/v1/segments")
        await page.get_by_test_id("retry").press("Enter")
        await expect(page.get_by_test_id("counted")).to_be_visible()
