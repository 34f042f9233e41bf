"""Help beside cards in the whole program: articles, hints, tasks, breaks, and webhooks to another program."""

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from aiokafka import AIOKafkaProducer

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.types import Node, NodeKind
from agent_assist.store.calls import CallStore
from agent_assist.types import CallEnded, CallStarted, Event, Final
from audio.types import Channel
from models.types import Emotion, EmotionLabel, Utterance
from stream.wire import encode

pytestmark = [pytest.mark.broker, pytest.mark.idle]

KEY = b"k" * 24
START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
RULES = """
name: t
version: "1"
rules:
  - {id: back, kind: task, due_hours: 24, speaker: customer, priority: 10, title: {en: Call back}, text: {en: x},
     reason: {en: r}, phrases: {en: [call me back]}}
  - {id: crm, kind: webhook, webhook: crm, speaker: customer, priority: 10, title: {en: t}, text: {en: x},
     reason: {en: r}, phrases: {en: [call me back]}}
"""
ANGRY = Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.8, confidence=0.8)


class Receiver(ThreadingHTTPServer):
    """Answers 500 at first, and is content with the second."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.letters: list[tuple[dict[str, str], bytes]] = []
        self.begun, self.content = threading.Event(), threading.Event()


class Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.letters.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(500 if len(self.server.letters) == 1 else 204)
        self.send_header("content-length", "0")
        self.end_headers()
        self.server.begun.set()
        if len(self.server.letters) > 1:
            self.server.content.set()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def final(number: int, start_s: int, end_s: int, text: str, channel: Channel = Channel.CUSTOMER) -> Final:
    said = Utterance(
        id=f"c:{channel}:{start_s * 1000}",
        channel=channel,
        number=number,
        start_ms=start_s * 1000,
        end_ms=end_s * 1000,
        text=text,
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=ANGRY if channel is Channel.CUSTOMER else None,
        loudness_dbfs=None,
    )
    return Final(call_id="c", utterance=said)


CALL: list[Event] = [
    CallStarted(call_id="c", at=START, protocol="test", agent_id="anna", attributes={"order_no": "44217"}),
    final(0, 0, 60, "How do I reset the router?"),
    final(0, 61, 64, "May I have your order number?", Channel.AGENT),
    final(1, 65, 90, "No. Call me back tomorrow."),
    CallEnded(call_id="c", duration_ms=95_000, reason="hangup"),
]


async def publish(broker: str, events: list[Event]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for event in events:
            await producer.send_and_wait("call.events", encode(event), key=b"c")


async def listen(api: str, token: str, kinds: dict[str, Any], wanted: set[str]) -> None:
    """Until all of these have come; the first of each kind is kept."""
    url = f"{api.replace('http', 'ws', 1)}/v1/live?call=c"
    async with websockets.connect(url, subprotocols=["warmline.v1", f"token.{token}"]) as socket:
        while not wanted <= set(kinds):
            message = json.loads(await socket.recv())
            kinds.setdefault(message["kind"], message["data"])


async def known(api: str, token: str) -> None:
    """Wait until the call has begun."""
    async with httpx.AsyncClient(base_url=api, headers={"authorization": f"Bearer {token}"}) as client:
        while (answer := await client.get("/v1/calls/c")).status_code != 200:
            assert answer.status_code == 404, answer.text
            await asyncio.sleep(0.1)


async def test_what_follows_from_a_call_reaches_the_agent_the_store_and_another_program(
    start: Any, tmp_path: Path, receiver: Receiver
) -> None:
    home, rules, file = tmp_path / "home", tmp_path / "rules", tmp_path / "receivers.yaml"
    home.mkdir()
    rules.mkdir()
    (rules / "rules.yaml").write_text(RULES)
    url = f"http://127.0.0.1:{receiver.server_address[1]}/"
    file.write_text(f"receivers: [{{name: crm, url: '{url}', secrets: [{{env: WARMLINE_CRM_SECRET}}]}}]")
    store = CallStore(f"sqlite:///{home / 'warmline.db'}")
    store.upgrade()
    store.close()
    base = KnowledgeBase(f"sqlite:///{home / 'warmline.db'}")
    body = "Hold the button for ten seconds to reset the router."
    base.draft([Node(kind=NodeKind.ARTICLE, key="router", title="How to reset the router", language="en", body=body)])
    base.publish()
    base.close()
    secret = "whsec_" + base64.b64encode(KEY).decode()
    program = await start(
        recogniser="none", emotion="rules", playbook=str(rules), receivers=str(file), crm_secret=secret
    )
    api, anna, boss = (
        program.addresses["api"], await program.grant("agent", "anna"), await program.grant("supervisor", "boss"),
    )  # fmt: skip
    of_agent: dict[str, Any] = {}
    of_boss: dict[str, Any] = {}
    await publish(program.addresses["broker"], CALL[:1])
    async with asyncio.timeout(60):
        await known(api, anna)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(listen(api, anna, of_agent, {"article", "hint", "card", "ended", "break"}))
        group.create_task(listen(api, boss, of_boss, {"article", "hint", "card", "ended"}))
        await asyncio.sleep(0.5)
        # The end comes twice, as after a worker's death: nothing follows twice from it.
        await publish(program.addresses["broker"], [*CALL[1:], CALL[-1]])
    assert (of_agent["article"]["key"], of_agent["hint"]["text"]) == ("router", "already known: order no.")
    assert of_agent["break"]["exposure_ms"] == 85_000
    assert "break" not in of_boss
    # It has answered 500, or is about to: whoever sends again is another.
    assert await asyncio.to_thread(receiver.begun.wait, 60)
    program.kill("assist")
    assert await asyncio.to_thread(receiver.content.wait, 90)
    (first, body_), (again, body_again) = receiver.letters
    assert (first["webhook-id"], body_) == (again["webhook-id"], body_again)
    signed = f"{again['webhook-id']}.{again['webhook-timestamp']}.".encode() + body_again
    assert again["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert json.loads(body_)["data"]["rule"] == "crm"
    async with httpx.AsyncClient(base_url=api, headers={"authorization": f"Bearer {anna}"}) as client:
        (task,) = (await client.get("/v1/tasks")).json()["tasks"]
        due = START + timedelta(seconds=90, hours=24)
        assert (task["rule"], datetime.fromisoformat(task["due_at"])) == ("back", due)
        done = await client.put(f"/v1/tasks/{task['id']}", json={"state": "done", "version": 1})
        assert done.json()["by"] == "anna"
        record = (await client.get("/v1/calls/c")).json()
        assert record["attributes"] == {"order_no": "44217"}
        assert ([one["key"] for one in record["articles"]], len(record["hints"])) == (["router"], 1)
