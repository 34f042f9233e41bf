"""Agent, supervisor and reviewer at their pages, in a real browser, with a call that is played through the program."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.weights]

CRM = """<!doctype html><html lang="zh"><title>CRM</title><h1>Our CRM</h1>
<script type="module" src="{api}/assets/warmline-overlay.js"></script>
<warmline-overlay call="latest" server="{api}" token="{token}"></warmline-overlay></html>"""


@asynccontextmanager
async def elsewhere(pages: dict[str, str]) -> AsyncIterator[str]:
    """Somebody else's web server."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        body = pages.get(path, "").encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_people_work_with_a_call_while_it_runs_and_after(
    start: Any, browser: Browser, picture: Any, check: Any, faults: Any, data: Path
) -> None:
    pages: dict[str, str] = {}
    async with elsewhere(pages) as crm:
        program = await start(origins=crm)
        api = program.addresses["api"]
        agent, boss, reviewer = [
            await program.grant(role, name)
            for role, name in (("agent", "anna"), ("supervisor", "boss"), ("qa", "quinn"))
        ]
        pages["/"] = CRM.format(api=api, token=agent)

        async def opened(url: str, width: int, height: int) -> Page:
            context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
            page = await context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(url)
            return page

        complaints: list[str] = []
        desk = await opened(crm, 440, 960)
        await expect(desk.get_by_test_id("waiting")).to_be_visible()
        board = await opened(f"{api}/#token={boss}", 1100, 700)
        await expect(board.get_by_test_id("quiet")).to_be_visible()

        playing = asyncio.create_task(
            program.play(data / "zh_late_order.wav", "zh-1", 1.5, "--agent-id", "anna", "--customer-name", "王女士")
        )
        # The agent, inside the CRM, gets advice; the supervisor sees why the call needs somebody.
        await expect(desk.get_by_test_id("transcript-final").first).to_be_visible(timeout=30_000)
        await desk.get_by_test_id("desk-text").fill("延误怎么赔付?")
        await desk.get_by_test_id("desk-send").click()
        await expect(board.get_by_test_id("questions")).to_be_visible(timeout=10_000)
        await expect(desk.get_by_test_id("alert")).to_contain_text("优先安抚+升级处理", timeout=60_000)
        await expect(board.get_by_test_id("needs")).to_contain_text("激动", timeout=10_000)
        await picture(board, "board-needs")
        await board.get_by_test_id("acknowledge").click()
        await expect(board.get_by_test_id("acknowledge")).to_have_count(0, timeout=10_000)
        await board.get_by_test_id("needs").get_by_role("link").click()
        await board.get_by_test_id("desk-text").fill("按订单金额的百分之五。")
        await board.get_by_test_id("desk-send").click()
        await expect(desk.get_by_test_id("whisper")).to_contain_text("百分之五", timeout=10_000)
        assert not playing.done(), "the answer came after the call"
        await picture(desk, "desk-in-crm")
        await check(board, "overlay")
        await playing
        await expect(desk.get_by_test_id("status")).to_have_text("已结束", timeout=30_000)

        # The reviewer hears it again, beside what was shown.
        replay = await opened(f"{api}/replay?call=zh-1#token={reviewer}", 1280, 900)
        await expect(replay.get_by_test_id("play")).to_be_visible(timeout=30_000)
        await replay.get_by_test_id("seek").nth(5).click()
        place = await replay.get_by_test_id("position").text_content()
        assert place != "0:00"
        await replay.get_by_test_id("play").click()
        await expect(replay.get_by_test_id("position")).not_to_have_text(place or "", timeout=10_000)
        await replay.get_by_test_id("play").click()
        await replay.get_by_test_id("run-again").click()
        await expect(replay.get_by_test_id("compared")).to_have_attribute("data-differing", "0", timeout=10_000)
        await replay.get_by_test_id("layer-silence").click()
        await check(replay, "replay")
        await replay.keyboard.press("i")
        await replay.keyboard.press("c")
        await replay.get_by_label(re.compile("标题|Title")).fill("先安抚再处理")
        await replay.get_by_label(re.compile("标签|Tags")).fill("挽留, 延误")
        await replay.get_by_role("button", name=re.compile("^(保存|Keep)$")).click()
        await expect(replay.get_by_text("先安抚再处理")).to_be_visible()
        await replay.reload()
        await expect(replay.get_by_test_id("layer-silence")).to_have_attribute("aria-pressed", "false")
        assert await faults(replay) == []

        # And finds it by its words.
        search = await opened(f"{api}/search#token={reviewer}", 1100, 900)
        await expect(search.get_by_test_id("kept-clip")).to_contain_text("先安抚再处理")
        await search.get_by_test_id("words").fill("订单")
        await search.keyboard.press("Enter")
        await expect(search.get_by_test_id("found")).to_have_count(1)
        await check(search, "search")
        await search.get_by_test_id("found").get_by_role("link").nth(1).click()
        await expect(search.get_by_test_id("position")).not_to_have_text("0:00", timeout=20_000)

        await board.goto(f"{api}/")
        await expect(board.get_by_test_id("call")).to_have_attribute("data-status", "ended")
        await check(board, "board")
        other = await opened(f"{api}/replay?call=zh-1#token={await program.grant('agent', 'ben')}", 900, 600)
        await expect(other.get_by_test_id("problem")).to_have_text("这是其他坐席的通话。")
        assert complaints == []
