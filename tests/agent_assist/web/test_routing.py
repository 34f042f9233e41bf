"""The roster and hints over HTTP: to each what is theirs, and what was suggested is compared with who took the call."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from agent_assist.routing.policy import load
from agent_assist.store.routing import Routing
from agent_assist.types import CallStarted
from agent_assist.web.passes import Pass, Role, issue

ROOT = {"authorization": "Bearer correct-horse"}
AGENTS = [
    {"id": "anna", "languages": ["zh"], "experience_years": 6, "skills": [{"name": "billing", "level": 4}]},
    {
        "id": "ben", "languages": ["zh", "en"], "experience_years": 3,
        "skills": [{"name": "technical", "level": 3, "certified": True}],
    },
    {"id": "cleo", "languages": ["en"], "experience_years": 0.5, "state": "busy"},
]  # fmt: skip


def auth(role: Role) -> dict[str, str]:
    who = Pass(role=role, name="acd", expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


@pytest.fixture
def client(site: Any) -> Any:
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        assert client.put("/v1/agents", json={"agents": AGENTS}, headers=ROOT).status_code == 200
        yield client


def asked(client: Any, call_id: str = "c1", **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/routing/hint", json={"call_id": call_id} | more, headers=auth(Role.SWITCH))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def named(hint: dict[str, Any]) -> list[str]:
    return [one["agent_id"] for one in hint["agents"]]


def test_a_menu_choice_leads_to_the_certified_engineer_with_reasons(client: Any) -> None:
    hint = asked(client, menu=[{"menu": "main", "choice": "2", "means": "technical_fault"}], language="zh-CN")
    assert named(hint) == ["ben"]
    best = hint["agents"][0]
    assert best["score"] == pytest.approx(sum(one["points"] for one in best["reasons"]))
    assert {one["id"] for one in best["reasons"]} == {"language", "skill", "certified"}
    assert (hint["skill"], hint["channel"], hint["lane"], hint["policy"]) == (
        "technical", "chat", "ordinary", load().digest,
    )  # fmt: skip
    assert client.get("/v1/routing/hints/c1", headers=ROOT).json() == hint


def test_what_is_known_of_the_caller_counts_by_their_number(client: Any) -> None:
    told = [
        {
            "event": "customer", "event_id": "1", "customer_id": "k", "at": "2026-01-01T00:00:00Z", "tier": "core",
            "language": "zh", "attributes": {"manager": "anna"},
        },
        {
            "event": "identity", "event_id": "2", "customer_id": "k", "at": "2026-01-01T00:00:00Z", "kind": "phone",
            "value": "+8613800138000",
        },
    ]  # fmt: skip
    client.post("/v1/customers/events", json=told, headers=ROOT)
    hint = asked(client, phone="+8613800138000")
    assert (named(hint), hint["customer_id"], hint["lane"]) == (["anna", "ben"], "k", "core")
    assert (hint["manager"], hint["manager_free"], hint["priority"]["head_start_s"]) == ("anna", True, 120)
    stranger = asked(client, phone="+8613800138001")
    assert (stranger["customer_id"], stranger["priority"]["head_start_s"]) == (None, 0)


def test_who_is_free_is_the_rosters_word_unless_the_telephone_side_says(client: Any) -> None:
    assert named(asked(client)) == ["anna", "ben"]
    assert named(asked(client, free=["cleo", "nobody"])) == ["cleo"]
    assert named(asked(client, free=[])) == []
    client.put("/v1/agents/anna", json=AGENTS[0] | {"state": "busy"}, headers=auth(Role.SWITCH))
    assert named(asked(client)) == ["ben"]
    assert client.delete("/v1/agents/ben", headers=ROOT).status_code == 204
    assert client.delete("/v1/agents/ben", headers=ROOT).status_code == 404
    assert named(asked(client)) == []
    assert [one["id"] for one in client.get("/v1/agents", headers=ROOT).json()["agents"]] == ["anna", "cleo"]


def test_hints_are_compared_with_who_took_the_calls(client: Any, site: Any) -> None:
    at = datetime.now(UTC)
    for call_id, by in (("a", "anna"), ("b", "ben"), ("c", "cleo"), ("d", None)):
        asked(client, call_id, language="zh")
        site.store.write([CallStarted(call_id=call_id, at=at, protocol="t", agent_id=by)], {})
    found = client.get("/v1/routing/accuracy", headers=ROOT).json()
    assert found == {"calls": 3, "first": 0.3333, "named": 0.6667, "needs_met": 0.6667}
    told = client.put("/v1/routing/hints/d/agent", json={"agent_id": "anna"}, headers=auth(Role.SWITCH))
    assert told.status_code == 204
    assert client.get("/v1/routing/accuracy", headers=ROOT).json()["first"] == 0.5
    past = {"since": "2020-01-01T00:00:00Z", "until": "2020-02-01T00:00:00Z"}
    assert client.get("/v1/routing/accuracy", params=past, headers=ROOT).json()["first"] is None
    unknown = client.put("/v1/routing/hints/x/agent", json={"agent_id": "anna"}, headers=ROOT)
    assert unknown.status_code == 404


def test_a_hint_stays_to_be_sent_until_the_topic_has_it(client: Any, site: Any) -> None:
    first, second = asked(client), asked(client)
    store = Routing(site.store.engine)
    assert [one.id for one in store.unsent()] == [first["id"], second["id"]]
    store.sent([first["id"]])
    assert [one.id for one in store.unsent()] == [second["id"]]


def test_who_waits_longest_is_next_unless_a_head_start_is_worth_more(client: Any) -> None:
    waiting = [{"call_id": "plain", "waited_s": 50}, {"call_id": "vip", "waited_s": 10, "head_start_s": 90}]

    def following(overtaken: int) -> Any:
        asked_for = {"waiting": waiting, "overtaken": overtaken}
        return client.post("/v1/routing/next", json=asked_for, headers=auth(Role.SWITCH)).json()

    assert following(0) == {"call_id": "vip", "overtaken": 1}
    assert following(3) == {"call_id": "plain", "overtaken": 0}
    assert client.post("/v1/routing/next", json={"waiting": []}, headers=ROOT).json()["call_id"] is None


def test_a_telephone_system_sees_nothing_of_calls_and_agents_ask_for_no_hints(client: Any, site: Any) -> None:
    site.store.write([CallStarted(call_id="x", at=datetime.now(UTC), protocol="t", agent_id="acd")], {})
    switch = auth(Role.SWITCH)
    for path in ("/v1/calls", "/v1/calls/x", "/v1/customers/k", "/v1/agents", "/v1/routing/accuracy", "/v1/me"):
        assert client.get(path, headers=switch).status_code == 403, path
    assert client.post("/v1/routing/hint", json={"call_id": "c"}, headers=auth(Role.AGENT)).status_code == 403
    assert client.put("/v1/agents", json={"agents": []}, headers=switch).status_code == 403
    assert client.post("/v1/routing/hint", json={"call_id": "c"}).status_code == 401


def test_no_other_door_opens_to_a_telephone_system(client: Any, site: Any) -> None:
    theirs = {
        ("PUT", "/v1/agents/x"), ("POST", "/v1/handoffs"), ("POST", "/v1/routing/hint"), ("POST", "/v1/routing/next"),
        ("GET", "/v1/routing/hints/x"), ("PUT", "/v1/routing/hints/x/agent"),
    }  # fmt: skip
    site.store.write([CallStarted(call_id="x", at=datetime.now(UTC), protocol="t", agent_id="acd")], {})
    tried, opened = 0, set[tuple[str, str]]()
    for route in site.app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/v1/"):
            continue
        path = re.sub(r"\{[^}]*\}", "x", re.sub(r"\{[^}]*:int\}", "1", route.path))
        for method in route.methods - {"OPTIONS", "HEAD"}:
            tried += 1
            answer = client.request(method, path, headers=auth(Role.SWITCH), json={})
            if answer.status_code != 403:
                opened.add((method, path))
    assert opened == theirs
    assert tried > 30


@pytest.mark.parametrize(
    ("agents", "told"),
    [
        ([AGENTS[0], AGENTS[0]], "'anna' more often"),
        ([{"id": "a", "load": 2}], "agents[0].load"),
        ([{"id": "a"}, {"id": "b", "skills": [{"name": "x", "level": 9}]}], "agents[1].skills[0].level"),
        ([{"id": "a", "skils": []}], "skils"),
    ],
)
def test_a_roster_that_is_none_is_told_with_its_place(client: Any, agents: list[Any], told: str) -> None:
    answer = client.put("/v1/agents", json={"agents": agents}, headers=ROOT)
    assert answer.status_code == 400
    assert told in answer.json()["detail"], answer.text
