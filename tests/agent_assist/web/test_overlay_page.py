"""The overlay, in a real browser: all that stands beside the advice, what does not move, and a tab that slept."""

import asyncio
import gzip
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, Route, WebSocketRoute, expect

from agent_assist.call.record import add, empty
from agent_assist.customer.caller import Caller, CallerTag, Proof
from agent_assist.customer.preferences import Preference, Preferences
from agent_assist.customer.profile import Contact
from agent_assist.types import CallStarted, CallSynopsis, Card, CardKind, SynopsisEdit, SynopsisPart, SynopsisSentence
from agent_assist.web.live import Snapshot
from agent_assist.web.passes import Pass, Role, issue
from agent_assist.web.server import STATIC

pytestmark = pytest.mark.browser

ATTRIBUTES = {
    "customer_tier": "金卡",
    "customer_tags": "老客户, 价格敏感",
    "likely_reason": "订单延误:包裹停留 3 天",
    "bot_summary": "客户想重置密码,验证码发送两次均未收到。",
    "bot_failed_step": "短信验证",
    "bot_log": "14:02:00 ✓ 核验身份\n14:02:09 ✗ 短信验证: 超时",
}
ARTICLE = {
    "type": "article", "id": "c:article:late", "call_id": "c", "at_ms": 4_000, "utterance_id": "c:customer:0",
    "key": "late", "kind": "article", "title": "包裹延误怎么办", "heading": "",
    "passage": "停留超过两天的,升级为加急,并告诉客户预计送达时间。",
    "marks": [{"start": 0, "end": 2}], "source": "faq.md", "version": 3, "score": 0.8, "reason": "question",
    "trigger": ["停留"], "language": "zh", "revision": 7, "v": 1,
}  # fmt: skip
STEPS = [
    ("greeting", "问候", "done"),
    ("identify", "核实身份", "skipped"),
    ("classify", "确认问题", "open"),
    ("solve", "解决", "open"),
]
FLOW = {
    "type": "flow", "call_id": "c", "at_ms": 5_000, "flow": "service", "title": "标准服务", "language": "zh",
    "steps": [
        {"id": name, "title": title, "state": state, "optional": False, "branch": "", "utterance_id": "",
         "at_ms": 3_100 if state == "done" else None, "out_of_order": False}
        for name, title, state in STEPS
    ],
    "current": "classify", "branches": [], "adherence": None, "over": False, "source": "default 1", "v": 1,
}  # fmt: skip
HINT = {
    "type": "hint", "id": "c:hint", "call_id": "c", "at_ms": 7_000, "utterance_id": "c:agent:0",
    "fields": ["order_number"], "text": "已知:订单号", "language": "zh", "v": 1,
}  # fmt: skip
TASK = {
    "id": "c:callback", "call_id": "c", "customer_id": None, "customer_name": "王女士", "agent_id": "anna",
    "rule": "callback", "title": "回电", "text": "送到后回电确认", "due_at": "2026-01-02T09:00:00Z", "state": "open",
    "version": 1, "by": "", "changed_at": None, "note": "", "language": "zh",
}  # fmt: skip
COMPENSATION = {
    "type": "compensation", "id": "3f", "call_id": "c", "customer_id": None, "kind": "voucher", "amount": "50.00",
    "currency": "CNY", "reason": "包裹延误", "state": "pending", "rule": "agent: voucher up to 20.00 CNY a case",
    "asked_by": "anna", "asked_at": "2026-01-01T10:00:00Z", "role": "agent", "decided_by": "", "decided_at": None,
    "note": "", "v": 1,
}  # fmt: skip
SENTENCES = (
    (SynopsisPart.ISSUE, "包裹三天没有动静。"),
    (SynopsisPart.DONE, "坐席升级为加急。"),
    (SynopsisPart.PROMISE, "明天中午前送达。"),
)


def token(role: Role = Role.AGENT) -> str:
    return issue("correct-horse", Pass(role=role, name="anna", expires_at=int(time.time()) + 3_600))


def card(number: int, priority: int) -> dict[str, Any]:
    given = Card(
        id=f"c:{number}", call_id="c", rule=f"rule{number}", kind=CardKind.CARD, title=f"建议 {number}",
        text="先道歉,再说明怎么办。",
        at_ms=3_000 + number, utterance_id="c:customer:0", priority=priority, language="zh", reason="客户提到了延误",
        trigger=("三天",), source="default 1",
    )  # fmt: skip
    return dict(msgspec.to_builtins(given))


def synopsis(*, over: bool = False) -> CallSynopsis:
    sentences = tuple(SynopsisSentence(part=part, text=text, utterance_ids=()) for part, text in SENTENCES)
    text = "".join(one.text for one in sentences)
    return CallSynopsis(call_id="c", at_ms=9_000, language="zh", sentences=sentences, text=text, over=over)


class Channel:
    """The gateway's side of a live channel, by hand."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.seq = 0

    def take(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)

    def tell(self, kind: str, data: Any) -> None:
        self.seq += 1
        self.sockets[-1].send(json.dumps({"kind": kind, "seq": self.seq, "epoch": "e", "data": data}))


async def page_with(browser: Browser, site: Any, channel: Channel, *, width: int = 360) -> Page:
    """An agent's overlay whose live channel is the test's; tasks and compensations are answered here."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, locale="zh-CN", reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.route_web_socket("**/v1/live*", channel.take)

    async def tasks(route: Route) -> None:
        await route.fulfill(json={"tasks": [TASK], "next": None} if route.request.method == "GET" else TASK)

    async def compensations(route: Route) -> None:
        asked = json.loads(route.request.post_data or "")
        assert len(asked["key"]) == 36
        await route.fulfill(status=201, json=COMPENSATION | {"amount": asked["amount"], "reason": asked["reason"]})

    await page.route("**/v1/tasks*", tasks)
    await page.route("**/v1/calls/c/compensations", compensations)
    await page.route("**/v1/knowledge/search*", lambda route: route.fulfill(json={"hits": []}))
    whole = {"html": "<p>停留超过两天的,<strong>升级为加急</strong>。</p>"}
    await page.route("**/v1/knowledge/nodes/article/late", lambda route: route.fulfill(json=whole))
    await page.goto(f"http://127.0.0.1:{site.port}/overlay?call=c#token={token()}")
    async with asyncio.timeout(10):
        while not channel.sockets:
            await page.wait_for_timeout(20)
    return page


def snapshot(call: Any, **more: Any) -> dict[str, Any]:
    started = CallStarted(
        call_id="c",
        at=datetime.now(UTC) - timedelta(seconds=20),
        protocol="twilio",
        customer_name="王女士",
        agent_id="anna",
    )
    record = add(empty("c"), started)
    for number, text in enumerate(("我的包裹停留三天了", "一直没有人回复我")):
        record = add(record, call.final(number, text))
    return dict(msgspec.to_builtins(Snapshot(**msgspec.structs.asdict(record)))) | {"attributes": ATTRIBUTES} | more


async def test_all_that_an_agent_needs_stands_in_a_narrow_panel(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        before = msgspec.structs.replace(call("before").started(), customer_id="K7", agent_id="anna")
        site.store.write([before, call("before").ended()], {})
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel)
            channel.tell("snapshot", snapshot(call("c"), utterances=[], customer_id="K7"))
            # At the ring: who it is, why they call, what the bot got.
            await expect(page.get_by_test_id("tier")).to_have_text("金卡")
            await expect(page.get_by_test_id("bot-failed")).to_be_visible()
            await expect(page.get_by_test_id("bot-log")).to_contain_text("✗ 短信验证: 超时")
            await expect(page.get_by_test_id("contact")).to_have_attribute(
                "href", re.compile(r"^/replay\?call=before#")
            )
            await check(page, "overlay-ring")
            channel.tell("final", msgspec.to_builtins(call("c").final(0, "我的包裹停留三天了")))
            await expect(page.get_by_test_id("bot-failed")).to_be_hidden()
            for kind, data in (
                ("card", card(1, 500)), ("card", card(2, 700)), ("article", ARTICLE), ("flow", FLOW), ("hint", HINT),
                ("later", {}), ("synopsis", msgspec.to_builtins(synopsis())), ("compensation", COMPENSATION),
            ):  # fmt: skip
                channel.tell(kind, data)
            await expect(page.get_by_test_id("article-late").locator("mark")).to_have_text("停留")
            await expect(page.get_by_test_id("flow-count")).to_have_text("1 / 4")
            await expect(page.get_by_test_id("flow-skipped")).to_contain_text("核实身份")
            await expect(page.get_by_test_id("hint")).to_have_text("已知:订单号")
            await check(page, "overlay-full")
            await page.get_by_test_id("article-late").get_by_role("button").press("Enter")
            await expect(page.get_by_test_id("article-late").locator("strong")).to_have_text("升级为加急")
            await page.get_by_test_id("look-up").fill("量子力学")
            await page.keyboard.press("Enter")
            await expect(page.get_by_test_id("look-up-none")).to_be_visible()
            await page.get_by_test_id("suggestions").press("Enter")
            await expect(page.get_by_test_id("article-late")).to_be_visible()
            await page.get_by_test_id("flow").locator("summary").press("Enter")
            await expect(page.get_by_test_id("tick-classify")).to_have_attribute("aria-current", "step")
            await page.get_by_test_id("summary").locator("summary").click()
            await page.get_by_test_id("tasks").locator("summary").click()
            await page.get_by_test_id("compensation").locator("summary").click()
            await page.get_by_test_id("amount").fill("30")
            await page.get_by_test_id("compensation-reason").fill("包裹延误")
            await page.get_by_test_id("compensate").press("Enter")
            await expect(page.get_by_test_id("compensated")).to_contain_text("50.00 CNY")
            await page.get_by_test_id("compensation").scroll_into_view_if_needed()
            await check(page, "overlay-open")


async def test_the_first_advice_can_be_used_without_scrolling_in_a_small_window(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel)
            await page.set_viewport_size({"width": 360, "height": 640})
            reasons = [{"name": name, "contribution": 0.1} for name in ("cancel", "agitation", "complaint", "price")]
            risk = {"score": 0.7, "level": "critical", "reasons": reasons, "model_version": "m"}
            ticks = [card(n, 100) | {"kind": "tick", "title": f"Step {n}"} for n in range(5, 9)]
            channel.tell("snapshot", snapshot(call("c"), risk=risk, cards=ticks, queue="after-sales"))
            # Nothing is advised: all of it lies open.
            await expect(page.get_by_test_id("risk-reasons")).to_be_visible()
            # A tick has the playbook's title, in whatever language that is.
            await expect(page.get_by_test_id("tick-rule5")).to_contain_text("Step 5")
            channel.tell("flow", FLOW)
            channel.tell("card", card(1, 500))
            await expect(page.get_by_test_id("risk-reasons")).to_be_hidden()
            await expect(page.get_by_test_id("tick-rule5")).to_be_hidden()
            for shown in ("emotion", "risk-level", "card-rule1"):
                await expect(page.get_by_test_id(shown)).to_be_in_viewport(ratio=1)
            await expect(page.get_by_test_id("used-rule1")).to_be_in_viewport(ratio=1)
            await check(page, "overlay-small")
            # Whoever opens one keeps it open, as other advice comes.
            await page.get_by_test_id("risk-summary").press("Enter")
            channel.tell("card", card(2, 400))
            await expect(page.get_by_test_id("card-rule2")).to_have_count(1)
            await expect(page.get_by_test_id("risk-reasons")).to_be_visible()
            await page.get_by_test_id("checklist").locator("summary").click()
            await expect(page.get_by_test_id("tick-rule5")).to_be_visible()


async def test_nothing_moves_under_the_pointer(
    make_site: Callable[..., Any], serve: Any, browser: Browser, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel, width=440)
            channel.tell("snapshot", snapshot(call("c"), cards=[card(1, 500)], attributes={}))
            button = page.get_by_test_id("used-rule1")
            await button.hover()
            before = await button.bounding_box()
            for number in range(2, 5):
                channel.tell("card", card(number, 900))
            await expect(page.get_by_test_id("waiting-cards")).to_contain_text("3")
            assert await button.bounding_box() == before
            # What is above it grows and shrinks, and it stays where it is.
            alert = card(9, 1000) | {"kind": "alert"}
            for kind, data, there in (("flow", FLOW, "flow"), ("card", alert, "alert")):
                channel.tell(kind, data)
                await expect(page.get_by_test_id(there)).to_have_count(1)
                after = await button.bounding_box()
                assert before is not None
                assert after is not None
                assert abs(after["y"] - before["y"]) <= 1, there
            await page.mouse.move(5, 5)
            await expect(page.get_by_test_id("card-rule4")).to_be_visible()
            first = page.locator(".cards article").first
            await expect(first).to_have_attribute("data-testid", "card-rule4")


async def test_the_page_around_it_sets_the_colours_of_every_part(
    make_site: Callable[..., Any], serve: Any, browser: Browser, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel)
            await page.add_style_tag(content="warmline-overlay { --warm-accent: rgb(1, 2, 3); }")
            channel.tell("snapshot", snapshot(call("c"), articles=[ARTICLE]))
            button = page.get_by_test_id("article-late").get_by_role("button")
            await expect(button).to_have_css("color", "rgb(1, 2, 3)")


async def test_the_summary_is_corrected_and_saved_when_the_call_is_over(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        started = msgspec.structs.replace(call("c").started(), agent_id="anna")
        site.store.write([started, call("c").final(0, "三天了"), synopsis(over=True), call("c").ended()], {})
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel)
            channel.tell("snapshot", snapshot(call("c"), synopsis=msgspec.to_builtins(synopsis())))
            await expect(page.get_by_test_id("summary-edit")).to_have_count(0)
            channel.tell("ended", {"duration_ms": 90_000, "reason": "hangup"})
            channel.tell(
                "break",
                {"id": "b", "text": "刚才的通话不容易,可以休息五分钟。", "exposure_ms": 74_000, "language": "zh"},
            )
            await expect(page.get_by_test_id("pause")).to_contain_text("休息五分钟")
            await page.get_by_test_id("summary-edit").press("Enter")
            await expect(page.get_by_test_id("summary-text")).to_be_focused()
            await page.get_by_test_id("summary-text").fill("包裹延误,已加急,明天中午前送达。")
            await check(page, "overlay-after")
            await page.get_by_test_id("summary-save").click()
            await expect(page.get_by_test_id("summary-text")).to_have_count(0)
            (edit,) = site.published
            assert isinstance(edit, SynopsisEdit)
            assert (edit.text, edit.by) == ("包裹延误,已加急,明天中午前送达。", "anna")
            channel.tell("synopsis_edit", msgspec.to_builtins(edit))
            await expect(page.get_by_test_id("summary-edited")).to_have_text(edit.text)
            await page.get_by_test_id("pause-seen").press("Enter")
            await expect(page.get_by_test_id("pause")).to_have_count(0)


async def test_a_tab_that_slept_an_hour_goes_on_where_it_was(
    make_site: Callable[..., Any], serve: Any, browser: Browser, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            page = await browser.new_page()
            await page.clock.install()
            sockets: list[Any] = []
            told: list[dict[str, Any]] = []

            def pass_on(socket: WebSocketRoute) -> None:
                server = socket.connect_to_server()
                sockets.append((socket, server))

                def down(message: Any) -> None:
                    told.append(json.loads(message))
                    socket.send(message)

                server.on_message(down)

            await page.route_web_socket("**/v1/live*", pass_on)
            site.live.publish(call("c").started())
            site.live.publish(call("c").final(0, "before"))
            await page.goto(f"http://127.0.0.1:{site.port}/overlay?call=c#token={token(Role.SUPERVISOR)}")
            await expect(page.get_by_test_id("transcript-final")).to_have_count(1)
            socket, server = sockets[-1]
            await socket.close(code=1001)
            await server.close()
            for number in range(1, 60):
                site.live.publish(call("c").final(number, f"slept {number}"))
            await page.clock.fast_forward(3_600_000)
            await expect(page.get_by_test_id("transcript-final")).to_have_count(60)
            assert [message["kind"] for message in told].count("snapshot") == 1, "it was told all anew"
            assert "after=" in sockets[-1][0].url
            await expect(page.get_by_text("slept 59")).to_have_count(1)


def test_the_script_for_other_peoples_pages_is_small() -> None:
    script = (STATIC / "assets/warmline-overlay.js").read_bytes()
    assert len(gzip.compress(script)) < 150_000


def caller(at: datetime, *tags: str, **attributes: str) -> dict[str, Any]:
    proofs = (
        Proof(event_id="k1", at=at - timedelta(days=9), what="complaint", line="k1 路由器"),
        Proof(event_id="call:c", at=at, what="call", line="phone"),
    )
    contact = Contact(
        at=at - timedelta(days=2), channel="chat", direction="in", issue="发票", line="发票还没有收到", solved=False,
        agent_id=None,
    )  # fmt: skip
    chat = Preference(value="chat", source="shown", support=4, of=5)
    found = Caller(
        at=at,
        customer_id="K7",
        name="王女士",
        attributes=attributes,
        tags=tuple(
            CallerTag(id=tag, name={"zh": f"标签 {tag}"}, strategy={"zh": "先解决投诉"}, because=proofs) for tag in tags
        ),
        contacts=(contact,),
        preferences=Preferences(channel=chat),
        manner={"zh": "可以询问客户愿意说普通话还是粤语。"},
    )
    return dict(msgspec.to_builtins(found))


async def test_what_becomes_known_during_the_call_is_shown_with_what_it_rests_on(
    serve: Any, browser: Browser, check: Any, call: Any, make_site: Callable[..., Any]
) -> None:
    now = datetime.now(UTC)
    with make_site(static=STATIC) as site:
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel)
            known = caller(now, "long", talking_point="感谢支持")
            channel.tell("snapshot", snapshot(call("c"), utterances=[], customer_id="K7", caller=known))
            await expect(page.get_by_test_id("contact-line")).to_contain_text("在线聊天 未解决 发票")
            await expect(page.get_by_test_id("preferences")).to_have_text("在线聊天 5 次中 4 次")
            await expect(page.get_by_test_id("manner")).to_contain_text("粤语")
            await expect(page.get_by_test_id("tag")).to_have_count(1)
            await check(page, "overlay-known")
            # What is new is read out when there is time, and stands where it stood.
            badges = page.locator(".badges")
            await expect(badges).to_have_attribute("aria-live", "polite")
            channel.tell("known", {"caller": caller(now + timedelta(seconds=1), "long", "high_risk_high_value")})
            await expect(page.get_by_test_id("tag")).to_have_count(2)
            tag = page.locator('[data-tag="high_risk_high_value"]')
            await tag.locator("summary").press("Enter")
            await expect(tag).to_contain_text("策略: 先解决投诉")
            await expect(tag.get_by_test_id("proofs").locator("li")).to_have_count(2)
            await expect(tag.get_by_test_id("proofs")).to_contain_text("本次通话")
            await check(page, "overlay-known-tag")


async def test_candidates_log_and_tags_of_any_length_fit_beside_each_other_and_are_text_alone(
    serve: Any, browser: Browser, check: Any, call: Any, make_site: Callable[..., Any]
) -> None:
    evil = "<img src=x onerror=\"document.title='taken'\">"
    long = "OrderNumberWithoutAnySpace" * 8
    with make_site(static=STATIC) as site:
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel)
            one = {
                "customer_id": "a", "name": long, "tier": evil, "region": long, "last_contact": "2026-07-01T00:00:00Z",
                "last_issue": long,
            }  # fmt: skip
            five = {"candidates": [one | {"customer_id": f"{name}{long}"} for name in "abcde"]}
            await page.route("**/v1/calls/c/candidates", lambda route: route.fulfill(json=five))
            attributes = ATTRIBUTES | {
                "phone": "+861", "customers_of_phone": ",".join(c["customer_id"] for c in five["candidates"]),
                "bot_log": "\n".join(f"14:02:0{n % 10} ✗ {evil} {long}" for n in range(12)),
                "bot_summary": f"{evil} {long}", "bot_failed_step": f"{long} ({evil})",
                "customer_tags": f"{evil}, {long}", "customer_tier": long, "likely_reason": long,
            }  # fmt: skip
            nobody = {"customer_id": None, "customer_name": None}
            channel.tell("snapshot", snapshot(call("c"), utterances=[], attributes=attributes, **nobody))
            await expect(page.get_by_test_id("bot-log")).to_contain_text(evil)
            await expect(page.get_by_test_id("bot-failed")).to_contain_text(evil)
            await expect(page.locator("[data-testid^=pick-]")).to_have_count(5)
            await check(page, "overlay-crowded")
            assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert await page.title() != "taken"


async def test_the_agent_picks_who_calls_where_several_have_the_number(
    serve: Any, browser: Browser, check: Any, call: Any, make_site: Callable[..., Any]
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            channel = Channel()
            page = await page_with(browser, site, channel)
            kim = {
                "customer_id": "a", "name": "王••", "tier": "金卡", "region": "CN-GD", "last_contact": None,
                "last_issue": "",
            }  # fmt: skip
            picked: list[Any] = []

            async def pick(route: Route) -> None:
                picked.append(json.loads(route.request.post_data or ""))
                await route.fulfill(status=202, body="null")

            both = {"candidates": [kim, kim | {"customer_id": "b", "name": "李••"}]}
            await page.route("**/v1/calls/c/candidates", lambda route: route.fulfill(json=both))
            await page.route("**/v1/calls/c/customer", pick)
            attributes = {"phone": "+861", "customers_of_phone": "a,b"}
            nobody = {"customer_id": None, "customer_name": None}
            channel.tell("snapshot", snapshot(call("c"), utterances=[], attributes=attributes, **nobody))
            await expect(page.get_by_test_id("pick-a")).to_have_text("是 王••")
            await check(page, "overlay-several")
            await page.get_by_test_id("pick-b").press("Enter")
            await expect(page.get_by_test_id("pick-a")).to_be_disabled()
            assert picked == [{"customer_id": "b"}]
            channel.tell("known", {"caller": caller(datetime.now(UTC))})
            await expect(page.get_by_test_id("several")).to_have_count(0)
            await expect(page.get_by_role("heading", level=1)).to_have_text("王女士")
