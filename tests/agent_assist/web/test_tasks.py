"""Tasks over HTTP: to each what is theirs, and changes that do not cross."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from litestar.testing import TestClient

from agent_assist.store.tasks import NewTask, add
from agent_assist.types import CallStarted, Card, CardKind
from agent_assist.web.passes import Pass, Role, issue

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def auth(role: Role, name: str) -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


ANNA, BEN, BOSS = auth(Role.AGENT, "anna"), auth(Role.AGENT, "ben"), auth(Role.SUPERVISOR, "boss")


@pytest.fixture
def client(site: Any) -> Iterator[Any]:
    for number, agent in enumerate(("anna", "ben", "anna")):
        call = f"c{number}"
        card = Card(
            id=f"{call}:call_back:u",
            call_id=call,
            rule="call_back",
            kind=CardKind.TASK,
            title="Call back",
            text="…",
            at_ms=0,
            utterance_id="u",
            priority=500,
            language="en",
            reason="r",
            due_hours=number + 1.0,
        )
        site.store.write([CallStarted(call_id=call, at=START, protocol="twilio", agent_id=agent), card], {})
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        yield client


def calls(client: Any, who: dict[str, str], **params: Any) -> list[str]:
    answer = client.get("/v1/tasks", params=params, headers=who)
    assert answer.status_code == 200, answer.text
    return [task["call_id"] for task in answer.json()["tasks"]]


def test_agents_see_their_own_and_supervisors_all(client: Any) -> None:
    assert calls(client, ANNA) == ["c0", "c2"]
    assert calls(client, BEN) == ["c1"]
    assert calls(client, BOSS) == ["c0", "c1", "c2"]
    assert calls(client, BOSS, mine=True) == []
    assert calls(client, BOSS, due_before="2026-03-01T11:00:00Z") == ["c0"]
    assert calls(client, BOSS, state="done") == []


def test_a_page_says_where_the_next_begins(client: Any) -> None:
    first = client.get("/v1/tasks", params={"limit": 2}, headers=BOSS).json()
    assert calls(client, BOSS, limit=2, cursor=first["next"]) == ["c2"]
    assert client.get("/v1/tasks", params={"cursor": "soon"}, headers=BOSS).status_code == 400
    assert client.get("/v1/tasks", params={"due_before": "2026-03-01T11:00:00"}, headers=BOSS).status_code == 400


def test_a_task_is_closed_once_and_by_who_may(client: Any) -> None:
    path, done = "/v1/tasks/c0:call_back:u", {"state": "done", "version": 1, "note": "reached"}
    assert client.put(path, json=done, headers=BEN).status_code == 403
    assert client.put(path, json=done, headers=auth(Role.QA, "q")).status_code == 403
    answer = client.put(path, json=done, headers=ANNA)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in ("state", "version", "by", "note")} == {
        "state": "done", "version": 2, "by": "anna", "note": "reached",
    }  # fmt: skip
    late = client.put(path, json={"state": "cancelled", "version": 1}, headers=BOSS)
    assert (late.status_code, "got version 2" in late.text) == (409, True)
    assert client.put(path, json={"state": "gone", "version": 2}, headers=BOSS).status_code == 400
    assert client.put("/v1/tasks/nothing", json=done, headers=BOSS).status_code == 404
    assert calls(client, ANNA, state="open") == ["c2"]


def test_what_follows_from_no_call_is_seen_by_who_knows_the_customer_and_by_seniors(client: Any, site: Any) -> None:
    site.store.write([CallStarted(call_id="k", at=START, protocol="twilio", agent_id="anna", customer_id="li")], {})
    told = {"zh": "致电", "en": "Call"}
    task = NewTask(
        id="li:late_order:o1", customer_id="li", customer_name="Li", language="en", rule="late_order", titles=told,
        texts=told, team="logistics", evidence=("e1",), due_at=START,
    )  # fmt: skip
    with site.store.engine.begin() as connection:
        assert add(connection, task, START, None)
        assert not add(connection, task, START, None)

    def ids(who: dict[str, str], **params: Any) -> list[str]:
        return [one["id"] for one in client.get("/v1/tasks", params=params, headers=who).json()["tasks"]]

    sue = auth(Role.SENIOR, "sue")
    assert ids(BOSS)[0] == task.id
    for who, seen in ((ANNA, True), (BEN, False), (BOSS, True), (sue, True)):
        assert ids(who, customer_id="li") == ([task.id] if seen else [])
    assert ids(BOSS, customer_id="wang") == ids(ANNA, customer_id="li", mine=True) == []
    assert ids(BOSS, team="logistics") == [task.id]
    (found,) = client.get("/v1/tasks", params={"customer_id": "li"}, headers=BOSS).json()["tasks"]
    assert (found["call_id"], found["texts"], found["text"], found["evidence"]) == (None, told, "Call", ["e1"])
    path, done = f"/v1/tasks/{task.id}", {"state": "done", "version": 1}
    assert client.put(path, json=done, headers=BEN).status_code == 403
    assert client.put(path, json=done, headers=ANNA).status_code == 200


def test_a_task_of_an_order_with_a_slash_in_its_number_can_be_closed(client: Any, site: Any) -> None:
    told = {"zh": "致电", "en": "Call"}
    task = NewTask(
        id="li/2:late_order:2026/ü 1?#", customer_id="li/2", customer_name="Li", language="en", rule="late_order",
        titles=told, texts=told, team="logistics", evidence=(), due_at=START,
    )  # fmt: skip
    with site.store.engine.begin() as connection:
        add(connection, task, START, None)
    answer = client.put(f"/v1/tasks/{quote(task.id, safe='')}", json={"state": "done", "version": 1}, headers=BOSS)
    assert (answer.status_code, answer.json()["id"]) == (200, task.id)
