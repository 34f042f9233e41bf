"""One channel's chain, on the sample calls."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from audio.codecs import decode, encode
from audio.cutter import Cutter, Speech
from audio.endpoint import EndpointPolicy
from audio.errors import PayloadError
from audio.recording import read_recording, records
from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Channel, Encoding, Pcm
from audio.vad import LevelVad, SileroVad, VoiceActivity

CALLS = ["zh_late_order", "en_cancel_plan"]
SIDES = list(Channel)
POLICY = EndpointPolicy()


def payloads(data: Path, name: str, channel: Channel) -> list[bytes]:
    """Records of 200 ms of mu-law at 8 kHz."""
    return [record.payload(channel) for record in records(read_recording([data / f"{name}.wav"]), "c")]


def cutter(vad: VoiceActivity, start: int = 0) -> Cutter:
    return Cutter(Encoding.PCMU, 8_000, vad, POLICY, start=start)


def cut(line: Cutter, pieces: list[bytes]) -> list[Speech]:
    return [speech for piece in pieces for speech in line.push(piece)] + line.flush()


def content(speeches: list[Speech]) -> list[tuple[int, int, bytes]]:
    return [(speech.start, speech.end, speech.pcm.tobytes()) for speech in speeches]


def seconds(speeches: list[Speech]) -> list[tuple[float, float]]:
    return [(speech.start / SAMPLE_RATE, speech.end / SAMPLE_RATE) for speech in speeches]


def voiced(speeches: list[Speech]) -> npt.NDArray[np.bool_]:
    """Which samples of the first minute are in a segment."""
    told = np.zeros(60 * SAMPLE_RATE, np.bool_)
    for speech in speeches:
        told[speech.start : speech.end] = True
    return told


def tone(*, pauses: tuple[tuple[float, float], ...], length: float) -> Pcm:
    """A loud tone at 16 kHz with pauses, in seconds."""
    time = np.arange(int(length * SAMPLE_RATE)) / SAMPLE_RATE
    pcm = np.rint(8_000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    for start, end in pauses:
        pcm[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] = 0
    return pcm


@pytest.mark.parametrize(("name", "channel"), list(zip(CALLS, SIDES, strict=True)))
def test_pieces_of_20_and_of_200_ms_give_the_same_speech(name: str, channel: Channel, data: Path) -> None:
    large = payloads(data, name, channel)[:150]
    whole = b"".join(large)
    small = [whole[at : at + 160] for at in range(0, len(whole), 160)]
    vad = SileroVad()
    found = cut(cutter(vad), large)
    assert content(cut(cutter(vad), small)) == content(found)
    assert len(found) >= 2


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("channel", SIDES)
def test_the_segments_of_a_call_are_its_turns(name: str, channel: Channel, data: Path) -> None:
    turns = json.loads((data / f"{name}.json").read_text())["turns"]
    spoken: list[tuple[float, float]] = []
    for turn in (turn for turn in turns if turn["speaker"] == channel):
        # Two turns with less between them than a pause may be one segment.
        joined = spoken and turn["start"] - spoken[-1][1] < POLICY.min_silence / SAMPLE_RATE
        start = spoken.pop()[0] if joined else turn["start"]
        spoken.append((start, turn["end"]))
    found = seconds(cut(cutter(SileroVad()), payloads(data, name, channel)))
    assert all(a[1] <= b[0] for a, b in pairwise(found))
    # A turn may hold a pause, and so be several segments: the first begins and the last ends with it.
    for start, end in spoken:
        own = [segment for segment in found if start < sum(segment) / 2 < end]
        assert own, (start, end)
        assert own[0][0] == pytest.approx(start, abs=0.4)
        assert own[-1][1] == pytest.approx(end, abs=0.4)
        assert sum(b - a for a, b in own) > 0.8 * (end - start)
    for segment in found:
        assert any(start - 0.4 <= segment[0] and segment[1] <= end + 0.4 for start, end in spoken), segment


def test_two_turns_with_a_breath_between_are_two_segments(data: Path) -> None:
    found = seconds(cut(cutter(SileroVad()), payloads(data, "zh_late_order", Channel.CUSTOMER)))
    # The customer speaks from 36.28 to 43.00, and again from 43.30 to 51.05.
    assert not any(start < 42.8 and end > 43.5 for start, end in found)
    assert any(end == pytest.approx(43.0, abs=0.15) for _, end in found)
    assert any(start == pytest.approx(43.3, abs=0.15) for start, _ in found)


def test_the_audio_of_a_segment_is_what_was_sent(data: Path) -> None:
    pieces = payloads(data, "zh_late_order", Channel.CUSTOMER)[:100]
    resampler = Resampler(8_000)
    pcm = np.concatenate([resampler.push(decode(Encoding.PCMU, b"".join(pieces))), resampler.flush()])
    found = cut(cutter(SileroVad(), start=7_000), pieces)
    assert found
    for speech in found:
        assert len(speech.pcm) == speech.end - speech.start
        np.testing.assert_array_equal(speech.pcm, pcm[speech.start - 7_000 : speech.end - 7_000])


@pytest.mark.parametrize("at", [4, 16, 36])
def test_a_primed_chain_goes_on_as_the_one_before(at: int) -> None:
    # Four records are 25 windows: there the new chain's windows lie as the old one's.
    pcm = tone(pauses=((0.0, 1.1), (2.2, 3.5), (5.0, 7.45), (9.0, 10.0)), length=12.0)
    pieces = [pcm[n : n + 3_200].tobytes() for n in range(0, len(pcm), 3_200)]
    whole = Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY)
    before = [speech for piece in pieces[: at + 1] for speech in whole.push(piece)]
    assert not whole.open
    fresh = Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY, start=at * 3_200)
    fresh.prime(pieces[at])
    after = cut(whole, pieces[at + 1 :])
    assert content(cut(fresh, pieces[at + 1 :])) == content(after)
    assert (len(before), len(after)) == {4: (0, 4), 16: (1, 3), 36: (2, 2)}[at]
    if at == 36:
        # The pre-roll reaches back into the record that primed.
        assert after[0].start < (at + 1) * 3_200 < after[0].end


@pytest.mark.parametrize("at", [37, 158])
def test_a_primed_chain_hears_the_same_speech_in_a_call_as_the_one_before(at: int, data: Path) -> None:
    pieces = payloads(data, "zh_late_order", Channel.CUSTOMER)[:300]
    vad = SileroVad()
    whole, fresh = cutter(vad), cutter(vad, start=at * 3_200)
    for piece in pieces[: at + 1]:
        whole.push(piece)
    assert not whole.open
    fresh.prime(pieces[at])
    expected, found = cut(whole, pieces[at + 1 :]), cut(fresh, pieces[at + 1 :])
    # The detector's memory differs, so a doubtful pause may; what is speech does not.
    ours, theirs = voiced(found), voiced(expected)
    assert len(expected) > 3
    assert np.sum(ours & theirs) > 0.97 * np.sum(ours | theirs)


def test_two_chains_primed_alike_agree_to_the_bit_whatever_else_their_detector_hears(data: Path) -> None:
    pieces = payloads(data, "en_cancel_plan", Channel.CUSTOMER)[60:160]
    noise = payloads(data, "en_cancel_plan", Channel.AGENT)
    shared = SileroVad()
    alone, beside, other = cutter(SileroVad()), cutter(shared), cutter(shared)
    alone.prime(pieces[0])
    beside.prime(pieces[0])
    told: list[Speech] = []
    for piece, disturbance in zip(pieces[1:], noise, strict=False):
        other.push(disturbance)
        told += beside.push(piece)
    assert content(told + beside.flush()) == content(cut(alone, pieces[1:]))
    assert told


@pytest.mark.parametrize("voice", [np.zeros(SAMPLE_RATE, np.int16), tone(pauses=(), length=1.0)])
def test_memory_is_bounded_in_silence_and_in_endless_speech(voice: Pcm) -> None:
    policy = EndpointPolicy(max_length=5 * SAMPLE_RATE)
    line = Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), policy)
    for _ in range(60):
        for at in range(0, SAMPLE_RATE, 3_200):
            line.push(voice[at : at + 3_200].tobytes())
            assert len(line._pcm) <= policy.max_length + policy.pre_roll + 3_200 + 512


def test_endless_speech_is_cut_without_loss() -> None:
    pcm = tone(pauses=(), length=50.0)
    found = cut(Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY), [pcm.tobytes()])
    assert len(found) == 3
    assert all(a.end == b.start for a, b in pairwise(found))
    whole = np.concatenate([speech.pcm for speech in found])
    # What fills no window at the end is never judged.
    assert len(pcm) - len(whole) < 512
    np.testing.assert_array_equal(whole, pcm[: len(whole)])


def test_what_is_being_said_can_be_heard_before_it_ends() -> None:
    pcm = tone(pauses=((0.0, 1.0), (3.0, 4.0)), length=4.0)
    line = Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY, start=1_000)
    heard: list[Speech | None] = []
    ended: list[Speech] = []
    for at in range(0, len(pcm), 3_200):
        ended += line.push(pcm[at : at + 3_200].tobytes())
        heard.append(line.open_speech())
    assert heard[:5] == [None] * 5
    spoken = [speech for speech in heard if speech is not None]
    assert len(spoken) >= 10
    assert {speech.start for speech in spoken} == {ended[0].start}
    assert spoken[0].start - 1_000 == pytest.approx(SAMPLE_RATE - POLICY.pre_roll, abs=512)
    for before, after in pairwise(spoken):
        assert after.end > before.end
        assert after.pcm.tobytes().startswith(before.pcm.tobytes())
    for speech in spoken:
        np.testing.assert_array_equal(speech.pcm, pcm[speech.start - 1_000 : speech.end - 1_000])
    assert heard[-1] is None
    assert not line.open


def test_a_click_is_open_for_a_while_and_never_told() -> None:
    pcm = np.zeros(2 * SAMPLE_RATE, np.int16)
    pcm[8_000:8_300] = 20_000
    line = Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY)
    assert line.push(pcm[:9_600].tobytes()) == []
    assert line.open
    assert line.open_speech() is None
    assert line.push(pcm[9_600:].tobytes()) == []
    assert not line.open
    assert line.flush() == []


def test_the_end_of_the_call_ends_what_is_being_said_once() -> None:
    line = Cutter(Encoding.PCMU, 8_000, LevelVad(), POLICY)
    line.push(encode(Encoding.PCMU, tone(pauses=(), length=1.0)[::2]))
    (speech,) = line.flush()
    assert speech.start == 0
    assert SAMPLE_RATE - 512 < speech.end <= SAMPLE_RATE
    assert line.flush() == []


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(PayloadError):
        Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY).push(b"abc")
