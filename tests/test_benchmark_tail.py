"""Which calls are hung up where, and what counts as their last words."""

from benchmarks.tail import _calls, _tails


def test_every_call_is_as_long_and_each_second_one_ends_as_a_broken_line() -> None:
    calls = _calls(40)
    assert [call.hang_up for call in calls] == ["stop", "broken"] * 20
    assert {call.recording.duration_ms for call in calls} == {9_000}


def test_a_last_word_that_is_missing_or_another_is_found() -> None:
    calls = _calls(8)
    expected = {call.id: {"first": "one two", "last": "three four five"} for call in calls}
    for call in calls:
        call.finals = dict(expected[call.id])
    whole = _tails("stop", calls, expected)
    assert (whole.calls, whole.finals, whole.missing, whole.different, whole.tails, whole.words) == (4, 8, 0, 0, 4, 12)
    del calls[0].finals["last"]
    calls[2].finals["last"] = "three four"
    broken = _tails("stop", calls, expected)
    assert (broken.missing, broken.different, broken.tails) == (1, 1, 2)
    assert _tails("broken", calls, expected).tails == 4


def test_a_call_of_which_nothing_is_expected_does_not_count_as_whole() -> None:
    calls = _calls(2)
    assert _tails("stop", calls, {call.id: {} for call in calls}).tails == 0
