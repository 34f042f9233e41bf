"""Growth is what lies between the end of the first minutes and the end."""

from benchmarks.longrun import Sample, _median


def test_the_median_is_of_the_minute_and_of_all_processes() -> None:
    samples = [Sample(at_s=10.0 * n, memory_mb={"listen": 500.0 + n, "broker": 60.0}) for n in range(61)]
    assert _median(samples, 540, 600) == {"listen": 557.0, "broker": 60.0, "all": 617.0}
    assert _median(samples, 0, 60)["listen"] == 503.0


def test_a_process_that_was_started_anew_counts_as_what_is_there_at_the_end() -> None:
    samples = [Sample(at_s=0, memory_mb={"listen": 500.0, "other": 9.0}), Sample(at_s=1, memory_mb={"listen": 400.0})]
    assert _median(samples, 0, 1) == {"listen": 500.0, "all": 500.0}
