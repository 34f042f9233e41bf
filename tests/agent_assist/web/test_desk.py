"""Supervisors, experts and agents about a call that runs."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.call.record import summary
from agent_assist.types import CallEnded, CallStarted, Card, CardKind
from agent_assist.web.passes import Pass, Role, issue

CALL = "/v1/calls/c"


def auth(role: Role, name: str) -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


AGENT, OTHER = auth(Role.AGENT, "anna"), auth(Role.AGENT, "ben")
BOSS, EXPERT, QA = auth(Role.SUPERVISOR, "boss"), auth(Role.EXPERT, "eve"), auth(Role.QA, "q")


def card(kind: CardKind, name: str, at_ms: int = 0) -> Card:
    return Card(
        id=f"c:{name}", call_id="c", rule=name, kind=kind, title=name, text=name, at_ms=at_ms,
        utterance_id="u", priority=1, language="en", reason=f"because of {name}",
    )  # fmt: skip


@pytest.fixture
def desk(site: Any) -> Any:
    start = CallStarted(call_id="c", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="twilio", agent_id="anna")
    for message in (start, card(CardKind.ALERT, "angry"), card(CardKind.ALERT, "leaving", 1), card(CardKind.CARD, "x")):
        site.live.publish(message)
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        yield client


def tell(site: Any) -> None:
    """What the topic would bring back."""
    for message in site.published:
        site.live.publish(message)


def line(site: Any) -> Any:
    found = summary(site.live.record("c"))
    assert found is not None
    return found


def test_an_alert_stays_open_until_a_supervisor_acknowledges_it(desk: Any, site: Any) -> None:
    assert (line(site).open_alerts, line(site).alert) == (2, "because of leaving")
    assert desk.post(f"{CALL}/cards/c:leaving/acknowledge", headers=BOSS).status_code == 202
    tell(site)
    assert (line(site).alerts, line(site).open_alerts, line(site).alert) == (2, 1, "because of angry")
    assert site.live.record("c").acknowledged[0].by == "boss"
    assert desk.post(f"{CALL}/cards/c:x/acknowledge", headers=BOSS).status_code == 404
    for other in (AGENT, QA, EXPERT):
        assert desk.post(f"{CALL}/cards/c:angry/acknowledge", headers=other).status_code == 403


def test_an_agent_asks_and_an_expert_answers(desk: Any, site: Any) -> None:
    asked = desk.post(f"{CALL}/questions", json={"question": "  Which  tariff? "}, headers=AGENT)
    assert asked.status_code == 202
    tell(site)
    assert line(site).questions == 1
    assert site.live.record("c").asked[0].question == "Which tariff?"
    answer = {"text": "The large one.", "answers": asked.json()["id"]}
    assert desk.post(f"{CALL}/whispers", json=answer, headers=EXPERT).status_code == 202
    tell(site)
    assert line(site).questions == 0
    (whisper,) = site.live.record("c").whispers
    assert (whisper.text, whisper.by) == ("The large one.", "eve")


@pytest.mark.parametrize(
    ("path", "body", "who", "status"),
    [
        ("questions", {"question": "?"}, OTHER, 403),
        ("questions", {"question": "   "}, AGENT, 400),
        ("questions", {"question": "x" * 1_001}, AGENT, 400),
        ("whispers", {"text": "psst"}, AGENT, 403),
        ("whispers", {"text": "psst"}, QA, 403),
        ("whispers", {"text": "psst", "answers": "nothing"}, BOSS, 404),
        ("whispers", {"text": "psst", "to": "customer"}, BOSS, 400),
    ],
)
def test_who_may_not_or_says_nothing_is_refused(
    desk: Any, site: Any, path: str, body: dict[str, str], who: dict[str, str], status: int
) -> None:
    answer = desk.post(f"{CALL}/{path}", json=body, headers=who)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.published == []


def test_when_the_call_is_over_nobody_is_told(desk: Any, site: Any) -> None:
    site.live.publish(CallEnded(call_id="c", duration_ms=9, reason="hangup"))
    assert desk.post(f"{CALL}/whispers", json={"text": "psst"}, headers=BOSS).status_code == 409
    assert desk.post(f"{CALL}/questions", json={"question": "?"}, headers=AGENT).status_code == 409


def test_what_was_said_is_the_same_from_the_store(desk: Any, site: Any) -> None:
    desk.post(f"{CALL}/cards/c:angry/acknowledge", headers=BOSS)
    asked = desk.post(f"{CALL}/questions", json={"question": "what?"}, headers=AGENT).json()["id"]
    desk.post(f"{CALL}/questions", json={"question": "and what else?"}, headers=AGENT)
    tell(site)
    desk.post(f"{CALL}/whispers", json={"text": "that", "answers": asked}, headers=BOSS)
    start = CallStarted(call_id="c", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="twilio", agent_id="anna")
    raised = [card(CardKind.ALERT, "angry"), card(CardKind.ALERT, "leaving", 1)]
    tell(site)
    for _ in range(2):
        site.store.write([start, *raised, *site.published], {})
    known, stored = site.live.record("c"), site.store.call("c")
    assert (stored.acknowledged, stored.asked, stored.whispers) == (known.acknowledged, known.asked, known.whispers)
    (row,) = site.store.calls()
    assert (row.open_alerts, row.alert, row.questions) == (1, "because of leaving", 1)
