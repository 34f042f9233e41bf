"""The board and the replay page, in a real browser, with what calls bring beside their cards."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, Route, expect

from agent_assist.store.alerts import AlertQuery, Heard
from agent_assist.types import Acknowledged, Asked, CallSynopsis, CardKind, SynopsisPart, SynopsisSentence, Whisper
from agent_assist.web.access import office
from agent_assist.web.passes import Pass, Role, issue
from agent_assist.web.server import STATIC
from models.types import ChurnRisk, Emotion, EmotionLabel, Reason, RiskLevel

pytestmark = pytest.mark.browser

PENDING = {
    "type": "compensation", "id": "3f", "call_id": "c", "customer_id": None, "kind": "voucher", "amount": "50.00",
    "currency": "CNY", "reason": "包裹延误", "state": "pending", "rule": "agent: voucher up to 20.00 CNY a case",
    "asked_by": "anna", "asked_at": "2026-01-01T10:00:00Z", "role": "agent", "decided_by": "", "decided_at": None,
    "note": "", "v": 1,
}  # fmt: skip
TASK = {
    "id": "c:callback", "call_id": "c", "customer_id": None, "customer_name": "王女士", "agent_id": "anna",
    "rule": "callback", "title": "回电", "text": "", "due_at": None, "state": "open", "version": 1, "by": "",
    "changed_at": None, "note": "", "language": "zh",
}  # fmt: skip
TEAM = {"agents": 7, "hours": 41.2, "minutes_an_hour": 1.9, "hard_share": 0.04, "heavy": False}
FLOW = {
    "type": "flow", "call_id": "c", "at_ms": 5_000, "flow": "service", "title": "标准服务", "language": "zh",
    "steps": [
        {"id": "greeting", "title": "问候", "state": "done", "optional": False, "branch": "", "utterance_id": "",
         "at_ms": 300, "out_of_order": False},
        {"id": "identify", "title": "核实身份", "state": "skipped", "optional": False, "branch": "",
         "utterance_id": "", "at_ms": None, "out_of_order": False},
    ],
    "current": None, "branches": [], "adherence": 0.5, "over": True, "source": "default 1", "v": 1,
}  # fmt: skip


def token(role: Role, name: str) -> str:
    return issue("correct-horse", Pass(role=role, name=name, expires_at=int(time.time()) + 3_600))


def synopsis(text: str, *, over: bool = False) -> CallSynopsis:
    sentence = SynopsisSentence(part=SynopsisPart.ISSUE, text=text, utterance_ids=())
    return CallSynopsis(call_id="c", at_ms=9_000, language="zh", sentences=(sentence,), text=text, over=over)


async def opened(browser: Browser, url: str) -> Page:
    context = await browser.new_context(
        viewport={"width": 1100, "height": 800}, locale="zh-CN", reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(url)
    return page


async def test_a_supervisor_sees_why_and_acts_from_the_board(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            one, now = call("c"), datetime.now(UTC)
            started = msgspec.structs.replace(one.started(), at=now - timedelta(seconds=95), agent_id="anna")
            alert = msgspec.structs.replace(one.card(0, CardKind.ALERT), reason="客户的语气和用词持续激动")
            asked = Asked(id="q", call_id="c", question="延误怎么赔付?", by="anna", at=now)
            summary = synopsis("客户的包裹三天没有动静,坐席已道歉。")
            for message in (started, one.final(0, "三天了"), alert, asked, summary):
                site.live.publish(message)
            page = await opened(browser, "about:blank")
            decided: list[dict[str, Any]] = []

            async def decide(route: Route) -> None:
                decided.append(json.loads(route.request.post_data or ""))
                await route.fulfill(status=201, json=PENDING | {"state": "approved"})

            await page.route("**/v1/compensations?*", lambda route: route.fulfill(json={"compensations": [PENDING]}))
            await page.route("**/v1/compensations/3f/decision", decide)
            await page.route("**/v1/care*", lambda route: route.fulfill(json={"team": TEAM}))
            await page.route("**/v1/tasks*", lambda route: route.fulfill(json={"tasks": [TASK], "next": None}))
            await page.goto(f"http://127.0.0.1:{site.port}/#token={token(Role.SUPERVISOR, 'boss')}")
            needs = page.get_by_test_id("needs")
            await expect(needs).to_contain_text("持续激动")
            await expect(needs.get_by_test_id("so-far")).to_contain_text("三天没有动静")
            await expect(needs.get_by_test_id("question")).to_contain_text("延误怎么赔付?")
            await expect(page.get_by_test_id("care")).to_contain_text("负荷正常")
            await page.get_by_test_id("tasks").locator("summary").press("Enter")
            await check(page, "board-full")
            # All of it with the keyboard.
            await needs.get_by_test_id("whisper-text").fill("订单金额的百分之五。")
            await page.keyboard.press("Enter")
            await expect(needs.get_by_test_id("whisper-text")).to_have_value("")
            async with page.expect_response("**/acknowledge"):
                await needs.get_by_test_id("acknowledge").press("Enter")
            await expect(page.get_by_test_id("approval-customer")).to_have_text("王女士")
            await page.get_by_test_id("approve").press("Enter")
            await expect(page.get_by_test_id("approval")).to_have_count(0)
            assert decided == [{"approve": True, "note": ""}]
            whisper = next(each for each in site.published if isinstance(each, Whisper))
            assert (whisper.text, whisper.answers, whisper.by) == ("订单金额的百分之五。", "q", "boss")
            seen = next(each for each in site.published if isinstance(each, Acknowledged))
            assert seen.card_id == alert.id
            for message in (whisper, seen):
                site.live.publish(message)
            await expect(page.get_by_test_id("quiet")).to_be_visible()


def at_risk(customer: str, score: float, minute: int) -> Heard:
    risk = ChurnRisk(
        score=score, level=RiskLevel.WATCH, reasons=(Reason(name="price", contribution=score),), model_version="m"
    )
    at = datetime(2026, 3, 1, 9, minute, tzinfo=UTC)
    return Heard(customer_id=customer, call_id="c", at_ms=minute, at=at, risk=risk)


async def test_a_supervisor_sees_which_customers_may_leave_and_takes_them_on(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            alerts = office(site.app).alerts
            assert alerts is not None
            alerts.hear(at_risk("li", 0.4, 0))
            alerts.hear(at_risk("wang", 0.6, 1))
            page = await opened(browser, f"http://127.0.0.1:{site.port}/#token={token(Role.SUPERVISOR, 'boss')}")
            shown = page.get_by_test_id("customer-alert")
            await expect(shown).to_have_count(2)
            await expect(shown.first).to_contain_text("wang")
            await expect(shown.first).to_contain_text("retention")
            await expect(shown.first).to_contain_text("优惠挽留")
            await check(page, "board-leaving")
            # One that is raised while the page is open stands first.
            change = alerts.hear(at_risk("li", 0.9, 2))
            site.live.warn(change)
            await expect(shown.first).to_contain_text("li")
            await shown.first.get_by_role("button", name="接手").press("Enter")
            await expect(shown.first).to_contain_text("已由 boss 接手")
            await shown.last.get_by_role("button", name="关闭").press("Enter")
            await expect(shown).to_have_count(1)
            assert {one.customer_id: one.state for one in alerts.find(AlertQuery())} == {
                "li": "acknowledged", "wang": "closed",
            }  # fmt: skip
            agent = await opened(browser, f"http://127.0.0.1:{site.port}/#token={token(Role.AGENT, 'anna')}")
            await expect(agent.get_by_test_id("empty")).to_be_visible()
            await expect(agent.get_by_test_id("customer-alert")).to_have_count(0)


async def test_it_is_not_quiet_while_an_approval_waits(
    make_site: Callable[..., Any], serve: Any, browser: Browser, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            site.live.publish(msgspec.structs.replace(call("c").started(), at=datetime.now(UTC)))
            page = await opened(browser, "about:blank")
            other = PENDING | {"id": "4a", "call_id": "gone", "customer_id": "K7"}
            waiting = {"compensations": [PENDING, other]}
            await page.route("**/v1/compensations?*", lambda route: route.fulfill(json=waiting))
            await page.route("**/v1/compensations/*/decision", lambda route: route.fulfill(status=201, json=PENDING))
            await page.goto(f"http://127.0.0.1:{site.port}/#token={token(Role.SUPERVISOR, 'boss')}")
            # The name is the call's, the id where the board no longer has the call.
            await expect(page.get_by_test_id("approval-customer")).to_have_text(["王女士", "K7"])
            await expect(page.get_by_test_id("quiet")).to_have_count(0)
            await page.get_by_test_id("approve").first.click()
            await expect(page.get_by_test_id("approval")).to_have_count(1)
            await expect(page.get_by_test_id("quiet")).to_have_count(0)
            await page.get_by_test_id("deny").click()
            await expect(page.get_by_test_id("quiet")).to_be_visible()


async def test_a_narrow_board_shows_risk_and_alerts(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        async with serve(site):
            for number, level in enumerate((RiskLevel.CRITICAL, RiskLevel.ELEVATED)):
                one = call(f"c{number}")
                found = msgspec.structs.replace(one.risk(2_000, 0.9).risk, level=level)
                risk = msgspec.structs.replace(one.risk(2_000, 0.9), risk=found)
                started = msgspec.structs.replace(one.started(), at=datetime.now(UTC), agent_id="annemarie")
                # The longest word that there is for a mood.
                mood = Emotion(
                    label=EmotionLabel.DISAPPOINTED, valence=None, arousal=None, agitation=None, confidence=0.9
                )
                said = msgspec.structs.replace(one.final(0).utterance, emotion=mood)
                final = msgspec.structs.replace(one.final(0), utterance=said)
                for message in (started, final, one.card(0, CardKind.ALERT), risk):
                    site.live.publish(message)
            page = await opened(browser, "about:blank")
            await page.set_viewport_size({"width": 360, "height": 640})
            await page.goto(f"http://127.0.0.1:{site.port}/#token={token(Role.QA, 'quinn')}")
            row = page.get_by_test_id("call").first
            await row.scroll_into_view_if_needed()
            for language in range(2):
                await expect(row.get_by_text(re.compile("^(严重|critical)$"))).to_be_in_viewport(ratio=1)
                await expect(row.locator("td:nth-child(7)")).to_be_in_viewport(ratio=1)
                await expect(row.locator("td:nth-child(7)")).to_have_text("1")
                if language == 0:
                    await page.get_by_test_id("language").click()
            await check(page, "board-narrow")


async def test_the_transcript_of_a_replay_stays_beside_a_long_column(
    make_site: Callable[..., Any], serve: Any, browser: Browser, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        one = call("c")
        said = [one.final(number) for number in range(60)]
        cards = [msgspec.structs.replace(one.card(number), id=f"c:{number}", rule=f"r{number}") for number in range(60)]
        site.store.write([one.started(), *said, *cards, one.ended()], {})
        async with serve(site):
            page = await opened(browser, f"http://127.0.0.1:{site.port}/replay?call=c#token={token(Role.QA, 'quinn')}")
            await page.get_by_test_id("shown-r50").scroll_into_view_if_needed()
            box = await page.locator(".transcript").bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert box["height"] > 0.85 * 800
            assert box["y"] + box["height"] <= 800


async def test_the_replay_shows_summary_steps_and_articles(
    make_site: Callable[..., Any], serve: Any, browser: Browser, check: Any, call: Any
) -> None:
    with make_site(static=STATIC) as site:
        summary = synopsis("包裹延误,已加急。", over=True)
        messages = [call("c").started(), call("c").final(0, "三天了"), call("c").card(0), summary, call("c").ended()]
        site.store.write(messages, {})
        async with serve(site):
            page = await opened(browser, "about:blank")

            async def with_more(route: Route) -> None:
                record = await (await route.fetch()).json()
                article = {
                    "id": "a", "at_ms": 1_000, "key": "late", "kind": "article", "title": "包裹延误怎么办",
                    "heading": "", "passage": "", "marks": [], "source": "", "version": 2, "score": 1,
                    "reason": "question",
                    "trigger": [], "language": "zh",
                }  # fmt: skip
                more = {"flow": FLOW, "compensations": [PENDING | {"state": "approved"}], "articles": [article]}
                await route.fulfill(json=record | more)

            await page.route("**/v1/calls/c", with_more)
            await page.goto(f"http://127.0.0.1:{site.port}/replay?call=c#token={token(Role.QA, 'quinn')}")
            await expect(page.get_by_test_id("summary")).to_contain_text("包裹延误,已加急。")
            await expect(page.get_by_test_id("flow")).to_contain_text("遵循了 50 % 的步骤")
            await expect(page.get_by_test_id("compensated")).to_contain_text("已批准")
            await expect(page.get_by_test_id("article-late")).to_contain_text("版本 2")
            await check(page, "replay-full")
