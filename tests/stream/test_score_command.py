"""``warmline score``: on a file of turns, and on a call that a gateway knows."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from agent_assist.call.record import empty
from agent_assist.call.scores import Scores
from audio.types import Channel
from models.types import Utterance
from stream.cli import app

SAID = Utterance(
    id="c 1:customer:0",
    channel=Channel.CUSTOMER,
    number=0,
    start_ms=0,
    end_ms=30_000,
    text="thank you very much indeed",
    language="en",
    confidence=1.0,
    words=(),
    sentiment=0.8,
    emotion=None,
    loudness_dbfs=None,
)


@pytest.fixture
def gateway() -> Iterator[str]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/v1/calls/c%201" and self.headers["Authorization"] == "Bearer t"
            self.send_response(200 if known else 404)
            self.end_headers()
            if known:
                self.wfile.write(msgspec.json.encode(msgspec.structs.replace(empty("c 1"), utterances=(SAID,))))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_scored_as_json_and_as_a_table(data: Path) -> None:
    file = str(data / "turns_contact_lens.json")
    result = CliRunner().invoke(app, ["score", file, "--json"])
    found = msgspec.json.decode(result.stdout, type=Scores)
    assert found.speakers[Channel.CUSTOMER].overall == 3.1
    assert json.loads(result.stdout)["speakers"]["agent"]["words_per_minute"] == 239
    shown = CliRunner().invoke(app, ["score", file, "--profile", "contact_lens"]).stdout
    assert shown.split("\n")[0] == "contact_lens, -5 to +5"
    [customer] = [line.split() for line in shown.splitlines() if line.startswith("customer")]
    assert customer == ["customer", "-2.5", "+5", "+5", "+5", "+3.1", "13.6", "163"]


def test_a_call_that_the_gateway_knows_is_scored(gateway: str) -> None:
    result = CliRunner().invoke(app, ["score", "--call", "c 1", "--url", gateway, "--token", "t", "--json"])
    found = msgspec.json.decode(result.stdout, type=Scores)
    assert found.speakers[Channel.CUSTOMER].overall == 1.3
    assert found.speakers[Channel.CUSTOMER].words_per_minute == 10


def test_a_file_and_a_call_at_once_are_a_wrong_use(data: Path) -> None:
    file = str(data / "turns_contact_lens.json")
    assert CliRunner().invoke(app, ["score"]).exit_code == 2
    assert CliRunner().invoke(app, ["score", file, "--call", "c"]).exit_code == 2
