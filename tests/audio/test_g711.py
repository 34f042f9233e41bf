"""G.711 against the tables of the standard, and against libsndfile."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audio.codecs import SILENCE, decode, encode
from audio.errors import PayloadError
from audio.types import Encoding

CODES = bytes(range(256))
COMPANDED = (Encoding.PCMU, Encoding.PCMA)
EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)

# Tables 2a and 1a: the ends of each segment, of positive values, in units of 14 and 13 bits.
ULAW_TABLE = {
    0x80: 8031, 0x8F: 4191, 0x90: 3999, 0x9F: 2079, 0xA0: 1983, 0xAF: 1023, 0xB0: 975, 0xBF: 495, 0xC0: 471,
    0xCF: 231, 0xD0: 219, 0xDF: 99, 0xE0: 93, 0xEF: 33, 0xF0: 30, 0xFE: 2, 0xFF: 0,
}  # fmt: skip
ALAW_TABLE = {
    0xAA: 4032, 0xA5: 2112, 0xBA: 2016, 0xB5: 1056, 0x8A: 1008, 0x85: 528, 0x9A: 504, 0x95: 264, 0xEA: 252,
    0xE5: 132, 0xFA: 126, 0xF5: 66, 0xCA: 63, 0xC5: 33, 0xDA: 31, 0xD5: 1,
}  # fmt: skip


def test_the_codes_of_mu_law_stand_for_the_values_of_the_standard() -> None:
    for code, value in ULAW_TABLE.items():
        assert decode(Encoding.PCMU, bytes([code, code ^ 0x80])).tolist() == [4 * value, -4 * value]


def test_the_codes_of_a_law_stand_for_the_values_of_the_standard() -> None:
    for code, value in ALAW_TABLE.items():
        assert decode(Encoding.PCMA, bytes([code, code ^ 0x80])).tolist() == [8 * value, -8 * value]


@pytest.mark.parametrize(("encoding", "subtype"), [(Encoding.PCMU, "ULAW"), (Encoding.PCMA, "ALAW")])
def test_all_codes_decode_as_libsndfile_decodes_them(encoding: Encoding, subtype: str) -> None:
    theirs, _ = soundfile.read(
        io.BytesIO(CODES), dtype="int16", samplerate=8_000, channels=1, format="RAW", subtype=subtype
    )
    np.testing.assert_array_equal(decode(encoding, CODES), theirs)


def test_what_was_decoded_encodes_to_the_same_codes() -> None:
    assert encode(Encoding.PCMA, decode(Encoding.PCMA, CODES)) == CODES
    # Mu-law has two codes of zero; the positive one is sent.
    assert encode(Encoding.PCMU, decode(Encoding.PCMU, CODES)) == CODES.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize("encoding", COMPANDED)
def test_a_louder_sample_is_never_decoded_quieter(encoding: Encoding) -> None:
    back = decode(encoding, encode(encoding, EVERY_SAMPLE)).astype(np.int32)
    assert np.all(np.diff(back) >= 0)
    assert len(np.unique(back)) == (255 if encoding is Encoding.PCMU else 256)


@pytest.mark.parametrize("encoding", COMPANDED)
def test_each_sample_takes_the_code_of_its_interval(encoding: Encoding) -> None:
    values = np.unique(decode(encoding, CODES)).astype(np.int32)
    sound = EVERY_SAMPLE[np.abs(EVERY_SAMPLE.astype(np.int32)) <= 32_635]
    back = decode(encoding, encode(encoding, sound)).astype(np.int32)
    gaps = np.diff(values, prepend=2 * values[0] - values[1], append=2 * values[-1] - values[-2])
    at = np.searchsorted(values, back)
    # An interval is as wide as the larger step on its sides, or less; its value stands in its middle.
    assert np.all(2 * np.abs(back - sound) <= np.maximum(gaps[at], gaps[at + 1]))


@pytest.mark.parametrize("encoding", list(Encoding))
def test_silence_is_the_quietest_sample_and_nothing_stays_nothing(encoding: Encoding) -> None:
    silent = decode(encoding, SILENCE[encoding] * 3)
    assert silent.shape == (3,)
    assert int(np.abs(silent).max()) <= 8
    assert decode(encoding, b"").shape == (0,)
    assert encode(encoding, np.zeros(0, np.int16)) == b""


@given(st.binary(max_size=64).filter(lambda payload: len(payload) % 2 == 0))
def test_pcm16_passes_unchanged(payload: bytes) -> None:
    pcm = decode(Encoding.PCM16, payload)
    assert pcm.dtype == np.int16
    assert encode(Encoding.PCM16, pcm) == payload


def test_pcm16_is_little_endian() -> None:
    assert decode(Encoding.PCM16, b"\x01\x02\xff\xff").tolist() == [0x0201, -1]


def test_half_a_sample_of_pcm16_is_refused() -> None:
    with pytest.raises(PayloadError, match=r"^expected an even number of bytes of PCM16, got 3 \(decode\)$"):
        decode(Encoding.PCM16, b"abc")
