"""Consumer groups: who is a member, and who reads what. Time is given; answers go to callbacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from stream.broker.errors import ErrorCode, Refused
from stream.broker.journal import GroupSettled, MemberKept
from stream.broker.members import Join, Joined, Member, Protocol, Synced, answer_sync


class GroupState(StrEnum):
    """
    Where a group stands between two rebalances; named as clients are told.

    Source: KIP-62 and Kafka's GroupMetadata ("classic" protocol).
    """

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"


@dataclass(slots=True, eq=False)
class Group:
    """Members of one group; times are monotonic seconds."""

    join_delay_s: float
    max_members: int
    state: GroupState = GroupState.EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str = ""
    leader: str = ""
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    _promised: dict[str, float] = field(default_factory=dict[str, float])
    """Ids that were given and not used yet, and until when they may be."""
    _join_until_s: float = 0.0
    _gathering: bool = False
    """The first members of an empty group wait for others, even if all that are known have joined."""

    def restore(self, kept: GroupSettled, now_s: float) -> None:
        """Go on with a group as it was before the broker was started again."""
        self.state = GroupState.STABLE
        self.generation, self.leader = kept.generation, kept.leader
        self.protocol_type, self.protocol = kept.protocol_type, kept.protocol
        for member in kept.members:
            protocols = tuple(Protocol(*known) for known in member.protocols)
            join = Join(
                member.member_id, member.client_id, member.session_s, member.rebalance_s, kept.protocol_type, protocols
            )
            self.members[member.member_id] = Member(join, now_s, assignment=member.assignment)

    def kept(self, name: str) -> GroupSettled:
        """What ``restore`` needs."""
        return GroupSettled(
            group=name,
            generation=self.generation,
            protocol_type=self.protocol_type,
            protocol=self.protocol,
            leader=self.leader,
            members=[
                MemberKept(
                    member_id,
                    member.join.client_id,
                    member.join.session_s,
                    member.join.rebalance_s,
                    [(known.name, known.metadata) for known in member.join.protocols],
                    member.assignment,
                )
                for member_id, member in self.members.items()
            ],
        )

    @property
    def unused(self) -> bool:
        """Whether nothing would be lost if it were forgotten."""
        return not self.members and not self._promised

    def promise(self, member_id: str, until_s: float) -> None:
        """Give a newcomer the id to join with (KIP-394)."""
        self._check_room()
        self._promised[member_id] = until_s

    def _check_room(self) -> None:
        if len(self.members) + len(self._promised) >= self.max_members:
            raise Refused(ErrorCode.GROUP_MAX_SIZE_REACHED, f"at most {self.max_members} members", "one more")

    def join(self, join: Join, now_s: float, answer: Callable[[Joined], None], *, newcomer: bool = False) -> None:
        """
        Take a member in and rebalance; ``answer`` is called when all have joined.

        Args:
            newcomer: The id was made for this very request.

        Raises:
            Refused: If the member is not known or knows no protocol that the others know.
        """
        known = self.members.get(join.member_id)
        if known is None and join.member_id not in self._promised:
            if not newcomer:
                raise Refused(ErrorCode.UNKNOWN_MEMBER_ID, "a member's id", repr(join.member_id[:80]))
            self._check_room()
        self._check_protocols(join)
        self._promised.pop(join.member_id, None)
        self.protocol_type = join.protocol_type
        if known is None:
            known = self.members[join.member_id] = Member(join, now_s)
        known.join, known.seen_s = join, now_s
        if known.joining is not None:
            known.joining(Joined(ErrorCode.UNKNOWN_MEMBER_ID))
        known.joining = answer
        self._prepare(now_s)
        self._complete_join(now_s)

    def _check_protocols(self, join: Join) -> None:
        others = [member.join for name, member in self.members.items() if name != join.member_id]
        names = {protocol.name for protocol in join.protocols}
        for other in others:
            names &= {protocol.name for protocol in other.protocols}
        if not names or any(other.protocol_type != join.protocol_type for other in others):
            raise Refused(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, "a protocol that all members know", "none")

    def _prepare(self, now_s: float) -> None:
        """Begin a rebalance, unless one goes on."""
        if self.state is GroupState.PREPARING:
            return
        self._gathering = self.state is GroupState.EMPTY
        self.state = GroupState.PREPARING
        for member in self.members.values():
            if member.syncing is not None:
                # It sent no heartbeats while it waited: its session begins anew with the answer.
                member.seen_s = now_s
            answer_sync(member, Synced(ErrorCode.REBALANCE_IN_PROGRESS))
        longest = max((member.join.rebalance_s for member in self.members.values()), default=0.0)
        self._join_until_s = now_s + (self.join_delay_s if self._gathering else longest)

    def _complete_join(self, now_s: float) -> None:
        """Answer all joins, if the members are complete or have been waited for long enough."""
        if self.state is not GroupState.PREPARING:
            return
        missing = [name for name, member in self.members.items() if member.joining is None]
        if now_s < self._join_until_s and (missing or self._gathering):
            return
        for name in missing:
            del self.members[name]
        if not self.members:
            self._become_empty()
            return
        self.generation += 1
        self.state = GroupState.COMPLETING
        self.protocol = self._choose_protocol()
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        everyone = tuple((name, member.metadata(self.protocol)) for name, member in self.members.items())
        for name, member in self.members.items():
            answer, member.joining = member.joining, None
            member.seen_s, member.assignment = now_s, b""
            assert answer is not None
            told = everyone if name == self.leader else ()
            answer(Joined(ErrorCode.NONE, self.generation, self.protocol, self.leader, name, told))

    def _choose_protocol(self) -> str:
        """The one that most members prefer among those that all know."""
        members = [member.join for member in self.members.values()]
        common = set[str].intersection(*({p.name for p in join.protocols} for join in members))
        votes = [next(p.name for p in join.protocols if p.name in common) for join in members]
        return max(votes, key=votes.count)

    def _become_empty(self) -> None:
        self.state, self.leader, self.protocol = GroupState.EMPTY, "", ""
        self._gathering = False

    def check(self, member_id: str, generation: int) -> Member:
        """
        The member that a request comes from.

        Raises:
            Refused: If it is none, or speaks of another generation.
        """
        member = self.members.get(member_id)
        if member is None:
            raise Refused(ErrorCode.UNKNOWN_MEMBER_ID, "a member's id", repr(member_id[:80]))
        if generation != self.generation:
            raise Refused(ErrorCode.ILLEGAL_GENERATION, f"generation {self.generation}", f"{generation}")
        return member

    def sync(
        self,
        member_id: str,
        generation: int,
        assignments: Sequence[tuple[str, bytes]],
        now_s: float,
        answer: Callable[[Synced], None],
    ) -> None:
        """
        Take the leader's assignment, or wait for it.

        Raises:
            Refused: If the member or its generation is not the present one, or a rebalance has begun.
        """
        member = self.check(member_id, generation)
        member.seen_s = now_s
        if self.state is GroupState.PREPARING:
            raise Refused(ErrorCode.REBALANCE_IN_PROGRESS, "a complete group", "a rebalance")
        answer_sync(member, Synced(ErrorCode.UNKNOWN_MEMBER_ID))
        if self.state is GroupState.STABLE:
            answer(Synced(ErrorCode.NONE, member.assignment))
            return
        member.syncing = answer
        if member_id != self.leader:
            return
        given = dict(assignments)
        self.state = GroupState.STABLE
        for name, other in self.members.items():
            other.assignment = given.get(name, b"")
            if other.syncing is not None:
                other.seen_s = now_s
            answer_sync(other, Synced(ErrorCode.NONE, other.assignment))

    def heartbeat(self, member_id: str, generation: int, now_s: float) -> None:
        """
        Note that a member lives.

        Raises:
            Refused: If the member or its generation is not the present one, or a rebalance has begun.
        """
        member = self.members.get(member_id)
        if member is not None:
            member.seen_s = now_s
        self.check(member_id, generation)
        if self.state is GroupState.PREPARING:
            raise Refused(ErrorCode.REBALANCE_IN_PROGRESS, "a complete group", "a rebalance")

    def check_commit(self, member_id: str, generation: int, now_s: float) -> None:
        """
        Whether offsets may be committed: by a member of this generation, or by anyone if there are no members.

        Raises:
            Refused: If not.
        """
        if generation < 0 and not self.members:
            return
        member = self.check(member_id, generation)
        member.seen_s = now_s
        if self.state is GroupState.COMPLETING:
            raise Refused(ErrorCode.REBALANCE_IN_PROGRESS, "an assignment", "none yet")

    def leave(self, member_id: str, now_s: float) -> None:
        """
        Take a member out.

        Raises:
            Refused: If it is none.
        """
        if self._promised.pop(member_id, None) is not None:
            return
        if member_id not in self.members:
            raise Refused(ErrorCode.UNKNOWN_MEMBER_ID, "a member's id", repr(member_id[:80]))
        self._remove(member_id, now_s)

    def _remove(self, member_id: str, now_s: float) -> None:
        member = self.members.pop(member_id)
        if member.joining is not None:
            member.joining(Joined(ErrorCode.UNKNOWN_MEMBER_ID))
        answer_sync(member, Synced(ErrorCode.UNKNOWN_MEMBER_ID))
        if not self.members:
            self._become_empty()
            return
        self._prepare(now_s)
        self._complete_join(now_s)

    def tick(self, now_s: float) -> None:
        """Take out members that gave no sign of life, and end a wait that was long enough."""
        self._promised = {name: until_s for name, until_s in self._promised.items() if until_s > now_s}
        for name, member in list(self.members.items()):
            if not member.waits and now_s - member.seen_s > member.join.session_s:
                self._remove(name, now_s)
        self._complete_join(now_s)
