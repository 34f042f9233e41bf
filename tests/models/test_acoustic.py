"""The trained model of voices: what every file of weights must keep to, on the one that is shipped."""

from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pytest

import models
from audio.types import SAMPLE_RATE, Pcm
from models.acoustic import AcousticModel
from models.emotion import MEMORY, Baseline, Timbre, Voice, VoiceModel, calmness
from models.errors import WeightsDamaged
from models.types import EmotionLabel

WEIGHTS = Path(models.__file__).parent / "shipped" / "voice-open.onnx"


@pytest.fixture(scope="module")
def model() -> AcousticModel:
    return AcousticModel(WEIGHTS)


@pytest.fixture(scope="module")
def knowing() -> AcousticModel:
    """The same, saying the classes that its graph has scores of."""
    found = AcousticModel(WEIGHTS)
    labels = (
        EmotionLabel.ANGRY,
        EmotionLabel.SATISFIED,
        EmotionLabel.NEUTRAL,
        EmotionLabel.DISAPPOINTED,
        EmotionLabel.ANXIOUS,
    )
    found.card = msgspec.structs.replace(found.card, labels=labels)
    return found


def test_the_shipped_voice_tells_arousal_alone(model: AcousticModel) -> None:
    said = model.judge(model.hear([voice()])[0], Baseline())
    assert said.arousal is not None
    assert (said.classes, said.valence, said.valence_confidence) == (None, None, 0.0)


def voice(pitch_hz: float = 150.0, seconds: float = 1.5, amplitude: float = 3_000.0) -> Pcm:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    turning = pitch_hz * time + 20 * np.sin(2 * np.pi * 3 * time) / (2 * np.pi)
    wave = sum(np.sin(2 * np.pi * n * turning + n) / n for n in range(1, 18))
    return (np.asarray(wave) * amplitude * (1.2 + np.sin(2 * np.pi * 4 * time))).astype(np.int16)


def test_it_is_a_voice_model(model: AcousticModel) -> None:
    as_protocol: VoiceModel = model
    assert len(as_protocol.hear([voice(), voice(200)])) == 2
    assert as_protocol.hear([]) == []


def test_a_batch_is_heard_as_if_each_came_alone(model: AcousticModel) -> None:
    batch = [voice(110), voice(220, 3.0), np.zeros(16_000, np.int16)]
    for together, pcm in zip(model.hear(batch), batch, strict=True):
        (alone,) = model.hear([pcm])
        assert alone.prosody == together.prosody
        assert np.array_equal(alone.vector, together.vector)


@pytest.mark.parametrize("known", [0, 1, 60])
def test_chances_add_up_and_all_is_in_range(knowing: AcousticModel, known: int) -> None:
    model = knowing
    baseline = Baseline()
    sounds = model.hear([voice(120 + 3 * n) for n in range(5)])
    for n in range(known):
        sound = sounds[n % 5]
        baseline = baseline.learn(sound, model.judge(sound, baseline))
    said = model.judge(sounds[0], baseline)
    assert said.classes is not None
    assert set(said.classes) == set(EmotionLabel) - {EmotionLabel.UNKNOWN}
    assert sum(said.classes.values()) == pytest.approx(1)
    assert said.arousal is not None
    assert said.valence is not None
    assert -1 <= said.arousal <= 1
    assert -1 <= said.valence <= 1
    assert 0 <= said.arousal_confidence <= 1
    assert 0 <= said.valence_confidence <= 1


def test_silence_says_nothing_and_teaches_nothing(model: AcousticModel) -> None:
    (silent,) = model.hear([np.zeros(16_000, np.int16)])
    said = model.judge(silent, Baseline())
    assert (said.classes, said.arousal, said.valence) == (None, None, None)
    assert Baseline().learn(silent, said) == Baseline()


def test_a_loud_high_voice_is_more_aroused_for_a_soft_low_speaker(model: AcousticModel) -> None:
    low, high = model.hear([voice(110, amplitude=800), voice(230, amplitude=6_000)])
    baseline = Baseline()
    for _ in range(8):
        baseline = baseline.learn(low, model.judge(low, baseline))
    calm, lively = model.judge(low, baseline).arousal, model.judge(high, baseline).arousal
    assert calm is not None
    assert lively is not None
    assert lively > calm + 0.3


def test_only_the_first_fifteen_seconds_are_heard(model: AcousticModel) -> None:
    fifteen = voice(seconds=15.0)
    long, short = model.hear([np.concatenate([fifteen, voice(300)]), fifteen])
    assert np.array_equal(long.vector, short.vector)


def test_a_baseline_with_a_timbre_survives_a_checkpoint_in_two_kilobytes(model: AcousticModel) -> None:
    baseline = Baseline()
    for n in range(50):
        (sound,) = model.hear([voice(120 + n, 1.0)])
        baseline = baseline.learn(sound, model.judge(sound, baseline))
    encoded = msgspec.json.encode(baseline)
    assert len(encoded) < 2_048
    assert msgspec.json.decode(encoded, type=Baseline) == baseline


def test_a_timbre_is_the_weighted_mean_and_variance_of_what_it_saw() -> None:
    rng = np.random.default_rng(3)
    seen, weights = rng.normal(0.5, 1.0, (30, 7)).astype(np.float32), rng.uniform(0.2, 1, 30)
    timbre = Timbre()
    for vector, weight in zip(seen, weights, strict=True):
        timbre = timbre.observe(vector, float(weight))
    mean, variance, weight = timbre.moments(7)
    expected = np.average(seen, axis=0, weights=weights)
    assert weight == pytest.approx(weights.sum())
    assert mean == pytest.approx(expected, abs=0.01)
    assert variance == pytest.approx(np.average((seen - expected) ** 2, axis=0, weights=weights), abs=0.02)


def test_a_timbre_forgets_and_another_model_starts_anew() -> None:
    timbre = Timbre()
    for value in [0.0] * 100 + [1.0] * 40:
        timbre = timbre.observe(np.full(3, value, np.float32), 1.0)
    assert timbre.moments(3)[0] == pytest.approx(1 - (100 / 101) ** 40, abs=0.03)
    for _ in range(600):
        timbre = timbre.observe(np.full(3, 1.0, np.float32), 1.0)
    mean, _, weight = timbre.moments(3)
    assert mean == pytest.approx(1, abs=0.05)
    assert weight == MEMORY
    assert timbre.moments(4)[2] == 0


def test_the_calmer_the_more_it_counts() -> None:
    def heard(neutral: float) -> Voice:
        rest = (1 - neutral) / 4
        chances = {label: rest for label in EmotionLabel if label is not EmotionLabel.UNKNOWN}
        return Voice(
            classes=chances | {EmotionLabel.NEUTRAL: neutral},
            arousal=0.0,
            arousal_confidence=1.0,
            valence=0.0,
            valence_confidence=1.0,
        )

    assert calmness(heard(1.0)) == pytest.approx(1)
    assert calmness(heard(0.0)) == pytest.approx(0.2)
    assert calmness(msgspec.structs.replace(heard(0.0), classes=None, arousal=1.0)) == pytest.approx(0.2)
    assert calmness(msgspec.structs.replace(heard(0.0), classes=None, arousal=-1.0)) == pytest.approx(1)


def test_a_graph_without_a_card_is_refused() -> None:
    assets = Path(onnxruntime.__file__).parent / "datasets"
    with pytest.raises(WeightsDamaged, match="expected a card under warmline"):
        AcousticModel(assets / "sigmoid.onnx")


def test_the_card_says_what_it_was_trained_on(model: AcousticModel) -> None:
    assert model.card.name == "voice-open"
    assert model.card.data == "Emo-DB"
    assert WEIGHTS.stat().st_size < 5_000_000
