"""The emotion benchmark over a manifest made here."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.emotion import ccc, run

_RATE = 8_000
_CLASSES = {"angry", "happy", "neutral", "sad"}


def voice(pitch_hz: float, amplitude: float, tilt: float) -> np.ndarray:
    time = np.arange(_RATE * 2) / _RATE
    harmonics = range(1, int(3_400 / pitch_hz))
    sound = sum(np.sin(2 * np.pi * n * pitch_hz * time + n) * n**-tilt for n in harmonics)
    return np.clip(np.asarray(sound) * amplitude, -32_768, 32_767).astype(np.int16)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two speakers who talk, shout and mumble; one file of a class that is left out, one of another split."""
    folder = tmp_path / "emo_made"
    folder.mkdir()
    rows = ["path,speaker,emotion,transcript,language,split,detail"]
    moods = {"neutral": (1.0, 600, 1.2), "calm": (1.01, 620, 1.2), "angry": (1.5, 2_400, 0.7), "sad": (0.85, 250, 1.8)}
    aroused = {"neutral": 0.0, "calm": 0.0, "angry": 0.8, "sad": -0.8}
    order = ["neutral", "calm", "neutral", "calm", "angry", "sad", "angry", "sad", "neutral"]
    for speaker, pitch in (("low", 110.0), ("high", 210.0)):
        for n, mood in enumerate(order):
            higher, amplitude, tilt = moods[mood]
            path = f"{speaker}_{n}.wav"
            soundfile.write(folder / path, voice(pitch * higher * (1 + 0.01 * n), amplitude, tilt), _RATE)
            words = "this is outrageous" if mood == "angry" else "the blue house"
            rows.append(f"{path},{speaker},{mood},{words},en,eval,arousal={aroused[mood]};sex=x")
    soundfile.write(folder / "fear.wav", voice(150, 500, 1.0), _RATE)
    rows += ["fear.wav,low,fear,who is there,en,eval,", "fear.wav,low,angry,left out by the split,en,train,"]
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "manifest.csv"


def result(
    manifest: Path, out: Path, capsys: pytest.CaptureFixture[str], *, with_text: bool = False
) -> dict[str, object]:
    run([manifest], split="eval", limit=None, with_text=with_text, out=out, json=True)
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
    assert (one["name"], one["n"], one["speakers"]) == ("emo_made", 18, 2)
    assert one["uar"] == 1.0
    assert one["accuracy"] == 1.0
    assert one["arousal_auc"] == 1.0
    assert isinstance(one["ccc_arousal"], float)
    assert one["ccc_arousal"] > 0.7
    confusion, per_class = one["confusion"], one["per_class"]
    assert isinstance(confusion, dict)
    assert isinstance(per_class, dict)
    assert set(confusion) == set(per_class) == _CLASSES
    assert sum(sum(row.values()) for row in confusion.values()) == 18
    assert per_class["neutral"]["n"] == 10
    assert per_class["happy"] == {"n": 0, "recall": None, "precision": None, "f1": None}


def test_words_are_used_only_where_asked(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = result(manifest, tmp_path / "a.json", capsys)
    given = result(manifest, tmp_path / "b.json", capsys, with_text=True)
    assert isinstance(without["coverage"], float)
    assert isinstance(given["coverage"], float)
    assert without["coverage"] < 0.7 < given["coverage"]


def test_concordance_of_known_series() -> None:
    truth = np.array([0.0, 1.0, 2.0, 3.0])
    assert ccc(truth, truth) == 1.0
    assert ccc(truth, -truth + 3) == -1.0
    # Variance 1.25 each, covariance 1.25, means one apart: 2.5 / 3.5.
    assert ccc(truth, truth + 1) == pytest.approx(0.7143, abs=1e-4)
    assert ccc(truth[:1], truth[:1]) is None
    assert ccc(np.ones(3), np.ones(3)) is None
