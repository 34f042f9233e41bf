"""What must hold for the embedded broker and for Apache Kafka alike, asked by two independent clients."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from struct import pack

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OffsetOutOfRangeError
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer
from confluent_kafka import TopicPartition as NativePartition
from confluent_kafka.admin import AdminClient

from stream.broker import wire
from stream.broker.wire import Reader

Rows = list[tuple[int, bytes | None, bytes | None]]
MakeBatch = Callable[..., bytes]
KIB = 1 << 10


@pytest.fixture
async def admin(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=address)
    await client.start()
    yield client
    await client.close()


async def create(admin: AIOKafkaAdminClient, topic: str, partitions: int = 1, **config: str) -> None:
    named = {name.replace("_", "."): value for name, value in config.items()}
    answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=named)])
    assert [code for _, code, *_ in answer.topic_errors] == [0]


async def write(
    address: str, topic: str, rows: list[tuple[bytes | None, bytes | None]], **options: object
) -> list[int]:
    """Write rows to partition 0 with aiokafka, many to a batch; return their offsets."""
    async with AIOKafkaProducer(bootstrap_servers=address, linger_ms=5, **options) as producer:
        futures = [await producer.send(topic, value, key=key, partition=0) for key, value in rows]
        return [(await future).offset for future in futures]


async def read(address: str, topic: str, count: int, offset: int = 0) -> Rows:
    """Read partition 0 with aiokafka until there are so many records, or none for 2 seconds."""
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="none", fetch_max_wait_ms=200) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, offset)
        rows: Rows = []
        while len(rows) < count:
            got = await consumer.getmany(timeout_ms=2_000)
            if not got:
                break
            rows += [(r.offset, r.key, r.value) for records in got.values() for r in records]
        return rows


async def offsets(address: str, topic: str) -> tuple[int, int]:
    """First and next offset of partition 0."""
    async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:
        partition = TopicPartition(topic, 0)
        first = (await consumer.beginning_offsets([partition]))[partition]
        return first, (await consumer.end_offsets([partition]))[partition]


def write_native(
    address: str, topic: str, rows: list[tuple[bytes | None, bytes | None]], **options: object
) -> list[int]:
    """Write rows to partition 0 with librdkafka; return their offsets."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 5, **options})
    written: list[int] = []

    def note(error: object, message: Message) -> None:
        assert error is None, error
        written.append(message.offset() or 0)

    for key, value in rows:
        producer.produce(topic, value, key=key, partition=0, on_delivery=note)
    assert producer.flush(20) == 0
    return written


def read_native(address: str, topic: str, count: int) -> Rows:
    """Read partition 0 from its start with librdkafka, until there are so many records or none for 2 seconds."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reads-alone", "enable.auto.commit": False})
    consumer.assign([NativePartition(topic, 0, OFFSET_BEGINNING)])
    rows: Rows = []
    while len(rows) < count:
        message = consumer.poll(2.0)
        if message is None:
            break
        assert message.error() is None, message.error()
        rows.append((message.offset() or 0, message.key(), message.value()))
    consumer.close()
    return rows


@pytest.mark.parametrize("codec", [None, "gzip", "lz4", "zstd", "snappy"])
async def test_what_librdkafka_writes_both_clients_read(
    address: str, admin: AIOKafkaAdminClient, topic: str, codec: str | None
) -> None:
    await create(admin, topic)
    rows = [(b"k%d" % n, None if n % 10 == 0 else b"v" * n) for n in range(200)]
    written = await asyncio.to_thread(
        write_native, address, topic, rows, **{"enable.idempotence": True, "compression.type": codec or "none"}
    )
    expected = [(n, *row) for n, row in enumerate(rows)]
    assert written == list(range(200))
    assert await asyncio.to_thread(read_native, address, topic, 200) == expected
    if codec in {None, "gzip"}:
        assert await read(address, topic, 200) == expected


@pytest.mark.parametrize(
    "options", [{}, {"acks": "all", "enable_idempotence": True}, {"compression_type": "gzip"}, {"acks": 0}]
)
async def test_what_aiokafka_writes_both_clients_read(
    address: str, admin: AIOKafkaAdminClient, topic: str, options: dict[str, object]
) -> None:
    await create(admin, topic)
    rows = [(b"k%d" % n, b"v" * n) for n in range(200)]
    if options.get("acks") == 0:
        async with AIOKafkaProducer(bootstrap_servers=address, acks=0) as producer:
            for key, value in rows:
                await producer.send(topic, value, key=key, partition=0)
    else:
        assert await write(address, topic, rows, **options) == list(range(200))
    expected = [(n, *row) for n, row in enumerate(rows)]
    assert await read(address, topic, 200) == expected
    assert await asyncio.to_thread(read_native, address, topic, 200) == expected


async def test_the_latest_offset_is_past_the_last_record_also_of_a_large_batch(
    address: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    await create(admin, topic)
    assert await offsets(address, topic) == (0, 0)
    await write(address, topic, [(b"k", b"v")] * 137)
    assert await offsets(address, topic) == (0, 137)
    assert await read(address, topic, 1, offset=136) == [(136, b"k", b"v")]


async def test_records_of_900_kilobytes_pass(address: str, admin: AIOKafkaAdminClient, topic: str) -> None:
    await create(admin, topic)
    rows: list[tuple[bytes | None, bytes | None]] = [(b"k", bytes([n]) * 900 * KIB) for n in range(4)]
    await write(address, topic, rows, max_request_size=1_000 * KIB)
    assert await read(address, topic, 4) == [(n, *row) for n, row in enumerate(rows)]


async def test_an_offset_is_found_by_time(address: str, admin: AIOKafkaAdminClient, topic: str) -> None:
    await create(admin, topic)
    now_ms = round(time.time() * 1_000)
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for n in range(10):
            await producer.send_and_wait(topic, b"v", partition=0, timestamp_ms=now_ms + 100 * n)
    async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:
        partition = TopicPartition(topic, 0)
        found = await consumer.offsets_for_times({partition: now_ms + 450})
        assert (found[partition].offset, found[partition].timestamp) == (5, now_ms + 500)
        assert await consumer.offsets_for_times({partition: now_ms + 5_000}) == {partition: None}


async def test_a_fetch_that_waits_is_woken_by_a_record(address: str, admin: AIOKafkaAdminClient, topic: str) -> None:
    await create(admin, topic)
    async with (
        AIOKafkaProducer(bootstrap_servers=address) as producer,
        AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", fetch_max_wait_ms=20_000) as consumer,
    ):
        consumer.assign([TopicPartition(topic, 0)])
        await producer.send_and_wait(topic, b"first", partition=0)
        assert (await asyncio.wait_for(consumer.getone(), 10)).value == b"first"
        await asyncio.sleep(1.0)
        began = time.monotonic()
        await producer.send_and_wait(topic, b"second", partition=0)
        assert (await asyncio.wait_for(consumer.getone(), 10)).value == b"second"
        assert time.monotonic() - began < 1.0


async def test_a_topic_that_does_not_exist_is_told_as_such(address: str, topic: str) -> None:
    consumer = Consumer({"bootstrap.servers": address, "group.id": topic, "allow.auto.create.topics": False})
    described = await asyncio.to_thread(consumer.list_topics, topic, 5)
    assert "UNKNOWN_TOPIC" in str(described.topics[topic].error)
    consumer.close()
    others = await asyncio.to_thread(AdminClient({"bootstrap.servers": address}).list_topics, timeout=5)
    assert topic not in others.topics
    client = await RawClient.connect(address)
    answer = await client.ask(3, 1, wire.array([wire.string("no/slashes")]))
    await client.close()
    answer.array(lambda r: (r.int32(), r.string(), r.int32(), r.nullable_string()))
    answer.int32()
    assert answer.array(lambda r: (r.int16(), r.string(), r.int8(), r.int32())) == [(17, "no/slashes", 0, 0)]


async def test_a_topic_is_created_once_described_and_deleted_with_its_records(
    address: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    await create(admin, topic, 3, retention_ms="123456")
    again = await admin.create_topics([NewTopic(topic, 3, 1)])
    assert again.topic_errors[0][1] == 36
    bad_name = await admin.create_topics([NewTopic("no/slashes", 1, 1)])
    assert bad_name.topic_errors[0][1] == 17
    too_many = await admin.create_topics([NewTopic(topic + "-3", 1, 3)])
    assert too_many.topic_errors[0][1] == 38
    bad_config = await admin.create_topics([NewTopic(topic + "-c", 1, 1, topic_configs={"retention.ms": "soon"})])
    assert bad_config.topic_errors[0][1] == 40
    (described,) = await admin.describe_topics([topic])
    assert len(described["partitions"]) == 3
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    entries = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert entries["retention.ms"] == "123456"
    await write(address, topic, [(b"k", b"v")] * 5)
    await admin.delete_topics([topic])
    for _ in range(50):
        if topic not in await admin.list_topics():
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    await create(admin, topic)
    assert await offsets(address, topic) == (0, 0)


async def test_a_batch_over_the_topics_limit_is_refused(address: str, admin: AIOKafkaAdminClient, topic: str) -> None:
    await create(admin, topic, max_message_bytes="2000")
    with pytest.raises(MessageSizeTooLargeError):
        await write(address, topic, [(b"k", b"v" * 3_000)])
    assert await write(address, topic, [(b"k", b"v" * 1_000)]) == [0]


async def test_a_compacted_topic_refuses_records_without_a_key(
    address: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    await create(admin, topic, cleanup_policy="compact")
    with pytest.raises(KafkaError):
        await write(address, topic, [(None, b"v")])
    assert await offsets(address, topic) == (0, 0)


async def test_retention_moves_the_first_offset_and_a_purged_one_is_out_of_range(
    address: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    await create(admin, topic, retention_bytes=str(2_048 * KIB), segment_bytes=str(1_024 * KIB))
    await write(address, topic, [(b"k", b"v" * 10 * KIB)] * 800, max_batch_size=64 * KIB)
    for _ in range(200):
        first, following = await offsets(address, topic)
        assert following == 800
        # Kafka keeps up to a segment more than the limit, ours as much less.
        if first >= 800 - 330:
            break
        await asyncio.sleep(0.1)
    assert 800 - 330 <= first < 800
    assert (await read(address, topic, 1, offset=first))[0][0] == first
    with pytest.raises(OffsetOutOfRangeError):
        await read(address, topic, 1, offset=0)


async def test_compaction_keeps_the_last_value_of_a_key_and_drops_what_was_deleted(
    address: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    await create(
        admin, topic, cleanup_policy="compact", segment_bytes=str(1_024 * KIB), min_cleanable_dirty_ratio="0.01",
        delete_retention_ms="0",
    )  # fmt: skip
    rows: list[tuple[bytes | None, bytes | None]] = [(b"gone", b"v"), (b"gone", None), (b"stays", b"old")]
    rows += [(b"k%d" % (n % 10), b"v" * 10 * KIB) for n in range(300)]
    await write(address, topic, [*rows, (b"stays", b"new")], max_batch_size=32 * KIB)
    for _ in range(60):
        # Kafka forgets a tombstone in the second cleaning, and only if there is something new to clean.
        await write(address, topic, [(b"k1", b"v" * 10 * KIB)] * 120, max_batch_size=32 * KIB)
        _, following = await offsets(address, topic)
        found = await read(address, topic, 100_000)
        # Its last value may lie in the segment that is being written, which no cleaning looks at yet.
        stays = [value for _, key, value in found if key == b"stays"]
        if len(found) < 250 and b"gone" not in {key for _, key, _ in found} and stays == [b"new"]:
            break
    assert len(found) < 250
    assert found[-1][0] == following - 1
    assert {key for _, key, _ in found} == {b"stays", *(b"k%d" % n for n in range(10))}
    assert stays == [b"new"]
    # Another cleaning may have come between: what it must not change is the last value of each key.
    native = await asyncio.to_thread(read_native, address, topic, len(found))
    assert {key: value for _, key, value in native} == {key: value for _, key, value in found}


def _member(address: str, group: str, **options: object) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=address, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
        session_timeout_ms=6_000, heartbeat_interval_ms=500, fetch_max_wait_ms=200, **options,
    )  # fmt: skip


async def _until_shared(members: list[AIOKafkaConsumer], shares: list[int]) -> None:
    async with asyncio.timeout(20):
        while sorted(len(member.assignment()) for member in members) != shares:
            await asyncio.gather(*(member.getmany(timeout_ms=200) for member in members))


async def test_two_members_share_a_topic_and_the_second_takes_all_when_the_first_leaves(
    address: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    await create(admin, topic, 4)
    async with _member(address, topic) as first:
        first.subscribe([topic])
        await _until_shared([first], [4])
        async with _member(address, topic) as second:
            second.subscribe([topic])
            await _until_shared([first, second], [2, 2])
            assert not first.assignment() & second.assignment()
            groups = dict(await admin.list_consumer_groups())
            assert groups[topic] == "consumer"
        await _until_shared([first], [4])


async def test_clients_of_two_kinds_share_a_group(address: str, admin: AIOKafkaAdminClient, topic: str) -> None:
    await create(admin, topic, 4)
    native = Consumer(
        {
            "bootstrap.servers": address, "group.id": topic, "auto.offset.reset": "earliest",
            "session.timeout.ms": 6_000, "heartbeat.interval.ms": 500, "partition.assignment.strategy": "roundrobin",
        }
    )  # fmt: skip
    native.subscribe([topic])
    async with _member(address, topic) as first:
        first.subscribe([topic])
        async with asyncio.timeout(20):
            while len(first.assignment()) != 2 or len(native.assignment()) != 2:
                await first.getmany(timeout_ms=200)
                await asyncio.to_thread(native.poll, 0.1)
        theirs = {partition.partition for partition in native.assignment()}
        assert theirs | {partition.partition for partition in first.assignment()} == {0, 1, 2, 3}
    native.close()


async def test_committed_offsets_are_where_the_next_member_goes_on(
    address: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    await create(admin, topic)
    await write(address, topic, [(b"k", b"%d" % n) for n in range(10)])
    partition = TopicPartition(topic, 0)
    async with _member(address, topic) as first:
        first.subscribe([topic])
        for _ in range(4):
            await asyncio.wait_for(first.getone(), 10)
        await first.commit({partition: 4})
    committed = await admin.list_consumer_group_offsets(topic)
    assert committed[partition].offset == 4
    async with _member(address, topic) as second:
        second.subscribe([topic])
        assert (await asyncio.wait_for(second.getone(), 10)).value == b"4"
    native = Consumer({"bootstrap.servers": address, "group.id": topic})
    (known,) = await asyncio.to_thread(native.committed, [NativePartition(topic, 0)], 5)
    assert known.offset == 4
    native.close()


class RawClient:
    """A connection without a client library, for what no library would send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, address: str) -> "RawClient":
        host, _, port = address.split(",", maxsplit=1)[0].partition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, key: int, version: int, body: bytes) -> Reader:
        request = wire.int16(key) + wire.int16(version) + wire.int32(1) + wire.string("raw") + body
        self.writer.write(wire.int32(len(request)) + request)
        length = int.from_bytes(await self.reader.readexactly(4), "big")
        answer = Reader(await self.reader.readexactly(length), "answer")
        assert answer.int32() == 1
        return answer

    async def produce(self, topic: str, batch: bytes) -> tuple[int, int]:
        """Error code and base offset."""
        partition = wire.array([wire.int32(0) + wire.blob(batch)])
        body = wire.string(None) + wire.int16(-1) + wire.int32(5_000) + wire.array([wire.string(topic) + partition])
        answer = await self.ask(0, 5, body)
        ((_, ((_, code, base),)),) = answer.array(
            lambda r: (r.string(), r.array(lambda p: (p.int32(), p.int16(), (p.int64(), p.int64(), p.int64())[0])))
        )
        return code, base

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def test_a_batch_that_is_sent_twice_is_written_once(
    address: str, admin: AIOKafkaAdminClient, topic: str, make_batch: MakeBatch
) -> None:
    await create(admin, topic)
    now_ms = round(time.time() * 1_000)
    client = await RawClient.connect(address)
    answer = await client.ask(22, 0, wire.string(None) + wire.int32(1_000))
    assert (answer.int32(), answer.int16()) == (0, 0)
    producer = answer.int64()
    first, second, later = (
        make_batch([(b"k", b"%d" % n)] * 3, at_ms=now_ms, producer=producer, epoch=0, sequence=n) for n in (0, 3, 9)
    )
    assert await client.produce(topic, first) == (0, 0)
    assert await client.produce(topic, second) == (0, 3)
    assert await client.produce(topic, first) == (0, 0)
    assert await client.produce(topic, second) == (0, 3)
    assert (await client.produce(topic, later))[0] == 45
    assert await offsets(address, topic) == (0, 6)
    await client.close()


async def test_a_damaged_batch_is_refused(
    address: str, admin: AIOKafkaAdminClient, topic: str, make_batch: MakeBatch
) -> None:
    await create(admin, topic)
    client = await RawClient.connect(address)
    batch = make_batch([(b"k", b"v")], at_ms=round(time.time() * 1_000))
    assert (await client.produce(topic, batch[:-1] + b"\xff"))[0] == 2
    assert await client.produce(topic, batch) == (0, 0)
    await client.close()


@pytest.mark.parametrize(
    "sent",
    [
        pack(">i", 0x7FFFFFFF) + b"x" * 100,
        pack(">i", -5) + b"x" * 100,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        pack(">ihhi", 20, 999, 0, 1) + b"x" * 12,
        pack(">ihhih", 20, 3, 1, 1, -1) + b"\x7f\xff\xff\xff" + b"x" * 6,
    ],
)
async def test_garbage_costs_its_own_connection_alone(
    address: str, admin: AIOKafkaAdminClient, topic: str, sent: bytes
) -> None:
    await create(admin, topic)
    client, hostile = await RawClient.connect(address), await RawClient.connect(address)
    hostile.writer.write(sent)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(hostile.reader.read(1_000), 5) == b""
    hostile.writer.close()
    assert (await client.ask(18, 0, b"")).int16() == 0
    await client.close()


async def test_an_end_in_the_middle_of_a_request_harms_nobody(address: str) -> None:
    client = await RawClient.connect(address)
    client.writer.write(pack(">i", 1_000) + b"x" * 10)
    await client.writer.drain()
    await client.close()
    other = await RawClient.connect(address)
    assert (await other.ask(18, 0, b"")).int16() == 0
    await other.close()


async def test_a_native_producer_learns_that_a_topic_is_missing(address: str, topic: str) -> None:
    def send() -> None:
        producer = Producer({"bootstrap.servers": address, "message.timeout.ms": 3_000})
        failures: list[object] = []
        producer.produce(topic, b"v", partition=99, on_delivery=lambda error, _: failures.append(error))
        producer.flush(10)
        assert failures
        assert failures[0] is not None

    try:
        await asyncio.to_thread(send)
    except KafkaException as error:
        assert "UNKNOWN" in str(error)
