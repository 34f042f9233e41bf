"""What telephone lines do to a made voice."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra train")

from audio.codecs.g711 import decode_ulaw, encode_ulaw
from audio.types import Pcm
from models.training.augment import RATE, TELEPHONE, Line, coded, concealed, draw, stretched, through


def voice(pitch_hz: float = 150.0, seconds: float = 1.0) -> Pcm:
    time = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * n * pitch_hz * time + n) / n for n in range(1, 20))
    return (np.asarray(wave) * 4_000).astype(np.int16)


def pitch(pcm: Pcm) -> float:
    """By the strongest lag of the autocorrelation between 120 and 400 Hz."""
    wave = pcm.astype(np.float64)
    power = np.abs(np.fft.rfft(wave, 2 * len(wave))) ** 2
    lags = np.fft.irfft(power)
    low, high = RATE // 400, RATE // 120
    return RATE / (low + int(np.argmax(lags[low:high])))


def chance() -> np.random.Generator:
    return np.random.default_rng(1)


def level_db(pcm: Pcm) -> float:
    return 10 * float(np.log10(np.mean(np.square(pcm, dtype=np.float64))))


def test_a_clean_line_is_a_round_trip_of_mu_law() -> None:
    assert np.array_equal(through(voice(), TELEPHONE, chance()), decode_ulaw(encode_ulaw(voice())))


@pytest.mark.parametrize(("codec", "snr_db"), [("ulaw", 30), ("alaw", 30), ("gsm", 5)])
def test_a_codec_keeps_length_and_most_of_the_voice(codec: str, snr_db: float) -> None:
    heard = coded(voice(), codec)
    wrong = heard.astype(np.float64) - voice()
    assert len(heard) == len(voice())
    assert 10 * np.log10(np.mean(voice().astype(np.float64) ** 2) / np.mean(wrong**2)) > snr_db


def test_lost_packets_change_as_much_as_was_lost_and_nothing_else() -> None:
    whole = voice(seconds=60)
    heard = concealed(whole, 0.1, chance())
    packets = (heard != whole).reshape(-1, RATE // 50).any(axis=1)
    assert 0.06 < packets.mean() < 0.14
    assert concealed(whole, 0.0, chance()) is whole


def test_another_voice_is_higher_and_as_fast() -> None:
    heard = through(voice(), Line(voice=1.2), chance())
    assert pitch(heard) == pytest.approx(180, rel=0.03)
    assert len(heard) == pytest.approx(len(voice()), rel=0.06)


def test_another_tempo_is_as_high_and_faster() -> None:
    heard = through(voice(), Line(tempo=1.25), chance())
    assert pitch(heard) == pytest.approx(150, rel=0.03)
    assert len(heard) == pytest.approx(len(voice()) / 1.25, rel=0.06)


def test_what_is_too_short_to_stretch_stays() -> None:
    wave = np.ones(300)
    assert stretched(wave, 1.3) is wave


def test_gain_noise_highpass_and_clipping_do_what_they_say() -> None:
    plain = level_db(through(voice(), Line(), chance()))
    assert level_db(through(voice(), Line(gain_db=-10), chance())) == pytest.approx(plain - 10, abs=0.2)
    noise = through(voice(), Line(snr_db=10), chance()).astype(np.float64) - through(voice(), Line(), chance())
    assert level_db(noise.astype(np.int16)) == pytest.approx(plain - 10, abs=0.5)
    assert level_db(through(voice(), Line(highpass_hz=300), chance())) < plain - 3
    peak = np.abs(voice()).max()
    assert np.abs(through(voice(), Line(clip=0.5), chance())).max() == pytest.approx(0.5 * peak, rel=0.05)


def test_the_same_chance_draws_the_same_line() -> None:
    assert draw(chance()) == draw(chance())
    assert len({draw(np.random.default_rng(seed)) for seed in range(20)}) == 20
