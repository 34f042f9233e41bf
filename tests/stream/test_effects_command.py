"""``warmline calls effects`` against a gateway's answers."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from typer.testing import CliRunner

from agent_assist.call.record import NO_MEASURES, NO_RISK, summary
from agent_assist.types import CallRecord, Card, CardFeedback, CardKind, CurvePoint, FeedbackAction
from agent_assist.web.api import CallList
from stream.cli import app

START = datetime(2026, 1, 1, tzinfo=UTC)


def call(call_id: str, before: float, after: float) -> CallRecord:
    points = [
        CurvePoint(
            utterance_id=f"{call_id}:customer:{at_ms}",
            at_ms=at_ms,
            score=score,
            trend="steady",
            arousal=None,
            agitation=None,
        )
        for at_ms, score in ((10_000, before), (30_000, after))
    ]
    card = Card(
        id=f"{call_id}:matched_reply:u",
        call_id=call_id,
        rule="matched_reply",
        kind=CardKind.CARD,
        title="",
        text="",
        at_ms=10_000,
        utterance_id="u",
        priority=1,
        language="en",
        reason="",
    )
    used = CardFeedback(call_id=call_id, card_id=card.id, action=FeedbackAction.USED, at=START + timedelta(seconds=15))
    return CallRecord(
        call_id=call_id,
        duration_ms=40_000,
        utterances=(),
        cards=(card,),
        risk=NO_RISK,
        measures=NO_MEASURES,
        started_at=START,
        feedback=(used,),
        curve=tuple(points),
    )


@pytest.fixture
def gateway() -> Iterator[str]:
    """A gateway with two calls."""
    records = {record.call_id: record for record in (call("a/1", -3.0, 1.0), call("b", -2.0, 0.0))}
    lines = CallList(calls=[line for record in records.values() if (line := summary(record)) is not None], next=None)
    answers = {"/v1/calls?limit=200": msgspec.json.encode(lines)}
    answers |= {f"/v1/calls/{name.replace('/', '%2F')}": msgspec.json.encode(one) for name, one in records.items()}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers[self.path])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_effect_of_each_kind_over_the_calls_is_printed(gateway: str) -> None:
    result = CliRunner().invoke(app, ["calls", "effects", "--url", gateway, "--json"])
    assert result.exit_code == 0, result.output
    table = json.loads(result.stdout)
    [effect] = table["effects"]
    assert table["calls"] == 2
    assert (effect["kind"], effect["n"], effect["mean"], effect["few"]) == ("card:matched_reply", 2, 3.0, True)
    # Changes 4 and 2: standard error 1, t of one degree of freedom.
    assert effect["interval"] == [3 - 12.706, 3 + 12.706]


def test_for_a_person_few_are_marked(gateway: str) -> None:
    result = CliRunner().invoke(app, ["calls", "effects", "--url", gateway])
    assert result.exit_code == 0, result.output
    assert "card:matched_reply" in result.stdout
    assert "+3.0" in result.stdout
    assert "few" in result.stdout
