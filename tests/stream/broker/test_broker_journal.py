"""The journal of topics, offsets and producer ids, and the store that is made of it."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.broker.errors import DirectoryTaken, ErrorCode, Refused
from stream.broker.journal import (
    Commit,
    Committed,
    Entry,
    GroupSettled,
    Journal,
    MemberKept,
    ProducerIdGiven,
    TopicCreated,
    TopicDeleted,
)
from stream.broker.policy import BrokerPolicy
from stream.broker.store import Store

SETTLED = GroupSettled(
    group="g",
    generation=3,
    protocol_type="consumer",
    protocol="range",
    leader="m",
    members=[MemberKept("m", "client", 6.0, 30.0, [("range", b"\x00\xff")], b"\x01")],
)
ENTRIES: list[Entry] = [
    TopicCreated(number=1, name="a", partitions=2, config={"cleanup.policy": "compact"}),
    Committed(group="g", at_ms=5, commits=[Commit("a", 0, 7, None), Commit("a", 1, 8, "note")]),
    ProducerIdGiven(producer_id=3),
    SETTLED,
    TopicDeleted(number=1, name="a"),
]


@given(cut=st.integers(0, 300))
@pytest.mark.slow
def test_a_journal_cut_anywhere_gives_the_whole_entries_before_the_cut(cut: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "j"
        journal = Journal(path)
        ends = [0]
        for entry in ENTRIES:
            journal.append(entry)
            ends.append(path.stat().st_size)
        journal.close()
        path.write_bytes(path.read_bytes()[:cut])
        again = Journal(path)
        whole = sum(end <= cut for end in ends) - 1
        assert again.read() == ENTRIES[:whole]
        again.append(ENTRIES[0])
        again.close()
        third = Journal(path)
        assert third.read() == [*ENTRIES[:whole], ENTRIES[0]]
        third.close()


def test_a_rewritten_journal_says_the_same_in_fewer_bytes(tmp_path: Path) -> None:
    path = tmp_path / "broker.journal"
    with Store(BrokerPolicy(tmp_path)) as store:
        store.create_topic("gone", 1, {})
        store.create_topic("kept", 2, {"retention.ms": "5000"})
        store.delete_topic("gone")
        for offset in range(30_000):
            store.commit("g", [Commit("kept", 1, offset, "")], 5)
        given_id = store.next_producer_id()
        store.settle(SETTLED)
        before = path.stat().st_size
        store.shrink_journal()
        assert path.stat().st_size < before / 1_000
        store.commit("h", [Commit("kept", 0, 1, "")], 5)
    with Store(BrokerPolicy(tmp_path)) as store:
        assert store.topics["kept"].created.config == {"retention.ms": "5000"}
        assert store.committed("g") == {("kept", 1): Commit("kept", 1, 29_999, "")}
        assert store.committed("h") == {("kept", 0): Commit("kept", 0, 1, "")}
        assert store.next_producer_id() == given_id + 1
        assert store.settled() == [SETTLED]
        store.settle(msgspec.structs.replace(SETTLED, members=[]))
        assert store.create_topic("gone", 1, {}).created.number == 3
    with Store(BrokerPolicy(tmp_path)) as store:
        assert store.settled() == []


def test_offsets_of_a_deleted_topic_are_not_those_of_its_successor(tmp_path: Path) -> None:
    with Store(BrokerPolicy(tmp_path)) as store:
        store.create_topic("t", 1, {})
        store.commit("g", [Commit("t", 0, 9, "")], 5)
        store.delete_topic("t")
        store.create_topic("t", 1, {})
        assert store.committed("g") == {}
    with Store(BrokerPolicy(tmp_path)) as store:
        assert store.committed("g") == {}


def test_what_a_crash_left_of_a_deleted_topic_is_removed(tmp_path: Path) -> None:
    with Store(BrokerPolicy(tmp_path)) as store:
        store.create_topic("t", 1, {})
    orphan = tmp_path / "logs" / "99-x"
    orphan.mkdir()
    with Store(BrokerPolicy(tmp_path)):
        assert [path.name for path in (tmp_path / "logs").iterdir()] == ["1-t"]


def test_offsets_are_forgotten_when_a_group_was_away_for_long(tmp_path: Path) -> None:
    policy = BrokerPolicy(tmp_path, offsets_kept_ms=1_000)
    with Store(policy) as store:
        store.create_topic("t", 1, {})
        for name in ("away", "present", "late"):
            store.commit(name, [Commit("t", 0, 9, "")], 9_500 if name == "late" else 5)
        store.forget_groups({"present"}, 10_000)
    with Store(policy) as store:
        assert store.groups() == ["present", "late"]


def test_two_brokers_do_not_share_a_directory(tmp_path: Path) -> None:
    with Store(BrokerPolicy(tmp_path)), pytest.raises(DirectoryTaken):
        Store(BrokerPolicy(tmp_path))


@pytest.mark.parametrize(
    ("name", "partitions", "config", "code"),
    [
        ("../escape", 1, {}, ErrorCode.INVALID_TOPIC),
        ("..", 1, {}, ErrorCode.INVALID_TOPIC),
        ("", 1, {}, ErrorCode.INVALID_TOPIC),
        ("a" * 250, 1, {}, ErrorCode.INVALID_TOPIC),
        ("t", 0, {}, ErrorCode.INVALID_PARTITIONS),
        ("t", 11, {}, ErrorCode.POLICY_VIOLATION),
        ("t", 1, {"retention.ms": "soon"}, ErrorCode.INVALID_CONFIG),
        ("t", 1, {"cleanup.policy": "burn"}, ErrorCode.INVALID_CONFIG),
        ("there", 1, {}, ErrorCode.TOPIC_ALREADY_EXISTS),
    ],
)
def test_a_topic_that_cannot_be_is_refused(
    tmp_path: Path, name: str, partitions: int, config: dict[str, str], code: ErrorCode
) -> None:
    with Store(BrokerPolicy(tmp_path, max_partitions=11)) as store:
        store.create_topic("there", 1, {})
        with pytest.raises(Refused) as refused:
            store.create_topic(name, partitions, config)
        assert refused.value.code is code
        assert list(store.topics) == ["there"]
