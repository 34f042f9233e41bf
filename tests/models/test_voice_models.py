"""What every model of voices keeps to, whatever it is made of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Pcm
from models.emotion import Baseline, Sound, Voice, VoiceModel
from models.types import EmotionLabel

OWN: dict[str, Callable[[], VoiceModel]] = {}
"""Ours: a name and what makes it, a line each."""
PUBLIC = (
    "emotion2vec-frames",
    "emotion2vec-classes",
    "emotion2vec-masked",
    "emotion2vec-scores",
    "sense-voice-funasr",
    "sense-voice-sherpa",
    "dimensional",
    "dimensional-masked",
)

LABELS = {label for label in EmotionLabel if label is not EmotionLabel.UNKNOWN}
ODD = {
    "nothing": np.zeros(0, np.int16),
    "one sample": np.ones(1, np.int16),
    "50 ms": np.random.default_rng(1).integers(-9_000, 9_000, SAMPLE_RATE // 20).astype(np.int16),
    "silence": np.zeros(2 * SAMPLE_RATE, np.int16),
    "a constant": np.full(SAMPLE_RATE, 1_000, np.int16),
    "full scale": np.where(np.arange(SAMPLE_RATE) // 80 % 2, 32_767, -32_768).astype(np.int16),
    "40 s": np.random.default_rng(2).integers(-3_000, 3_000, 40 * SAMPLE_RATE).astype(np.int16),
}


@pytest.fixture(scope="module", params=[*OWN, *PUBLIC])
def model(request: pytest.FixtureRequest, public_model: Callable[[str], VoiceModel]) -> VoiceModel:
    name: str = request.param
    return OWN[name]() if name in OWN else public_model(name)


@pytest.fixture(scope="module")
def speech(data: Path) -> list[Pcm]:
    """Turns of a customer and of an agent, 1 to 6 s, not in the order of their lengths."""
    samples, rate = soundfile.read(data / "zh_late_order.wav", dtype="int16", always_2d=True)
    channels = [Resampler(rate).push(np.ascontiguousarray(samples[:, n])) for n in (0, 1)]
    spans = ((0, 20, 24), (1, 4, 5), (0, 36, 42), (0, 74, 76), (1, 60, 65))
    return [channels[channel][begin * SAMPLE_RATE : end * SAMPLE_RATE] for channel, begin, end in spans]


def close(one: Voice, other: Voice) -> bool:
    """Equal up to rounding."""
    pairs = [(one.arousal, other.arousal), (one.valence, other.valence)]
    pairs += [(one.arousal_confidence, other.arousal_confidence), (one.valence_confidence, other.valence_confidence)]
    assert (one.classes is None) == (other.classes is None)
    pairs += [(chance, (other.classes or {})[label]) for label, chance in (one.classes or {}).items()]
    return all(a == b if a is None or b is None else a == pytest.approx(b, abs=1e-3) for a, b in pairs)


def check(voice: Voice) -> None:
    if voice.classes is not None:
        assert set(voice.classes) == LABELS
        assert all(0 <= chance <= 1 for chance in voice.classes.values())
        assert sum(voice.classes.values()) == pytest.approx(1)
    for value, confidence in ((voice.arousal, voice.arousal_confidence), (voice.valence, voice.valence_confidence)):
        assert value is None or -1 <= value <= 1
        assert 0 <= confidence <= 1
        assert value is not None or confidence == 0


def known(model: VoiceModel, pcm: Pcm) -> Baseline:
    baseline = Baseline()
    for sound in model.hear([pcm, pcm, pcm]):
        baseline = baseline.observe(sound.prosody)
    return baseline


def test_speech_is_judged_within_bounds(model: VoiceModel, speech: list[Pcm]) -> None:
    voices = [model.judge(sound, Baseline()) for sound in model.hear(speech)]
    for voice in voices:
        check(voice)
        assert voice.arousal is not None
    # The sounds differ, and so does what is said of them: the bounds are not kept by saying nothing.
    assert any(not close(voices[0], voice) for voice in voices[1:])


def test_the_same_sound_is_always_judged_alike(model: VoiceModel, speech: list[Pcm]) -> None:
    first, again = model.hear(speech), model.hear([pcm.copy() for pcm in speech])
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)
        assert one.prosody == other.prosody
        assert model.judge(one, Baseline()) == model.judge(other, Baseline()) == model.judge(one, Baseline())


def test_an_utterance_sounds_the_same_alone_and_among_others(model: VoiceModel, speech: list[Pcm]) -> None:
    together = model.hear(speech)
    assert len(together) == len(speech)
    for pcm, sound in zip(speech, together, strict=True):
        (alone,) = model.hear([pcm])
        assert alone.prosody == sound.prosody
        np.testing.assert_allclose(alone.vector, sound.vector, atol=1e-3)
        assert close(model.judge(alone, Baseline()), model.judge(sound, Baseline()))


@pytest.mark.parametrize("odd", ODD)
def test_no_sound_is_too_odd(model: VoiceModel, speech: list[Pcm], odd: str) -> None:
    alone, beside, _ = model.hear([ODD[odd], ODD[odd], speech[0]])
    for sound in (alone, beside):
        check(model.judge(sound, Baseline()))
        check(model.judge(sound, known(model, speech[0])))
    assert model.hear([]) == []


@settings(max_examples=20)
@given(length=st.integers(0, 3 * SAMPLE_RATE), peak=st.sampled_from([1, 30, 3_000, 32_000]), hz=st.integers(60, 3_000))
def test_any_tone_is_judged_within_bounds(model: VoiceModel, length: int, peak: int, hz: int) -> None:
    tone = peak * np.sin(2 * np.pi * hz / SAMPLE_RATE * np.arange(length))
    (sound,) = model.hear([tone.astype(np.int16)])
    check(model.judge(sound, Baseline()))


def test_where_nobody_speaks_neither_arousal_nor_valence_is_told(model: VoiceModel) -> None:
    (sound,) = model.hear([ODD["silence"]])
    voice = model.judge(sound, Baseline())
    assert voice.arousal is None
    assert voice.valence is None


def test_two_calls_do_not_touch(model: VoiceModel, speech: list[Pcm]) -> None:
    low, high = known(model, speech[0]), known(model, speech[1])
    (sound,) = model.hear([speech[2]])
    apart = model.judge(sound, low)
    # Another call is heard and judged in between.
    model.judge(model.hear([speech[1]])[0], high)
    assert model.judge(sound, low) == apart
    (again,) = model.hear([speech[2]])
    assert model.judge(again, low) == apart


def test_calls_may_be_heard_at_the_same_time(model: VoiceModel, speech: list[Pcm]) -> None:
    def hear(pcm: Pcm) -> Sound:
        return model.hear([pcm])[0]

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(hear, speech * 4))
    for pcm, sound in zip(speech * 4, found, strict=True):
        np.testing.assert_allclose(sound.vector, hear(pcm).vector, atol=1e-6)


def test_what_is_given_is_not_changed(model: VoiceModel, speech: list[Pcm]) -> None:
    before: list[Any] = [pcm.tobytes() for pcm in speech]
    sounds = model.hear(speech)
    vectors = [sound.vector.tobytes() for sound in sounds]
    for sound in sounds:
        model.judge(sound, Baseline())
    assert [pcm.tobytes() for pcm in speech] == before
    assert [sound.vector.tobytes() for sound in sounds] == vectors
