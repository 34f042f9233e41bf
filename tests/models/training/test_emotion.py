"""Training from made vectors to a file of weights."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")

from models.acoustic import AcousticModel
from models.prosody import Prosody
from models.training import kernel
from models.training.corpora import Row
from models.training.emotion import RECIPES, Plan, groups, train
from models.training.evaluation import calibration_error, figures, follow
from models.training.hearing import Heard, load, save

EMOTIONS = ("angry", "happy", "neutral", "sad", "fear", "surprise")
PLAN = Plan(2, 1, 0, "cpu", kernel.Policy(landmarks=150))


def prosody(pitch_hz: float) -> Prosody:
    return Prosody(
        speech_ms=1_500,
        loudness_dbfs=-26.0,
        voiced_share=0.8,
        pitch_hz=pitch_hz,
        pitch_p95_hz=None,
        pitch_range_st=None,
        hf500_db=-3.0,
        hf1000_db=None,
        syllables_per_s=None,
    )


def heard(speakers: int = 6, each: int = 6) -> Heard:
    """Every emotion pushes one number, every speaker all of them."""
    rng = np.random.default_rng(1)
    rows, vectors = [], []
    for speaker in range(speakers):
        own = rng.normal(0, 3, 12)
        for n in range(each * len(EMOTIONS)):
            emotion = n % len(EMOTIONS)
            path = Path("made") / f"{speaker}-{n}.wav"
            rows.append(Row(path, "made", str(speaker), EMOTIONS[emotion], None, None, "train"))
            vectors.append(own + 4 * np.eye(12)[emotion] + rng.normal(0, 0.7, 12))
    once = np.array(vectors, np.float32)
    return Heard(tuple(rows), np.stack([once, once + 0.1]), tuple(prosody(150) for _ in rows))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_what_can_be_told_is_learnt_calibrated_and_the_same_each_time(tmp_path: Path) -> None:
    one, two = tmp_path / "one.onnx", tmp_path / "two.onnx"
    train(heard(), RECIPES["research"], PLAN, one)
    train(heard(), RECIPES["research"], PLAN, two)
    assert one.read_bytes() == two.read_bytes()
    model = AcousticModel(one)
    found = figures("made", follow(model, heard(), known=True), known=True)
    assert found.uar is not None
    assert found.uar.value > 0.9
    assert found.arousal.value > 0.9
    assert found.ece is not None
    assert found.ece < 0.2
    # Few speakers are few first utterances, and still something is known of how far they are to be believed.
    assert model.card.scores.arousal_confidence[0] > 0


def test_a_speaker_is_left_out_with_all_rows() -> None:
    rows = heard(speakers=12).rows
    left = groups(rows)
    assert len(left) == 5
    assert np.array(left).sum(axis=0).tolist() == [1] * len(rows)
    for out in left:
        speakers = {row.speaker for row, is_out in zip(rows, out, strict=True) if is_out}
        assert speakers.isdisjoint(row.speaker for row, is_out in zip(rows, out, strict=True) if not is_out)


def test_what_was_heard_is_kept_for_the_same_rows_only(tmp_path: Path) -> None:
    one = heard()
    save(one, tmp_path / "kept.npz")
    again = load(one.rows, 1, tmp_path / "kept.npz")
    assert again is not None
    assert np.array_equal(again.vectors, one.vectors[:1])
    assert again.prosody == one.prosody
    assert load(one.rows, 3, tmp_path / "kept.npz") is None
    assert load(one.rows[1:], 1, tmp_path / "kept.npz") is None


def test_calibration_error_is_the_distance_of_belief_from_truth() -> None:
    sure = np.array([0.95, 0.95, 0.55, 0.55])
    assert calibration_error(sure, np.array([True, True, True, False])) == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)
