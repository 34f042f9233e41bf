"""The page on the data of customers, in a real browser."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from agent_assist.customer.events import CustomerEvent, Identified, Known
from agent_assist.customer.health import load
from agent_assist.store.customers import CustomerStore
from agent_assist.store.health import HealthStore
from agent_assist.web.passes import Pass, Role, issue
from agent_assist.web.server import STATIC

pytestmark = pytest.mark.browser

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def told(customer: str, name: str, phone: str, born: date, language: str = "zh-CN") -> list[CustomerEvent]:
    at = NOW - timedelta(days=90)
    return [
        Known(
            event_id=f"k{customer}", customer_id=customer, at=at, name=name, birthday=born, language=language,
            region="四川", joined_at=at,
        ),
        Identified(event_id=f"p{customer}", customer_id=customer, at=at, kind="phone", value=phone),
    ]  # fmt: skip


@pytest.fixture
def site(make_site: Callable[..., Any]) -> Iterator[Any]:
    with make_site(static=STATIC) as site:
        events = [
            *told("a0", "张伟", "+8613800138000", date(1990, 2, 3)),
            *told("b0", "Zhang Wei", "+8613800138000", date(1990, 2, 3), "en"),
            *told("a1", "王小明", "+8613900139000", date(1985, 7, 8), "Chinese"),
            *told("b1", "王小明", "+8613900139000", date(1985, 7, 8)),
            *told("c", "李雷", "12", date(1970, 1, 1)),
        ]
        CustomerStore(site.store.engine).take(events, "api", NOW)
        health = HealthStore(site.store.engine)
        for month, at in (("2026-08", -62), ("2026-09", -31), ("2026-10", 0)):
            health.assess(load(), month, NOW + timedelta(days=at))
        yield site


async def opened(browser: Browser, site: Any, role: Role = Role.SUPERVISOR, locale: str = "zh-CN") -> Page:
    context = await browser.new_context(viewport={"width": 1000, "height": 900}, locale=locale)
    page = await context.new_page()
    given = issue("correct-horse", Pass(role=role, name="anna", expires_at=int(time.time()) + 3_600))
    await page.goto(f"http://127.0.0.1:{site.port}/data-health#token={given}")
    return page


@pytest.mark.parametrize(
    ("locale", "words"), [("zh-CN", "电话为有效的 E.164 号码"), ("en-GB", "A number that is valid")]
)
async def test_a_supervisor_sees_the_score_its_trend_and_what_is_wrong(
    site: Any, serve: Any, browser: Browser, check: Any, locale: str, words: str
) -> None:
    async with serve(site):
        page = await opened(browser, site, locale=locale)
        # Five ids, names, numbers, languages, regions, birthdays and joinings, of which two are wrong, and addresses.
        await expect(page.get_by_test_id("score")).to_have_text("95.0%")
        await expect(page.get_by_test_id("rules")).to_contain_text(words)
        await expect(page.get_by_test_id("trend").locator("tbody tr")).to_have_count(3)
        await expect(page.get_by_test_id("fields").locator("tbody tr").first).to_contain_text("80.0%")
        await page.get_by_test_id("month").select_option("2026-09")
        await expect(page.get_by_test_id("trend").locator("tbody tr")).to_have_count(2)
        await check(page, f"health-{locale[:2]}")


async def test_pairs_stand_side_by_side_and_are_decided_with_the_keyboard(
    site: Any, serve: Any, browser: Browser, check: Any
) -> None:
    async with serve(site):
        page = await opened(browser, site)
        pairs = page.get_by_test_id("pair")
        await expect(pairs).to_have_count(2)
        await expect(pairs.nth(1)).to_contain_text("Zhang Wei")
        await expect(pairs.nth(1)).to_contain_text("同音")
        await check(page, "health-pairs")
        await pairs.nth(0).get_by_test_id("apart").focus()
        await page.keyboard.press("Enter")
        await expect(pairs).to_have_count(1)
        await expect(pairs.nth(0)).to_be_focused()
        await expect(page.get_by_test_id("told")).to_contain_text("不再提示")
        await pairs.nth(0).get_by_test_id("merge").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("no-pairs")).to_be_visible()
        assert CustomerStore(site.store.engine).facts("b0").customer_id == "a0"
        assert CustomerStore(site.store.engine).facts("b1").customer_id == "b1"


async def test_who_may_not_see_it_is_told_so(site: Any, serve: Any, browser: Browser) -> None:
    async with serve(site):
        page = await opened(browser, site, Role.AGENT)
        await expect(page.get_by_test_id("problem")).to_be_visible()
        await expect(page.get_by_test_id("pair")).to_have_count(0)
