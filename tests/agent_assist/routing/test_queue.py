"""However many come with a head start, the others get their turn."""

from hypothesis import given
from hypothesis import strategies as st

from agent_assist.routing.policy import load
from agent_assist.routing.queue import Waiting, latest, next_of

POLICY = load()
MOST = POLICY.of.most_head_start_s


def one(name: str, waited: float, head_start: float = 0.0) -> Waiting:
    return Waiting(call_id=name, waited_s=waited, head_start_s=head_start)


def test_a_head_start_is_worth_so_many_seconds() -> None:
    some = [one("plain", 100), one("vip", 30, 90), one("new", 0, 90)]
    assert next_of(some, 0, POLICY) == (some[1], 1)
    assert next_of([one("plain", 121), one("vip", 30, 90)], 0, POLICY) == (one("plain", 121), 0)
    assert next_of([one("b", 5), one("a", 5)], 0, POLICY) == (one("a", 5), 0)
    assert next_of([], 0, POLICY) is None


@given(
    before=st.integers(0, 6),
    us=st.sampled_from(["!", "us", "~"]),
    overtaken=st.integers(0, 9),
    steps=st.lists(st.tuples(st.integers(0, 5), st.floats(0, 60)), min_size=60, max_size=60),
)
def test_an_ordinary_caller_is_taken_within_the_bound_behind_any_number_of_others(
    before: int, us: str, overtaken: int, steps: list[tuple[int, float]]
) -> None:
    """Each step so many VIPs come and one caller is taken, after some seconds."""
    arrived = {f"{n}": (-float(before - n + 1), 0.0) for n in range(before)} | {us: (0.0, 0.0)}
    now, taken = 0.001, 0
    for number, (vips, seconds) in enumerate(steps):
        arrived |= {f"v{number}-{n}": (now, MOST * 10) for n in range(vips)}
        waiting = [one(name, now - at, head) for name, (at, head) in arrived.items()]
        found = next_of(waiting, overtaken, POLICY)
        assert found is not None
        chosen, overtaken = found
        taken += 1
        del arrived[chosen.call_id]
        if chosen.call_id == us:
            break
        now += seconds
    assert taken <= latest(before, POLICY)


@given(st.floats(0, 1_000), st.floats(0, 1_000), st.floats(0, 10_000))
def test_nobody_overtakes_who_comes_later_than_the_longest_head_start(
    waited: float, later: float, head_start: float
) -> None:
    found = next_of([one("us", waited + MOST + later), one("vip", waited, head_start)], 0, POLICY)
    assert found is not None
    assert found[0].call_id == "us" or later == 0
