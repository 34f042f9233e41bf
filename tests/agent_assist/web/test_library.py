"""Search and clips over HTTP."""

import io
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import soundfile
from litestar.testing import TestClient

from agent_assist.types import CallEnded, CallStarted, Final
from agent_assist.web.passes import Pass, Role, issue
from audio.recorder import Block
from audio.types import Channel
from models.types import Utterance


def auth(role: Role, name: str) -> dict[str, str]:
    who = Pass(role=role, name=name, expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


ANNA, BEN, QA, EXPERT = auth(Role.AGENT, "anna"), auth(Role.AGENT, "ben"), auth(Role.QA, "q"), auth(Role.EXPERT, "e")
CLIP = {"call_id": "c", "start_ms": 500, "end_ms": 1_500, "title": "Well kept", "tags": ["retention"]}


@pytest.fixture
def client(site: Any) -> Any:
    said = Utterance(
        id="c:1", channel=Channel.CUSTOMER, number=0, start_ms=0, end_ms=900, text="I want a refund",
        language="en", confidence=1, words=(), sentiment=None, emotion=None, loudness_dbfs=None,
    )  # fmt: skip
    started = CallStarted(call_id="c", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="twilio", agent_id="anna")
    ended = CallEnded(call_id="c", duration_ms=2_000, reason="hangup")
    site.store.write([started, Final(call_id="c", utterance=said), ended], {})
    tone = np.arange(16_000, dtype=np.int16)
    site.recordings.write("c", Block(0, 8_000, np.stack([tone, -tone], axis=1)))
    site.recordings.finish("c")
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        yield client


def test_calls_are_found_by_their_words(client: Any) -> None:
    found = client.get("/v1/search", params={"words": "REFUND", "speaker": "customer"}, headers=QA).json()
    assert [(one["call"]["call_id"], one["hits"][0]["text"]) for one in found["found"]] == [("c", "I want a refund")]
    assert found["next"] is None
    assert client.get("/v1/search", params={"words": "refund", "limit": 1}, headers=QA).json()["next"] is not None


def test_an_agent_finds_their_own_calls_alone(client: Any) -> None:
    for who, count in ((ANNA, 1), (BEN, 0)):
        # Asking for somebody else's changes nothing.
        found = client.get("/v1/search", params={"words": "refund", "agent": "anna"}, headers=who).json()["found"]
        assert len(found) == count


@pytest.mark.parametrize(
    "params",
    [{"since": "2026-03-01T00:00:00"}, {"since": "yesterday"}, {"speaker": "nobody"}, {"limit": 0}, {"before": "x"}],
)
def test_what_cannot_be_asked_for_is_told(client: Any, params: dict[str, Any]) -> None:
    answer = client.get("/v1/search", params=params, headers=QA)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_clip_is_kept_heard_and_dropped(client: Any) -> None:
    kept = client.post("/v1/clips", json=CLIP, headers=QA)
    assert kept.status_code == 201
    assert kept.json()["by"] == "q"
    clip = f"/v1/clips/{kept.json()['id']}"
    assert client.get("/v1/clips", params={"tag": "retention"}, headers=EXPERT).json()["clips"] == [kept.json()]
    sound = client.get(f"{clip}/recording", headers=EXPERT)
    pcm, rate = soundfile.read(io.BytesIO(sound.content), dtype="int16")
    assert (rate, pcm.shape, pcm[0].tolist()) == (8_000, (8_000, 2), [4_000, -4_000])
    assert client.delete(clip, headers=EXPERT).status_code == 403
    assert client.delete(clip, headers=QA).status_code == 204
    assert client.delete(clip, headers=QA).status_code == 404
    assert client.get(f"{clip}/recording", headers=QA).status_code == 404


@pytest.mark.parametrize(
    ("change", "who", "status"),
    [({}, ANNA, 403), ({"end_ms": 400}, QA, 400), ({"call_id": "none"}, QA, 400), ({"title": ""}, QA, 400)],
)
def test_a_clip_that_may_not_be_is_refused(
    client: Any, change: dict[str, Any], who: dict[str, str], status: int
) -> None:
    assert client.post("/v1/clips", json=CLIP | change, headers=who).status_code == status
