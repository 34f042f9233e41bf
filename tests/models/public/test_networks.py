"""The networks are given what they were made for, and what they say is read where it stands."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from audio.types import SAMPLE_RATE, Pcm
from models.emotion import Baseline, Sound, VoiceModel, arousal
from models.prosody import measure
from models.public.fbank import Fbank, scale_of
from models.public.listening import OURS, heard
from models.public.opening import open_voice_model

LaidOut = Callable[..., Path]


def test_the_ways_of_exporting_emotion2vec_come_to_the_same(
    public_model: Callable[[str], VoiceModel], pcm: Pcm
) -> None:
    frames, plain, masked = (
        public_model(f"emotion2vec-{way}").hear([pcm])[0].vector for way in ("frames", "classes", "masked")
    )
    np.testing.assert_allclose(frames, plain, atol=1e-4)
    np.testing.assert_allclose(masked, plain, atol=1e-4)
    assert np.ptp(plain) > 1


def test_the_ways_of_exporting_sense_voice_come_to_the_same(
    public_model: Callable[[str], VoiceModel], pcm: Pcm
) -> None:
    funasr, sherpa = (public_model(f"sense-voice-{way}").hear([pcm])[0].vector for way in ("funasr", "sherpa"))
    np.testing.assert_allclose(funasr, sherpa, atol=1e-3)
    assert np.ptp(funasr) > 1


@pytest.mark.parametrize("name", ["emotion2vec-frames", "dimensional"])
def test_how_loud_the_line_is_does_not_matter_to_a_network_that_wants_it_normalised(
    public_model: Callable[[str], VoiceModel], pcm: Pcm, name: str
) -> None:
    quiet, loud = public_model(name).hear([pcm // 4, pcm // 4 * 4 + 500])
    np.testing.assert_allclose(quiet.vector, loud.vector, atol=0.02)


def test_scores_are_probabilities_of_the_network_that_normalises_by_itself(laid_out: LaidOut, pcm: Pcm) -> None:
    place = laid_out("emotion2vec-scores")
    (sound,) = open_voice_model(place, "cpu").hear([pcm])
    session = onnxruntime.InferenceSession(str(place / "nine.onnx"), providers=["CPUExecutionProvider"])
    (scores,) = session.run(["scores"], {"audio": (pcm / np.float32(32_768))[None]})
    np.testing.assert_allclose(np.exp(sound.vector), np.asarray(scores)[0], rtol=1e-4)


def test_the_emotion_is_read_at_its_place_whatever_the_order_of_the_tokens(laid_out: LaidOut, pcm: Pcm) -> None:
    place = laid_out("sense-voice-funasr")
    (before,) = open_voice_model(place, "cpu").hear([pcm])
    tokens = json.loads((place / "tokens.json").read_bytes())
    session = onnxruntime.InferenceSession(str(place / "model.onnx"), providers=["CPUExecutionProvider"])
    speech = Fbank(scale_of({}, place / "am.mvn"))(pcm / np.float32(32_768))
    feeds = {
        "speech": speech[None],
        "speech_lengths": np.array([len(speech)], np.int32),
        "language": np.array([0], np.int32),
        "textnorm": np.array([15], np.int32),
    }
    logits = np.asarray(session.run(["ctc_logits"], feeds)[0])
    tags = ("ANGRY", "DISGUSTED", "FEARFUL", "HAPPY", "NEUTRAL", "SAD", "SURPRISED", "EMO_UNKNOWN")
    expected = logits[0, 1, [tokens.index(f"<|{tag}|>") for tag in tags]]
    np.testing.assert_allclose(before.vector, expected, atol=1e-3)
    # The first two change places in the list, and so in what is read.
    happy, sad = tokens.index("<|HAPPY|>"), tokens.index("<|SAD|>")
    tokens[happy], tokens[sad] = tokens[sad], tokens[happy]
    (place / "tokens.json").write_text(json.dumps(tokens))
    (after,) = open_voice_model(place, "cpu").hear([pcm])
    np.testing.assert_array_equal(after.vector[[3, 5]], before.vector[[5, 3]])


def test_a_language_may_be_given(laid_out: LaidOut, pcm: Pcm) -> None:
    place = laid_out("sense-voice-sherpa")
    (any_language,) = open_voice_model(place, "cpu").hear([pcm])
    (place / "model.toml").write_text('kind = "sense-voice"\nlanguage = "zh"\n')
    (chinese,) = open_voice_model(place, "cpu").hear([pcm])
    assert np.abs(any_language.vector - chinese.vector).max() > 0.01


def test_dimensions_become_ours(public_model: Callable[[str], VoiceModel], pcm: Pcm) -> None:
    voiced = measure(pcm)
    sound = Sound(voiced, np.array([0.75, 0.9, 0.4], np.float32))
    voice = public_model("dimensional-masked").judge(sound, Baseline())
    assert voice.classes is None
    assert voice.arousal == pytest.approx(0.5)
    assert voice.valence == pytest.approx(-0.2)
    assert voice.arousal_confidence == pytest.approx(0.5 * heard(voiced))
    assert voice.valence_confidence == pytest.approx(0.25 * heard(voiced))
    beyond = public_model("dimensional").judge(Sound(voiced, np.array([1.1, 0, -0.1], np.float32)), Baseline())
    assert (beyond.arousal, beyond.valence) == (1.0, -1.0)


@pytest.mark.parametrize("name", ["emotion2vec-classes", "sense-voice-funasr"])
def test_arousal_is_the_unsupervised_one_where_a_model_has_none(
    public_model: Callable[[str], VoiceModel], pcm: Pcm, name: str
) -> None:
    model = public_model(name)
    (sound,) = model.hear([pcm])
    baseline = Baseline().observe(measure(pcm[: len(pcm) // 2]))
    voice = model.judge(sound, baseline)
    assert (voice.arousal, voice.arousal_confidence) == arousal(measure(pcm), baseline)
    assert (voice.valence, voice.valence_confidence) == (None, 0.0)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("emotion2vec-frames", 1),
        ("emotion2vec-masked", 2),
        ("emotion2vec-scores", 1),
        ("sense-voice-sherpa", 3),
        ("dimensional", 1),
        ("dimensional-masked", 8),
    ],
)
def test_only_networks_that_take_lengths_hear_utterances_together(laid_out: LaidOut, name: str, most: int) -> None:
    assert open_voice_model(laid_out(name), "cpu").batch == most


@pytest.mark.parametrize("name", ["emotion2vec-classes", "sense-voice-funasr"])
def test_without_voice_no_class_is_likelier_than_another(public_model: Callable[[str], VoiceModel], name: str) -> None:
    model = public_model(name)
    for silence in (np.zeros(SAMPLE_RATE, np.int16), np.zeros(0, np.int16)):
        (sound,) = model.hear([silence])
        assert model.judge(sound, Baseline()).classes == dict.fromkeys(OURS.values(), 0.2)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["emotion2vec-classes", "sense-voice-funasr", "dimensional-masked"])
def test_a_gpu_hears_nearly_what_a_processor_hears(laid_out: LaidOut, pcm: Pcm, name: str) -> None:
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.fail("expected the ONNX Runtime of the extra gpu, got one without CUDA: pip install 'warmline[gpu]'")
    place = laid_out(name)
    batch = [pcm, pcm[: len(pcm) // 3]]
    for gpu, cpu in zip(
        open_voice_model(place, "cuda").hear(batch), open_voice_model(place, "cpu").hear(batch), strict=True
    ):
        # TF32 has ten bits, and the heads of these networks are steep.
        np.testing.assert_allclose(gpu.vector, cpu.vector, atol=0.1)
