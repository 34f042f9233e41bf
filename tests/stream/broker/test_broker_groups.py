"""Groups with a given clock."""

import pytest

from stream.broker.errors import ErrorCode, Refused
from stream.broker.groups import Group, GroupState
from stream.broker.members import Join, Joined, Protocol, Synced

RANGE = Protocol("range", b"r")
ROUND = Protocol("roundrobin", b"o")


class Script:
    """A group, and what its members were told."""

    def __init__(self) -> None:
        self.group = Group(join_delay_s=0.2, max_members=3)
        self.joined: dict[str, Joined] = {}
        self.synced: dict[str, Synced] = {}

    def join(self, name: str, now_s: float, *protocols: Protocol, newcomer: bool = True) -> None:
        wish = Join(name, "client", 6.0, 30.0, "consumer", protocols or (RANGE,))
        self.group.join(wish, now_s, lambda joined: self.joined.__setitem__(name, joined), newcomer=newcomer)

    def sync(self, name: str, now_s: float, assignments: dict[str, bytes] | None = None) -> None:
        given = list((assignments or {}).items())
        self.group.sync(name, self.group.generation, given, now_s, lambda synced: self.synced.__setitem__(name, synced))

    def settle(self, *names: str) -> None:
        """A stable group, at second 1."""
        for name in names:
            self.join(name, 0.0)
        self.group.tick(0.5)
        for name in names:
            self.sync(name, 1.0, {n: n.encode() for n in names} if name == self.group.leader else None)
        assert self.group.state is GroupState.STABLE


def code_of(error: pytest.ExceptionInfo[Refused]) -> ErrorCode:
    return error.value.code


def test_the_first_members_wait_for_each_other_and_the_leader_learns_of_all() -> None:
    script = Script()
    script.join("a", 0.0)
    script.join("b", 0.1)
    assert script.joined == {}
    script.group.tick(0.21)
    assert script.joined["a"].members == (("a", b"r"), ("b", b"r"))
    assert script.joined["b"].members == ()
    assert {j.generation for j in script.joined.values()} == {1}


def test_followers_wait_for_the_leaders_assignment() -> None:
    script = Script()
    script.join("a", 0.0)
    script.join("b", 0.0)
    script.group.tick(0.3)
    script.sync("b", 0.4)
    assert script.synced == {}
    script.group.tick(20.0)
    assert "b" in script.group.members, "who waits needs no heartbeat"
    script = Script()
    script.settle("a", "b")
    assert script.synced == {"a": Synced(ErrorCode.NONE, b"a"), "b": Synced(ErrorCode.NONE, b"b")}


def test_a_member_without_a_sign_of_life_is_out_and_the_others_rebalance() -> None:
    script = Script()
    script.settle("a", "b")
    script.group.heartbeat("a", 1, 6.5)
    script.group.tick(7.1)
    assert list(script.group.members) == ["a"]
    with pytest.raises(Refused) as told:
        script.group.heartbeat("a", 1, 7.2)
    assert code_of(told) is ErrorCode.REBALANCE_IN_PROGRESS
    script.join("a", 7.3, newcomer=False)
    assert script.joined["a"].generation == 2
    with pytest.raises(Refused) as told:
        script.group.heartbeat("b", 1, 7.4)
    assert code_of(told) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_rebalance_does_not_wait_for_ever_for_a_member_that_does_not_join_again() -> None:
    script = Script()
    script.settle("a", "b")
    script.join("c", 2.0)
    script.join("a", 2.5, newcomer=False)
    for second in range(3, 33):
        if "b" in script.group.members:
            with pytest.raises(Refused):
                script.group.heartbeat("b", 1, float(second))
        script.group.tick(float(second))
    assert list(script.group.members) == ["a", "c"]
    assert script.joined["c"].generation == 2


def test_a_leader_that_dies_before_it_assigns_is_replaced() -> None:
    script = Script()
    script.join("a", 0.0)
    script.join("b", 0.0)
    script.group.tick(0.3)
    script.sync("b", 0.4)
    script.group.tick(6.5)
    assert script.synced["b"].code is ErrorCode.REBALANCE_IN_PROGRESS
    script.join("b", 6.6, newcomer=False)
    assert script.joined["b"].leader == "b"


def test_a_member_of_an_old_generation_may_not_commit() -> None:
    script = Script()
    script.group.check_commit("", -1, 0.0)
    script.settle("a")
    script.group.check_commit("a", 1, 1.0)
    for member, generation, code in (
        ("a", 0, ErrorCode.ILLEGAL_GENERATION),
        ("x", 1, ErrorCode.UNKNOWN_MEMBER_ID),
        ("", -1, ErrorCode.UNKNOWN_MEMBER_ID),
    ):
        with pytest.raises(Refused) as told:
            script.group.check_commit(member, generation, 1.0)
        assert code_of(told) is code


def test_the_protocol_that_all_know_is_chosen_and_who_knows_none_is_refused() -> None:
    script = Script()
    script.join("a", 0.0, RANGE, ROUND)
    script.join("b", 0.0, ROUND)
    with pytest.raises(Refused) as told:
        script.join("c", 0.0, RANGE)
    assert code_of(told) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    script.group.tick(0.3)
    assert script.joined["a"].protocol == "roundrobin"
    assert script.joined["a"].members == (("a", b"o"), ("b", b"o"))


def test_members_are_limited_and_an_unknown_id_is_refused() -> None:
    script = Script()
    for name in ("a", "b", "c"):
        script.join(name, 0.0)
    with pytest.raises(Refused) as told:
        script.join("d", 0.0)
    assert code_of(told) is ErrorCode.GROUP_MAX_SIZE_REACHED
    with pytest.raises(Refused) as told:
        script.join("e", 0.0, newcomer=False)
    assert code_of(told) is ErrorCode.UNKNOWN_MEMBER_ID


def test_who_leaves_is_out_at_once_and_the_last_one_leaves_it_empty() -> None:
    script = Script()
    script.settle("a", "b")
    script.group.leave("a", 2.0)
    script.join("b", 2.1, newcomer=False)
    assert script.joined["b"].leader == "b"
    script.group.leave("b", 2.2)
    assert script.group.state is GroupState.EMPTY
    assert script.group.unused


def test_a_group_goes_on_where_it_stood_when_the_broker_is_started_again() -> None:
    script = Script()
    script.settle("a", "b")
    again = Script()
    again.group.restore(script.group.kept("g"), 100.0)
    again.group.heartbeat("a", 1, 101.0)
    again.group.check_commit("b", 1, 101.0)
    again.sync("b", 101.0)
    assert again.synced["b"] == Synced(ErrorCode.NONE, b"b")
    again.group.tick(106.5)
    assert list(again.group.members) == ["a", "b"]
    again.group.tick(107.5)
    assert again.group.members == {}
