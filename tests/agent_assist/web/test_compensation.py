"""Agents ask, the table answers, supervisors decide, and everybody on the call sees it."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.advice.playbook import load
from agent_assist.types import CallStarted, Compensation
from agent_assist.web.passes import Pass, Role, issue

CALL = "/v1/calls/c/compensations"


def auth(role: Role, name: str) -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


AGENT, OTHER, BOSS = auth(Role.AGENT, "anna"), auth(Role.AGENT, "ben"), auth(Role.SUPERVISOR, "boss")
TOKEN = {"authorization": "Bearer correct-horse"}


def wish(key: str = "key-0001", **changed: str) -> dict[str, str]:
    return {"key": key, "kind": "voucher", "amount": "20", "currency": "CNY", "reason": "late"} | changed


@pytest.fixture
def client(make_site: Any) -> Any:
    with make_site(playbook=lambda _: load()) as site:
        start = CallStarted(
            call_id="c", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="twilio", agent_id="anna", customer_id="k",
            attributes={"customer_tier": "gold"},
        )  # fmt: skip
        site.live.publish(start)
        with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
            client.site = site  # type: ignore[attr-defined]
            yield client


@pytest.mark.slow
def test_a_request_within_the_authority_is_granted_told_on_the_call_and_stands_in_its_record(client: Any) -> None:
    answer = client.post(CALL, json=wish(), headers=AGENT)
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["amount"], answer.json()["asked_by"]) == ("granted", "20.00", "anna")
    [told] = client.site.published
    assert isinstance(told, Compensation)
    client.site.live.publish(told)
    assert client.get("/v1/calls/c", headers=AGENT).json()["compensations"] == [answer.json()]


def test_a_request_that_is_sent_again_is_answered_alike(client: Any) -> None:
    first, again = (client.post(CALL, json=wish(), headers=AGENT) for _ in range(2))
    assert first.json() == again.json()
    assert client.post(CALL, json=wish(amount="19"), headers=AGENT).status_code == 409


def test_a_supervisor_decides_what_is_beyond_the_agent(client: Any) -> None:
    asked = client.post(CALL, json=wish(amount="120.00"), headers=AGENT).json()
    assert asked["state"] == "pending"
    listed = client.get("/v1/compensations?state=pending", headers=BOSS).json()["compensations"]
    assert listed == [asked]
    where = f"/v1/compensations/{asked['id']}/decision"
    assert client.post(where, json={"approve": True}, headers=AGENT).status_code == 403
    assert client.post(where, json={"approve": True}, headers=auth(Role.SUPERVISOR, "anna")).status_code == 403
    decided = client.post(where, json={"approve": True, "note": "fair"}, headers=BOSS)
    assert (decided.status_code, decided.json()["state"], decided.json()["decided_by"]) == (201, "approved", "boss")
    assert client.post(where, json={"approve": False}, headers=BOSS).status_code == 409
    assert [message.state for message in client.site.published] == ["pending", "approved"]


def test_a_supervisor_does_not_approve_above_their_own_authority(client: Any) -> None:
    names = [client.post(CALL, json=wish(f"key-000{n}", amount="150"), headers=AGENT).json()["id"] for n in range(2)]
    answers = [client.post(f"/v1/compensations/{n}/decision", json={"approve": True}, headers=BOSS) for n in names]
    assert [answer.status_code for answer in answers] == [201, 403]
    assert "150.00 was given on this call" in answers[1].json()["detail"]


def test_what_nobody_may_give_is_refused_with_the_line_that_says_so(client: Any) -> None:
    answer = client.post(CALL, json=wish(amount="200.01"), headers=AGENT).json()
    assert answer["state"] == "refused"
    assert answer["rule"].startswith("supervisor: voucher, gift, credit up to 200.00 CNY a call")
    assert answer["rule_zh"].startswith("主管：优惠券、礼品、抵扣每次通话至多 200.00 CNY")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (OTHER, wish(), 403),
        (TOKEN, wish(), 403),
        (auth(Role.QA, "q"), wish(), 403),
        ({}, wish(), 401),
        (AGENT, wish(amount="0"), 400),
        (AGENT, wish(amount="-5"), 400),
        (AGENT, wish(amount="1.005"), 400),
        (AGENT, wish(currency="EUR"), 400),
        (AGENT, wish(key="short"), 400),
        (AGENT, wish() | {"more": "x"}, 400),
    ],
)
def test_who_may_not_ask_or_asks_for_nothing_that_can_be_given_is_told_so(
    client: Any, headers: dict[str, str], body: dict[str, str], status: int
) -> None:
    assert client.post(CALL, json=body, headers=headers).status_code == status


def test_calls_and_requests_that_are_none_are_not_found(client: Any) -> None:
    assert client.post("/v1/calls/x/compensations", json=wish(), headers=AGENT).status_code == 404
    assert client.post("/v1/compensations/x/decision", json={"approve": True}, headers=BOSS).status_code == 404
    assert client.get("/v1/compensations", headers=AGENT).status_code == 403


def test_without_a_table_nothing_can_be_given(make_site: Any) -> None:
    with make_site() as site:
        site.live.publish(CallStarted(call_id="c", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="t", agent_id="anna"))
        with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
            assert client.post(CALL, json=wish(), headers=AGENT).status_code == 503
