"""Recordings over HTTP."""

import io
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import soundfile
from litestar.testing import TestClient

from agent_assist.types import CallStarted
from audio.recorder import Block

AUTH = {"authorization": "Bearer correct-horse"}
SOUND = "/v1/calls/c:1/recording"


@pytest.fixture
def client(site: Any) -> Any:
    noise = np.random.default_rng(1).integers(-9_000, 9_000, (40_000, 2), dtype=np.int16)
    site.recordings.write("c:1", Block(0, 8_000, noise))
    site.recordings.finish("c:1")
    with TestClient(site.app, base_url="http://127.0.0.1:8700") as client:
        yield client


def test_a_recording_comes_whole_and_in_pieces(client: Any) -> None:
    whole = client.get(SOUND, headers=AUTH)
    assert whole.status_code == 200
    assert whole.headers["content-type"] == "audio/flac"
    assert whole.headers["accept-ranges"] == "bytes"
    pcm, rate = soundfile.read(io.BytesIO(whole.content))
    assert (pcm.shape, rate) == ((40_000, 2), 8_000)
    size = len(whole.content)
    for asked, start, end in (
        ("bytes=0-", 0, size),
        ("bytes=100-199", 100, 200),
        (f"bytes={size - 1}-{size + 50}", size - 1, size),
        ("bytes=-7", size - 7, size),
    ):
        part = client.get(SOUND, headers=AUTH | {"range": asked})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert part.content == whole.content[start:end]


@pytest.mark.parametrize(
    "asked",
    ["bytes=999999999-", "bytes=5-2", "bytes=-0", "bytes=-", "items=0-1", "bytes=0-1,4-5", "bytes=" + "9" * 40 + "-"],
)
@pytest.mark.slow
def test_a_range_that_is_not_there_is_told(client: Any, asked: str) -> None:
    answer = client.get(SOUND, headers=AUTH | {"range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"].startswith("bytes */")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_link_opens_one_recording_until_it_expires(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    link = client.get("/v1/calls/c:1/recording-link", headers=AUTH).json()
    assert client.get(link["url"]).status_code == 200
    assert client.get(link["url"].replace("c%3A1", "other")).status_code == 401
    assert client.get(link["url"].replace("expires=1", "expires=2")).status_code == 401
    assert client.get(link["url"][:-1] + ("0" if link["url"][-1] != "0" else "1")).status_code == 401
    monkeypatch.setattr("agent_assist.web.sound.time.time", lambda: link["expires_at"] + 1.0)
    assert client.get(link["url"]).status_code == 401


@pytest.mark.parametrize("path", ["recording", "recording-link", "peaks"])
def test_sound_needs_the_token(client: Any, path: str) -> None:
    assert client.get(f"/v1/calls/c:1/{path}").status_code == 401


def test_peaks_are_told_before_the_sound(client: Any) -> None:
    peaks = client.get("/v1/calls/c:1/peaks", headers=AUTH).json()
    assert peaks["duration_ms"] == 5_000
    assert len(peaks["customer"]) == len(peaks["agent"]) == 50


def test_no_recording_and_one_that_is_not_over_are_told_apart(client: Any, site: Any) -> None:
    assert client.get("/v1/calls/nobody/recording", headers=AUTH).status_code == 404
    site.live.publish(CallStarted(call_id="live", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="twilio"))
    answer = client.get("/v1/calls/live/recording-link", headers=AUTH)
    assert answer.status_code == 409
    assert "still going on" in answer.json()["detail"]
