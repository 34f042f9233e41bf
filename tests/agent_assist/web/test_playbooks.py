"""Playbooks over HTTP."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from agent_assist.advice.playbook import load
from agent_assist.advice.tenants import Shelved
from agent_assist.types import CallEnded, CardKind
from agent_assist.web.passes import Pass, Role, issue

RULES = """
name: mine
version: "2"
rules:
  - id: cancel
    kind: card
    speaker: customer
    priority: 5
    title: {en: Keep them}
    reason: {en: "{words}"}
    phrases: {en: [cancel]}
    examples:
      fires: [{en: I want to cancel}, {en: I like it}]
      silent: [{en: "I do not want to cancel"}]
"""


def auth(role: Role) -> dict[str, str]:
    who = Pass(role=role, name="somebody", expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


BOSS = auth(Role.SUPERVISOR)


@pytest.fixture
def site(make_site: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    good = Shelved("default", load(folder), 1.0)
    broken = Shelved("shop", None, 0.0, "expected YAML in UTF-8, got line 4 (file=shop/rules.yaml)")
    with make_site(playbooks=lambda: [good, broken]) as site:
        yield site


@pytest.fixture
def client(site: Any) -> Iterator[Any]:
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        yield client


def stored(site: Any, call: Any, *, hours_ago: int, playbook: str = "mine 2+abc") -> None:
    """A call in which the customer wants to cancel, and the agent used the card on it."""
    started = msgspec.structs.replace(call.started(), at=datetime.now(UTC) - timedelta(hours=hours_ago))
    card = msgspec.structs.replace(call.card(0), source=playbook)
    site.store.write([started, call.final(0, "I want to cancel"), card, call.feedback(0), call.ended()], {})


def test_a_playbook_is_shown_with_its_rules_tried_and_counted(site: Any, client: Any, call: Any) -> None:
    stored(site, call("new"), hours_ago=2)
    stored(site, call("old"), hours_ago=24 * 9)
    stored(site, call("other"), hours_ago=2, playbook="shop 1+abc")
    answer = client.get("/v1/playbooks", headers=BOSS).json()
    shown, broken = answer["playbooks"]
    assert (shown["name"], shown["version"], shown["state"]) == ("mine", "2", "in_force")
    (rule,) = shown["rules"]
    assert rule["rule"]["phrases"] == {"en": ["cancel"]}
    assert [(one["fires"], one["holds"]) for one in rule["examples"]] == [(True, True), (True, False), (False, True)]
    assert rule["use"] == {"fired": 1, "calls": 1, "feedback": {"used": 1}}
    assert (broken["state"], broken["rules"]) == ("broken", [])
    assert "shop/rules.yaml" in broken["failed"]


def test_agents_do_not_see_them(client: Any) -> None:
    assert client.get("/v1/playbooks", headers=auth(Role.AGENT)).status_code == 403
    sentence = {"speaker": "customer", "language": "en", "text": "cancel"}
    assert client.post("/v1/playbooks/try", json=sentence, headers=auth(Role.QA)).status_code == 403


def test_a_sentence_is_tried(client: Any) -> None:
    sentence = {"speaker": "customer", "language": "en", "text": "I want to cancel"}
    trial = client.post("/v1/playbooks/try", json=sentence, headers=BOSS).json()
    assert [(one["rule"], one["card"]["title"]) for one in trial["fired"]] == [("cancel", "Keep them")]
    for wrong in ({"text": ""}, {"text": "x" * 1_001}, {"language": "fr"}, {"more": 1}):
        assert client.post("/v1/playbooks/try", json=sentence | wrong, headers=BOSS).status_code == 400
    for tenant in ("nobody", "shop"):
        assert client.post("/v1/playbooks/try", json=sentence | {"tenant": tenant}, headers=BOSS).status_code == 404


def test_a_rule_is_run_over_so_many_of_the_newest_calls(site: Any, client: Any, call: Any) -> None:
    for hours in range(1, 5):
        stored(site, call(f"c{hours}"), hours_ago=hours)
    site.store.write([call("live").started(), call("live").card(0, CardKind.ALERT)], {})
    wanted = {"rule": "cancel", "days": 1, "calls": 3}
    found = client.post("/v1/playbooks/backtest", json=wanted, headers=BOSS).json()
    assert found["calls"] == 3
    assert [(one["rule"], one["fired"]) for one in found["rules"]] == [("cancel", 3)]
    assert found["rules"][0]["examples"][0]["words"] == "I want to cancel"
    for wrong in ({"calls": 501}, {"days": 0}):
        assert client.post("/v1/playbooks/backtest", json=wanted | wrong, headers=BOSS).status_code == 400
    assert client.post("/v1/playbooks/backtest", json=wanted | {"rule": "none"}, headers=BOSS).status_code == 404


def test_a_call_that_was_never_ended_is_not_run(site: Any, client: Any, call: Any) -> None:
    started = msgspec.structs.replace(call("c").started(), at=datetime.now(UTC))
    site.store.write([started, call("c").final(0, "I want to cancel")], {})
    assert client.post("/v1/playbooks/backtest", json={"rule": "cancel"}, headers=BOSS).json()["calls"] == 0
    site.store.write([CallEnded(call_id="c", duration_ms=5_000, reason="hangup")], {})
    assert client.post("/v1/playbooks/backtest", json={"rule": "cancel"}, headers=BOSS).json()["calls"] == 1
