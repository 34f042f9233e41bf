from hypothesis import given
from hypothesis import strategies as st

from stream.listen import Offsets


def test_nothing_behind_a_held_message_is_acknowledged() -> None:
    offsets, seen = Offsets(), list[int]()
    done = [offsets.take(0, lambda n=n: seen.append(n)) for n in range(5)]
    for n in (1, 2, 4):
        done[n]()
    assert seen == []
    done[0]()
    assert seen == [0, 1, 2]
    assert len(offsets) == 2
    done[3]()
    assert seen == [0, 1, 2, 3, 4]


@given(st.permutations(range(8)), st.integers(1, 3))
def test_whatever_the_order_of_work_each_partition_is_acknowledged_in_its_own(
    order: list[int], partitions: int
) -> None:
    offsets, seen = Offsets(), list[int]()
    done = [offsets.take(n % partitions, lambda n=n: seen.append(n)) for n in range(8)]
    for n in order:
        done[n]()
        for partition in range(partitions):
            mine = [m for m in seen if m % partitions == partition]
            assert mine == list(range(partition, 8, partitions))[: len(mine)]
    assert sorted(seen) == list(range(8))


def test_what_is_forgotten_is_never_acknowledged() -> None:
    offsets, seen = Offsets(), list[int]()
    first, second = (offsets.take(0, lambda n=n: seen.append(n)) for n in range(2))
    offsets.clear()
    second()
    first()
    assert seen == []
