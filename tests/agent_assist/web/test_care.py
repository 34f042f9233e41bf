"""Care over HTTP: to supervisors a sum, to an agent their own break, to nobody more."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.call.record import empty
from agent_assist.store.care import Care
from agent_assist.types import Break, CallEnded, CallStarted
from agent_assist.web.listener import Listener
from agent_assist.web.live import Live
from agent_assist.web.passes import Pass, Role, issue

BREAK = Break(
    id="c:break",
    call_id="c",
    agent_id="anna",
    at=datetime(2026, 3, 1, tzinfo=UTC),
    exposure_ms=90_000,
    text="t",
    language="en",
)


def auth(role: Role, name: str) -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


BOSS = auth(Role.SUPERVISOR, "boss")


def test_supervisors_are_told_of_teams_alone_and_others_of_nothing(site: Any) -> None:
    now = datetime.now(UTC)
    for number in range(5):
        at = now - timedelta(hours=4 + number)
        start = CallStarted(call_id=f"c{number}", at=at, protocol="test", agent_id=f"a{number}", queue="q")
        site.store.write([start, CallEnded(call_id=f"c{number}", duration_ms=7_200_000, reason="hangup")], {})
        Care(site.store).ended(f"c{number}")
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        told = client.get("/v1/care", headers=BOSS).json()
        assert told["team"] == {
            "agents": 5, "hours": 10.0, "minutes_an_hour": 0.0, "hard_share": 0.0, "heavy": False,
        }  # fmt: skip
        assert (told["queue"], told["least_agents"], told["least_hours"]) == (None, 5, 8.0)
        assert client.get("/v1/care", params={"queue": "other"}, headers=BOSS).json()["team"] is None
        assert client.get("/v1/care", params={"span": "hour"}, headers=BOSS).status_code == 400
        for role, name in ((Role.AGENT, "a1"), (Role.QA, "q"), (Role.EXPERT, "e")):
            assert client.get("/v1/care", headers=auth(role, name)).status_code == 403


@pytest.fixture
def live(call: Any) -> Live:
    live = Live()
    start = CallStarted(call_id="c", at=BREAK.at, protocol="test", agent_id="anna")
    live.publish(start)
    live.publish(call("c").ended())
    return live


async def breaks(listener: Listener | None) -> list[dict[str, Any]]:
    assert listener is not None
    found: list[dict[str, Any]] = []
    while (told := await listener.get(0.01)) is not None:
        found += [json.loads(told.text)] if told.kind == "break" else []
    return found


async def test_a_break_is_told_to_the_agent_and_to_nobody_else(live: Live) -> None:
    anna, boss = live.listen("c", agent_id="anna"), live.listen("c")
    live.publish(BREAK)
    (told,) = await breaks(anna)
    assert (told["data"]["id"], told["seq"]) == ("c:break", 2)
    # Who comes later or again is told as well.
    assert len(await breaks(live.listen("c", agent_id="anna"))) == 1
    assert await breaks(boss) == await breaks(live.listen("c")) == await breaks(live.listen("c", agent_id="ben")) == []
    record = live.record("c")
    assert record is not None
    assert "break" not in repr(record)


async def test_a_break_of_a_call_that_is_not_known_harms_nothing() -> None:
    live = Live()
    live.publish(BREAK)
    assert live.listen("c", agent_id="anna") is None
    live.load([empty("c")])
    assert len(await breaks(live.listen("c", agent_id="anna"))) == 1
