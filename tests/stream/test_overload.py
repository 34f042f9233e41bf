"""What is given up under load, and when it comes back."""

from hypothesis import given
from hypothesis import strategies as st

from stream.overload import STEPS, Admission, Overload


def test_each_step_begins_where_it_says_and_lasts_until_it_was_calm() -> None:
    overload = Overload()
    assert not overload.observe(1.4, 0)
    assert overload.observe(1.6, 1)
    assert (overload.number, overload.step.slower) == (1, 2)
    assert overload.observe(9.0, 2)
    assert (overload.number, overload.step.slower) == (3, 0)
    assert not overload.observe(0.0, 11.9)
    assert overload.observe(0.0, 12.0)
    assert overload.number == 2
    assert not overload.observe(0.0, 21.9)
    assert overload.observe(0.0, 22.0)
    assert overload.observe(0.0, 32.0)
    assert overload.number == 0
    assert not overload.observe(0.0, 99.0)


def test_a_load_that_comes_and_goes_does_not_flicker() -> None:
    overload = Overload()
    changes = sum(overload.observe(1.6 * (n % 2), n / 5) for n in range(500))
    assert changes == 1


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 5)), max_size=60))
def test_never_less_is_given_up_than_the_load_asks_for(seen: list[tuple[float, float]]) -> None:
    overload, now = Overload(), 0.0
    for late, passed in seen:
        now += passed
        before = overload.number
        assert overload.observe(late, now) == (overload.number != before)
        assert late < STEPS[min(overload.number + 1, len(STEPS) - 1)].late_s or overload.number == len(STEPS) - 1
        assert overload.number >= before - 1


def test_no_call_is_taken_when_every_worker_there_has_given_up_all_it_can() -> None:
    admission = Admission()
    assert not admission.is_full(0)
    admission.note("a", 3, 0)
    assert admission.is_full(1)
    admission.note("b", 2, 1)
    assert not admission.is_full(2)
    admission.note("b", 3, 3)
    assert admission.is_full(4)
    admission.note("a", 0, 5)
    assert not admission.is_full(5)


def test_a_worker_that_is_gone_keeps_no_call_out_and_lets_none_in() -> None:
    admission = Admission()
    admission.note("a", 3, 0)
    admission.note("b", 0, 0)
    admission.note("a", 3, 9)
    assert admission.is_full(11)
    assert not admission.is_full(20)
