"""Which offsets are given out while calls are recorded: nothing that is not written yet is passed over."""

import io
from uuid import uuid4

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_assist.store.recordings import Recordings
from audio.codecs import encode
from audio.types import AudioRecord, Encoding
from stream.record import Recording
from stream.wire import AudioEnd, encode_audio

RATE = 8_000
STEP = RATE // 5


def audio(call_id: str, seq: int) -> bytes:
    payload = encode(Encoding.PCM16, np.full(STEP, seq + 1, np.int16))
    return encode_audio(
        AudioRecord(
            call_id=call_id,
            seq=seq,
            offset=seq * STEP,
            rate=RATE,
            encoding=Encoding.PCM16,
            customer=payload,
            agent=payload,
        )
    )


def log() -> list[tuple[bytes, bytes]]:
    """One partition with two calls that overlap, and what is none of them."""
    messages = [(b"a", audio("a", seq)) for seq in range(100)]
    for seq in range(220):
        messages += [(b"b", audio("b", seq)), (b"a", audio("a", 100 + seq))]
    messages += [(b"", b""), (b"a", b"broken"), (b"a", encode_audio(AudioEnd(duration_ms=64_000, reason="hangup")))]
    messages += [(b"b", audio("b", seq)) for seq in range(220, 230)]
    messages.append((b"b", encode_audio(AudioEnd(duration_ms=46_000, reason="hangup"))))
    return messages


LOG = log()


def read(recording: Recording, start: int, end: int) -> None:
    for offset in range(start, end):
        key, value = LOG[offset]
        recording.take(0, offset, key, value)


def shelf() -> Recordings:
    """In memory, empty."""
    return Recordings(f"memory://{uuid4()}")


def heard(kept: Recordings, call_id: str) -> list[int]:
    """The sequence numbers, plus 1, of the records that a recording is made of; 0 for silence."""
    size = kept.size(call_id)
    assert size is not None, f"the recording of {call_id} is whole"
    pcm, _ = soundfile.read(io.BytesIO(kept.read(call_id, 0, size)), dtype="int16", always_2d=True)
    assert (pcm[:, 0] == pcm[:, 1]).all()
    return [int(part[0]) for part in np.split(pcm[:, 0], len(pcm) // STEP) if (part == part[0]).all()]


def test_a_call_is_whole_at_its_end_and_what_cannot_be_read_stops_nothing() -> None:
    kept = shelf()
    read(Recording(kept), 0, len(LOG))
    assert heard(kept, "a") == list(range(1, 321))
    assert heard(kept, "b") == list(range(1, 231))


@settings(max_examples=25)
@given(st.lists(st.integers(0, len(LOG)), min_size=1, max_size=4))
@pytest.mark.slow
def test_who_takes_over_at_the_positions_loses_nothing_and_spoils_nothing(cuts: list[int]) -> None:
    kept = shelf()
    start = 0
    for cut in sorted(cuts):
        recording = Recording(kept)
        read(recording, start, max(cut, start))
        start = recording.positions().get(0, start)
    read(Recording(kept), start, len(LOG))
    assert heard(kept, "a") == list(range(1, 321))
    assert heard(kept, "b") == list(range(1, 231))


def test_a_call_that_fell_silent_is_written_and_holds_nothing_back() -> None:
    now = [0.0]
    kept = shelf()
    recording = Recording(kept, clock=lambda: now[0])
    read(recording, 0, 10)
    assert recording.positions() == {0: 0}
    now[0] = 121.0
    recording.sweep()
    assert recording.positions() == {0: 10}
    assert heard(kept, "a") == list(range(1, 11))


def test_what_another_has_now_is_let_go() -> None:
    recording = Recording(shelf())
    read(recording, 0, 10)
    recording.drop([0])
    assert recording.positions() == {}
