"""What each detector must do, and what the gate of ours saves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.recording import read_recording
from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Pcm
from audio.vad import WINDOW, LevelVad, SileroVad, VoiceActivity

DETECTORS = [SileroVad, LevelVad]
Make = Callable[[], VoiceActivity]


@pytest.fixture(scope="module")
def customer(data: Path) -> Pcm:
    """The first 16 s of a customer, at 16 kHz: silence, 8.5 to 13.6 s speech, silence."""
    recording = read_recording([data / "zh_late_order.wav"])
    assert recording.customer is not None
    return Resampler(recording.rate).push(recording.customer)[: 16 * SAMPLE_RATE]


class Counting:
    """A session that counts the windows it is shown."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.windows = 0

    def run(self, names: None, inputs: dict[str, Any]) -> Any:
        self.windows += len(inputs["input"])
        return self._session.run(names, inputs)


def counted(**given: int) -> tuple[SileroVad, Counting]:
    vad = SileroVad(**given)
    counting = Counting(vad._session)
    vad._session = counting
    return vad, counting


def pieces(pcm: Pcm, size: int) -> list[Pcm]:
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


def judged(vad: VoiceActivity, pcm: Pcm, size: int = 3_200) -> list[float]:
    stream = vad.stream()
    return [probability for piece in pieces(pcm, size) for probability in stream.push(piece)]


def hiss(seconds: float, peak: int) -> Pcm:
    return np.random.default_rng(3).integers(-peak, peak + 1, int(seconds * SAMPLE_RATE)).astype(np.int16)


@pytest.mark.parametrize("make", DETECTORS)
def test_silence_gives_nothing(make: Make) -> None:
    assert set(judged(make(), np.zeros(3 * SAMPLE_RATE, np.int16))) == {0.0}


@pytest.mark.parametrize("make", DETECTORS)
@pytest.mark.parametrize("name", ["zh_late_order", "en_cancel_plan"])
def test_each_turn_of_a_call_is_heard_and_what_lies_between_is_not(make: Make, name: str, data: Path) -> None:
    recording = read_recording([data / f"{name}.wav"])
    turns = json.loads((data / f"{name}.json").read_text())["turns"]
    for channel, pcm in enumerate((recording.customer, recording.agent)):
        assert pcm is not None
        found = np.array(judged(make(), Resampler(recording.rate).push(pcm)))
        at = (np.arange(len(found)) + 0.5) * WINDOW / SAMPLE_RATE
        near = np.zeros(len(found), bool)
        for turn in (turn for turn in turns if turn["channel"] == channel):
            inside = (at >= turn["start"]) & (at < turn["end"])
            assert np.mean(found[inside] >= 0.35) > 0.6, turn
            assert max(found[inside]) > 0.7, turn
            near |= (at >= turn["start"] - 0.4) & (at < turn["end"] + 0.4)
        assert np.mean(found[~near] >= 0.5) < 0.01


@pytest.mark.parametrize("make", DETECTORS)
def test_there_is_a_probability_for_each_full_window(make: Make) -> None:
    stream = make().stream()
    assert [len(stream.push(np.zeros(n, np.int16))) for n in (0, 511, 1, 1_023, 1, 1_024)] == [0, 0, 1, 1, 1, 2]


@pytest.mark.parametrize("make", DETECTORS)
def test_the_same_audio_gives_the_same_bits(make: Make, customer: Pcm) -> None:
    first = judged(make(), customer)
    assert first == judged(make(), customer)
    assert all(0 <= probability <= 1 for probability in first)


@pytest.mark.parametrize("make", DETECTORS)
@pytest.mark.parametrize("size", [160, 777, 16_000])
def test_the_size_of_the_pieces_does_not_matter(make: Make, size: int, customer: Pcm) -> None:
    # The model sums in another order where windows come together: equal to float's precision, not to the bit.
    speech = customer[8 * SAMPLE_RATE : 12 * SAMPLE_RATE]
    assert judged(make(), speech, size) == pytest.approx(judged(make(), speech), abs=1e-4)


@pytest.mark.parametrize("make", DETECTORS)
def test_two_streams_do_not_touch(make: Make, customer: Pcm) -> None:
    vad = make()
    one, other = vad.stream(), vad.stream()
    left, right = customer[8 * SAMPLE_RATE : 11 * SAMPLE_RATE], hiss(3, 4_000)
    told: tuple[list[float], list[float]] = ([], [])
    for mine, theirs in zip(pieces(left, 3_200), pieces(right, 3_200), strict=True):
        told[0].extend(one.push(mine))
        told[1].extend(other.push(theirs))
    assert told == (judged(make(), left), judged(make(), right))


def test_hiss_is_not_speech_to_the_model() -> None:
    assert max(judged(SileroVad(), hiss(4, 2_000))) < 0.35


@pytest.mark.parametrize("peak", [0, 8, 39])
def test_silence_costs_nothing(peak: int) -> None:
    vad, counting = counted()
    assert len(judged(vad, hiss(60, peak))) == 60 * SAMPLE_RATE // WINDOW
    assert counting.windows == 0


def test_what_may_be_speech_is_shown_to_the_model() -> None:
    vad, counting = counted()
    windows = len(judged(vad, hiss(2, 60)))
    assert counting.windows == windows


def test_without_a_gate_the_model_hears_everything() -> None:
    vad, counting = counted(gate=0)
    windows = len(judged(vad, np.zeros(2 * SAMPLE_RATE, np.int16)))
    assert counting.windows == windows


def test_the_model_hears_half_a_second_of_a_pause_and_no_more(customer: Pcm) -> None:
    speech = customer[9 * SAMPLE_RATE : 9 * SAMPLE_RATE + 20 * WINDOW]
    vad, counting = counted()
    judged(vad, np.concatenate([speech, np.zeros(100 * WINDOW, np.int16)]))
    # The sixteenth quiet window is the first that is left out.
    assert counting.windows == 20 + 15


def test_speech_after_a_long_silence_is_found_as_at_the_start(customer: Pcm) -> None:
    speech = customer[8 * SAMPLE_RATE : 8 * SAMPLE_RATE + 100 * WINDOW]
    silence = np.zeros(2_000 * WINDOW, np.int16)
    found = judged(SileroVad(), np.concatenate([speech, silence, speech]), size=WINDOW)
    assert found[2_100:] == judged(SileroVad(), speech, size=WINDOW)
    assert max(found[2_100:]) > 0.9


def test_a_quiet_caller_is_heard_after_silence(data: Path) -> None:
    recording = read_recording([data / "en_cancel_plan.wav"])
    assert recording.customer is not None
    quiet = np.rint(recording.customer / 10).astype(np.int16)
    # Between the turns nothing is above the gate: the customer's third and fourth, 22.35 to 32.76 s.
    found = np.array(judged(SileroVad(), Resampler(recording.rate).push(quiet)))
    at = np.arange(len(found)) * WINDOW / SAMPLE_RATE
    for start, end in ((22.35, 27.15), (27.56, 32.75)):
        assert np.mean(found[(at >= start) & (at < end)] >= 0.5) > 0.6


def test_a_pause_inside_speech_does_not_make_the_model_forget(customer: Pcm) -> None:
    speech = customer[9 * SAMPLE_RATE : 9 * SAMPLE_RATE + 40 * WINDOW]
    pause = np.zeros(10 * WINDOW, np.int16)
    found = judged(SileroVad(), np.concatenate([speech, pause, speech]), size=WINDOW)
    assert found[50:] != judged(SileroVad(), speech, size=WINDOW)
    assert np.mean(np.array(found[50:]) >= 0.5) > 0.6
