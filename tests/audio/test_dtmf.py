"""Keys are found as a telephone sends them, and never in what people say."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.codecs import decode, encode
from audio.cutter import Cutter
from audio.dtmf import KeyDetector, Pressed
from audio.endpoint import EndpointPolicy
from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Encoding, Pcm
from audio.vad import SileroVad

ALL = "0123456789*#ABCD"
ROWS = {697: "123A", 770: "456B", 852: "789C", 941: "*0#D"}
COLUMNS = (1209, 1336, 1477, 1633)
NOISE = np.random.default_rng(2)


def tone(key: str, ms: float, level: float, off: float, twist_db: float) -> npt.NDArray[np.float64]:
    low = next(low for low, keys in ROWS.items() if key in keys)
    high = COLUMNS[ROWS[low].index(key)]
    time, gain = np.arange(int(8 * ms)) / 8_000, 10 ** (twist_db / 20)
    both = np.sin(2 * np.pi * low * (1 + off) * time) + gain * np.sin(2 * np.pi * high * (1 - off) * time + 1)
    return level * both / (1 + gain)


def dialled(
    keys: str,
    on: float = 70,
    pause: float = 70,
    *,
    level: float = 8_000,
    off: float = 0.0,
    twist_db: float = 0.0,
    noise: float = 0.0,
    encoding: Encoding = Encoding.PCM16,
) -> Pcm:
    """At 16 kHz, as it comes through a telephone line."""
    parts = [np.zeros(2_400)]
    for key in keys:
        parts += [tone(key, on, level, off, twist_db), np.zeros(int(8 * pause))]
    line = np.concatenate([*parts, np.zeros(2_400)])
    line = np.clip(line + NOISE.normal(0, noise, len(line)), -32768, 32767).astype(np.int16)
    resampler = Resampler(8_000)
    return np.concatenate([resampler.push(decode(encoding, encode(encoding, line))), resampler.flush()])


def pressed(pcm: Pcm, piece: int = 3_200) -> list[Pressed]:
    detector = KeyDetector()
    found = [run for at in range(0, len(pcm), piece) for run in detector.push(pcm[at : at + piece])]
    return found + detector.flush()


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize(
    "line",
    [
        {},
        {"on": 40, "pause": 40},
        {"on": 400, "pause": 100},
        {"on": 50, "pause": 50, "off": 0.015},
        {"on": 50, "pause": 50, "off": -0.015},
        {"twist_db": 4},
        {"twist_db": -8},
        {"level": 700},
        {"noise": 600},
    ],
    ids=str,
)
def test_every_key_is_found_as_q24_asks(line: dict[str, float], encoding: Encoding) -> None:
    assert [run.keys for run in pressed(dialled(ALL, encoding=encoding, **line))] == [ALL]


@pytest.mark.parametrize("line", [{"on": 23}, {"off": 0.035}, {"level": 60}, {"twist_db": 12}], ids=str)
def test_what_is_no_key_of_a_telephone_is_none(line: dict[str, float]) -> None:
    assert pressed(dialled(ALL, **line)) == []


def test_a_run_says_where_it_was_and_ends_two_seconds_after_its_last_key() -> None:
    [run] = pressed(dialled("42", 100, 100))
    assert run.keys == "42"
    assert run.start / SAMPLE_RATE == pytest.approx(0.3, abs=0.03)
    assert run.end / SAMPLE_RATE == pytest.approx(0.6, abs=0.03)
    assert [run.keys for run in pressed(dialled("42", 100, 1_800))] == ["42"]
    assert [run.keys for run in pressed(dialled("42", 100, 2_200))] == ["4", "2"]


def test_a_key_held_down_is_one_and_a_key_pressed_twice_two() -> None:
    assert [run.keys for run in pressed(dialled("7", 3_000))] == ["7"]
    assert [run.keys for run in pressed(dialled("77", 60, 60))] == ["77"]


@settings(max_examples=30)
@given(pieces=st.lists(st.integers(1, 5_000), min_size=1, max_size=40))
def test_it_does_not_matter_how_the_audio_is_cut(pieces: list[int]) -> None:
    pcm, detector, at = dialled("0*#59", noise=100), KeyDetector(), 0
    found: list[Pressed] = []
    for piece in (*pieces, len(pcm)):
        found += detector.push(pcm[at : at + piece])
        at += piece
    assert found + detector.flush() == pressed(pcm, len(pcm))


@pytest.mark.parametrize("call", ["zh_late_order", "en_cancel_plan"])
def test_nobody_presses_a_key_by_talking(data: Path, call: str) -> None:
    samples, rate = soundfile.read(data / f"{call}.wav", dtype="int16", always_2d=True)
    for channel in samples.T:
        resampler = Resampler(rate)
        assert pressed(np.concatenate([resampler.push(np.ascontiguousarray(channel)), resampler.flush()])) == []


@pytest.mark.corpus
def test_hours_of_talk_give_no_more_than_a_key_an_hour(corpus: Path) -> None:
    seconds, runs = 0.0, list[Pressed]()
    for name in ("tel_asterisk_en8k", "tel_harper_en8k", "emo_casia_zh"):
        for path in sorted((corpus / name).rglob("*.flac"))[:400]:
            samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
            resampler = Resampler(rate)
            pcm = np.concatenate([resampler.push(np.ascontiguousarray(samples[:, 0])), resampler.flush()])
            seconds, runs = seconds + len(pcm) / SAMPLE_RATE, runs + pressed(pcm)
    assert seconds > 1_200
    assert len(runs) <= max(1, seconds / 3_600)


def test_keys_are_no_speech() -> None:
    cutter = Cutter(Encoding.PCM16, SAMPLE_RATE, SileroVad(), EndpointPolicy(), start=SAMPLE_RATE)
    said = cutter.push(dialled("1234567890", 120, 120).astype("<i2").tobytes())
    assert cutter.open
    assert said + cutter.flush() == []
    [run] = cutter.pressed()
    assert run.keys == "1234567890"
    assert run.start / SAMPLE_RATE == pytest.approx(1.3, abs=0.03)
    assert cutter.pressed() == []
