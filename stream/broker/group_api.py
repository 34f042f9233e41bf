"""Requests of consumer groups."""

import asyncio
import uuid
from typing import Final, TypeVar

import structlog

from stream.broker.errors import ErrorCode, Refused
from stream.broker.groups import Group, GroupState
from stream.broker.journal import Commit
from stream.broker.members import Join, Joined, Protocol, Synced
from stream.broker.policy import BrokerPolicy
from stream.broker.store import Store
from stream.broker.wire import Api, Reader, Request, array, blob, int16, int32, int64, since, string

T = TypeVar("T")

log = structlog.get_logger()

_LONGEST_SESSION_S: Final = 1_800.0
"""group.max.session.timeout.ms of Kafka."""
_LONGEST_METADATA: Final = 4_096
"""offset.metadata.max.bytes of Kafka."""


class GroupApi:
    """Answers to members of groups, and to who asks about them."""

    def __init__(self, store: Store, policy: BrokerPolicy) -> None:
        self._store = store
        self._policy = policy
        self._groups: dict[str, Group] = {}

    def restore(self, now_s: float) -> None:
        """Go on with the groups that had members when the broker ended; their sessions begin anew."""
        for kept in self._store.settled():
            self._group(kept.group).restore(kept, now_s)

    def _keep(self, name: str, group: Group) -> None:
        try:
            self._store.settle(group.kept(name))
        except OSError as error:
            log.error("disk_refused", group=name, error=str(error))

    def apis(self) -> dict[int, Api]:
        return {
            8: Api(2, 6, self.commit),
            9: Api(1, 5, self.fetch_offsets),
            11: Api(0, 4, self.join),
            12: Api(0, 2, self.heartbeat),
            13: Api(0, 2, self.leave),
            14: Api(0, 2, self.sync),
            15: Api(0, 2, self.describe),
            16: Api(0, 2, self.list_groups),
        }

    def tick(self, now_s: float, now_ms: int) -> None:
        """Let time pass; call it several times a second."""
        for name, group in list(self._groups.items()):
            group.tick(now_s)
            if group.unused:
                self._keep(name, group)
                del self._groups[name]
        self._store.forget_groups(set(self._groups), now_ms)

    def _group(self, name: str) -> Group:
        if not name:
            raise Refused(ErrorCode.INVALID_GROUP_ID, "a group's name", "none")
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) >= self._policy.max_groups:
                raise Refused(ErrorCode.POLICY_VIOLATION, f"at most {self._policy.max_groups} groups", "one more")
            group = self._groups[name] = Group(self._policy.join_delay_s, self._policy.max_members)
        return group

    async def join(self, request: Request) -> bytes:
        """Become a member; answered when the group is complete."""
        body, version = request.body, request.version
        name, session_s = body.string(), body.int32() / 1_000
        rebalance_s = body.int32() / 1_000 if version >= 1 else session_s
        member_id, kind = body.string(), body.string()
        protocols = tuple(body.array(lambda r: Protocol(r.string(), r.blob())))
        newcomer = not member_id
        if newcomer:
            member_id = f"{request.client_id[:100]}-{uuid.uuid4()}"
        wish = Join(member_id, request.client_id, session_s, rebalance_s, kind, protocols)
        try:
            if not 0 < session_s <= _LONGEST_SESSION_S:
                raise Refused(ErrorCode.INVALID_SESSION_TIMEOUT, f"0 to {_LONGEST_SESSION_S} s", f"{session_s}")
            group = self._group(name)
            if newcomer and version >= 4:
                group.promise(member_id, request.now_s + session_s)
                raise Refused(ErrorCode.MEMBER_ID_REQUIRED, "a request with the id", "one without")
            answer: asyncio.Future[Joined] = asyncio.get_running_loop().create_future()
            group.join(wish, request.now_s, lambda joined: _settle(answer, joined), newcomer=newcomer)
            joined = await answer
        except Refused as refused:
            joined = Joined(refused.code, member_id=member_id)
        members = array(string(member) + blob(metadata) for member, metadata in joined.members)
        return (
            since(version, 2, int32(0))
            + int16(joined.code)
            + int32(joined.generation)
            + string(joined.protocol)
            + string(joined.leader)
            + string(joined.member_id)
            + members
        )

    async def sync(self, request: Request) -> bytes:
        """Learn what to read; answered when the leader has said it."""
        body = request.body
        name, generation, member_id = body.string(), body.int32(), body.string()
        assignments = body.array(lambda r: (r.string(), r.blob()))
        answer: asyncio.Future[Synced] = asyncio.get_running_loop().create_future()
        try:
            group = self._group(name)
            group.sync(member_id, generation, assignments, request.now_s, lambda synced: _settle(answer, synced))
            if member_id == group.leader and group.state is GroupState.STABLE:
                self._keep(name, group)
            synced = await answer
        except Refused as refused:
            synced = Synced(refused.code)
        return since(request.version, 1, int32(0)) + int16(synced.code) + blob(synced.assignment)

    async def heartbeat(self, request: Request) -> bytes:
        body = request.body
        name, generation, member_id = body.string(), body.int32(), body.string()
        code = ErrorCode.NONE
        try:
            self._group(name).heartbeat(member_id, generation, request.now_s)
        except Refused as refused:
            code = refused.code
        return since(request.version, 1, int32(0)) + int16(code)

    async def leave(self, request: Request) -> bytes:
        name, member_id = request.body.string(), request.body.string()
        code = ErrorCode.NONE
        try:
            self._group(name).leave(member_id, request.now_s)
        except Refused as refused:
            code = refused.code
        return since(request.version, 1, int32(0)) + int16(code)

    async def commit(self, request: Request) -> bytes:
        """Keep how far a group has read."""
        body, version = request.body, request.version
        name, generation, member_id = body.string(), body.int32(), body.string()
        if version <= 4:
            body.int64()

        def offset(r: Reader) -> tuple[int, int, str | None]:
            partition, at = r.int32(), r.int64()
            if version >= 6:
                r.int32()
            return partition, at, r.nullable_string()

        wanted = body.array(lambda r: (r.string(), r.array(offset)))
        commits = [Commit(topic, *partition) for topic, partitions in wanted for partition in partitions]
        code = self._commit(name, generation, member_id, commits, request)
        topics = [
            string(topic) + array(int32(partition) + int16(code) for partition, _, _ in partitions)
            for topic, partitions in wanted
        ]
        return since(version, 3, int32(0)) + array(topics)

    def _commit(self, name: str, generation: int, member_id: str, commits: list[Commit], request: Request) -> ErrorCode:
        try:
            self._group(name).check_commit(member_id, generation, request.now_s)
            for commit in commits:
                self._store.find(commit.topic, commit.partition)
                if len(commit.metadata or "") > _LONGEST_METADATA:
                    raise Refused(ErrorCode.OFFSET_METADATA_TOO_LARGE, f"{_LONGEST_METADATA} characters", "more")
            self._store.commit(name, commits, request.now_ms)
        except Refused as refused:
            return refused.code
        except OSError as error:
            log.error("disk_refused", group=name, error=str(error))
            return ErrorCode.STORAGE_ERROR
        return ErrorCode.NONE

    async def fetch_offsets(self, request: Request) -> bytes:
        """How far a group has read."""
        version = request.version
        committed = self._store.committed(request.body.string())
        wanted = request.body.nullable_array(lambda r: (r.string(), r.array(Reader.int32)))
        if wanted is None:
            by_topic: dict[str, list[int]] = {}
            for topic, partition in committed:
                by_topic.setdefault(topic, []).append(partition)
            wanted = list(by_topic.items())

        def answer(topic: str, partition: int) -> bytes:
            commit = committed.get((topic, partition), Commit(topic, partition, -1, ""))
            epoch = since(version, 5, int32(-1))
            return int32(partition) + int64(commit.offset) + epoch + string(commit.metadata) + int16(ErrorCode.NONE)

        topics = [string(topic) + array(answer(topic, n) for n in partitions) for topic, partitions in wanted]
        return since(version, 3, int32(0)) + array(topics) + since(version, 2, int16(ErrorCode.NONE))

    async def list_groups(self, request: Request) -> bytes:
        names = dict.fromkeys([*self._groups, *self._store.groups()])
        kinds = {name: group.protocol_type for name, group in self._groups.items()}
        listed = [string(name) + string(kinds.get(name, "consumer")) for name in names]
        return since(request.version, 1, int32(0)) + int16(ErrorCode.NONE) + array(listed)

    async def describe(self, request: Request) -> bytes:
        """State, members and assignments."""
        described = [self._describe(name) for name in request.body.array(Reader.string)]
        return since(request.version, 1, int32(0)) + array(described)

    def _describe(self, name: str) -> bytes:
        group = self._groups.get(name)
        if group is None:
            known = name in self._store.groups()
            state = GroupState.EMPTY.value if known else "Dead"
            kind = "consumer" if known else ""
            return int16(ErrorCode.NONE) + string(name) + string(state) + string(kind) + string("") + array([])
        members = [
            string(member_id)
            + string(member.join.client_id)
            + string("")
            + blob(member.metadata(group.protocol) if group.protocol else b"")
            + blob(member.assignment)
            for member_id, member in group.members.items()
        ]
        head = int16(ErrorCode.NONE) + string(name) + string(group.state.value)
        return head + string(group.protocol_type) + string(group.protocol) + array(members)


def _settle(future: asyncio.Future[T], answer: T) -> None:
    """The connection may be gone, and its wait with it."""
    if not future.done():
        future.set_result(answer)
