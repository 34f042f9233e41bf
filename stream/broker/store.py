"""All that the broker keeps: topics with their logs, groups and their offsets, producer ids."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from stream.broker.errors import DirectoryTaken, ErrorCode, Refused, TooManyPartitions
from stream.broker.journal import (
    Commit,
    Committed,
    Entry,
    GroupForgotten,
    GroupSettled,
    Journal,
    ProducerIdGiven,
    TopicCreated,
    TopicDeleted,
)
from stream.broker.log import PartitionLog
from stream.broker.policy import BrokerPolicy, check_name, log_policy

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """A topic and its partitions."""

    created: TopicCreated
    logs: tuple[PartitionLog, ...]


@dataclass(slots=True, eq=False)
class _GroupOffsets:
    at_ms: int
    commits: dict[tuple[str, int], Commit]


class Store:
    """Owns the directory while it is open; every change is on its way to the disk before the method returns."""

    def __init__(self, policy: BrokerPolicy) -> None:
        """
        Raises:
            DirectoryTaken: If another broker has it open.
            TooManyPartitions: If it holds more than the policy allows.
        """
        self._policy = policy
        policy.directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(policy.directory)
        self._topics: dict[str, Topic] = {}
        self._offsets: dict[str, _GroupOffsets] = {}
        self._settled: dict[str, GroupSettled] = {}
        self._next_topic = 1
        self._next_producer = 1
        self._journal = Journal(policy.directory / "broker.journal")
        created: dict[str, TopicCreated] = {}
        for entry in self._journal.read():
            self._fold(entry, created)
        if (count := sum(topic.partitions for topic in created.values())) > policy.max_partitions:
            raise TooManyPartitions(count, policy.max_partitions)
        self._drop_orphans({self._directory(topic) for topic in created.values()})
        for topic in created.values():
            self._topics[topic.name] = self._open(topic)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _name, _partition, partition_log in self.logs():
            partition_log.close()
        self._journal.close()
        os.close(self._lock)

    def _fold(self, entry: Entry, created: dict[str, TopicCreated]) -> None:
        match entry:
            case TopicCreated():
                created[entry.name] = entry
                self._next_topic = max(self._next_topic, entry.number + 1)
            case TopicDeleted():
                created.pop(entry.name, None)
                self._next_topic = max(self._next_topic, entry.number + 1)
                self._forget_topic(entry.name)
            case Committed():
                self._note_commits(entry)
            case GroupForgotten():
                self._offsets.pop(entry.group, None)
            case GroupSettled():
                self._note_settled(entry)
            case ProducerIdGiven():
                self._next_producer = entry.producer_id + 1

    @property
    def _logs_directory(self) -> Path:
        return self._policy.directory / "logs"

    def _directory(self, topic: TopicCreated) -> Path:
        # The number comes first: names may differ in case alone, and a deleted name may come again.
        return self._logs_directory / f"{topic.number}-{topic.name[:200]}"

    def _drop_orphans(self, known: set[Path]) -> None:
        """Delete what a crash left of topics that were deleted."""
        self._logs_directory.mkdir(exist_ok=True)
        for path in self._logs_directory.iterdir():
            if path not in known:
                shutil.rmtree(path)

    def _open(self, topic: TopicCreated) -> Topic:
        policy = log_policy(topic.config, self._policy)
        directory = self._directory(topic)
        return Topic(topic, tuple(PartitionLog(directory / str(n), policy) for n in range(topic.partitions)))

    @property
    def topics(self) -> Mapping[str, Topic]:
        return self._topics

    def logs(self) -> Iterator[tuple[str, int, PartitionLog]]:
        """Every partition's log, with topic and number."""
        for name, topic in list(self._topics.items()):
            for number, partition_log in enumerate(topic.logs):
                yield name, number, partition_log

    def find(self, topic: str, partition: int) -> PartitionLog:
        """
        Raises:
            Refused: If there is no such partition.
        """
        found = self._topics.get(topic)
        if found is None or not 0 <= partition < len(found.logs):
            raise Refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "a topic and partition", f"{topic[:80]}-{partition}")
        return found.logs[partition]

    def check_topic(self, name: str, partitions: int, config: Mapping[str, str]) -> None:
        """
        Raises:
            Refused: If a topic of this kind cannot be created.
        """
        check_name(name)
        if name in self._topics:
            raise Refused(ErrorCode.TOPIC_ALREADY_EXISTS, "a new name", repr(name))
        held = sum(len(topic.logs) for topic in self._topics.values())
        if partitions < 1:
            raise Refused(ErrorCode.INVALID_PARTITIONS, "at least 1 partition", f"{partitions}")
        if held + partitions > self._policy.max_partitions:
            allowed = self._policy.max_partitions - held
            raise Refused(ErrorCode.POLICY_VIOLATION, f"at most {allowed} more partitions", f"{partitions}")
        log_policy(config, self._policy)

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str]) -> Topic:
        """
        Raises:
            Refused: If it cannot be created.
            OSError: If the disk does not take it.
        """
        self.check_topic(name, partitions, config)
        created = TopicCreated(number=self._next_topic, name=name, partitions=partitions, config=dict(config))
        self._journal.append(created)
        self._next_topic += 1
        self._topics[name] = self._open(created)
        return self._topics[name]

    def delete_topic(self, name: str) -> None:
        """
        Delete a topic, its records, and what groups committed on it.

        Raises:
            Refused: If there is none of this name.
            OSError: If the disk does not take it.
        """
        topic = self._topics.get(name)
        if topic is None:
            raise Refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "a topic's name", repr(name[:80]))
        self._journal.append(TopicDeleted(number=topic.created.number, name=name))
        del self._topics[name]
        self._forget_topic(name)
        for partition_log in topic.logs:
            partition_log.remove()
        shutil.rmtree(self._directory(topic.created))

    def _forget_topic(self, name: str) -> None:
        for group in self._offsets.values():
            for key in [key for key in group.commits if key[0] == name]:
                del group.commits[key]

    def commit(self, group: str, commits: list[Commit], now_ms: int) -> None:
        """
        Keep a group's offsets.

        Raises:
            Refused: If there are too many groups.
            OSError: If the disk does not take it.
        """
        if group not in self._offsets and len(self._offsets) >= self._policy.max_groups:
            raise Refused(ErrorCode.POLICY_VIOLATION, f"at most {self._policy.max_groups} groups", "one more")
        entry = Committed(group=group, at_ms=now_ms, commits=commits)
        self._journal.append(entry)
        self._note_commits(entry)

    def _note_commits(self, entry: Committed) -> None:
        group = self._offsets.setdefault(entry.group, _GroupOffsets(entry.at_ms, {}))
        group.at_ms = entry.at_ms
        group.commits.update({(commit.topic, commit.partition): commit for commit in entry.commits})

    def settle(self, entry: GroupSettled) -> None:
        """
        Keep who is a member of a group, or that nobody is any more.

        Raises:
            OSError: If the disk does not take it.
        """
        if entry.members or entry.group in self._settled:
            self._journal.append(entry)
            self._note_settled(entry)

    def _note_settled(self, entry: GroupSettled) -> None:
        self._settled.pop(entry.group, None)
        if entry.members:
            self._settled[entry.group] = entry

    def settled(self) -> list[GroupSettled]:
        """Groups that have members."""
        return list(self._settled.values())

    def committed(self, group: str) -> Mapping[tuple[str, int], Commit]:
        """What a group committed, by topic and partition."""
        found = self._offsets.get(group)
        return {} if found is None else found.commits

    def groups(self) -> list[str]:
        """Groups that have committed."""
        return list(self._offsets)

    def forget_groups(self, in_use: set[str], now_ms: int) -> None:
        """Drop what groups without members committed long ago."""
        kept_from_ms = now_ms - self._policy.offsets_kept_ms
        for name, offsets in list(self._offsets.items()):
            if name not in in_use and offsets.at_ms < kept_from_ms:
                self._journal.append(GroupForgotten(group=name))
                del self._offsets[name]

    def next_producer_id(self) -> int:
        """An id that was never given."""
        given = self._next_producer
        self._journal.append(ProducerIdGiven(producer_id=given))
        self._next_producer += 1
        return given

    def shrink_journal(self) -> None:
        """Rewrite the journal if most of it is no longer true."""
        if not self._journal.overgrown:
            return
        entries: list[Entry] = [topic.created for topic in self._topics.values()]
        # Of the topics that are gone, the largest number alone has to be remembered.
        entries.append(TopicDeleted(number=self._next_topic - 1, name=""))
        entries.append(ProducerIdGiven(producer_id=self._next_producer - 1))
        entries.extend(
            Committed(group=name, at_ms=offsets.at_ms, commits=list(offsets.commits.values()))
            for name, offsets in self._offsets.items()
        )
        entries.extend(self._settled.values())
        self._journal.rewrite(entries)


def _lock(directory: Path) -> int:
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        raise DirectoryTaken(directory) from None
    return descriptor
