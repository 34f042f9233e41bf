"""Corpora in the layouts in which their makers hand them out, on made folders."""

from pathlib import Path

import pytest

from models.training.corpora import LAYOUTS, Row, arousal, valence


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def read(layout: str, root: Path) -> list[Row]:
    return list(LAYOUTS[layout](root))


@pytest.mark.parametrize(
    ("layout", "name", "other", "speaker", "emotion", "split"),
    [
        ("ravdess", "Actor_07/03-01-05-01-02-01-07.wav", "Actor_07/03-02-05-01-02-01-07.wav", "07", "angry", "train"),
        ("crema-d", "AudioWAV/1001_DFA_FEA_XX.wav", "AudioWAV/notes.wav", "1001", "fear", "train"),
        ("emo-db", "wav/03a01Fa.wav", "wav/readme.wav", "03", "happy", "train"),
        ("emo-db", "wav/16b10Wb.wav", "wav/16b10Xb.wav", "16", "angry", "train"),
        ("casia", "liuchanhg/sad/201.wav", "liuchanhg/noise/201.wav", "liuchanhg", "sad", "train"),
        ("esd", "0001/Surprise/0001_001401.wav", "0001/readme.wav", "0001", "surprise", "train"),
        ("esd", "0011/Angry/test/0011_000371.wav", "0011/Angry/test/x.wav", "0011", "angry", "eval"),
    ],
)
def test_the_name_of_a_file_says_who_speaks_and_how(
    tmp_path: Path, layout: str, name: str, other: str, speaker: str, emotion: str, split: str
) -> None:
    touch(tmp_path, name, other)
    (row,) = read(layout, tmp_path)
    assert row == Row(tmp_path / name, layout, speaker, emotion, None, None, split)


def test_iemocap_gives_values_from_its_notes_and_the_speaker_from_the_turn(tmp_path: Path) -> None:
    notes = tmp_path / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text(
        "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\n"
        "[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[5.0000, 4.0000, 2.5000]\n"
    )
    first, second = read("iemocap", tmp_path)
    assert (first.speaker, first.emotion, first.valence, first.arousal) == ("Ses01F", "neutral", -0.25, -0.25)
    assert (second.speaker, second.emotion, second.valence, second.arousal) == ("Ses01M", "happy", 1.0, 0.5)
    assert first.path == tmp_path / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"


def test_msp_podcast_gives_values_and_splits_and_keeps_unknown_speakers_apart(tmp_path: Path) -> None:
    (tmp_path / "Labels").mkdir()
    (tmp_path / "Labels/labels_consensus.csv").write_text(
        "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
        "a.wav,A,7.0,1.0,4.0,127,Male,Train\n"
        "b.wav,X,4.0,4.0,4.0,Unknown,Female,Test1\n"
        "c.wav,U,4.0,5.5,4.0,Unknown,Female,Train\n"
    )
    first, second, third = read("msp-podcast", tmp_path)
    assert (first.emotion, first.arousal, first.valence, first.split) == ("angry", 1.0, -1.0, "train")
    assert (second.emotion, second.split) == ("other", "eval")
    assert third.valence == 0.5
    assert len({first.speaker, second.speaker, third.speaker}) == 3


def test_a_manifest_gives_values_from_its_detail(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "path,speaker,emotion,split,detail\na.flac,s1,angry,train,arousal=0.7;valence=-0.7\nb.flac,,,,\n"
    )
    first, second = read("manifest", tmp_path)
    assert first == Row(tmp_path / "a.flac", tmp_path.name, "s1", "angry", -0.7, 0.7, "train")
    assert (second.speaker, second.split, second.arousal) == ("b.flac", "train", None)


def test_a_value_of_the_corpus_goes_before_that_of_the_emotion() -> None:
    row = Row(Path("a"), "c", "s", "angry", None, 0.1, "train")
    assert arousal(row) == 0.1
    assert valence(row) is not None
    assert valence(row._replace(emotion="surprise")) is None
