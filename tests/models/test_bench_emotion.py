"""The emotion benchmark over a manifest made here."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.types import Pcm
from benchmarks import voices, weights
from benchmarks.clips import clips, sound
from benchmarks.emotion import run
from benchmarks.hearing import chances, follow, hear
from benchmarks.pace import paced
from benchmarks.weights import find, of
from models.emotion import Baseline, Sound, Voice
from models.fusion import OPEN, CustomerVoice, feel
from models.prosody import measure
from models.sentiment import NOTHING_SAID, score
from models.types import EmotionLabel
from models.unsupervised import UnsupervisedVoice
from stream.errors import StreamError

_RATE = 8_000
_CLASSES = {"angry", "happy", "neutral", "sad"}


def voice(pitch_hz: float, amplitude: float, tilt: float) -> np.ndarray:
    time = np.arange(_RATE * 2) / _RATE
    harmonics = range(1, int(3_400 / pitch_hz))
    made = sum(np.sin(2 * np.pi * n * pitch_hz * time + n) * n**-tilt for n in harmonics)
    return np.clip(np.asarray(made) * amplitude, -32_768, 32_767).astype(np.int16)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two speakers who talk, shout and mumble; one file of a class that is left out, two speakers of another split."""
    folder = tmp_path / "emo_made"
    folder.mkdir()
    rows = ["path,speaker,emotion,transcript,language,split,detail"]
    moods = {"neutral": (1.0, 600, 1.2), "calm": (1.01, 620, 1.2), "angry": (1.5, 2_400, 0.7), "sad": (0.85, 250, 1.8)}
    aroused = {"neutral": 0.0, "calm": 0.0, "angry": 0.8, "sad": -0.8}
    order = ["neutral", "calm", "neutral", "calm", "angry", "sad", "angry", "sad", "neutral"]
    speakers = {"low": (110.0, "eval"), "high": (210.0, "eval"), "lower": (100.0, "train"), "higher": (225.0, "train")}
    for speaker, (pitch, split) in speakers.items():
        for n, mood in enumerate(order):
            higher, amplitude, tilt = moods[mood]
            path = f"{speaker}_{n}.wav"
            soundfile.write(folder / path, voice(pitch * higher * (1 + 0.01 * n), amplitude, tilt), _RATE)
            words = "this is outrageous" if mood == "angry" else "the blue house"
            rows.append(f"{path},{speaker},{mood},{words},en,{split},arousal={aroused[mood]};sex=x")
    soundfile.write(folder / "fear.wav", voice(150, 500, 1.0), _RATE)
    rows.append("fear.wav,low,fear,who is there,en,eval,")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "manifest.csv"


def result(manifest: Path, out: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    given = {"with_text": False, "split": "eval", "peers": False} | options
    run([manifest], limit=None, out=out, json=True, **given)
    printed = json.loads(capsys.readouterr().out)
    assert json.loads(out.read_text(encoding="utf-8")) == printed
    assert printed["environment"]["command"].startswith("warmline bench emotion")
    (one,) = printed["sets"]
    assert isinstance(one, dict)
    return one


def test_voices_that_shout_and_mumble_are_told_apart(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = result(manifest, tmp_path / "out.json", capsys)
    assert (one["name"], one["language"], one["n"], one["speakers"]) == ("emo_made", "en", 18, 2)
    assert one["arousal_auc"] == 1.0
    assert min(one["uar"], one["accuracy"], one["macro_f1"]) > 0.75
    assert one["uar_interval"][0] <= one["uar"] <= one["uar_interval"][1]
    assert one["accuracy_interval"][0] <= one["accuracy"] <= one["accuracy_interval"][1]
    assert one["resampled"] == "files"
    assert one["ccc_arousal"] > 0.7
    assert one["ccc_arousal_interval"][0] < one["ccc_arousal"] < one["ccc_arousal_interval"][1]
    assert 0 < one["ece"] < 1
    assert 0 <= one["ece_by_chance"][0] < one["ece_by_chance"][1] < 1
    assert one["coverage_accuracy"][0]["accuracy"] == one["accuracy"]
    assert set(one["confusion"]) == set(one["per_class"]) == _CLASSES
    assert sum(sum(row.values()) for row in one["confusion"].values()) == 18
    assert one["per_class"]["neutral"]["n"] == 10
    assert one["per_class"]["happy"] == {"n": 0, "recall": None, "precision": None, "f1": None}
    assert one["ms"] > 0
    assert one["ms_32"] > 0
    low, high = one["speaker_known"]["arousal_balanced_interval"]
    assert low <= one["speaker_known"]["arousal_balanced"] <= high


def test_fear_counts_for_arousal_and_not_for_the_classes(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = result(manifest, tmp_path / "out.json", capsys)
    assert one["arousal_n"] == one["n"] + 1 == 19
    assert one["arousal_balanced"] > 0.75
    assert one["arousal_balanced_interval"][0] <= one["arousal_balanced"] <= one["arousal_balanced_interval"][1]


def test_what_is_printed_has_the_speaker_live_and_known_and_the_time(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run([manifest], limit=None, out=tmp_path / "out.json", json=False, with_text=False, split="eval", peers=True)
    told = capsys.readouterr().out
    one = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["sets"][0]
    live, known = (f"{uar:.2f}" for uar in (one["uar"], one["speaker_known"]["uar"]))
    (said,) = [line for line in told.splitlines() if "live" in line and live in line]
    assert "emo_made" in said
    assert [line for line in told.splitlines() if "known" in line and known in line]
    for heading in ("ECE", "at 70 %", "CCC arousal", "CCC valence", "ms of 32", "SVM"):
        assert heading in told
    assert f"{one['ms']:.1f}" in told


def test_time_is_that_of_the_clock_that_is_given() -> None:
    ticks = iter(range(1_000))
    made, pace = paced(lambda some: [2 * one for one in some], list(range(40)), lambda: 0.001 * next(ticks))
    assert made == [2 * n for n in range(40)]
    # A tick for each that comes alone, and one for all 32 that come together.
    assert (pace.ms, pace.ms_32) == pytest.approx((1.0, 1 / 32), abs=1e-4)


def test_words_are_used_only_where_asked(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = result(manifest, tmp_path / "a.json", capsys)
    given = result(manifest, tmp_path / "b.json", capsys, with_text=True)
    assert without["ece"] != given["ece"]
    assert without["coverage"] <= given["coverage"]


def test_the_peer_is_trained_on_the_speakers_of_the_train_split(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (peer,) = result(manifest, tmp_path / "out.json", capsys, peers=True)["peers"]
    assert (peer["name"], peer["trained_on"], peer["trained_n"], peer["n"]) == ("SVM", "split train", 18, 18)
    assert peer["uar"] > 0.9


@pytest.mark.slow
def test_the_peer_is_folded_by_speaker_where_all_are_heard_and_trained_on_other_corpora_besides(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "emo_other"
    manifest.parent.rename(other)
    manifest.parent.mkdir()
    for path in other.iterdir():
        (manifest.parent / path.name).write_bytes(path.read_bytes())
    one = result(manifest, tmp_path / "out.json", capsys, split=None, peers=True, train=[manifest])
    assert [(peer["trained_on"], peer["trained_n"], peer["n"]) for peer in one["peers"]] == [("other speakers", 36, 36)]
    one = result(manifest, tmp_path / "out.json", capsys, peers=True, train=[other / "manifest.csv"])
    assert [peer["trained_on"] for peer in one["peers"]] == ["split train", "emo_other"]


def test_files_are_heard_as_the_telephone_brings_them(manifest: Path) -> None:
    path = manifest.parent / "low_0.wav"
    plain, telephone = sound(path, "none"), sound(path, "pcmu")
    assert len(plain) == len(telephone) == 32_000
    assert 0 < np.abs(plain.astype(int) - telephone).max() < 0.05 * np.abs(plain).max()
    wide = manifest.parent / "wide.wav"
    time = np.arange(32_000) / 16_000
    soundfile.write(wide, (8_000 * np.sin(2 * np.pi * 6_000 * time)).astype(np.int16), 16_000)
    assert np.abs(sound(wide, "none")).max() > 7_000
    assert np.abs(sound(wide, "pcmu")[500:-500]).max() < 100


class Sure:
    """Knows everything from the length of a file, and takes in batches what it is given."""

    def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
        return [Sound(prosody=measure(pcm), vector=np.array([len(pcm)], np.float32)) for pcm in batch]

    def judge(self, sound: Sound, baseline: Baseline) -> Voice:
        rest = dict.fromkeys((label for label in EmotionLabel if label is not EmotionLabel.UNKNOWN), 0.1)
        return Voice(
            classes=rest | {EmotionLabel.ANGRY: 0.6},
            arousal=float(sound.vector[0] / 32_000),
            arousal_confidence=1.0,
            valence=-0.5,
            valence_confidence=1.0,
        )


def test_a_model_with_classes_is_taken_at_its_word(manifest: Path) -> None:
    files = list(clips(manifest, split="eval", limit=3, codec="none"))
    seen = follow(hear(Sure(), files), {}, Sure(), None)
    assert {one.predicted for one in seen} == {"angry"}
    # Of the four: 0.6 of 0.9.
    assert [one.share for one in seen] == pytest.approx([0.6 / 0.9] * 3)
    assert {(one.arousal, one.valence) for one in seen} == {(1.0, -0.5)}


def test_words_move_the_classes_of_a_voice_as_they_move_those_of_production() -> None:
    sounds = Sure().hear([np.zeros(32_000, np.int16)])
    voice_alone = Sure().judge(sounds[0], Baseline())
    glad = chances(voice_alone, score("thank you so much, that is great", "en"))
    cross = chances(voice_alone, score("this is outrageous, I am angry", "en"))
    assert (
        glad[EmotionLabel.SATISFIED] / glad[EmotionLabel.ANGRY]
        > 1 / 6
        > cross[EmotionLabel.SATISFIED] / cross[EmotionLabel.ANGRY]
    )
    assert chances(voice_alone, score("", "en")) == pytest.approx(voice_alone.classes)


def test_the_model_without_training_says_what_production_says(manifest: Path) -> None:
    files = list(clips(manifest, split="eval", limit=2, codec="none"))
    heard = hear(UnsupervisedVoice(), files)
    assert [one.prosody for one in heard.sounds] == [measure(clip.pcm) for clip in files]
    (first, _) = follow(heard, {}, UnsupervisedVoice(), None)
    voice = UnsupervisedVoice().judge(heard.sounds[0], Baseline())
    _, emotion = feel(CustomerVoice(), heard.sounds[0], voice, NOTHING_SAID, OPEN, "", files[0].length_ms)
    assert (first.arousal, first.named) == (voice.arousal, emotion.label is not EmotionLabel.UNKNOWN)


def test_a_model_that_is_not_there_is_told() -> None:
    with pytest.raises(StreamError, match="expected unsupervised"):
        voices.chosen("nobody")


def test_a_split_without_files_is_told(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StreamError, match="expected files, got none"):
        result(manifest, tmp_path / "out.json", capsys, split="nobody")


def test_weights_of_the_checkout_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    (tmp_path / "voice-open.onnx").write_bytes(b"weights")
    path = find("open", "voice", "onnx", "unsupervised")
    assert find(of(path).name, "voice", "onnx", "unsupervised") == path == tmp_path / "voice-open.onnx"


def test_weights_are_found_as_a_file_or_alone_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"weights")
    assert find(str(tmp_path), "voice", "onnx", "unsupervised") == tmp_path / "a.onnx"
    assert find(str(tmp_path / "a.onnx"), "voice", "onnx", "unsupervised") == tmp_path / "a.onnx"
    assert of(tmp_path / "a.onnx").name == "a"
    assert of(tmp_path / "a.onnx").sha256 == hashlib.sha256(b"weights").hexdigest()
    (tmp_path / "b.onnx").write_bytes(b"more")
    with pytest.raises(StreamError, match=r"expected unsupervised, a file \*.onnx, or a directory with one of them"):
        find(str(tmp_path), "voice", "onnx", "unsupervised")
