"""The data of customers over HTTP: supervisors see how good they are and say who is one."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.customer.health import load
from agent_assist.store.customers import CustomerStore, Rejected
from agent_assist.store.health import HealthStore
from agent_assist.web.passes import Pass, Role, issue

ROOT = {"authorization": "Bearer correct-horse"}
AT = "2026-01-01T00:00:00Z"


def auth(role: Role) -> dict[str, str]:
    who = Pass(role=role, name="anna", expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


def told(customer: str, name: str, phone: str) -> list[dict[str, str]]:
    known = {"event": "customer", "event_id": f"k{customer}", "customer_id": customer, "at": AT, "name": name}
    number = {"event": "identity", "event_id": f"p{customer}", "customer_id": customer, "at": AT, "kind": "phone"}
    return [known | {"birthday": "1990-02-03"}, number | {"value": phone}]


@pytest.fixture
def client(site: Any) -> Any:
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def looked_at(client: Any, site: Any) -> Any:
    events = [
        x for n in range(3) for one in "ab" for x in told(f"{one}{n}", "王小明李雷"[n : n + 3], f"+8613800{n}38000")
    ]
    assert client.post("/v1/customers/events", json=events, headers=ROOT).status_code == 202
    HealthStore(site.store.engine).assess(load(), "2026-10", datetime(2026, 11, 1, tzinfo=UTC))
    return client


def test_a_month_is_shown_with_its_score_and_errors(looked_at: Any) -> None:
    boss = auth(Role.SUPERVISOR)
    found = looked_at.get("/v1/data-health", headers=boss).json()
    assert (found["target"], found["trend"][0]["month"]) == (0.95, "2026-10")
    assert found["score"] == pytest.approx(found["trend"][0]["passed"] / found["trend"][0]["checked"])
    wrong = {one["rule"]: one["count"] for one in found["report"]["broken"]}
    assert wrong == {"language_given": 6}
    assert found["report"]["broken"][0]["examples"][0]["customer_id"] == "a0"
    assert looked_at.get("/v1/data-health", params={"month": "2026-09"}, headers=boss).status_code == 404
    assert looked_at.get("/v1/data-health", params={"month": "soon"}, headers=boss).status_code == 400
    assert looked_at.get("/v1/data-health", headers=auth(Role.AGENT)).status_code == 403


def test_before_the_first_look_there_is_nothing(client: Any) -> None:
    assert client.get("/v1/data-health", headers=ROOT).status_code == 404


def test_a_pair_is_accepted_as_an_event_or_rejected_for_good(looked_at: Any) -> None:
    boss = auth(Role.SUPERVISOR)

    def page(after: str | None = None) -> dict[str, Any]:
        asked = {"limit": 2} | ({} if after is None else {"after": after})
        return looked_at.get("/v1/data-health/duplicates", params=asked, headers=boss).json()

    first = page()
    second = page(first["next"])
    assert second["next"] is None
    pairs = [(one["candidate"]["first"], one["candidate"]["second"]) for one in (*first["pairs"], *second["pairs"])]
    assert sorted(pairs) == [("a0", "b0"), ("a1", "b1"), ("a2", "b2")]
    assert first["pairs"][0]["first"]["name"] == first["pairs"][0]["second"]["name"]
    told = looked_at.post("/v1/customers/merge", json={"customer_id": "b0", "into": "a0"}, headers=boss)
    assert told.status_code == 202
    assert looked_at.get("/v1/customers/b0", headers=ROOT).json()["customer_id"] == "a0"
    said = looked_at.post("/v1/data-health/duplicates/reject", json={"first": "b1", "second": "a1"}, headers=boss)
    assert said.status_code == 204
    assert [one["candidate"]["first"] for one in page()["pairs"]] == ["a2"]
    again = looked_at.post("/v1/data-health/duplicates/reject", json={"first": "a1", "second": "b1"}, headers=boss)
    assert again.status_code == 404


def test_nobody_is_merged_with_themselves_or_with_a_stranger(looked_at: Any) -> None:
    def merge(one: str, into: str, role: Role = Role.SUPERVISOR) -> int:
        body = {"customer_id": one, "into": into}
        return int(looked_at.post("/v1/customers/merge", json=body, headers=auth(role)).status_code)

    assert merge("a0", "a0") == 400
    assert merge("a0", "nobody") == 404
    assert merge("b0", "a0", Role.AGENT) == 403
    assert looked_at.get("/v1/data-health/duplicates", params={"after": "x"}, headers=ROOT).status_code == 400


def test_what_was_rejected_is_listed_for_those_who_may_tell(client: Any, site: Any) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    store = CustomerStore(site.store.engine)
    store.reject(Rejected(source="f", place=f"row {n}", reason="x", body="{}", at=now, kind="orders") for n in range(3))
    first = client.get("/v1/data-health/rejected", params={"limit": 2}, headers=ROOT).json()
    rest = client.get("/v1/data-health/rejected", params={"limit": 2, "after": first["next"]}, headers=ROOT).json()
    assert [one["place"] for one in (*first["rejected"], *rest["rejected"])] == ["row 2", "row 1", "row 0"]
    assert rest["next"] is None
    assert client.get("/v1/data-health/rejected", headers=auth(Role.SUPERVISOR)).status_code == 403
    assert client.get("/v1/data-health/rejected", params={"after": "x"}, headers=ROOT).status_code == 400
