"""Who calls, where a number belongs to several: agents see them masked and pick one, and the call becomes theirs."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.customer.events import Identified, Interaction, Known, Merged
from agent_assist.types import CallEnded, CallStarted, CustomerKnown
from agent_assist.web.passes import Pass, Role, issue

AT = datetime(2026, 7, 1, tzinfo=UTC)


def auth(role: Role, name: str = "anna") -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


ANNA, BEN, BOSS = auth(Role.AGENT), auth(Role.AGENT, "ben"), auth(Role.SUPERVISOR)


@pytest.fixture
def client(site: Any) -> Any:
    store = site.app.state.office.profiles.store
    for name in ("a", "b"):
        phone = Identified(event_id=f"p{name}", customer_id=name, at=AT, kind="phone", value="+861")
        store.take([phone, Known(event_id=f"n{name}", customer_id=name, at=AT, name=f"王{name}", tier="gold")], "t", AT)
    chat = Interaction(
        event_id="i", customer_id="b", at=AT, interaction_id="i", channel="chat", issue="invoice", text="where is it"
    )
    store.take([chat, Known(event_id="other", customer_id="z", at=AT, name="Zoe")], "t", AT)
    caller = site.app.state.office.callers.at_ring(None, {"phone": "+861"}, AT)
    start = CallStarted(
        call_id="c", at=datetime.now(UTC), protocol="t", agent_id="anna",
        attributes={"phone": "+861", **caller.attributes}, caller=caller,
    )  # fmt: skip
    site.store.write([start], {})
    site.live.publish(start)
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        yield client


def test_agents_see_the_beginning_of_names_and_supervisors_the_whole(client: Any) -> None:
    found = client.get("/v1/calls/c/candidates", headers=ANNA).json()["candidates"]
    assert [(one["customer_id"], one["name"]) for one in found] == [("b", "王••"), ("a", "王••")]
    assert (found[0]["tier"], found[0]["last_issue"]) == ("gold", "invoice")
    names = {one["name"] for one in client.get("/v1/calls/c/candidates", headers=BOSS).json()["candidates"]}
    assert names == {"王a", "王b"}
    assert client.get("/v1/calls/c/candidates", headers=BEN).status_code == 403
    assert client.get("/v1/calls/c/candidates").status_code == 401


def test_the_call_becomes_that_of_the_customer_who_is_picked(client: Any, site: Any) -> None:
    def pick(customer: str, headers: dict[str, str]) -> int:
        return int(client.post("/v1/calls/c/customer", json={"customer_id": customer}, headers=headers).status_code)

    assert pick("z", ANNA) == 403
    assert pick("nobody", BOSS) == 404
    assert pick("b", BEN) == 403
    assert pick("b", ANNA) == 202
    assert pick("a", ANNA) == 409
    for record in (site.live.record("c"), site.store.call("c")):
        assert (record.customer_id, record.customer_name, record.caller.by) == ("b", "王b", "anna")
        assert "customers_of_phone" not in record.attributes
        assert record.attributes["phone"] == "+861"
    assert client.get("/v1/customers/b", headers=ANNA).status_code == 200
    first, second = site.store.events("c")
    assert (first.customer_id, isinstance(second, CustomerKnown)) == (None, True)


def test_of_a_call_that_is_over_nobody_picks(client: Any, site: Any) -> None:
    end = CallEnded(call_id="c", duration_ms=1, reason="hangup")
    site.store.write([end], {})
    site.live.publish(end)
    assert client.post("/v1/calls/c/customer", json={"customer_id": "a"}, headers=ANNA).status_code == 409
    assert client.post("/v1/calls/none/customer", json={"customer_id": "a"}, headers=ANNA).status_code == 404


def test_a_name_that_was_found_out_is_none_that_should_have_been_known(client: Any, site: Any, call: Any) -> None:
    client.post("/v1/calls/c/customer", json={"customer_id": "a"}, headers=ANNA)
    site.live.publish(CallEnded(call_id="c", duration_ms=60_000, reason="hangup"))
    assert site.live.record("c").review.greeted_by_name is None
    assert site.live.record("c").started_at > AT + timedelta(days=1)


def test_candidates_who_turn_out_to_be_one_are_one_and_can_be_picked(client: Any, site: Any) -> None:
    store = site.app.state.office.profiles.store
    store.take([Merged(event_id=f"m{one}", customer_id=one, at=AT, into="z") for one in "ab"], "t", AT)
    [found] = client.get("/v1/calls/c/candidates", headers=ANNA).json()["candidates"]
    assert found["customer_id"] == "z"
    assert client.post("/v1/calls/c/customer", json={"customer_id": "z"}, headers=ANNA).status_code == 202
    assert site.store.call("c").customer_id == "z"
