"""What a bot hands over, over HTTP: once, redacted, for the agent of the call."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.store.handoffs import Handoffs, Ringing
from agent_assist.types import CallStarted
from agent_assist.web.passes import Pass, Role, issue

ROOT = {"authorization": "Bearer correct-horse"}
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
GIVEN: dict[str, Any] = {
    "id": "h1",
    "at": AT.isoformat(),
    "call_id": "c1",
    "turns": [{"by": "customer", "text": "my password is Hunter2 and I cannot log in"}],
    "operations": [{"step": "reset the password", "result": "failed", "at": AT.isoformat(), "error": "SMS not sent"}],
}


def auth(role: Role, name: str = "anna") -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


@pytest.fixture
def client(site: Any) -> Any:
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        yield client


def test_it_is_taken_once_and_its_agent_sees_it_whole_without_the_password(client: Any, site: Any) -> None:
    first = client.post("/v1/handoffs", json=GIVEN, headers=auth(Role.SWITCH))
    assert first.status_code == 201, first.text
    again = client.post("/v1/handoffs", json=GIVEN, headers=auth(Role.SWITCH))
    assert (again.status_code, again.json()) == (200, first.json())
    other = client.post("/v1/handoffs", json=GIVEN | {"wanted": "else"}, headers=ROOT)
    assert other.status_code == 409
    site.store.write([CallStarted(call_id="c1", at=AT, protocol="t", agent_id="anna")], {})
    assert client.get("/v1/calls/c1/handoff", headers=auth(Role.AGENT)).status_code == 404
    Handoffs(site.store.engine).begin(Ringing(call_id="c1", at=AT))
    found = client.get("/v1/calls/c1/handoff", headers=auth(Role.AGENT)).json()
    assert found["turns"][0]["text"] == "my password is [secret] and I cannot log in"
    assert (found["failed"], found["operations"][0]["error"]) == (0, "SMS not sent")
    assert client.get("/v1/calls/c1/handoff", headers=auth(Role.AGENT, "ben")).status_code == 403
    assert client.get("/v1/calls/c1/handoff", headers=auth(Role.SWITCH)).status_code == 403
    assert client.post("/v1/handoffs", json=GIVEN, headers=auth(Role.AGENT)).status_code == 403


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"operations": [GIVEN["operations"][0], {"step": "x", "result": "odd", "at": AT.isoformat()}]},
         "operations[1].result"),
        ({"operations": [{"step": "x", "result": "ok", "at": "2026-01-01T00:00:00"}]}, "operations[0].at"),
        ({"operations": [{"step": "x", "result": "ok", "at": AT.isoformat(), "error": "e"}]}, "operations[0]"),
        ({"turns": [{"by": "customer", "text": "a"}, {"by": "agent", "text": "b"}]}, "turns[1].by"),
        ({"turns": [], "operations": []}, "turns or operations"),
        ({"call_id": None}, "call_id, key, customer_id or phone"),
        ({"phone": "13800138000"}, "phone"),
        ({"at": (AT + timedelta(hours=1)).isoformat()}, "no more than now"),
        ({"expires_in_s": 5}, "expires_in_s"),
        ({"expires_in_s": 60}, "which has expired"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "which has expired"),
        ({"turn": []}, "turn"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_is_named(client: Any, change: dict[str, Any], told: str) -> None:
    answer = client.post("/v1/handoffs", json=GIVEN | change, headers=ROOT)
    assert answer.status_code == 400
    assert told in answer.json()["detail"], answer.text
