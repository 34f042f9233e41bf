"""Timestamps to positions."""

from hypothesis import given
from hypothesis import strategies as st

from audio.telephony.clock import MediaClock
from audio.telephony.types import Counts

HOUR_MS = 3_600_000


def test_frames_of_odd_lengths_follow_each_other_without_a_seam() -> None:
    clock = MediaClock(8_000, Counts())
    positions = [clock.place("inbound", n * 85 * 1000 // 8_000, 85) for n in range(500)]
    assert positions == [n * 85 for n in range(500)]


def test_a_gap_stays_where_it_is() -> None:
    clock = MediaClock(8_000, Counts())
    assert clock.place("inbound", 0, 160) == 0
    assert clock.place("inbound", 120, 160) == 960


def test_the_first_frame_of_a_track_may_come_when_the_other_has_long_been_heard() -> None:
    counts = Counts()
    clock = MediaClock(8_000, counts)
    for second in range(60):
        clock.place("inbound", second * 1_000, 8_000)
    assert clock.place("outbound", 59_000, 160) == 59 * 8_000
    assert counts.clamped == 0


def test_one_frame_from_the_future_moves_nothing() -> None:
    counts = Counts()
    clock = MediaClock(8_000, counts)
    clock.place("inbound", 0, 160)
    assert clock.place("inbound", 2 * HOUR_MS, 160) == 160
    assert clock.place("inbound", 40, 160) == 320
    assert counts.clamped == 1


def test_a_track_that_goes_on_after_a_jump_is_believed() -> None:
    counts = Counts()
    clock = MediaClock(8_000, counts)
    clock.place("inbound", 0, 160)
    clock.place("inbound", 60_000, 160)
    assert clock.place("inbound", 60_020, 160) == 60_020 * 8
    assert clock.place("outbound", 60_020, 160) == 60_020 * 8
    assert counts.clamped == 1


def test_a_day_ahead_is_never_believed() -> None:
    counts = Counts()
    clock = MediaClock(8_000, counts)
    positions = [clock.place("inbound", 25 * HOUR_MS + n * 20, 160) for n in range(50)]
    assert positions == [n * 160 for n in range(50)]
    assert counts.clamped == 50


def test_a_clock_that_begins_anew_is_carried_on() -> None:
    counts = Counts()
    clock = MediaClock(8_000, counts)
    clock.place("inbound", 0, 80_000)
    assert [clock.place("inbound", n * 20, 160) for n in range(5)] == [80_000 + n * 160 for n in range(5)]
    assert counts.clamped == 5


@given(st.lists(st.tuples(st.sampled_from(["inbound", "outbound"]), st.integers(-(2**53), 2**53)), max_size=50))
def test_no_timestamps_lead_outside_of_a_day(frames: list[tuple[str, int]]) -> None:
    clock = MediaClock(8_000, Counts())
    for track, at_ms in frames:
        assert 0 <= clock.place(track, at_ms, 160) <= 24 * HOUR_MS * 8  # type: ignore[arg-type]
