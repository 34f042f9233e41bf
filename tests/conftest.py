"""What the tests of more than one room share."""

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

# How long an example takes is the machine's affair.
settings.register_profile("warmline", deadline=None)
settings.load_profile("warmline")

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """Recordings that the project carries."""
    return DATA


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Public corpora beside the checkout; tests that ask for them are marked `corpus`."""
    path = Path(os.environ.get("WARMLINE_CORPUS") or Path(__file__).parents[2] / "shared" / "data")
    if not path.is_dir():
        pytest.fail(f"expected the corpora at {path}: see docs/benchmarks.md, or leave the tests marked corpus out")
    return path


AXE = Path(__file__).parents[1] / "agent_assist/web/pages/node_modules/axe-core/axe.min.js"


@pytest.fixture
async def browser() -> "AsyncIterator[Browser]":
    from playwright.async_api import async_playwright  # noqa: PLC0415 - the fast tests go without

    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield opened
        await opened.close()


@pytest.fixture
def picture() -> "Callable[[Page, str], Awaitable[None]]":
    """Keep a picture of a page under ``out/``, to be looked at."""

    async def take(page: "Page", name: str) -> None:
        out = Path(__file__).parents[1] / "out"
        out.mkdir(exist_ok=True)
        await page.screenshot(path=out / f"{name}.png")

    return take


@pytest.fixture
def faults() -> "Callable[[Page], Awaitable[list[str]]]":
    """What axe finds on a page that is serious, by WCAG 2.2 A and AA."""

    async def find(page: "Page") -> list[str]:
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = await page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    return find


@pytest.fixture
def check(
    picture: "Callable[[Page, str], Awaitable[None]]", faults: "Callable[[Page], Awaitable[list[str]]]"
) -> "Callable[[Page, str], Awaitable[None]]":
    """No serious fault in both languages, light and dark, and nothing wider than the page; pictures of all four."""

    async def look(page: "Page", name: str) -> None:
        for _ in range(2):
            for _ in range(2):
                theme = await page.evaluate("document.querySelector('[theme]').getAttribute('theme')")
                lang = await page.evaluate("document.documentElement.lang")
                await picture(page, f"{name}-{lang[:2]}-{theme}")
                assert await faults(page) == [], f"{name} {lang} {theme}"
                spare = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                assert await page.evaluate(spare) <= 0, f"{name} {lang} is wider than its page"
                await page.get_by_role("button", name=re.compile("Light or dark|明暗主题")).click()
            await page.get_by_role("button", name=re.compile("^(English|中文)$")).click()

    return look
