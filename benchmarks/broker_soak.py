"""
Does the embedded broker stay within its bounds over a day of calls?

A day is shrunken to ``--seconds``: records are written as fast as they are taken, and the retention of the audio topic
is made smaller by the same factor, so that as many retentions pass as in a day (48). What passes is not a day's volume:
the result says how many hours of calls it was. A group reads everything and commits. Resident memory of the broker's
process and bytes on disk are taken once a second. The broker looks once a second for what to drop, which at a retention
of 2.5 s adds to the disk what it would not add to one of half an hour. In the end it is killed; its return is timed.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.environment import environment

RESULT = Path(__file__).parent / "results" / "broker_soak.json"
CALLS = 40
"""At the same time."""
RECORDS_S = 5
"""Of a call: 200 ms each."""
RECORD_BYTES = 3_232
"""200 ms of two channels of 8 kHz mu-law, and a header."""
DAY_S = 86_400
PARTITIONS = 4
AUDIO_RETENTION_S = 1_800
"""As in stream/topics.py."""
CUSTOMERS = 2_000
"""Keys of the compacted topic."""

_BROKER = """
import asyncio, sys
from pathlib import Path
from stream.broker.server import BrokerPolicy, serve
asyncio.run(serve(BrokerPolicy(Path(sys.argv[1])), ready=lambda port: print(f"port {port}", flush=True)))
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """The broker at one moment."""

    second: float
    rss_mb: float
    disk_mb: float
    open_files: int
    records: int


def start(directory: Path, log: Path) -> tuple[subprocess.Popen[str], int, float]:
    """The broker's process, its port, and how long it took to be ready, in seconds."""
    began = time.monotonic()
    with log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", _BROKER, str(directory)], stdout=subprocess.PIPE, stderr=file, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if line.startswith("port "):
                return process, int(line.split()[1]), time.monotonic() - began
    raise SystemExit(log.read_text())


def disk_bytes(directory: Path) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue  # Dropped by the broker meanwhile.
    return total


async def create(address: str, seconds: float) -> None:
    """The topics, their times shrunken as the day is."""
    shrink = seconds / DAY_S
    audio = {"retention.ms": str(max(round(AUDIO_RETENTION_S * 1_000 * shrink), 1)), "segment.bytes": str(1 << 20)}
    events = {"retention.ms": "-1", "retention.bytes": str(8 << 20), "segment.bytes": str(1 << 20)}
    changelog = {"cleanup.policy": "compact", "segment.bytes": str(1 << 20)}
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics(
        [
            NewTopic(name, PARTITIONS, 1, topic_configs=config)
            for name, config in (("audio", audio), ("events", events), ("changelog", changelog))
        ]
    )
    await admin.close()


async def write(address: str, until: float, counts: dict[str, int]) -> None:
    """Records until a time: each audio record by itself, an event for ten of them, a state for twenty."""
    payload = os.urandom(RECORD_BYTES)
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all", linger_ms=0) as producer:
        waiting: set[asyncio.Future[Any]] = set()
        while time.monotonic() < until:
            number = counts["audio"]
            waiting.add(await producer.send("audio", payload, key=b"call-%d" % (number % CALLS)))
            counts["audio"] += 1
            if number % 10 == 0:
                waiting.add(await producer.send("events", payload[:400], key=b"call-%d" % (number % CALLS)))
                counts["events"] += 1
            if number % 20 == 0:
                key = b"customer-%d" % (number // 20 % CUSTOMERS)
                waiting.add(await producer.send("changelog", payload[:600], key=key))
                counts["changelog"] += 1
                counts["commits"] += 1
            if len(waiting) >= 100:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)


async def follow(address: str, counts: dict[str, int]) -> None:
    """Read everything as a group that commits; counts what it read."""
    async with AIOKafkaConsumer(
        "audio", "events", "changelog", bootstrap_servers=address, group_id="soak", auto_offset_reset="earliest",
        auto_commit_interval_ms=200,
    ) as consumer:  # fmt: skip
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                counts["read"] += len(records)


async def watch(pid: int, directory: Path, counts: dict[str, int], samples: list[Sample]) -> None:
    process, began = psutil.Process(pid), time.monotonic()
    while True:
        samples.append(
            Sample(
                round(time.monotonic() - began, 1),
                round(process.memory_info().rss / 1e6, 1),
                round(await asyncio.to_thread(disk_bytes, directory) / 1e6, 1),
                process.num_fds(),
                counts["audio"],
            )
        )
        await asyncio.sleep(1.0)


async def soak(seconds: float, directory: Path) -> dict[str, Any]:
    """Write and read a day, then kill the broker and time its return."""
    log = directory / "broker.log"
    data = directory / "data"
    process, port, _ = start(data, log)
    counts = {"audio": 0, "events": 0, "changelog": 0, "commits": 0, "read": 0}
    samples: list[Sample] = []
    address = f"127.0.0.1:{port}"
    await create(address, seconds)
    began = time.monotonic()
    beside = [
        asyncio.create_task(watch(process.pid, data, counts, samples)),
        asyncio.create_task(follow(address, counts)),
    ]
    await write(address, began + seconds, counts)
    took_s = time.monotonic() - began
    cpu_s = sum(psutil.Process(process.pid).cpu_times()[:2])
    await asyncio.sleep(2.0)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    process.kill()
    process.wait()
    again, _, restart_s = start(data, log)
    again.terminate()
    again.wait()
    written = counts["audio"] + counts["events"] + counts["changelog"]
    return {
        "audio_records": counts["audio"],
        "hours_of_calls": round(counts["audio"] / (RECORDS_S * 3_600), 1),
        "records_written": written,
        "records_read": counts["read"],
        "records_s": round(written / took_s),
        "written_mb": round(
            (counts["audio"] * RECORD_BYTES + counts["events"] * 400 + counts["changelog"] * 600) / 1e6
        ),
        "seconds": round(took_s, 1),
        "broker_cpu_percent": round(100 * cpu_s / took_s),
        "audio_retention_s": round(AUDIO_RETENTION_S * seconds / DAY_S, 2),
        "restart_after_kill_s": round(restart_s, 2),
        "samples": [asdict(sample) for sample in samples],
    }


def main() -> None:
    """Run, print the table, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0, help="what a day is shrunken to")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as directory:
        result = asyncio.run(soak(seconds, Path(directory)))
    samples = result["samples"]
    print(f"{'second':>8} {'records':>10} {'RSS MB':>8} {'disk MB':>8} {'files':>6}")
    for sample in samples[:: max(len(samples) // 15, 1)]:
        print(
            f"{sample['second']:>8} {sample['records']:>10} {sample['rss_mb']:>8} {sample['disk_mb']:>8}"
            f" {sample['open_files']:>6}"
        )
    third = len(samples) // 3
    for name in ("rss_mb", "disk_mb"):
        result[f"{name}_max_by_third"] = [
            max(s[name] for s in samples[begin : begin + third]) for begin in (0, third, 2 * third)
        ]
    for name, value in result.items():
        if name != "samples":
            print(f"{name}: {value}")
    command = f"python -m benchmarks.broker_soak --seconds {seconds:g}"
    result["environment"] = msgspec.to_builtins(environment(command, ["aiokafka"]))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
