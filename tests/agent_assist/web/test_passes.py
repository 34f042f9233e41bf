"""Passes: each role sees and does what it may, over HTTP and on the live channel."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from agent_assist.types import CallStarted
from agent_assist.web.passes import ADMIN, Pass, Role, issue, lasting, read

TOKEN = "correct-horse"
ANNA = Pass(role=Role.AGENT, name="anna", expires_at=int(time.time()) + 3_600)
BOSS = Pass(role=Role.SUPERVISOR, name="boss", expires_at=ANNA.expires_at)


def auth(who: Pass) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKEN if who is ADMIN else issue(TOKEN, who)}"}


def started(call_id: str, agent: str | None, minute: int = 0) -> CallStarted:
    return CallStarted(
        call_id=call_id, at=datetime(2026, 3, 1, 9, minute, tzinfo=UTC), protocol="twilio", agent_id=agent
    )


@pytest.fixture
def client(site: Any) -> Any:
    site.live.publish(started("hers", "anna"))
    site.store.write([started("his", "ben", 1), started("hers-before", "anna", 2), started("nobodys", None, 3)], {})
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        yield client


def test_a_pass_says_who_one_is_and_the_gateways_token_that_one_may_all() -> None:
    assert read(TOKEN, issue(TOKEN, ANNA)) == ANNA
    assert read(TOKEN, TOKEN) is ADMIN
    assert read("another", issue(TOKEN, ANNA)) is None


@given(st.text(max_size=200))
def test_nothing_made_up_is_a_pass(given: str) -> None:
    assert read(TOKEN, given) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": None},
        {"aud": "other"},
        {"role": "king"},
        {"name": ""},
        {"name": 7},
    ],
)
def test_a_pass_that_is_over_or_says_nothing_of_use_is_none(claims: dict[str, Any]) -> None:
    good = {"aud": "warmline", "role": "agent", "name": "anna", "exp": int(time.time()) + 60}
    key = read.__globals__["_key"](TOKEN)
    assert read(TOKEN, jwt.encode(good, key, algorithm="HS256")) is not None
    bad = {name: value for name, value in (good | claims).items() if value is not None}
    assert read(TOKEN, jwt.encode(bad, key, algorithm="HS256")) is None
    assert read(TOKEN, jwt.encode(good, None, algorithm="none")) is None


@pytest.mark.parametrize(("role", "name", "hours"), [(Role.AGENT, "", 1), (Role.QA, "q", 0), (Role.QA, "q", 24 * 32)])
def test_a_pass_names_its_agent_and_lasts_a_month_at_most(role: Role, name: str, hours: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        lasting(role, name, hours)


@pytest.mark.slow
def test_an_agent_sees_their_own_calls_alone(client: Any) -> None:
    seen = [call["call_id"] for call in client.get("/v1/calls", headers=auth(ANNA)).json()["calls"]]
    assert seen == ["hers-before", "hers"]
    assert client.get("/v1/calls/hers", headers=auth(ANNA)).status_code == 200
    assert client.get("/v1/calls/hers-before", headers=auth(ANNA)).status_code == 200
    for other in ("his", "nobodys"):
        for path in ("", "/peaks", "/recording-link", "/recording"):
            answer = client.get(f"/v1/calls/{other}{path}", headers=auth(ANNA))
            assert answer.status_code == 403, path
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("who", [BOSS, Pass(role=Role.QA, name="q", expires_at=ANNA.expires_at), ADMIN])
def test_others_see_all_calls(client: Any, who: Pass) -> None:
    assert len(client.get("/v1/calls", headers=auth(who)).json()["calls"]) == 4
    assert client.get("/v1/calls/his", headers=auth(who)).status_code == 200


def test_only_an_admin_makes_passes_and_they_work(client: Any) -> None:
    wanted = {"role": "agent", "name": "ben", "hours": 1}
    assert client.post("/v1/passes", json=wanted, headers=auth(BOSS)).status_code == 403
    made = client.post("/v1/passes", json=wanted, headers=auth(ADMIN))
    assert made.status_code == 201
    bens = {"authorization": f"Bearer {made.json()['token']}"}
    assert client.get("/v1/me", headers=bens).json() == {
        "role": "agent",
        "name": "ben",
        "expires_at": made.json()["expires_at"],
    }
    assert client.get("/v1/calls/his", headers=bens).status_code == 200
    assert client.post("/v1/passes", json={"role": "agent"}, headers=auth(ADMIN)).status_code == 400
    assert client.post("/v1/passes", json=wanted, headers=bens).status_code == 403


async def test_the_live_channel_tells_an_agent_of_their_own_calls(served_site: Any, tell_next: Any) -> None:
    site = served_site
    site.live.publish(started("his", "ben", 5))
    site.live.publish(started("hers", "anna"))

    def listen(who: Pass, query: str = "") -> Any:
        return websockets.connect(
            f"ws://127.0.0.1:{site.port}/v1/live?{query}",
            subprotocols=[websockets.Subprotocol("warmline.v1"), websockets.Subprotocol(f"token.{issue(TOKEN, who)}")],
            proxy=None,
        )

    async with listen(ANNA) as hers, listen(BOSS) as all_of_them:
        assert [line["call_id"] for line in (await tell_next(hers))["data"]] == ["hers"]
        assert [line["call_id"] for line in (await tell_next(all_of_them))["data"]] == ["his", "hers"]
        site.live.publish(started("his-2", "ben", 6))
        site.live.publish(started("hers-2", "anna", 7))
        assert (await tell_next(hers))["data"]["call_id"] == "hers-2"
        assert (await tell_next(all_of_them))["data"]["call_id"] == "his-2"
    async with listen(ANNA, "call=latest") as latest:
        assert (await tell_next(latest))["data"]["call_id"] == "hers-2"
    async with listen(ANNA, "call=his") as other:
        with pytest.raises(websockets.ConnectionClosed):
            await tell_next(other)
        assert other.close_code == 4403


@pytest.mark.slow
async def test_a_pass_that_runs_out_ends_the_channel(served_site: Any, tell_next: Any) -> None:
    brief = Pass(role=Role.AGENT, name="anna", expires_at=int(time.time()) + 2)
    async with websockets.connect(
        f"ws://127.0.0.1:{served_site.port}/v1/live",
        subprotocols=[websockets.Subprotocol("warmline.v1"), websockets.Subprotocol(f"token.{issue(TOKEN, brief)}")],
        proxy=None,
    ) as channel:
        assert (await tell_next(channel))["kind"] == "calls"
        async with asyncio.timeout(20):
            await channel.wait_closed()
        assert channel.close_code == 4401
