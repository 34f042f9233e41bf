"""The whole program as child processes, and somebody who watches its live channel."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import soundfile
import websockets

WARMLINE = str(Path(sys.executable).with_name("warmline"))


@dataclass
class Program:
    """A running ``warmline up``."""

    process: asyncio.subprocess.Process
    home: Path
    addresses: dict[str, Any]
    killed: bool = False
    """By the test itself: then it ends with no code of its own."""

    def child(self, role: str) -> psutil.Process:
        for process in psutil.Process(self.process.pid).children():
            if role in process.cmdline():
                return process
        raise LookupError(role)

    def kill(self, role: str) -> None:
        self.child(role).send_signal(signal.SIGKILL)

    async def play(self, path: Path, call_id: str, speed: float, *options: str) -> None:
        player = await asyncio.create_subprocess_exec(
            WARMLINE, "play", str(path), "--home", str(self.home), "--call-id", call_id,
            "--speed", str(speed), "--json", *options,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await player.communicate()
        assert player.returncode == 0, err.decode()
        assert json.loads(out) == {"call_id": call_id}

    async def grant(self, role: str, name: str) -> str:
        """A pass."""
        headers = {"authorization": f"Bearer {self.addresses['token']}"}
        async with httpx.AsyncClient(base_url=self.addresses["api"], headers=headers) as client:
            answer = await client.post("/v1/passes", json={"role": role, "name": name})
        answer.raise_for_status()
        return str(answer.json()["token"])

    async def recording(self, call_id: str) -> Any:
        """The sound of a call that has ended, shape (n, 2); waits until it is whole."""
        headers = {"authorization": f"Bearer {self.addresses['token']}"}
        async with httpx.AsyncClient(base_url=self.addresses["api"], headers=headers) as client, asyncio.timeout(60):
            while (answer := await client.get(f"/v1/calls/{call_id}/recording")).status_code != 200:
                assert answer.status_code in {404, 409}, answer.text
                await asyncio.sleep(0.5)
        return soundfile.read(io.BytesIO(answer.content), dtype="int16", always_2d=True)[0]


@asynccontextmanager
async def running(home: Path, *options: str, **settings: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        WARMLINE, "up", "--json", "--port", "0", "--home", str(home), *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {f"WARMLINE_{name.upper()}": value for name, value in settings.items()},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    line = await asyncio.wait_for(process.stdout.readline(), 120)
    if not line:
        pytest.fail(f"warmline up ended: {(await said).decode()}")
    family = psutil.Process(process.pid).children(recursive=True)
    program = Program(process, home, json.loads(line))
    try:
        yield program
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 60)
        await said
    left = [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not left, f"still running: {left}"
    assert process.returncode == 0 or program.killed, (await said).decode()


Start = Callable[..., Any]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start programs; all are stopped, and must have left nothing running, at the end of the test."""
    async with AsyncExitStack() as stack:

        async def begin(*options: str, **settings: str) -> Program:
            return await stack.enter_async_context(running(tmp_path / "home", *options, **settings))

        yield begin


@dataclass
class Watcher:
    """Follows a call on the live channel, and comes again where the connection breaks, as a page does."""

    finals: dict[str, dict[str, Any]] = field(default_factory=dict)
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    partials: int = 0
    risks: list[dict[str, Any]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    connections: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    epoch: str = ""
    seq: int = 0
    over: bool = False

    async def follow(self, program: Program, call_id: str) -> None:
        base = program.addresses["api"].replace("http", "ws", 1)
        token = program.addresses["token"]
        while not self.ended.is_set():
            url = f"{base}/v1/live?call={call_id}&epoch={self.epoch}&after={self.seq}"
            try:
                async with websockets.connect(
                    url, subprotocols=["warmline.v1", f"token.{token}"], max_size=None
                ) as socket:
                    self.connections += 1
                    while not self.ended.is_set():
                        try:
                            # After the end of the call, what follows from it comes within a moment.
                            text = await asyncio.wait_for(socket.recv(), 3 if self.over else None)
                        except TimeoutError:
                            self.ended.set()
                        else:
                            self.take(json.loads(text))
            except (websockets.WebSocketException, OSError):
                pass
            await asyncio.sleep(0.1)

    def take(self, message: dict[str, Any]) -> None:
        kind, data = message["kind"], message.get("data")
        if kind == "ping":
            return
        self.epoch, self.seq = message.get("epoch", ""), message.get("seq", 0)
        match kind:
            case "snapshot":
                self.finals = {u["id"]: u for u in data["utterances"]}
                self.cards = {c["id"]: c for c in data["cards"] if not c.get("provisional")}
                self.over = data["status"] != "live"
            case "final":
                utterance = data["utterance"]
                if utterance["id"] in self.finals:
                    self.twice.append(utterance["id"])
                self.finals[utterance["id"]] = utterance
            # What is shown early may be withdrawn; what is advised for good comes once.
            case "card" if not data.get("provisional"):
                if data["id"] in self.cards:
                    self.twice.append(data["id"])
                self.cards[data["id"]] = data
            case "partial":
                self.partials += 1
            case "risk":
                self.risks.append(data)
            case "ended":
                self.over = True


@pytest.fixture
def make_watcher() -> type[Watcher]:
    return Watcher


@pytest.fixture(scope="session")
def analyze(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """What ``warmline analyze`` says of a recording, its ids as if the call had this id; each is analyzed once."""
    home = tmp_path_factory.mktemp("offline")

    @cache
    def said(path: Path, recogniser: str) -> str:
        return subprocess.run(
            [WARMLINE, "analyze", str(path), "--home", str(home), "--json"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"WARMLINE_RECOGNISER": recogniser},
        ).stdout

    def analyzed(path: Path, call_id: str, recogniser: str = "whisper") -> dict[str, Any]:
        return json.loads(said(path, recogniser).replace(path.stem, call_id))

    return analyzed


class KafkaNode:
    """One node of a cluster of three, to be killed and started again."""

    def __init__(self, number: int) -> None:
        self._home = Path(__file__).parents[2] / ".kafka" / "nodes" / "3" / str(number)
        self._pid = self._home / "pid"
        self._command = psutil.Process(int(self._pid.read_text())).cmdline()

    def kill(self) -> None:
        os.kill(int(self._pid.read_text()), signal.SIGKILL)

    def revive(self) -> None:
        with (self._home / "server.log").open("ab") as log:
            process = subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True)
        self._pid.write_text(str(process.pid))
        # Its death is init's affair: the node outlives the test.
        process.returncode = 0


@pytest.fixture
def kafka_node() -> KafkaNode:
    return KafkaNode(2)
