"""The page of the knowledge base, in a real browser."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.reading import read
from agent_assist.knowledge.types import Node, NodeKind
from agent_assist.web.passes import Pass, Role, issue
from agent_assist.web.server import STATIC

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).parents[3] / "agent_assist/knowledge/sample/articles.jsonl"
EVIL = """退款到账时间 <script>window.ran = true</script>

<img src=x onerror="window.ran = true"> [链接](javascript:window.ran=true)

**退款**三天内到账。
"""


def token(role: Role, name: str) -> str:
    return issue("correct-horse", Pass(role=role, name=name, expires_at=int(time.time()) + 3_600))


@pytest.fixture
def site(make_site: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
    base = KnowledgeBase(f"sqlite:///{tmp_path / 'calls.db'}")
    with make_site(knowledge=(base, KnowledgeIndex(base)), static=STATIC) as site:
        base.draft(one for one in read(SAMPLE, SAMPLE.name) if isinstance(one, Node))
        base.draft([Node(kind=NodeKind.ARTICLE, key="evil", title="退款到账时间", language="zh", body=EVIL)])
        base.publish()
        yield site
    base.close()


async def opened(browser: Browser, site: Any, role: Role, path: str = "/knowledge") -> Page:
    context = await browser.new_context(viewport={"width": 1000, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{site.port}{path}#token={token(role, 'somebody')}")
    return page


async def test_an_agent_asks_reads_and_gets_no_answer_where_there_is_none(
    site: Any, serve: Any, browser: Browser, check: Any
) -> None:
    async with serve(site):
        page = await opened(browser, site, Role.AGENT)
        await page.keyboard.press("/")
        await page.keyboard.type("延误可以补偿什么")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("hit").first.locator("mark").first).to_be_visible()
        await expect(page.get_by_test_id("hit").first).to_contain_text("articles.jsonl")
        await check(page, "knowledge-hits")
        await page.get_by_test_id("hit").first.get_by_role("button").press("Enter")
        await expect(page.get_by_test_id("article")).to_be_focused()
        await check(page, "knowledge-article")
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("article")).to_have_count(0)
        await page.get_by_test_id("question").fill("错误 E9999 怎么解决")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("none")).to_contain_text("没有答案")
        await expect(page.get_by_test_id("upload")).to_have_count(0)
        await check(page, "knowledge-none")


async def test_an_article_with_a_script_in_it_is_inert(site: Any, serve: Any, browser: Browser) -> None:
    async with serve(site):
        page = await opened(browser, site, Role.AGENT, "/knowledge?kind=article&key=evil")
        article = page.get_by_test_id("article")
        await expect(article.locator("strong")).to_have_text("退款")
        await expect(article).to_contain_text("<script>")
        assert await article.locator("script, img, a[href]").count() == 0
        assert await page.evaluate("window.ran") is None


async def test_only_what_would_be_published_or_withdrawn_can_be_ticked(site: Any, serve: Any, browser: Browser) -> None:
    base = KnowledgeBase(str(site.store.engine.url))

    def say(body: str) -> None:
        base.draft([Node(kind=NodeKind.ARTICLE, key="hours", title="营业时间", language="zh", body=body)])

    try:
        say("九点到五点。")
        say("九点到六点。")
        async with serve(site):
            page = await opened(browser, site, Role.EXPERT)
            draft = page.get_by_test_id("version")
            await expect(draft).to_have_count(2)
            # Two drafts of one article: the box is the later one's, and it is what becomes known.
            await expect(page.get_by_role("checkbox")).to_have_count(1)
            await expect(draft.first).to_contain_text("2")
            await draft.first.get_by_role("checkbox").check()
            await expect(page.get_by_test_id("withdraw")).to_be_disabled()
            await page.get_by_test_id("publish").click()
            await expect(page.get_by_test_id("told")).to_contain_text("1")
            stored = base.published("article:hours")
            assert stored is not None
            assert (stored.version, stored.node.body) == (2, "九点到六点。")
            # A draft of what is published: each of the two has a box, for another change.
            say("全天。")
            await page.get_by_test_id("how").select_option("")
            boxes = page.get_by_test_id("version").filter(has_text="hours")
            await expect(boxes.locator("input")).to_have_count(2)
            await boxes.nth(1).locator("input").check()
            await expect(page.get_by_test_id("publish")).to_be_disabled()
            await page.get_by_test_id("withdraw").click()
            await expect(page.get_by_test_id("told")).to_contain_text("1")
            assert base.published("article:hours") is None
    finally:
        base.close()


async def test_an_expert_imports_publishes_and_withdraws(
    site: Any, serve: Any, browser: Browser, check: Any, tmp_path: Path
) -> None:
    good, bad = tmp_path / "opening-hours.md", tmp_path / "broken.pdf"
    good.write_text("# 营业时间\n\n周一到周五,九点到六点。", encoding="utf-8")
    bad.write_bytes(b"not a pdf")
    async with serve(site):
        page = await opened(browser, site, Role.EXPERT)
        await page.get_by_test_id("upload").set_input_files([good, bad])
        await expect(page.get_by_test_id("told").first).to_contain_text("opening-hours.md:新增 1")
        await expect(page.get_by_test_id("import-failed")).to_contain_text("broken.pdf: expected a whole PDF")
        draft = page.get_by_test_id("version")
        await expect(draft).to_have_attribute("data-state", "draft")
        await draft.get_by_role("button", name="营业时间").click()
        await expect(page.get_by_test_id("article")).to_contain_text("九点到六点")
        await check(page, "knowledge-draft")
        await draft.get_by_role("checkbox").check()
        await page.get_by_test_id("publish").click()
        await expect(page.get_by_test_id("told")).to_contain_text("已发布 1 项")
        await page.get_by_test_id("question").fill("营业时间")
        await page.get_by_test_id("ask").click()
        await expect(page.get_by_test_id("read-opening-hours")).to_be_visible()
        await page.get_by_test_id("how").select_option("published")
        await page.get_by_role("checkbox", name="营业时间").check()
        await page.set_viewport_size({"width": 400, "height": 900})
        await check(page, "knowledge-narrow")
        await page.get_by_test_id("withdraw").click()
        await expect(page.get_by_test_id("told")).to_contain_text("已撤回 1 项")
        await page.get_by_test_id("ask").click()
        await expect(page.get_by_test_id("read-opening-hours")).to_have_count(0)
