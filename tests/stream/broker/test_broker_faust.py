"""A Faust worker on the embedded broker, both killed in turn."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from confluent_kafka import Producer

pytestmark = pytest.mark.broker

_WORKER = """
import sys, faust
app = faust.App("app", broker="kafka://" + sys.argv[1], store="memory://", datadir=sys.argv[2], web_enabled=False,
    topic_partitions=4, topic_disable_leader=True, broker_session_timeout=6.0, broker_heartbeat_interval=1.5,
    broker_commit_interval=0.2, consumer_auto_offset_reset="earliest", producer_acks=-1, stream_wait_empty=False)
def topic(name):
    return app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw",
                     partitions=4)
numbers, marked = topic("numbers"), topic("marked")
total = app.Table("total", partitions=4, default=int, key_type=str, value_type=int)
def say(*words):
    # Faust's banner ends without a line break.
    sys.__stdout__.write("\\n" + " ".join(map(str, words)) + "\\n")
    sys.__stdout__.flush()
@app.agent(numbers, concurrency=1)
async def add(stream):
    async for event in stream.events():
        key, number = event.key.decode(), int(event.value)
        if number > total[key]:
            total[key] = number
        await marked.send(key=event.key, value=event.value)
        say("total", key, total[key])
@app.agent(marked, concurrency=1)
async def hold(stream):
    held = set()
    async for event in stream.noack().events():
        say("marked", event.key.decode(), event.value.decode())
        if int(event.value) == 777:
            held.add(event.message.partition)
        # Faust 0.15.3 commits past a single message that is held when a later one is acknowledged: so in order.
        if event.message.partition not in held:
            event.ack()
faust.Worker(app, loglevel="warning", redirect_stdouts=False).execute_from_commandline()
"""


class EmbeddedBroker(Protocol):
    """The fixture, as far as it is used here."""

    address: str

    def start(self) -> None: ...
    def stop(self, number: int = ...) -> int: ...


class Worker:
    """A worker's process, and what it said."""

    def __init__(self, address: str, directory: Path) -> None:
        directory.mkdir()
        self._log = (directory / "log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _WORKER, address, str(directory)],
            stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.strip())

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


def wait(condition: Callable[[], bool], timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def send(address: str, numbers: range) -> None:
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "partitioner": "murmur2_random"})
    for number in numbers:
        producer.produce("numbers", b"%d" % number, key=b"k%d" % (number % 5))
    assert producer.flush(20) == 0


def marked(worker: Worker) -> set[int]:
    return {int(line.split()[2]) for line in worker.said if line.startswith("marked")}


def test_a_worker_lives_through_the_brokers_death_and_its_successor_takes_up_where_it_stopped(
    embedded: EmbeddedBroker, tmp_path: Path
) -> None:
    first = Worker(embedded.address, tmp_path / "first")
    try:
        send(embedded.address, range(1, 101))
        wait(lambda: marked(first) == set(range(1, 101)), 40)
        embedded.stop(9)
        time.sleep(1.0)
        embedded.start()
        send(embedded.address, range(101, 201))
        wait(lambda: marked(first) == set(range(1, 201)), 40)
        assert first.alive
        # 777 is held open, and with it what follows on its partition.
        send(embedded.address, range(770, 790))
        wait(lambda: marked(first) >= set(range(770, 790)), 20)
        time.sleep(1.0)
    finally:
        first.kill()
    embedded.stop(9)
    embedded.start()
    second = Worker(embedded.address, tmp_path / "second")
    try:
        same_key = {number for number in range(770, 790) if number % 5 == 777 % 5 and number >= 777}
        wait(lambda: marked(second) >= same_key, 40)
        assert not marked(second) & set(range(1, 201)), "what was committed comes no more"
        # The table was read back: smaller numbers do not change it.
        send(embedded.address, range(1, 6))
        wait(lambda: {f"total k{n % 5} {n}" for n in range(785, 790)} <= set(second.said), 20)
    finally:
        second.kill()
