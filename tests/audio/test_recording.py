"""Files to records."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.codecs import decode
from audio.errors import NotAudio
from audio.recording import Recording, read_recording, records
from audio.types import Channel, Encoding, Pcm

KINDS = [
    ("WAV", "ULAW", Encoding.PCMU, 400),
    ("WAV", "ALAW", Encoding.PCMA, 400),
    ("WAV", "PCM_U8", Encoding.PCM16, 256),
    ("WAV", "PCM_16", Encoding.PCM16, 1),
    ("WAV", "PCM_24", Encoding.PCM16, 1),
    ("WAV", "PCM_32", Encoding.PCM16, 1),
    ("WAV", "FLOAT", Encoding.PCM16, 1),
    ("WAV", "DOUBLE", Encoding.PCM16, 1),
    ("FLAC", "PCM_16", Encoding.PCM16, 1),
    ("FLAC", "PCM_24", Encoding.PCM16, 1),
    ("CAF", "FLOAT", Encoding.PCM16, 1),
    ("AU", "ULAW", Encoding.PCMU, 400),
]


def voice(samples: int = 4_000, rate: int = 8_000, hertz: float = 440.0) -> Pcm:
    return np.rint(12_000 * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)).astype(np.int16)


def write(path: Path, pcm: Pcm, *, rate: int = 8_000, form: str = "WAV", subtype: str = "PCM_16") -> Path:
    soundfile.write(path, pcm / 32768, rate, format=form, subtype=subtype)
    return path


def stereo(left: Pcm, right: Pcm) -> Pcm:
    return np.stack([left, right], axis=1)


def difference(a: Pcm | None, b: Pcm) -> int:
    assert a is not None
    assert len(a) == len(b)
    return int(np.abs(a.astype(np.int32) - b).max())


@pytest.mark.parametrize(("form", "subtype", "encoding", "margin"), KINDS)
def test_a_mono_file_of_any_kind_is_the_customers(
    form: str, subtype: str, encoding: Encoding, margin: int, tmp_path: Path
) -> None:
    recording = read_recording([write(tmp_path / "a", voice(), form=form, subtype=subtype)])
    assert (recording.rate, recording.encoding, recording.agent) == (8_000, encoding, None)
    assert difference(recording.customer, voice()) <= margin
    assert recording.warnings == ()
    assert recording.duration_ms == 500


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")])
def test_a_compressed_file_sounds_as_loud_as_it_is(form: str, subtype: str, tmp_path: Path) -> None:
    pcm = voice(32_000, 16_000)
    recording = read_recording([write(tmp_path / "a", pcm, rate=16_000, form=form, subtype=subtype)])
    assert recording.customer is not None
    middle = recording.customer[8_000:24_000].astype(np.float64)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(12_000 / np.sqrt(2), rel=0.05)


def test_a_format_that_cannot_seek_is_read(tmp_path: Path) -> None:
    recording = read_recording([write(tmp_path / "a.wav", voice(), subtype="GSM610")])
    # Blocks of 320 samples; libsndfile writes one more at the end.
    assert 4_000 <= recording.samples < 4_000 + 2 * 320


def test_a_float_beyond_full_scale_is_clipped_and_one_that_is_no_number_silent(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([2.0, -2.0, 1.0, -1.0, np.nan, 0.5]), 8_000, subtype="FLOAT")
    recording = read_recording([path])
    assert recording.customer is not None
    assert recording.customer.tolist() == [32767, -32768, 32767, -32768, 0, 16384]


def test_a_long_file_is_read_whole(tmp_path: Path) -> None:
    pcm = np.arange(200_000, dtype=np.int32).astype(np.int16)
    for subtype in ("PCM_16", "FLOAT"):
        recording = read_recording([write(tmp_path / "a.wav", pcm, subtype=subtype)])
        np.testing.assert_array_equal(recording.customer, pcm)


def test_a_file_of_two_channels_has_the_customer_first_unless_said_otherwise(tmp_path: Path) -> None:
    left, right = voice(hertz=300), voice(hertz=700)
    path = write(tmp_path / "a.wav", stereo(left, right), subtype="PCM_16")
    recording = read_recording([path])
    assert (difference(recording.customer, left), difference(recording.agent, right)) == (0, 0)
    recording = read_recording([path], customer_channel=1)
    assert (difference(recording.customer, right), difference(recording.agent, left)) == (0, 0)
    with pytest.raises(NotAudio, match="expected a customer's channel of 0 or 1, got 2"):
        read_recording([path], customer_channel=2)


def test_two_files_are_customer_and_agent(tmp_path: Path) -> None:
    left, right = voice(4_000), voice(3_000, hertz=700)
    paths = [
        write(tmp_path / "c.wav", left, subtype="ULAW"),
        write(tmp_path / "a.wav", right, subtype="ULAW"),
    ]
    recording = read_recording(paths)
    assert (recording.encoding, recording.samples) == (Encoding.PCMU, 4_000)
    assert difference(recording.customer, left) <= 400
    assert difference(recording.agent, right) <= 400
    mixed = read_recording([paths[0], write(tmp_path / "b.wav", right)])
    assert mixed.encoding is Encoding.PCM16


def test_two_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    mono, fast = write(tmp_path / "m.wav", voice()), write(tmp_path / "f.wav", voice(), rate=16_000)
    wide = write(tmp_path / "w.wav", stereo(voice(), voice()))
    with pytest.raises(NotAudio, match=r"expected 8000 Hz like the other file, got 16000 Hz \(file=.*f\.wav\)"):
        read_recording([mono, fast])
    with pytest.raises(NotAudio, match=r"expected one channel in each of two files, got 2 channels \(file=.*w\.wav\)"):
        read_recording([mono, wide])
    with pytest.raises(NotAudio, match="expected one file, or two of one channel each, got 3 files"):
        read_recording([mono, mono, mono])
    with pytest.raises(NotAudio, match="got 0 files"):
        read_recording([])


def test_three_channels_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.stack([voice()] * 3, axis=1))
    with pytest.raises(NotAudio, match=r"expected one channel, or two, got 3 channels \(file=.*a\.wav\)"):
        read_recording([path])


def test_a_wav_that_is_cut_short_is_read_with_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", voice())
    path.write_bytes(path.read_bytes()[:-3_000])
    recording = read_recording([path])
    assert difference(recording.customer, voice()[:2_500]) == 0
    assert recording.warnings == ("the file is cut short: its header promises 8000 bytes of audio, it holds 5000",)


@pytest.mark.parametrize("promised", [0, 0xFFFF_FFFF])
def test_a_header_that_was_never_completed_is_no_cause_for_a_warning(promised: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", voice())
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = promised.to_bytes(4, "little")
    path.write_bytes(content)
    if promised:
        assert read_recording([path]).warnings == ()
        assert difference(read_recording([path]).customer, voice()) == 0
    else:
        with pytest.raises(NotAudio, match="without any"):
            read_recording([path])


def test_the_word_data_in_a_comment_does_not_pass_for_the_audio(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", voice())
    content = path.read_bytes()
    comment = b"ICMT" + (12).to_bytes(4, "little") + b"data\x00\x00\x00\x7f...\x00"
    chunk = b"LIST" + (4 + len(comment)).to_bytes(4, "little") + b"INFO" + comment
    at = content.index(b"data")
    size = (len(content) + len(chunk) - 8).to_bytes(4, "little")
    path.write_bytes(content[:4] + size + content[8:at] + chunk + content[at:])
    recording = read_recording([path])
    assert difference(recording.customer, voice()) == 0
    assert recording.warnings == ()


def test_a_header_without_audio_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", voice(0))
    with pytest.raises(NotAudio, match=r"expected audio, got a header of WAV PCM_16 without any \(file=.*a\.wav\)"):
        read_recording([path])


@pytest.mark.parametrize("content", [b"", b"Dear customer,\nthis is no recording.\n", b"RIFF", b"fLaC" + bytes(40)])
def test_what_is_no_recording_is_refused_by_what_it_begins_with(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(NotAudio) as caught:
        read_recording([path])
    assert str(caught.value).startswith("expected a recording in WAV, FLAC or another format that libsndfile reads")
    assert f"got {len(content)} bytes that begin with {content[:8]!r}" in str(caught.value)
    assert caught.value.path == str(path)


def test_a_directory_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAudio, match="expected a file, got a directory"):
        read_recording([tmp_path])
    with pytest.raises(NotAudio, match="expected a file, got nothing there"):
        read_recording([tmp_path / "none.wav"])


def test_a_rate_that_is_no_speech_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", voice(), rate=2_000)
    with pytest.raises(NotAudio, match="expected a rate from 4 to 192 kHz, got 2000 Hz"):
        read_recording([path])


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW", "ALAW"])
def test_an_empty_channel_is_told(subtype: str, tmp_path: Path) -> None:
    silent = np.zeros(4_000, np.int16)
    path = write(tmp_path / "a.wav", stereo(voice(), silent), subtype=subtype)
    assert read_recording([path]).warnings == ("the second channel is empty",)
    mono = write(tmp_path / "m.wav", silent, subtype=subtype)
    assert read_recording([mono]).warnings == ("the channel is empty",)
    full = write(tmp_path / "f.wav", voice(), subtype=subtype)
    assert read_recording([mono, full]).warnings == ("the channel of the first file is empty",)


def test_a_channel_of_one_loudest_negative_sample_is_not_empty(tmp_path: Path) -> None:
    pcm = np.zeros(4_000, np.int16)
    pcm[7] = -32768
    assert read_recording([write(tmp_path / "a.wav", pcm)]).warnings == ()


@pytest.mark.parametrize(("rate", "step"), [(8_000, 1_600), (11_025, 2_205), (16_000, 3_200), (48_000, 9_600)])
def test_records_stand_on_a_grid_of_200_ms_and_the_last_is_short(rate: int, step: int, tmp_path: Path) -> None:
    left, right = voice(3 * step + 7, rate), voice(3 * step + 7, rate, hertz=700)
    recording = read_recording([write(tmp_path / "a.wav", stereo(left, right), rate=rate)])
    told = list(records(recording, "c-1"))
    assert [(record.call_id, record.seq, record.offset) for record in told] == [("c-1", n, n * step) for n in range(4)]
    assert {(record.rate, record.encoding) for record in told} == {(rate, Encoding.PCM16)}
    assert [len(record.customer) for record in told] == [2 * step] * 3 + [14]
    for channel, pcm in ((Channel.CUSTOMER, left), (Channel.AGENT, right)):
        assert b"".join(record.payload(channel) for record in told) == pcm.astype("<i2").tobytes()


def test_a_shorter_channel_ends_within_its_record_and_is_empty_after(tmp_path: Path) -> None:
    paths = [write(tmp_path / "c.wav", voice(4_000)), write(tmp_path / "a.wav", voice(2_000))]
    told = list(records(read_recording(paths), "c"))
    assert [len(record.customer) for record in told] == [3_200, 3_200, 1_600]
    assert [len(record.agent) for record in told] == [3_200, 800, 0]


def test_a_mono_recording_has_records_without_an_agent(tmp_path: Path) -> None:
    told = list(records(read_recording([write(tmp_path / "a.wav", voice())]), "c"))
    assert [record.agent for record in told] == [b""] * 3


@pytest.mark.parametrize(("subtype", "encoding"), [("ULAW", Encoding.PCMU), ("ALAW", Encoding.PCMA)])
def test_telephone_audio_passes_as_it_came(subtype: str, encoding: Encoding, tmp_path: Path) -> None:
    codes = bytes(range(256)) * 10
    path = tmp_path / "a.wav"
    soundfile.write(path, decode(encoding, codes), 8_000, subtype=subtype)
    told = list(records(read_recording([path]), "c"))
    assert {record.encoding for record in told} == {encoding}
    sent = b"".join(record.customer for record in told)
    np.testing.assert_array_equal(decode(encoding, sent), decode(encoding, codes))


def test_companded_audio_at_another_rate_becomes_pcm16(tmp_path: Path) -> None:
    recording = read_recording([write(tmp_path / "a.wav", voice(rate=16_000), rate=16_000, subtype="ULAW")])
    (first, *_) = records(recording, "c")
    assert first.encoding is Encoding.PCM16
    assert recording.customer is not None
    assert first.customer == recording.customer[:3_200].astype("<i2").tobytes()


def test_a_recording_without_channels_has_no_length() -> None:
    silent = np.zeros(0, np.int16)
    recording = Recording(rate=8_000, encoding=Encoding.PCM16, customer=silent, agent=None)
    assert (recording.samples, recording.duration_ms, list(records(recording, "c"))) == (0, 0, [])
