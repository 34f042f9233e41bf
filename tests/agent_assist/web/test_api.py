"""The API over HTTP: who may ask, what is answered, and how it refuses."""

import asyncio
import re
from typing import Any

import msgspec
import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from agent_assist.call.record import record_of
from agent_assist.types import CallRecord, CallSynopsis, FeedbackAction

AUTH = {"authorization": "Bearer correct-horse"}
LOCAL = "http://127.0.0.1:8700"


@pytest.fixture
def client(site: Any) -> Any:
    with TestClient(site.app, base_url=LOCAL) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/v1/calls", "/v1/calls/c", "/schemas/call.json", "/openapi.json", "/openapi", "/openapi/openapi.json"]
)
@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic correct-horse"}])
def test_every_door_with_data_needs_the_token(client: Any, path: str, given: dict[str, str]) -> None:
    answer = client.get(path, headers=given)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "Unauthorized"


def test_no_door_of_the_api_opens_without_a_token(client: Any, site: Any) -> None:
    tried = 0
    for route in site.app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/v1/"):
            continue
        path = re.sub(r"\{[^}]*\}", "x", re.sub(r"\{[^}]*:int\}", "1", route.path))
        for method in route.methods - {"OPTIONS", "HEAD"}:
            tried += 1
            assert client.request(method, path, json={}).status_code == 401, (method, path)
    assert tried > 50


def test_signs_of_life_need_none(client: Any, site: Any) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").status_code == 200
    site.is_ready = False
    assert client.get("/readyz").status_code == 503


def test_metrics_need_the_token_from_afar_alone(site: Any) -> None:
    with TestClient(site.app, base_url=LOCAL) as client:
        # The test client says that it is "testclient", which is not this machine.
        assert client.get("/metrics").status_code == 401
        assert "python_info" in client.get("/metrics", headers=AUTH).text


async def test_metrics_are_open_to_this_machine(served_site: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served_site.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"python_info" in answer


def test_the_wrong_host_is_refused_but_for_signs_of_life(client: Any) -> None:
    for host in ("evil.example", "evil.example:8700", "127.0.0.1.evil.example", ""):
        answer = client.get("/v1/calls", headers=AUTH | {"host": host})
        assert (answer.status_code, answer.json()["title"]) == (400, "Bad Request")
        assert client.get("/healthz", headers={"host": host}).status_code == 200
    for host in ("localhost", "LOCALHOST:8700", "127.0.0.1", "[::1]:8700", "[::1]"):
        assert client.get("/v1/calls", headers=AUTH | {"host": host}).status_code == 200


def test_a_live_call_comes_from_the_hub_and_an_old_one_from_the_store(client: Any, site: Any, call: Any) -> None:
    old, now = call("old"), call("now")
    site.store.write([old.started(), old.final(0), old.card(0), old.ended()], {})
    for message in (now.started(60), now.final(0)):
        site.live.publish(message)
    answer = client.get("/v1/calls/old", headers=AUTH)
    assert msgspec.json.decode(answer.content, type=CallRecord) == site.store.call("old")
    answer = client.get("/v1/calls/now", headers=AUTH)
    assert msgspec.json.decode(answer.content, type=CallRecord) == site.live.record("now")
    answer = client.get("/v1/calls/none", headers=AUTH)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "'none'" in answer.json()["detail"]


def test_pages_of_the_list_hold_each_call_once_also_those_the_store_does_not_have_yet(
    client: Any, site: Any, call: Any
) -> None:
    for number in range(9):
        messages = [call(f"c{number}").started(number), call(f"c{number}").final(0)]
        if number != 4:
            site.store.write(messages, {})
        if number in (4, 7, 8):
            for message in messages:
                site.live.publish(message)
    site.store.write([call("c2").ended()], {})
    found: list[str] = []
    query = {"limit": 3}
    for _ in range(10):
        page = client.get("/v1/calls", params=query, headers=AUTH).json()
        assert len(page["calls"]) <= 3
        found += [line["call_id"] for line in page["calls"]]
        if page["next"] is None:
            break
        assert page["next"].isascii()
        assert not set(page["next"]) & set(" +&?#/%")
        query["before"] = page["next"]
    assert found == [f"c{number}" for number in reversed(range(9))]
    ended = client.get("/v1/calls?status=ended", headers=AUTH).json()["calls"]
    assert [line["call_id"] for line in ended] == ["c2"]


def test_a_call_that_just_ended_is_not_listed_as_live_while_the_store_lags(client: Any, site: Any, call: Any) -> None:
    c = call("c")
    site.store.write([c.started()], {})
    for message in (c.started(), c.ended()):
        site.live.publish(message)
    assert client.get("/v1/calls?status=live", headers=AUTH).json()["calls"] == []
    assert [line["status"] for line in client.get("/v1/calls", headers=AUTH).json()["calls"]] == ["ended"]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "status=odd", "before=yesterday", "before=%00~"])
def test_a_question_that_makes_no_sense_is_told_so(client: Any, query: str) -> None:
    answer = client.get(f"/v1/calls?{query}", headers=AUTH)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_feedback_is_passed_on_for_cards_that_exist(client: Any, site: Any, call: Any) -> None:
    c = call("c")
    site.store.write([c.started(), c.final(0), c.card(0)], {})
    path = f"/v1/calls/c/cards/{c.card(0).id}/feedback"
    answer = client.post(path, json={"action": "used", "agent_id": "a-7"}, headers=AUTH)
    assert (answer.status_code, answer.json()) == (202, None)
    (opinion,) = site.published
    assert (opinion.call_id, opinion.card_id, opinion.action) == ("c", c.card(0).id, FeedbackAction.USED)
    assert opinion.agent_id == "a-7"
    assert client.post(path, json={"action": "used"}).status_code == 401
    assert client.post(path, json={"action": "loved"}, headers=AUTH).status_code == 400
    assert client.post(path, json={"action": "used", "more": 1}, headers=AUTH).status_code == 400
    assert client.post(path, content=b"{", headers=AUTH).status_code == 400
    assert client.post("/v1/calls/c/cards/x/feedback", json={"action": "used"}, headers=AUTH).status_code == 404
    assert client.post("/v1/calls/x/cards/x/feedback", json={"action": "used"}, headers=AUTH).status_code == 404
    assert len(site.published) == 1


def test_a_synopsis_that_a_person_wrote_is_passed_on_and_the_original_is_kept(
    client: Any, site: Any, call: Any
) -> None:
    c = call("c")
    original = CallSynopsis(call_id="c", at_ms=1, language="en", sentences=(), text="drawn", over=True)
    site.store.write([c.started(), c.final(0), original, call("d").started()], {})
    answer = client.put("/v1/calls/c/summary", json={"text": "mine", "by": "li"}, headers=AUTH)
    assert answer.status_code == 202
    (edit,) = site.published
    assert (edit.call_id, edit.text, edit.by) == ("c", "mine", "li")
    assert answer.json()["at"] == edit.at.isoformat().replace("+00:00", "Z")
    site.store.write([edit], {})
    known = client.get("/v1/calls/c", headers=AUTH).json()
    assert known["synopsis"]["text"] == "drawn"
    assert [one["text"] for one in known["synopsis_edits"]] == ["mine"]
    assert client.put("/v1/calls/c/summary", json={"text": "mine", "by": "li"}).status_code == 401
    for body in (
        {"text": "mine"},
        {"text": "", "by": "li"},
        {"text": "x" * 4_001, "by": "li"},
        {"text": 1, "by": "li"},
    ):
        assert client.put("/v1/calls/c/summary", json=body, headers=AUTH).status_code == 400
    for path in ("/v1/calls/d/summary", "/v1/calls/x/summary"):
        assert client.put(path, json={"text": "mine", "by": "li"}, headers=AUTH).status_code == 404
    assert len(site.published) == 1


def test_a_body_too_large_is_refused(client: Any, site: Any, call: Any) -> None:
    c = call("c")
    site.store.write([c.started(), c.card(0)], {})
    body = b'{"action":"used","agent_id":"' + b"a" * 100_000 + b'"}'
    answer = client.post(f"/v1/calls/c/cards/{c.card(0).id}/feedback", content=body, headers=AUTH)
    assert answer.status_code == 413
    assert site.published == []


def test_our_own_fault_is_told_without_its_words(make_site: Any, call: Any) -> None:
    async def fail(_: object) -> None:
        raise RuntimeError("secret of the machine room")

    c = call("c")
    with (
        make_site(publish=fail) as site,
        TestClient(site.app, base_url=LOCAL, raise_server_exceptions=False) as client,
    ):
        site.store.write([c.started(), c.card(0)], {})
        answer = client.post(f"/v1/calls/c/cards/{c.card(0).id}/feedback", json={"action": "up"}, headers=AUTH)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_schemas_and_the_api_are_described(client: Any, call: Any) -> None:
    schema = client.get("/schemas/call.json", headers=AUTH).json()
    known = schema["$defs"]["CallRecord"]["properties"]
    record = record_of("c", [call("c").started(), call("c").final(0)], [])
    assert set(known) == set(msgspec.to_builtins(record))
    event = client.get("/schemas/event.json", headers=AUTH).json()
    kinds = {"started", "known", "partial", "final", "degraded", "keys", "ended"}
    assert set(event["discriminator"]["mapping"]) == kinds
    for name in ("assist", "call-summary", "snapshot", "live-message"):
        assert "$defs" in client.get(f"/schemas/{name}.json", headers=AUTH).json()
    assert "call.json" in client.get("/schemas/no.json", headers=AUTH).json()["detail"]
    paths = client.get("/openapi.json", headers=AUTH).json()["paths"]
    assert {"/v1/calls", "/v1/calls/{call_id}", "/v1/calls/{call_id}/cards/{card_id}/feedback"} <= set(paths)


def test_a_page_says_how_to_build_the_pages(client: Any) -> None:
    for path in ("/", "/overlay"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "make web" in answer.text
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_built_pages_are_served_and_nothing_beside_them(make_site: Any, tmp_path: Any) -> None:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<p>calls")
    (static / "overlay.html").write_text("<p>overlay")
    (static / "embed.js").write_text("export {}")
    (static / "assets" / "a.js").write_text("1")
    with make_site(static=static) as site, TestClient(site.app, base_url=LOCAL) as client:
        assert client.get("/").text == "<p>calls"
        assert client.get("/overlay").text == "<p>overlay"
        assert "default-src 'self'" in client.get("/overlay").headers["content-security-policy"]
        assert client.get("/embed.js").headers["content-type"].startswith("text/javascript")
        assert client.get("/assets/a.js").text == "1"
        for path in ("/assets/../../calls.db", "/assets/%2e%2e/%2e%2e/calls.db", "/calls.db", "/assets/", "/no.js"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_pages_elsewhere_may_ask_only_when_named(make_site: Any, site: Any) -> None:
    crm = {"origin": "https://crm.example"}
    with TestClient(site.app, base_url=LOCAL) as client:
        assert "access-control-allow-origin" not in client.get("/v1/calls", headers=AUTH | crm).headers
    with make_site(origins=["https://crm.example"]) as named, TestClient(named.app, base_url=LOCAL) as client:
        answer = client.get("/v1/calls", headers=AUTH | crm)
        assert answer.headers["access-control-allow-origin"] == "https://crm.example"
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        answer = client.options("/v1/calls", headers=crm | asked)
        assert answer.status_code < 300
        answer = client.get("/v1/calls", headers=AUTH | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers
