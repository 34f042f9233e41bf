"""What the tests of the telephone doors share."""

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from audio.telephony.server import CallStart, MediaPolicy, MediaServer
from audio.types import AudioRecord, Channel

TOKEN = "one-use-token"


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


class Ledger:
    """A sink that keeps what it is told; slow, full or broken on demand."""

    def __init__(self) -> None:
        self.started_calls: list[CallStart] = []
        self.records: dict[str, list[AudioRecord]] = defaultdict(list)
        self.ends: list[tuple[str, int, bool]] = []
        self.position = 0
        """Where the next stream continues its call, in milliseconds."""
        self.refusal: Exception | None = None
        self.fault: Exception | None = None
        self.open = asyncio.Event()
        """While it is not set, audio waits."""
        self.open.set()
        self.over = asyncio.Event()
        """Some call ended."""

    async def started(self, call: CallStart) -> int:
        if self.refusal is not None:
            raise self.refusal
        self.started_calls.append(call)
        return self.position

    async def audio(self, record: AudioRecord) -> None:
        await self.open.wait()
        if self.fault is not None and record.call_id == "broken":
            raise self.fault
        self.records[record.call_id].append(record)

    async def ended(self, call_id: str, duration_ms: int, clean: bool) -> None:
        self.ends.append((call_id, duration_ms, clean))
        self.over.set()

    async def end(self) -> tuple[str, int, bool]:
        """The next end of a call."""
        async with asyncio.timeout(5):
            await self.over.wait()
        self.over.clear()
        return self.ends[-1]

    def heard(self, call_id: str, channel: Channel) -> bytes:
        return b"".join(record.payload(channel) for record in self.records[call_id])


@pytest.fixture
def sink() -> Ledger:
    return Ledger()


@pytest.fixture
async def serve(sink: Ledger) -> AsyncIterator[Callable[..., Awaitable[tuple[MediaServer, str]]]]:
    """Start a server by its policy; it is closed after the test."""
    servers: list[MediaServer] = []

    async def start(**policy: Any) -> tuple[MediaServer, str]:
        server = MediaServer(sink, MediaPolicy(**{"token": TOKEN} | policy))
        port = await server.start()
        servers.append(server)
        return server, f"ws://127.0.0.1:{port}/v1/twilio"

    yield start
    sink.open.set()
    for server in servers:
        await server.close()


@pytest.fixture
def caller() -> TwilioCaller:
    return TwilioCaller()


@pytest.fixture
def call() -> Callable[[str], TwilioCaller]:
    """Callers by the id of their call."""
    return TwilioCaller
