"""Alerts of customers over HTTP and on the live channel: seen by whom they concern, taken on by one."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import TestClient
from websockets.asyncio.client import connect

from agent_assist.customer.events import Known, Merged
from agent_assist.store.alerts import Alerts, Heard
from agent_assist.store.customers import CustomerStore
from agent_assist.types import CallStarted
from agent_assist.web.access import office
from agent_assist.web.passes import Pass, Role, issue
from models.types import ChurnRisk, Reason, RiskLevel

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def auth(role: Role, name: str) -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


ANNA, BEN = auth(Role.AGENT, "anna"), auth(Role.AGENT, "ben")
SUE, BOSS, QA = auth(Role.SENIOR, "sue"), auth(Role.SUPERVISOR, "boss"), auth(Role.QA, "q")


def of(site: Any) -> Alerts:
    found = office(site.app).alerts
    assert found is not None
    return found


def heard(customer: str, score: float) -> Heard:
    risk = ChurnRisk(
        score=score, level=RiskLevel.WATCH, reasons=(Reason(name="complaint", contribution=score),), model_version="m"
    )
    return Heard(customer_id=customer, call_id="k", at_ms=1_000, at=START, risk=risk)


@pytest.fixture
def client(site: Any) -> Iterator[Any]:
    site.store.write([CallStarted(call_id="k", at=START, protocol="twilio", agent_id="anna", customer_id="li")], {})
    of(site).hear(heard("li", 0.8))
    of(site).hear(heard("wang", 0.4))
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        yield client


def customers(client: Any, who: dict[str, str], **params: Any) -> set[str]:
    answer = client.get("/v1/alerts", params=params, headers=who)
    assert answer.status_code == 200, answer.text
    return {alert["customer_id"] for alert in answer.json()["alerts"]}


def test_agents_see_those_of_their_customers_and_others_all(client: Any) -> None:
    assert customers(client, ANNA) == {"li"}
    assert customers(client, BEN) == set()
    for who in (SUE, BOSS, QA):
        assert customers(client, who) == {"li", "wang"}
    assert customers(client, BOSS, team="retention") == {"li"}
    assert customers(client, BOSS, customer_id="wang") == {"wang"}
    assert customers(client, BOSS, state="closed") == set()
    assert client.get("/v1/alerts").status_code == 401
    (alert,) = client.get("/v1/alerts", params={"customer_id": "li"}, headers=BOSS).json()["alerts"]
    assert {name: alert[name] for name in ("level", "state", "team", "branch", "reasons", "source")} == {
        "level": "critical", "state": "open", "team": "retention", "branch": "win_back", "reasons": ["complaint"],
        "source": "k",
    }  # fmt: skip


def test_one_takes_an_alert_on_and_closes_it(client: Any) -> None:
    path = "/v1/alerts/li/acknowledge"
    assert client.post(path, headers=ANNA).status_code == 403
    assert client.post(path, headers=QA).status_code == 403
    taken = client.post(path, headers=SUE)
    assert (taken.status_code, taken.json()["state"], taken.json()["by"]) == (200, "acknowledged", "sue")
    again = client.post(path, headers=BOSS)
    assert (again.status_code, "acknowledged by sue" in again.text) == (409, True)
    assert client.post("/v1/alerts/li/close", headers=BOSS).json()["state"] == "closed"
    assert client.post("/v1/alerts/li/close", headers=BOSS).status_code == 409
    assert client.post("/v1/alerts/nobody/close", headers=BOSS).status_code == 404
    assert client.post("/v1/alerts/li/praise", headers=BOSS).status_code == 404


def test_an_alert_is_found_under_each_id_of_its_customer(client: Any, site: Any) -> None:
    store = CustomerStore(site.store.engine)
    known = Known(event_id="k", customer_id="li", at=START)
    store.take([known, Merged(event_id="m", customer_id="old", at=START, into="li")], "test", START)
    assert customers(client, BOSS, customer_id="old") == {"li"}
    assert client.post("/v1/alerts/old/close", headers=BOSS).json()["customer_id"] == "li"


async def test_the_list_of_calls_is_told_of_alerts_and_agents_are_not(served_site: Any, tell_next: Any) -> None:
    agent = issue("correct-horse", Pass(role=Role.AGENT, name="anna", expires_at=int(time.time()) + 3_600))
    protocols: Any = ["warmline.v1", f"token.{agent}"]
    async with served_site.listen() as board, connect(served_site.url(), subprotocols=protocols, proxy=None) as own:
        assert [(await tell_next(one))["kind"] for one in (board, own)] == ["calls", "calls"]
        change = of(served_site).hear(heard("li", 0.8))
        assert change is not None
        served_site.live.warn(change)
        told = await tell_next(board)
        assert (told["kind"], told["data"]["type"], told["data"]["id"]) == ("alert", "alert", "li:1")
        assert told["data"]["alert"]["team"] == "retention"
        with pytest.raises(TimeoutError):
            await tell_next(own, 0.3)
