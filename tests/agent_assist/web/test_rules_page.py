"""The page of the rules, in a real browser."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from agent_assist.advice.conditions import Example, Examples
from agent_assist.advice.playbook import DEFAULT, Playbook, load
from agent_assist.advice.tenants import Shelved
from agent_assist.web.passes import Pass, Role, issue
from agent_assist.web.server import STATIC

pytestmark = pytest.mark.browser

BROKEN = "expected a kind, got 'sing' at $.rules[3].kind, rule upsell (file=/etc/warmline/playbooks/shop/rules.yaml)"


def token(role: Role) -> str:
    return issue("correct-horse", Pass(role=role, name="boss", expires_at=int(time.time()) + 3_600))


def with_examples(playbook: Playbook) -> Playbook:
    """One that does as it should, one that does not, and one of silence."""
    examples = Examples(
        fires=(Example(en="I want to cancel my contract"), Example(zh="我想看看新套餐")),
        silent=(Example(en="I do not want to cancel"),),
    )
    rules = [
        msgspec.structs.replace(rule, examples=examples) if rule.id == "cancel_intent" else rule
        for rule in playbook.rules
    ]
    return msgspec.structs.replace(playbook, rules=tuple(rules))


async def opened(browser: Browser, url: str, width: int = 1200, height: int = 900) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(url)
    return page


async def test_a_supervisor_reads_tries_and_back_tests_the_rules(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any, call: Any, tmp_path: Path
) -> None:
    playbook = with_examples(load(DEFAULT))
    shelves = [Shelved("default", playbook, time.time()), Shelved("shop", playbook, time.time(), BROKEN)]
    with make_site(playbooks=lambda: shelves, static=STATIC) as site:
        for number in range(3):
            one = call(f"c{number}")
            started = msgspec.structs.replace(one.started(), at=datetime.now(UTC))
            card = msgspec.structs.replace(one.card(0), rule="cancel_intent", source=playbook.source)
            site.store.write(
                [started, one.final(0, "I want to cancel my contract"), card, one.feedback(0), one.ended()], {}
            )
        async with serve(site):
            page = await opened(browser, f"http://127.0.0.1:{site.port}/rules#token={token(Role.SUPERVISOR)}")
            await expect(page.get_by_test_id("playbook-state")).to_have_attribute("data-state", "in_force")
            await page.get_by_test_id("sentence").fill("I want to cancel my contract")
            await page.get_by_label(re.compile("语言")).select_option("en")
            await page.keyboard.press("Tab")
            await page.get_by_test_id("sentence").press("Enter")
            await expect(page.get_by_test_id("fires-cancel_intent")).to_contain_text("cancel")
            # With the keyboard alone: to the rule, open it, and run it over stored calls.
            await page.get_by_test_id("fires-cancel_intent").get_by_role("link").press("Enter")
            rule = page.get_by_test_id("rule-cancel_intent")
            await expect(rule.get_by_test_id("example").first).to_have_attribute("data-holds", "true")
            await expect(rule.get_by_test_id("example").nth(1)).to_contain_text("不符合预期")
            await page.get_by_test_id("backtest-cancel_intent").press("Enter")
            await expect(rule.get_by_test_id("backtested")).to_contain_text("3 个通话")
            await expect(rule.get_by_role("link", name="0:01").first).to_be_visible()
            await check(page, "rules")
            # A broken playbook tells its place, and what is in force instead.
            await page.get_by_test_id("tenant-shop").click()
            await expect(page.get_by_test_id("failed")).to_contain_text("shop/rules.yaml")
            await expect(page.get_by_test_id("playbook-state")).to_have_attribute("data-state", "broken")
            await expect(page.get_by_test_id("rule-cancel_intent")).to_be_visible()
            await check(page, "rules-broken")
            await page.set_viewport_size({"width": 360, "height": 640})
            row = page.get_by_test_id("rule-cancel_intent").locator("summary").first
            await row.scroll_into_view_if_needed()
            # No headings above the figures, so each brings its own.
            for label in ("优先级", "触发", "采用", "忽略", "▲ / ▼", "示例符合"):
                await expect(row.get_by_text(label, exact=True)).to_be_in_viewport(ratio=1)
                box = await row.get_by_text(label, exact=True).bounding_box()
                assert box is not None
                assert box["width"] > 10, label
            await check(page, "rules-narrow")


async def test_an_agent_is_told_that_rules_are_for_supervisors(
    make_site: Callable[..., Any], serve: Any, browser: Browser
) -> None:
    with make_site(playbooks=list, static=STATIC) as site:
        async with serve(site):
            page = await opened(browser, f"http://127.0.0.1:{site.port}/rules#token={token(Role.AGENT)}")
            await expect(page.get_by_test_id("problem")).to_have_text("规则只对主管显示。")
