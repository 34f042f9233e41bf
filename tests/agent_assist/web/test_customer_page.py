"""The page of a customer, in a real browser: what is known, what is not, and what a call changes while it runs."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, Route, WebSocketRoute, expect

from agent_assist.customer.events import (
    Case,
    Consent,
    CustomerEvent,
    Identified,
    Interaction,
    Known,
    Order,
    Survey,
    Tagged,
)
from agent_assist.customer.tags import Business, WorthPolicy, load
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.web.passes import Pass, Role, issue
from agent_assist.web.server import STATIC
from models.churn import shipped

pytestmark = pytest.mark.browser

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
BUSINESS = Business(model=shipped("orders"), worth=WorthPolicy("orders", 0.3), calendars=frozenset({"cn"}))
PREFERENCES = {
    "channel": {"value": "chat", "source": "shown", "support": 7, "of": 9, "evidence": []},
    "part_of_day": {"value": "evening", "source": "shown", "support": 6, "of": 9, "evidence": []},
    "language": {"value": "zh", "source": "said", "support": 0, "of": 0, "evidence": []},
    "issues": [{"value": "配送", "source": "shown", "support": 4, "of": 9, "evidence": []}],
}
TASKS: list[dict[str, Any]] = [
    {
        "id": f"t:{n}", "call_id": None, "customer_id": "c1", "customer_name": "李雷", "agent_id": None,
        "rule": "late_order", "title": title, "text": "", "language": "zh", "texts": {"zh": title, "en": english},
        "team": "care", "evidence": [], "due_at": (NOW + (n - 1) * DAY).isoformat(), "state": "open", "version": 1,
        "by": "", "changed_at": None, "note": "",
    }
    for n, (title, english) in enumerate(
        [("致歉并说明延误", "Apologise for the delay"), ("寄出使用指南", "Send the guide"), ("生日问候", "Greet them")]
    )
]  # fmt: skip
ALERT = {
    "customer_id": "c1", "level": "elevated", "state": "open", "team": "retention",
    "opened_at": (NOW - DAY).isoformat(), "due_at": (NOW + DAY).isoformat(), "escalations": 0, "by": "",
    "branch": "offer", "reasons": ["price", "lapse_share"], "source": "profile",
}  # fmt: skip


def token(role: Role = Role.SUPERVISOR, name: str = "boss") -> str:
    return issue("correct-horse", Pass(role=role, name=name, expires_at=int(time.time()) + 3_600))


def told() -> list[CustomerEvent]:
    """A customer of whom much is known."""

    def ago(days: float) -> datetime:
        return NOW - days * DAY

    def of(number: int, days: float) -> dict[str, Any]:
        return {"event_id": f"e{number}", "customer_id": "c1", "at": ago(days)}

    events: list[CustomerEvent] = [
        Known(
            **of(0, 900), name="李雷", region="CN-GD", language="zh-CN", tier="金卡", joined_at=ago(900),
            birthday=(NOW + 2 * DAY).date().replace(year=1990, day=min((NOW + 2 * DAY).day, 28)),
            attributes={"job": "teacher", "channel": "web"},
        ),
        Identified(**of(1, 900), kind="phone", value="+8613800138000"),
        Identified(**of(2, 900), kind="email", value="lilei@example.com"),
        Consent(**of(3, 800), purpose="recording", granted=True),
        Consent(**of(4, 800), purpose="outbound", granted=False),
        Tagged(**of(5, 90), tag="喜欢蓝色", by="anna"),
        Case(
            **of(6, 9), case_id="K-881", opened_at=ago(9), type="complaint", issue="包裹停留三天", channel="phone",
            promised_by=ago(2),
        ),
        Case(**of(7, 40), case_id="K-702", opened_at=ago(40), type="complaint", issue="重复扣款", status="solved"),
        Case(**of(8, 3), case_id="K-900", opened_at=ago(3), type="request", promised_by=NOW + 3 * DAY),
        Survey(**of(9, 30), survey_id="s1", kind="csat", score=2),
    ]  # fmt: skip
    events += [
        Order(
            **of(20 + n, 70 * n + 12), order_id=f"O-10{n}", ordered_at=ago(70 * n + 12),
            amount=Decimal(180 + 35 * (n % 3)), currency="CNY", status="delivered", discounted=n % 2 == 0,
        )
        for n in range(8)
    ]  # fmt: skip
    events += [
        Interaction(
            **of(40 + n, days), interaction_id=f"i{n}", channel="chat", issue="配送", text="包裹在哪里?",
            agent_id="anna", complaint=n < 3, signals=("price",) if n else (),
        )
        for n, days in enumerate((2, 16, 33, 61, 100))
    ]  # fmt: skip
    return events


def others() -> list[CustomerEvent]:
    """Customers enough to be fitted to."""
    return [
        Order(
            event_id=f"x{n}-{k}", customer_id=f"x{n}", at=(at := NOW - (400 - 5 * n - (40 + n) * k) * DAY),
            order_id=f"x{n}-{k}", ordered_at=at, amount=Decimal(60 + 7 * n + 40 * (k % 3)), currency="CNY",
        )
        for n in range(48)
        for k in range(1 + n % 4)
    ]  # fmt: skip


def entry(kind: str, number: int, days: float, **more: Any) -> dict[str, Any]:
    empty = {
        "at": (NOW - days * DAY).isoformat(), "kind": kind, "id": f"{kind}{number}", "channel": None, "direction": None,
        "issue": "", "line": "", "status": "", "amount": None, "currency": "", "score": None, "agent_id": None,
        "call_id": None, "complaint": False, "solved": None, "mood": None, "risk": None,
    }  # fmt: skip
    return empty | more


def timeline() -> list[dict[str, Any]]:
    call = {"channel": "phone", "direction": "in", "agent_id": "anna", "status": "ended"}
    return [
        entry(
            "call", 1, 1.2, **call, call_id="zh-1", issue="包裹延误", line="客户的包裹三天没有动静,坐席升级为加急。",
            solved=False, mood={"value": -0.62, "agitation": 0.8, "of": "call"},
            risk={"score": 0.58, "level": "elevated"},
        ),
        entry("contact", 1, 2, channel="chat", direction="in", issue="配送", line="包裹在哪里?", complaint=True,
              mood={"value": -0.3, "agitation": None, "of": "text"}),
        entry("case", 1, 9, id="K-881", issue="包裹停留三天", status="open", complaint=True),
        entry("order", 1, 12, id="O-100", status="shipped", amount="180", currency="CNY"),
        entry("survey", 1, 30, score=2, issue="csat"),
        entry("call", 2, 33, **call, call_id="zh-0", issue="重复扣款", solved=True,
              mood={"value": 0.35, "agitation": 0.1, "of": "call"}, risk={"score": 0.22, "level": "none"}),
        entry("contact", 2, 61, channel="email", direction="out", issue="发票",
              mood={"value": 0.1, "agitation": None, "of": "text"}),
    ]  # fmt: skip


def risks() -> list[dict[str, Any]]:
    reasons = [{"name": "cancel", "contribution": 0.2}]
    return [
        {"call_id": call, "at": (NOW - days * DAY).isoformat(), "at_ms": 1_000,
         "risk": {"score": score, "level": level, "reasons": reasons, "model_version": "m", "low": None, "high": None}}
        for call, days, score, level in (("zh-1", 1.2, 0.58, "elevated"), ("zh-0", 33, 0.22, "none"))
    ]  # fmt: skip


class Beside:
    """What other doors tell of the customer; answers as they do."""

    def __init__(self) -> None:
        self.entries = timeline()
        self.tasks = [dict(task) for task in TASKS]
        self.alerts = [dict(ALERT)]
        self.put: list[tuple[str, dict[str, Any]]] = []
        self.gone: set[str] = set()
        self.size = 50

    async def on(self, page: Page) -> None:
        await page.route("**/v1/customers/*/timeline?*", self._timeline)
        await page.route(
            "**/v1/customers/*/risks?*", lambda r: self._give(r, "risks", {"risks": risks(), "next": None})
        )
        await page.route("**/v1/alerts?*", lambda r: self._give(r, "alerts", {"alerts": self.alerts}))
        await page.route("**/v1/alerts/*/*", self._alert)
        await page.route("**/v1/tasks?*", lambda r: self._give(r, "tasks", {"tasks": self.tasks, "next": None}))
        await page.route("**/v1/tasks/*", self._task)
        await page.route("**/v1/customers/c1", self._profile)

    async def _give(self, route: Route, name: str, answer: Any) -> None:
        if name in self.gone:
            await route.fulfill(status=404, json={"detail": "Not Found"})
        else:
            await route.fulfill(json=answer)

    async def _timeline(self, route: Route) -> None:
        before = route.request.url.partition("before=")[2]
        start = int(before) if before else 0
        page = self.entries[start : start + self.size]
        more = start + self.size < len(self.entries)
        await self._give(route, "timeline", {"entries": page, "next": str(start + self.size) if more else None})

    async def _alert(self, route: Route) -> None:
        self.alerts[0] |= {"state": "acknowledged", "by": "boss"}
        await route.fulfill(json=self.alerts[0])

    async def _task(self, route: Route) -> None:
        task = route.request.url.rpartition("/")[2].replace("%3A", ":")
        self.put.append((task, json.loads(route.request.post_data or "")))
        self.tasks = [one for one in self.tasks if one["id"] != task]
        await route.fulfill(json={})

    async def _profile(self, route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        if answer.ok:
            body |= {"preferences": PREFERENCES, "manner": {}}
        await route.fulfill(status=answer.status, json=body)


Opened = Callable[..., Any]


@pytest.fixture
def opened(make_site: Callable[..., Any], serve: Any, browser: Browser) -> Opened:
    """A site that knows a customer, and a page of it."""

    @asynccontextmanager
    async def begin(
        path: str = "/customer?id=c1", *, role: Role = Role.SUPERVISOR, width: int = 1280, beside: Beside | None = None
    ) -> AsyncIterator[tuple[Any, Page, Beside]]:
        with make_site(static=STATIC, business=BUSINESS) as site:
            profiles = Profiles(CustomerStore(site.store.engine), load(), BUSINESS)
            profiles.store.take([*told(), *others()], "api", NOW)
            profiles.count(NOW)
            async with serve(site):
                context = await browser.new_context(
                    viewport={"width": width, "height": 900}, locale="zh-CN", reduced_motion="reduce"
                )
                page = await context.new_page()
                complaints: list[str] = []
                page.on("pageerror", lambda error: complaints.append(str(error)))
                other = beside or Beside()
                await other.on(page)
                await page.goto(f"http://127.0.0.1:{site.port}{path}#token={token(role)}")
                yield site, page, other
                assert complaints == []
                await context.close()

    return begin


async def test_all_that_is_known_of_a_customer_stands_on_their_page(opened: Opened, check: Any) -> None:
    async with opened() as (_, page, _):
        await expect(page.get_by_test_id("name")).to_have_text("李雷")
        await expect(page.get_by_test_id("tier")).to_have_text("金卡")
        await expect(page.get_by_test_id("addresses")).to_contain_text("+8613800138000")
        await expect(page.get_by_test_id("consents")).to_contain_text("✕ 外呼")
        await expect(page.get_by_test_id("preferences")).to_contain_text("在线聊天 (9 次联系中 7 次)")
        await expect(page.get_by_test_id("case").first).to_contain_text("已逾期")
        await expect(page.get_by_test_id("segment")).not_to_be_empty()
        await expect(page.get_by_test_id("worth")).to_contain_text("¥")
        await expect(page.get_by_test_id("worth-interval")).to_contain_text("90 %")
        await expect(page.get_by_test_id("risk-interval")).to_contain_text("95 %")
        await expect(page.get_by_test_id("risk-history")).to_have_attribute("data-points", "2")
        await expect(page.get_by_test_id("mood-curve")).to_have_attribute("data-points", "4")
        await expect(page.get_by_test_id("entry")).to_have_count(7)
        await expect(page.get_by_test_id("day").first).to_contain_text("生日")
        await check(page, "customer")


async def test_the_page_holds_at_800_pixels(opened: Opened, check: Any) -> None:
    async with opened(width=800) as (_, page, _):
        await expect(page.get_by_test_id("entry")).to_have_count(7)
        await check(page, "customer-800")
        await page.set_viewport_size({"width": 400, "height": 900})
        await check(page, "customer-400")


async def test_an_agent_sees_whom_they_had_a_call_with_and_the_end_of_the_number(opened: Opened, call: Any) -> None:
    async with opened(role=Role.AGENT) as (site, page, _):
        await expect(page.get_by_test_id("problem")).to_contain_text("没有您可以查看的客户 c1")
        started = msgspec.structs.replace(call("zh-1").started(), customer_id="c1", agent_id="boss")
        site.store.write([started], {})
        await page.reload()
        await expect(page.get_by_test_id("addresses")).to_contain_text("•••8000")
        await expect(page.get_by_test_id("addresses")).to_contain_text("•••@example.com")
        await expect(page.get_by_test_id("addresses")).not_to_contain_text("lilei")
        # An alert is not theirs to take.
        await expect(page.get_by_test_id("alert")).to_be_visible()
        await expect(page.get_by_test_id("alert-take")).to_have_count(0)


async def test_the_evidence_of_a_tag_opens_the_events_it_rests_on(opened: Opened, picture: Any, faults: Any) -> None:
    async with opened() as (_, page, _):
        tag = page.locator("[data-testid=tag-喜欢蓝色]")
        await tag.get_by_test_id("evidence").press("Enter")
        dialog = page.get_by_test_id("evidence-dialog")
        await expect(dialog.get_by_test_id("told")).to_have_count(1)
        await expect(dialog.get_by_test_id("told")).to_contain_text("喜欢蓝色")
        await expect(page.get_by_test_id("close")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(dialog).not_to_be_visible()
        await expect(tag.get_by_test_id("evidence")).to_be_focused()
        # Of a rule's tag, the contacts that it counted.
        rule = page.locator("[data-testid^=tag-]", has_text="多次谈及价格")
        await rule.get_by_test_id("evidence").click()
        await expect(dialog.get_by_test_id("told")).to_have_count(4)
        await expect(dialog.get_by_test_id("told").first).to_contain_text("包裹在哪里?")
        await picture(page, "customer-evidence")
        assert await faults(page) == []
        await check_dialog(page)


async def check_dialog(page: Page) -> None:
    """A dialog keeps all behind it out of reach, and is no wider than the page."""
    box = await page.get_by_test_id("evidence-dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    for _ in range(6):
        await page.keyboard.press("Tab")
    focus = "document.querySelector('warmline-customer').shadowRoot.activeElement"
    assert await page.evaluate(f"{focus}?.closest('dialog, header, main')?.localName") in {"dialog", None}


async def test_tasks_are_done_and_dismissed_with_the_keyboard(opened: Opened) -> None:
    async with opened() as (_, page, beside):
        tasks = page.get_by_test_id("customer-task")
        await expect(tasks).to_have_count(3)
        await tasks.first.get_by_test_id("task-done").focus()
        await page.keyboard.press("j")
        await expect(tasks.nth(1).get_by_test_id("task-done")).to_be_focused()
        await page.keyboard.press("x")
        await expect(tasks).to_have_count(2)
        # The focus stays where the task was: at the next.
        await expect(tasks.nth(1).get_by_test_id("task-done")).to_be_focused()
        await page.keyboard.press("k")
        await page.keyboard.press("d")
        await expect(tasks).to_have_count(1)
        await expect(tasks.first.get_by_test_id("task-done")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("no-tasks")).to_be_focused()
        states = [(task, body["state"], body["version"]) for task, body in beside.put]
        assert states == [("t:1", "cancelled", 1), ("t:0", "done", 1), ("t:2", "done", 1)]


async def test_a_task_that_somebody_changed_is_told_and_stays(opened: Opened) -> None:
    async with opened() as (_, page, _):
        refused = {"detail": "the task has changed"}
        await page.route("**/v1/tasks/*", lambda route: route.fulfill(status=409, json=refused))
        await page.get_by_test_id("task-done").first.click()
        await expect(page.get_by_text("the task has changed")).to_be_visible()
        await expect(page.get_by_test_id("customer-task")).to_have_count(3)


async def test_an_alert_is_taken_from_the_page(opened: Opened) -> None:
    async with opened() as (_, page, _):
        await expect(page.get_by_test_id("alert")).to_contain_text("嫌价格贵")
        await page.get_by_test_id("alert-take").press("Enter")
        await expect(page.get_by_test_id("alert")).to_contain_text("已接手 boss")
        await expect(page.get_by_test_id("alert-take")).to_have_count(0)


async def test_the_timeline_is_filtered_and_read_page_by_page_and_a_call_opens_its_replay(opened: Opened) -> None:
    beside = Beside()
    beside.entries = timeline() + [
        entry("contact", 10 + n, 70 + n, channel="chat", line=f"第 {n} 次") for n in range(90)
    ]
    async with opened(beside=beside) as (_, page, _):
        lines = page.get_by_test_id("entry")
        await expect(lines).to_have_count(50)
        await page.get_by_test_id("older").press("Enter")
        await expect(lines).to_have_count(97)
        await expect(page.get_by_test_id("older")).to_have_count(0)
        ids = await lines.locator("time").evaluate_all("all => all.map(one => one.dateTime)")
        assert ids == sorted(ids, reverse=True)
        await page.get_by_test_id("kind-call").press("Enter")
        await expect(lines).to_have_count(2)
        await page.get_by_test_id("kind-survey").click()
        await expect(lines).to_have_count(1)
        await page.get_by_test_id("kind-call").click()
        await lines.first.get_by_test_id("entry-call").press("Enter")
        await expect(page).to_have_url(re.compile(r"/replay\?call=zh-1"))


async def test_the_past_is_seen_as_it_was_known_and_now_again(opened: Opened, check: Any) -> None:
    async with opened() as (_, page, _):
        await expect(page.get_by_test_id("case")).to_have_count(2)
        then = await page.evaluate(f"localTime => new Date({(NOW - 20 * DAY).timestamp() * 1000}).toISOString()")
        await page.get_by_test_id("as-of").fill(then[:16])
        await expect(page.get_by_test_id("past")).to_be_visible()
        await expect(page.get_by_test_id("case")).to_have_count(0)
        await expect(page.get_by_test_id("entry")).to_have_count(3)
        await expect(page.get_by_test_id("mood-curve")).to_have_attribute("data-points", "2")
        await expect(page.get_by_test_id("risk-history")).to_have_attribute("data-points", "1")
        await expect(page.get_by_test_id("alert")).to_have_count(0)
        await expect(page.get_by_test_id("tasks")).to_have_count(0)
        await check(page, "customer-past")
        # The address tells the time, so that it can be passed on.
        await page.reload()
        await expect(page.get_by_test_id("case")).to_have_count(0)
        await page.get_by_test_id("now").press("Enter")
        await expect(page.get_by_test_id("case")).to_have_count(2)
        await expect(page.get_by_test_id("past")).to_have_count(0)
        assert "at=" not in page.url


async def test_customers_are_found_by_id_and_for_supervisors_by_their_addresses(opened: Opened) -> None:
    async with opened("/customer") as (site, page, _):
        await expect(page.get_by_test_id("hint")).to_contain_text("电话")
        await page.keyboard.press("/")
        await expect(page.get_by_test_id("who")).to_be_focused()
        await page.get_by_test_id("who").fill("+86 138 0013 8000")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("name")).to_have_text("李雷")
        await page.get_by_test_id("who").fill("lilei@example.com")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("name")).to_have_text("李雷")
        await page.goto(f"http://127.0.0.1:{site.port}/customer")
        await page.get_by_test_id("who").fill("nobody@example.com")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("several")).to_have_text("没有客户使用 nobody@example.com。")
        shared = Identified(event_id="sh", customer_id="x1", at=NOW, kind="phone", value="+8613800138000")
        CustomerStore(site.store.engine).take([shared], "api", NOW)
        await page.get_by_test_id("who").fill("+8613800138000")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("several")).to_contain_text("多位客户共用")
        async with page.expect_navigation():
            await page.get_by_role("link", name="c1", exact=True).click()
        await expect(page.get_by_test_id("name")).to_have_text("李雷")
        await page.get_by_test_id("who").fill("x3")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("name")).to_have_text("未留姓名的客户")


@pytest.mark.parametrize(
    ("status", "told", "again"),
    [
        (401, "令牌缺失或错误", False),
        (403, "您的通行证无权查看客户。", False),
        (404, "没有您可以查看的客户 c1", False),
        (503, "服务器暂时无法响应。", True),
    ],
)
async def test_what_cannot_be_shown_says_why(opened: Opened, check: Any, status: int, told: str, again: bool) -> None:
    async with opened() as (_, page, _):
        await expect(page.get_by_test_id("name")).to_be_visible()
        await page.route("**/v1/customers/c1", lambda route: route.fulfill(status=status, json={"detail": "x"}))
        await page.reload()
        await expect(page.get_by_test_id("problem")).to_contain_text(told)
        await expect(page.get_by_test_id("retry")).to_have_count(int(again))
        if status in {404, 503}:
            await check(page, f"customer-{status}")
        if again:
            await page.unroute("**/v1/customers/c1")
            await page.get_by_test_id("retry").press("Enter")
            await expect(page.get_by_test_id("name")).to_have_text("李雷")


async def test_while_the_customer_is_read_the_page_says_so(opened: Opened, picture: Any) -> None:
    async with opened("/customer") as (site, page, _):
        waits: list[Route] = []
        await page.route("**/v1/customers/c1", lambda route: waits.append(route))  # noqa: PLW0108 - it marks it
        await page.goto(f"http://127.0.0.1:{site.port}/customer?id=c1")
        await expect(page.get_by_test_id("loading")).to_have_text("正在加载客户……")
        await picture(page, "customer-loading")
        await waits[0].continue_()
        await expect(page.get_by_test_id("name")).to_have_text("李雷")


async def test_what_a_server_does_not_have_is_said_in_its_place(opened: Opened, check: Any) -> None:
    beside = Beside()
    beside.gone = {"timeline", "risks", "alerts", "tasks"}
    async with opened(beside=beside) as (_, page, _):
        await expect(page.get_by_test_id("name")).to_have_text("李雷")
        await expect(page.get_by_test_id("absent")).to_have_count(5)
        await check(page, "customer-absent")


async def test_of_somebody_new_nothing_is_made_up(opened: Opened, check: Any) -> None:
    beside = Beside()
    beside.entries, beside.tasks, beside.alerts = [], [], []
    async with opened(beside=beside) as (site, page, _):
        await expect(page.get_by_test_id("name")).to_have_text("李雷")
        new = Known(event_id="new", customer_id="n1", at=NOW, name="新客")
        CustomerStore(site.store.engine).take([new], "api", NOW)
        await page.route("**/v1/customers/*/risks?*", lambda route: route.fulfill(json={"risks": [], "next": None}))
        await page.goto(f"http://127.0.0.1:{site.port}/customer?id=n1")
        await expect(page.get_by_test_id("name")).to_have_text("新客")
        await expect(page.get_by_test_id("risk-unknown")).to_contain_text("这不表示风险低")
        await expect(page.get_by_test_id("risk-level")).to_have_text("未知")
        await expect(page.get_by_test_id("worth-unknown")).to_have_text("还没有购买。")
        for name in ("no-history", "no-mood", "no-entries", "no-tasks"):
            await expect(page.get_by_test_id(name)).to_be_visible()
        await check(page, "customer-new")


async def test_the_page_follows_a_call_while_it_runs(opened: Opened, call: Any, check: Any) -> None:
    async with opened() as (site, page, beside):
        await expect(page.get_by_test_id("entry")).to_have_count(7)
        one = call("zh-2")
        started = msgspec.structs.replace(one.started(), at=NOW, customer_id="c1", agent_id="anna")
        site.live.publish(started)
        await expect(page.get_by_test_id("on-call")).to_contain_text("anna")
        await check(page, "customer-live")
        beside.entries = [
            entry("call", 9, 0, id="zh-2", call_id="zh-2", channel="phone", status="live", issue="新来电"), *timeline()
        ]  # fmt: skip
        CustomerStore(site.store.engine).take(
            [Case(event_id="live", customer_id="c1", at=NOW, case_id="K-LIVE", opened_at=NOW, type="fault")], "api", NOW
        )
        site.live.publish(one.risk(2_000, 0.4))
        await expect(page.get_by_test_id("on-call-risk")).to_contain_text("关注")
        await expect(page.get_by_test_id("entry").first).to_contain_text("新来电")
        await expect(page.get_by_test_id("case")).to_have_count(3)
        # Another customer's call is none of theirs.
        site.live.publish(msgspec.structs.replace(call("zh-3").started(), at=NOW, customer_id="c2"))
        site.live.publish(one.ended())
        await expect(page.get_by_test_id("on-call")).to_have_count(0)


async def test_while_the_server_is_away_what_was_read_stays_and_is_said_to_be_old(opened: Opened, call: Any) -> None:
    async with opened() as (site, page, _):
        await expect(page.get_by_test_id("entry")).to_have_count(7)
        await page.route("**/v1/customers/c1", lambda route: route.fulfill(status=503, json={"detail": "restarting"}))
        site.live.publish(msgspec.structs.replace(call("zh-2").started(), at=NOW, customer_id="c1"))
        await expect(page.get_by_test_id("problem")).to_contain_text("服务器暂时无法响应。")
        await expect(page.get_by_test_id("name")).to_have_text("李雷")
        await page.unroute("**/v1/customers/c1")
        await page.get_by_test_id("problem").get_by_role("button").press("Enter")
        await expect(page.get_by_test_id("problem")).to_have_count(0)


async def test_overlay_replay_and_search_lead_to_the_customer(opened: Opened, call: Any) -> None:
    async with opened("/customer") as (site, page, _):
        one = call("zh-2")
        started = msgspec.structs.replace(one.started(), at=NOW, customer_id="c1", agent_id="anna")
        site.store.write([started, one.final(0, "三天了"), one.ended()], {})
        site.live.publish(started)
        base = f"http://127.0.0.1:{site.port}"
        await page.goto(f"{base}/overlay?call=zh-2")
        async with page.expect_popup() as opening:
            await page.get_by_test_id("customer-link").press("Enter")
        beside = await opening.value
        await expect(beside.get_by_test_id("name")).to_have_text("李雷")
        assert "token" not in beside.url
        for path in ("/replay?call=zh-2", "/search?words=三天了"):
            await page.goto(base + path)
            async with page.expect_navigation():
                await page.get_by_test_id("customer-link").press("Enter")
            await expect(page.get_by_test_id("name")).to_have_text("李雷")


async def test_an_alert_shows_as_it_is_raised(opened: Opened) -> None:
    beside = Beside()
    beside.alerts = []
    sockets: list[WebSocketRoute] = []
    async with opened("/customer", beside=beside) as (site, page, _):
        await page.route_web_socket("**/v1/live*", lambda socket: sockets.append(socket))  # noqa: PLW0108 - it marks it
        await page.goto(f"http://127.0.0.1:{site.port}/customer?id=c1")
        await expect(page.get_by_test_id("entry")).to_have_count(7)
        await expect(page.get_by_test_id("alert")).to_have_count(0)
        for customer in ("c2", "c1"):
            alert = ALERT | {"customer_id": customer}
            beside.alerts = [alert] if customer == "c1" else []
            data = {"type": "alert", "id": "a", "kind": "raised", "at": NOW.isoformat(), "v": 1, "alert": alert}
            sockets[-1].send(json.dumps({"kind": "alert", "epoch": "e", "data": data}))
            await expect(page.get_by_test_id("alert")).to_have_count(int(customer == "c1"))


async def test_without_a_live_channel_the_page_looks_by_itself(opened: Opened) -> None:
    async with opened("/customer") as (site, page, beside):
        await page.route_web_socket("**/v1/live*", lambda socket: socket.close(code=1013))
        await page.clock.install()
        await page.goto(f"http://127.0.0.1:{site.port}/customer?id=c1")
        await expect(page.get_by_test_id("customer-task")).to_have_count(3)
        beside.tasks = beside.tasks[:1]
        await page.clock.run_for(11_000)
        await expect(page.get_by_test_id("customer-task")).to_have_count(1)


async def test_reasons_add_up_to_the_score(opened: Opened) -> None:
    async with opened() as (_, page, _):
        rows = page.get_by_test_id("reason")
        await expect(rows.first).to_contain_text("平均水平")
        shown = [
            text.replace("−", "-").replace("%", "").strip() for text in await rows.locator(".number").all_inner_texts()
        ]
        total = (await page.get_by_test_id("reason-sum").locator(".number").inner_text()).replace("%", "")
        assert abs(sum(float(text) for text in shown) - float(total)) <= 0.5 * len(shown)
        bars = await rows.locator(".track span").evaluate_all(
            "all => all.map(one => { const box = one.getBoundingClientRect(); return [box.left, box.right]; })"
        )
        # Each begins where the one before it ended, on either side.
        for (left, right), (next_left, next_right) in pairwise(bars):
            assert min(abs(x - y) for x in (left, right) for y in (next_left, next_right)) < 3
