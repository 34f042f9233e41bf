"""What the tests of the telephone doors share."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest


class TwilioCaller:
    """Words of Twilio's side of a stream, numbered as Twilio does."""

    def __init__(self, call_id: str = "CA1") -> None:
        self.call_id = call_id
        self.number = 1

    def connected(self) -> str:
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self, parameters: dict[str, Any] | None = None, **changes: Any) -> str:
        start = {
            "streamSid": "MZ1",
            "accountSid": "AC1",
            "callSid": self.call_id,
            "tracks": ["inbound", "outbound"],
            "customParameters": parameters or {},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        } | changes
        return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start})

    def media(self, at_ms: Any, audio: bytes = bytes(160), track: str = "inbound", **changes: Any) -> str:
        self.number += 1
        media = {
            "track": track,
            "chunk": "1",
            "timestamp": str(at_ms),
            "payload": base64.b64encode(audio).decode(),
        } | changes
        return self.event("media", media=media)

    def event(self, event: str, **parts: Any) -> str:
        return json.dumps({"event": event, "sequenceNumber": str(self.number), "streamSid": "MZ1"} | parts)

    def stop(self) -> str:
        self.number += 1
        return self.event("stop", stop={"accountSid": "AC1", "callSid": self.call_id})


@pytest.fixture
def caller() -> TwilioCaller:
    return TwilioCaller()


@pytest.fixture
def call() -> Callable[[str], TwilioCaller]:
    """Callers by the id of their call."""
    return TwilioCaller
