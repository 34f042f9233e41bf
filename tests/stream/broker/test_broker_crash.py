"""The embedded broker is killed and started again; nothing that it acknowledged is lost."""

import asyncio
import signal
import subprocess
import sys
import time
from typing import Protocol

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError
from confluent_kafka import Message, Producer

pytestmark = pytest.mark.broker


class EmbeddedBroker(Protocol):
    """The fixture, as far as it is used here."""

    address: str
    pid: int

    def start(self) -> None: ...
    def stop(self, number: int = ...) -> int: ...


async def create(address: str, topic: str, partitions: int = 1, **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    named = {name.replace("_", "."): value for name, value in config.items()}
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=named)])
    await admin.close()


async def read_values(address: str, topic: str) -> list[bytes]:
    """All of partition 0."""
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=address, fetch_max_wait_ms=200) as consumer:
        consumer.assign([partition])
        consumer.seek(partition, 0)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                values += [record.value or b"" for record in records]
        return values


async def test_a_broker_killed_under_an_aiokafka_producer_loses_and_doubles_nothing(embedded: EmbeddedBroker) -> None:
    await create(embedded.address, "t")
    sent = 0
    async with AIOKafkaProducer(
        bootstrap_servers=embedded.address, acks="all", enable_idempotence=True, retry_backoff_ms=50
    ) as producer:
        for kill in range(4):
            until = time.monotonic() + 0.5
            futures = []
            while time.monotonic() < until:
                futures.append(await producer.send("t", b"%d" % sent, partition=0))
                sent += 1
                if sent % 50 == 0:
                    await asyncio.sleep(0.001)
            if kill < 3:
                await asyncio.to_thread(embedded.stop, signal.SIGKILL)
                await asyncio.to_thread(embedded.start)
            await asyncio.wait_for(asyncio.gather(*futures), 30)
    assert sent > 500
    assert await read_values(embedded.address, "t") == [b"%d" % n for n in range(sent)]


async def test_a_broker_killed_under_a_native_producer_loses_and_doubles_nothing(embedded: EmbeddedBroker) -> None:
    await create(embedded.address, "t")
    errors: list[object] = []

    def note(error: object, _: Message) -> None:
        if error is not None:
            errors.append(error)

    def produce() -> None:
        producer = Producer(
            {
                "bootstrap.servers": embedded.address, "enable.idempotence": True, "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 200, "retry.backoff.ms": 50, "linger.ms": 1,
            }
        )  # fmt: skip
        for number in range(6_000):
            producer.produce("t", b"%d" % number, partition=0, on_delivery=note)
            producer.poll(0)
            if number % 2_000 == 1_000:
                embedded.stop(signal.SIGKILL)
                embedded.start()
            if number % 20 == 0:
                time.sleep(0.001)
        assert producer.flush(30) == 0

    await asyncio.to_thread(produce)
    assert errors == []
    assert await read_values(embedded.address, "t") == [b"%d" % n for n in range(6_000)]


async def test_topics_configs_and_committed_offsets_survive(embedded: EmbeddedBroker) -> None:
    await create(embedded.address, "t", 3, retention_ms="123456")
    async with AIOKafkaProducer(bootstrap_servers=embedded.address) as producer:
        for number in range(10):
            await producer.send_and_wait("t", b"%d" % number, partition=0)
    partition = TopicPartition("t", 0)
    async with AIOKafkaConsumer(
        "t", bootstrap_servers=embedded.address, group_id="g", auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        await asyncio.wait_for(consumer.getone(), 10)
        await consumer.commit({partition: 6})
        embedded.stop(signal.SIGKILL)
        embedded.start()
        # The member stays up: it is unknown to the new broker, joins again and commits.
        async with asyncio.timeout(20):
            while not any(r.value == b"9" for rs in (await consumer.getmany(timeout_ms=500)).values() for r in rs):
                pass
            while True:
                try:
                    await consumer.commit({partition: 9})
                    break
                except (CommitFailedError, IllegalGenerationError, UnknownMemberIdError, RebalanceInProgressError):
                    await asyncio.sleep(0.2)
    embedded.stop(signal.SIGKILL)
    embedded.start()
    admin = AIOKafkaAdminClient(bootstrap_servers=embedded.address)
    await admin.start()
    (described,) = await admin.describe_topics(["t"])
    assert len(described["partitions"]) == 3
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "t")])
    assert [entry[:2] for entry in answer.resources[0][4]] == [("retention.ms", "123456")]
    assert (await admin.list_consumer_group_offsets("g"))[partition].offset == 9
    await admin.close()


async def test_offsets_do_not_go_back_when_retention_emptied_a_partition_before_a_restart(
    embedded: EmbeddedBroker,
) -> None:
    await create(embedded.address, "t", retention_ms="500")
    partition = TopicPartition("t", 0)
    async with AIOKafkaProducer(bootstrap_servers=embedded.address) as producer:
        for _ in range(20):
            await producer.send_and_wait("t", b"v", partition=0)

    async def limits() -> tuple[int, int]:
        async with AIOKafkaConsumer(bootstrap_servers=embedded.address) as consumer:
            first = (await consumer.beginning_offsets([partition]))[partition]
            return first, (await consumer.end_offsets([partition]))[partition]

    async with asyncio.timeout(10):
        while await limits() != (20, 20):
            pass
    embedded.stop(signal.SIGKILL)
    embedded.start()
    assert await limits() == (20, 20)
    async with AIOKafkaProducer(bootstrap_servers=embedded.address) as producer:
        assert (await producer.send_and_wait("t", b"v", partition=0)).offset == 20


_MEMBER = """
import asyncio, sys
from aiokafka import AIOKafkaConsumer
async def main():
    async with AIOKafkaConsumer("t", bootstrap_servers=sys.argv[1], group_id="g", session_timeout_ms=2000,
                                heartbeat_interval_ms=300, fetch_max_wait_ms=200) as consumer:
        while True:
            await consumer.getmany(timeout_ms=200)
            print(len(consumer.assignment()), flush=True)
asyncio.run(main())
"""


async def test_a_member_that_is_killed_is_replaced_when_its_session_ends(embedded: EmbeddedBroker) -> None:
    await create(embedded.address, "t", 4)
    other = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", _MEMBER, embedded.address], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    try:
        async with AIOKafkaConsumer(
            "t", bootstrap_servers=embedded.address, group_id="g", session_timeout_ms=2_000, heartbeat_interval_ms=300,
            fetch_max_wait_ms=200,
        ) as consumer:  # fmt: skip
            async with asyncio.timeout(20):
                while len(consumer.assignment()) != 2:
                    await consumer.getmany(timeout_ms=100)
            other.kill()
            began = time.monotonic()
            async with asyncio.timeout(20):
                while len(consumer.assignment()) != 4:
                    await consumer.getmany(timeout_ms=100)
            assert 1.0 < time.monotonic() - began < 8.0
    finally:
        other.kill()
        other.stdout.close()
        other.wait()


async def test_it_ends_at_once_and_cleanly_with_clients_connected(embedded: EmbeddedBroker) -> None:
    await create(embedded.address, "t")
    consumer = AIOKafkaConsumer("t", bootstrap_servers=embedded.address, group_id="g", fetch_max_wait_ms=20_000)
    await consumer.start()
    began = time.monotonic()
    assert await asyncio.to_thread(embedded.stop) == 0
    assert time.monotonic() - began < 2.0
    embedded.start()
    await consumer.stop()


async def test_thousands_of_connections_and_large_promises_do_not_fill_its_memory(embedded: EmbeddedBroker) -> None:
    host, _, port = embedded.address.partition(":")

    def resident() -> int:
        return psutil.Process(embedded.pid).memory_info().rss

    before = resident()
    writers: list[asyncio.StreamWriter] = []
    for _ in range(700):
        _reader, writer = await asyncio.open_connection(host, int(port))
        writer.write((15 << 20).to_bytes(4, "big") + b"x" * 1_000)
        writers.append(writer)
    await asyncio.sleep(0.5)
    assert resident() - before < 64 << 20
    for writer in writers:
        writer.close()
    await asyncio.sleep(0.5)
    await create(embedded.address, "t")
    assert await read_values(embedded.address, "t") == []
