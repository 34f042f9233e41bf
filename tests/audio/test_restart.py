"""A chain made anew in mid-call says nothing twice."""

import numpy as np
import pytest

from audio.cutter import Cutter, Speech
from audio.endpoint import EndpointPolicy
from audio.types import SAMPLE_RATE, Encoding, Pcm
from audio.vad import LevelVad

POLICY = EndpointPolicy()
RECORD = 3_200


def two_turns(begin: int, pause: int) -> Pcm:
    """A long turn that begins at a sample, a pause, a short turn."""
    rng = np.random.default_rng(begin)
    loud = [rng.integers(-3_000, 3_000, length).astype(np.int16) for length in (90_000, 20_000)]
    silence = np.zeros(SAMPLE_RATE, np.int16)
    return np.concatenate([np.zeros(begin, np.int16), loud[0], silence[:pause], loud[1], silence])


def chain(start: int, after: int) -> Cutter:
    return Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY, start=start, after=after)


def cut(pcm: Pcm, *, remember: bool) -> list[Speech]:
    """As the pipeline does it: a new chain after each record at which a segment was closed and none is open."""
    line, told = chain(0, 0), []
    for at in range(0, len(pcm), RECORD):
        payload = pcm[at : at + RECORD].tobytes()
        closed = line.push(payload)
        told += closed
        if closed and not line.open:
            line = chain(at, line.spoken_until if remember else 0)
            line.prime(payload)
    return told + line.flush()


@pytest.mark.parametrize("begin", range(1_000, 4_200, 100))
@pytest.mark.parametrize("pause", [4_620, 4_800, 5_200])
def test_speech_after_a_restart_does_not_reach_back_into_the_speech_before(begin: int, pause: int) -> None:
    first, second = cut(two_turns(begin, pause), remember=True)
    assert first.end <= second.start
    assert len(second.pcm) == second.end - second.start


def test_a_chain_that_forgets_the_speech_before_tells_its_end_twice() -> None:
    overlaps = 0
    for begin in range(1_000, 4_200, 100):
        first, second = cut(two_turns(begin, 4_620), remember=False)
        overlaps += second.start < first.end
    assert overlaps > 0


def test_the_end_of_the_speech_before_counts_from_the_start_of_the_call() -> None:
    line = Cutter(Encoding.PCM16, SAMPLE_RATE, LevelVad(), POLICY, start=5_000, after=6_000)
    assert line.spoken_until == 6_000
    assert chain(5_000, 4_000).spoken_until == 5_000
    pcm = two_turns(0, 8_000)
    told = [speech for at in range(0, len(pcm), 160) for speech in line.push(pcm[at : at + 160].tobytes())]
    assert len(told) == 2
    assert told[0].start == 6_000
    np.testing.assert_array_equal(told[0].pcm, pcm[1_000 : told[0].end - 5_000])
    assert line.spoken_until == told[-1].end
