"""Customers over HTTP: what is told of them is known, and to each what is theirs to see."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.types import CallStarted
from agent_assist.web.passes import Pass, Role, issue

KNOWN = {
    "event": "customer", "event_id": "1", "customer_id": "c1", "at": "2026-01-01T00:00:00Z", "name": "李雷",
}  # fmt: skip
PHONE = {
    "event": "identity", "event_id": "2", "customer_id": "c1", "at": "2026-01-01T00:00:00Z", "kind": "phone",
    "value": "+8613800138000",
}  # fmt: skip
MAIL = PHONE | {"event_id": "3", "kind": "email", "value": "li@example.com", "at": "2026-02-01T00:00:00Z"}
ROOT = {"authorization": "Bearer correct-horse"}


def auth(role: Role) -> dict[str, str]:
    who = Pass(role=role, name="anna", expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


@pytest.fixture
def client(site: Any) -> Any:
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        yield client


def test_what_is_told_is_known_and_the_same_again_changes_nothing(client: Any) -> None:
    for _ in range(2):
        answer = client.post("/v1/customers/events", json=[KNOWN, PHONE, MAIL], headers=ROOT)
        assert (answer.status_code, answer.json()) == (202, {"events": 3})
    found = client.get("/v1/customers/c1", headers=ROOT).json()
    assert (found["name"], found["identities"]) == ("李雷", [["email", "li@example.com"], ["phone", "+8613800138000"]])
    then = client.get("/v1/customers/c1", params={"at": "2026-01-15T00:00:00Z"}, headers=ROOT).json()
    assert then["identities"] == [["phone", "+8613800138000"]]
    assert client.get("/v1/customers", params={"phone": "+8613800138000"}, headers=ROOT).json() == ["c1"]
    assert client.get("/v1/customers", params={"email": "nobody@example.com"}, headers=ROOT).json() == []


def test_agents_see_whom_they_speak_with_the_end_of_their_number_alone(client: Any, site: Any) -> None:
    client.post("/v1/customers/events", json=[KNOWN, PHONE, MAIL], headers=ROOT)
    agent, supervisor = auth(Role.AGENT), auth(Role.SUPERVISOR)
    assert client.get("/v1/customers/c1", headers=agent).status_code == 404
    start = datetime(2026, 1, 2, tzinfo=UTC)
    site.store.write([CallStarted(call_id="x", at=start, protocol="t", customer_id="c1", agent_id="anna")], {})
    shown = client.get("/v1/customers/c1", headers=agent).json()["identities"]
    assert shown == [["email", "•••@example.com"], ["phone", "•••8000"]]
    assert client.get("/v1/customers/c1", headers=supervisor).json()["identities"][1][1] == "+8613800138000"
    assert client.post("/v1/customers/events", json=[KNOWN], headers=agent).status_code == 403
    assert client.get("/v1/customers", params={"phone": "+8613800138000"}, headers=agent).status_code == 403
    assert client.get("/v1/customers/c1").status_code == 401


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], "1 to 1000 events, got 0"),
        ([KNOWN | {"at": "2026-01-01T00:00:00"}], "timezone"),
        ([KNOWN, {"event": "pet"}], "pet"),
        ([{"event": "order", "event_id": "1", "customer_id": "c", "at": "2026-01-01T00:00:00Z"}], "order_id"),
    ],
)
def test_an_event_that_is_none_is_told_with_its_place(client: Any, events: list[Any], told: str) -> None:
    answer = client.post("/v1/customers/events", json=events, headers=ROOT)
    assert answer.status_code == 400
    assert told in answer.text


def test_nobody_and_a_question_that_is_none_are_told(client: Any) -> None:
    assert client.get("/v1/customers/nobody", headers=ROOT).status_code == 404
    assert client.get("/v1/customers", headers=ROOT).status_code == 400
    assert client.get("/v1/customers/c1", params={"at": "2026-01-01T00:00:00"}, headers=ROOT).status_code == 400


def test_the_evidence_of_a_tag_can_be_read_by_who_sees_the_customer(client: Any, site: Any) -> None:
    other = KNOWN | {"event_id": "9", "customer_id": "c2"}
    client.post("/v1/customers/events", json=[KNOWN, PHONE, MAIL, other], headers=ROOT)

    def told(headers: dict[str, str], *ids: str) -> list[Any]:
        answer = client.get("/v1/customers/c1/events", params={"id": ids}, headers=headers)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    assert [one["event_id"] for one in told(ROOT, "2", "1", "9", "nothing")] == ["1", "2"]
    start = datetime(2026, 1, 2, tzinfo=UTC)
    agent = auth(Role.AGENT)
    assert client.get("/v1/customers/c1/events?id=2", headers=agent).status_code == 404
    site.store.write([CallStarted(call_id="x", at=start, protocol="t", customer_id="c1", agent_id="anna")], {})
    assert [one["value"] for one in told(agent, "2", "3")] == ["•••8000", "•••@example.com"]
    assert client.get("/v1/customers/c1/events", headers=ROOT).status_code == 400
