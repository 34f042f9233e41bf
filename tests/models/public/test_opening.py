"""What is said of a directory that cannot be used."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from models.errors import ComputeUnsupported, ModelError, VoiceModelError
from models.public.opening import open_voice_model

LaidOut = Callable[..., Path]


def describe(text: str) -> Callable[[Path], None]:
    return lambda place: (place / "model.toml").write_text(text) and None


def remove(name: str) -> Callable[[Path], None]:
    return lambda place: (place / name).unlink()


def head(**arrays: npt.NDArray[np.float32]) -> Callable[[Path], None]:
    return lambda place: np.savez(place / "head.npz", **arrays)


WRONG: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "no description": ("dimensional", remove("model.toml"), "expected a file model.toml .*, got model.onnx"),
    "no TOML": ("dimensional", describe("kind ="), r"got Invalid value .*model\.toml"),
    "no kind": ("dimensional", describe(""), "required field `kind`"),
    "unknown kind": ("dimensional", describe('kind = "hubert"'), "Invalid value 'hubert'"),
    "unknown field": ("dimensional", describe('kind = "emotion2vec"\ntemprature = 2.0'), "unknown field `temprature`"),
    "field of another": ("dimensional", describe('kind = "emotion2vec"\nlanguage = "zh"'), "unknown field `language`"),
    "no temperature": ("dimensional", describe('kind = "emotion2vec"\ntemperature = 0.0'), r"> 0\.0.*temperature"),
    "no network": ("dimensional", remove("model.onnx"), "expected an ONNX file, got none"),
    "no ONNX": (
        "dimensional",
        lambda place: (place / "model.onnx").write_bytes(b"version https://git-lfs") and None,
        "expected an ONNX file that ONNX Runtime can run",
    ),
    "another's network": (
        "dimensional",
        describe('kind = "emotion2vec"'),
        "expected one of: input to output; .*, got inputs signal and outputs hidden_states, logits",
    ),
    "the network of another": (
        "emotion2vec-frames",
        describe('kind = "wav2vec2-dimensional"'),
        "expected inputs signal and outputs logits, got inputs input and outputs output",
    ),
    "another's network with tokens": (
        "sense-voice-funasr",
        describe('kind = "wav2vec2-dimensional"'),
        "expected inputs signal and outputs logits, got inputs speech, speech_lengths",
    ),
    "not SenseVoice": (
        "dimensional",
        describe('kind = "sense-voice"'),
        "expected speech, speech_lengths, language, textnorm to ctc_logits; or x, x_length",
    ),
    "no head": ("emotion2vec-frames", remove("head.npz"), r"weight of shape \(9, d\) .*, got no such file"),
    "half a head": ("emotion2vec-frames", head(weight=np.ones((9, 8), np.float32)), "bias of shape"),
    "a head of seven": (
        "emotion2vec-frames",
        head(weight=np.ones((7, 8), np.float32), bias=np.ones(7, np.float32)),
        r"got \{'weight': \(7, 8\)",
    ),
    "a head of another width": (
        "emotion2vec-frames",
        head(weight=np.ones((9, 768), np.float32), bias=np.ones(9, np.float32)),
        r"expected frames as wide as the head, 768, got 8",
    ),
    "no tokens": ("sense-voice-funasr", remove("tokens.json"), "expected tokens.json or tokens.txt, got neither"),
    "a tag missing": (
        "sense-voice-funasr",
        lambda place: (place / "tokens.json").write_text('["a", "<|HAPPY|>"]') and None,
        r"expected <\|ANGRY\|>, <\|DISGUSTED\|>.* among the tokens, got 2 others",
    ),
    "tokens of another network": (
        "sense-voice-funasr",
        lambda place: (
            (place / "tokens.json").write_text(
                json.dumps(["x"] * 20 + json.loads((place / "tokens.json").read_bytes()))
            )
            and None
        ),
        "as many tokens as in the list, 32 at least, got 16",
    ),
    "no scale": ("sense-voice-funasr", remove("am.mvn"), "this file, or neg_mean in the network, got neither"),
    "another scale": (
        "sense-voice-funasr",
        lambda place: (place / "am.mvn").write_text("<LearnRateCoef> 0 [ 1 2 ]\n<LearnRateCoef> 0 [ 1 2 ]") and None,
        r"two rows of 560 numbers for the scale, got rows of \[2, 2\]",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_directory_is_told_apart(laid_out: LaidOut, wrong: str) -> None:
    name, spoil, message = WRONG[wrong]
    place = laid_out(name)
    spoil(place)
    with pytest.raises(VoiceModelError, match=message) as raised:
        open_voice_model(place, "cpu")
    assert str(place) in str(raised.value), "it is said where"


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(VoiceModelError, match=r"expected a directory with model\.toml, got none"):
        open_voice_model(tmp_path / "nowhere", "cpu")


def test_an_export_for_a_batch_of_four_is_refused(laid_out: LaidOut) -> None:
    place = laid_out("emotion2vec-frames", rows="4")
    with pytest.raises(VoiceModelError, match="input input for batches of any size, or of 1, got of 4"):
        open_voice_model(place, "cpu")


def test_an_export_for_one_length_is_found_out_at_once(laid_out: LaidOut) -> None:
    place = laid_out("dimensional", length="16000")
    with pytest.raises(VoiceModelError, match=r"expected an answer to signal \(1, 240000\)"):
        open_voice_model(place, "cpu")


def test_an_export_that_does_not_leave_padding_out_is_found_out_at_once(laid_out: LaidOut) -> None:
    place = laid_out("emotion2vec-masked", heedless=True)
    with pytest.raises(VoiceModelError, match=r"alone and in a batch .*, got a difference of"):
        open_voice_model(place, "cpu")
    (place / "model.toml").write_text('kind = "emotion2vec"\nbatch = 1\n')
    assert open_voice_model(place, "cpu").batch == 1


def test_numbers_that_are_none_are_found_out_at_once(laid_out: LaidOut) -> None:
    place = laid_out("emotion2vec-frames")
    np.savez(place / "head.npz", weight=np.full((9, 8), np.nan, np.float32), bias=np.zeros(9, np.float32))
    with pytest.raises(VoiceModelError, match=r"expected finite numbers for an utterance, got \[nan"):
        open_voice_model(place, "cpu")


@pytest.mark.parametrize("device", ["tpu", "cuda:x", "cpu:1"])
def test_a_device_that_nobody_has_is_refused(laid_out: LaidOut, device: str) -> None:
    with pytest.raises(ComputeUnsupported, match=f"got {device}"):
        open_voice_model(laid_out("dimensional"), device)


def test_a_missing_gpu_is_not_made_up_for_in_silence(laid_out: LaidOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ComputeUnsupported, match="pip install"):
        open_voice_model(laid_out("dimensional"), "cuda")
    assert isinstance(open_voice_model(laid_out("dimensional"), "auto"), object)


def test_a_missing_library_is_named(laid_out: LaidOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.public.fbank.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"expected kaldi-native-fbank, for SenseVoice, got none; pip install"):
        open_voice_model(laid_out("sense-voice-funasr"), "cpu")
