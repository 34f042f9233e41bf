"""The benchmarks of desk and pages: what is made for them is there, and what they count is what was sent."""

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from agent_assist.store.calls import CallStore
from agent_assist.store.recordings import Recordings
from benchmarks import desk, pages
from stream.errors import StreamError


@pytest.mark.slow
def test_the_long_call_stands_in_the_store_with_its_sound(tmp_path: Path) -> None:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    recordings = Recordings(str(tmp_path / "recordings"))
    said, cards = pages.long_call(store, recordings, 2)
    record = store.call("long")
    assert record is not None
    assert (said, record.duration_ms, record.status) == (40, 120_000, "ended")
    assert cards == len(record.cards) > 0
    assert recordings.size("long")
    store.close()


@pytest.mark.broker
def test_what_is_sent_is_heard_by_who_reads_and_who_sleeps_holds_nobody_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run(calls=2, rules_=10, listeners=5, asleep=1, seconds=5, out=tmp_path / "desk.json", json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "desk.json").read_text())
    assert told["finals"] > 0
    assert (told["missing"], told["twice"]) == (0, 0)
    assert told["final_ms"]["n"] == 2 * told["finals"]
    assert told["cards"] > 0
    assert 0 < told["card_ms"]["p50"] < 60_000


def test_each_call_needs_a_listener_that_reads() -> None:
    with pytest.raises(StreamError, match="a listener of each call that reads, got 3 of which 2 are asleep"):
        desk.run(calls=2, rules_=10, listeners=3, asleep=2, seconds=5, out=None, json=False)


# The driver of the browser is let go of when its loop has ended, and says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.browser
@pytest.mark.broker
def test_the_pages_are_measured_in_a_real_browser(capsys: pytest.CaptureFixture[str]) -> None:
    pages.run(runs=1, minutes=1, out=None, json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["first_paint_ms"]["n"] == told["first_card_ms"]["n"] == told["replay_ms"]["n"] == 1
    assert 0 < told["overlay_gzipped_kb"] < 150
    gc.collect()
