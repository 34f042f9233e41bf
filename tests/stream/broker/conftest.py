"""Brokers to test against, and batches to feed them."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from stream.broker.server import BrokerPolicy, serve
policy = BrokerPolicy(Path(sys.argv[1]), port=int(sys.argv[2]), maintain_every_s=0.3)
asyncio.run(serve(policy, ready=lambda port: print(f"port {port}", flush=True)))
"""


class EmbeddedBroker:
    """Our broker as a child process, on the same port whenever it is started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.log = directory.with_suffix(".log")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(self.directory), str(self.port)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert self._process.stdout is not None
            for line in self._process.stdout:
                log.write(line)
                if line.startswith("port "):
                    self.port = int(line.split()[1])
                    return
        raise AssertionError(self.log.read_text())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it, wait for its end, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        assert process.stdout is not None
        rest = process.stdout.read()
        process.stdout.close()
        with self.log.open("a") as log:
            log.write(rest)
        return process.wait(timeout=10)


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path_factory.mktemp("shared") / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker of the test's own, to be killed and started again."""
    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop(signal.SIGKILL)


@pytest.fixture(
    params=[
        pytest.param("embedded", marks=pytest.mark.broker),
        pytest.param("kafka", marks=pytest.mark.kafka),
    ]
)
def address(request: pytest.FixtureRequest) -> str:
    """Bootstrap address of our broker, and of Apache Kafka: what is tested on it must hold for both."""
    if request.param == "embedded":
        broker: EmbeddedBroker = request.getfixturevalue("_shared")
        return broker.address
    found = os.environ.get("WARMLINE_TEST_KAFKA")
    if not found:
        pytest.fail("expected the address of Apache Kafka in WARMLINE_TEST_KAFKA: see kafka/start.sh")
    return found


@pytest.fixture
def topic() -> str:
    """A name that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}"


Pair = tuple[bytes | None, bytes | None]
MakeBatch = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_batch() -> MakeBatch:
    """Build a batch as a client would, from pairs of key and value."""

    def make(
        pairs: Sequence[Pair],
        *,
        at_ms: int = 1_000,
        producer: int = -1,
        epoch: int = -1,
        sequence: int = -1,
        codec: int = 0,
    ) -> bytes:
        builder = DefaultRecordBatchBuilder(
            magic=2, compression_type=codec, is_transactional=0, producer_id=producer, producer_epoch=epoch,
            base_sequence=sequence, batch_size=1 << 24,
        )  # fmt: skip
        for number, (key, value) in enumerate(pairs):
            assert builder.append(number, at_ms, key, value, []) is not None
        return bytes(builder.build())

    return make
