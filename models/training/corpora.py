"""Corpora of emotional speech as rows, each in the layout in which its makers hand it out."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from models.types import EmotionLabel


class Row(NamedTuple):
    """One utterance of a corpus."""

    path: Path
    corpus: str
    speaker: str
    """Unique within the corpus."""
    emotion: str
    """A word of ``LABELS``, or another one that stands for no class."""
    valence: float | None
    """-1 ... 1, as for the next."""
    arousal: float | None
    split: str
    """"train" or "eval"; a corpus without splits is "train"."""


LABELS: Final = {
    "angry": EmotionLabel.ANGRY,
    "happy": EmotionLabel.SATISFIED,
    "neutral": EmotionLabel.NEUTRAL,
    "calm": EmotionLabel.NEUTRAL,
    "sad": EmotionLabel.DISAPPOINTED,
    "fear": EmotionLabel.ANXIOUS,
}
"""
Our class of each emotion. Surprise is of either sign, disgust is seldom heard in a voice, and a bored customer is
neither calm nor disappointed: the three are of no class and teach arousal, valence and the speaker's baseline only.
"""

_AROUSAL: Final = {
    "angry": 0.8,
    "happy": 0.6,
    "surprise": 0.7,
    "fear": 0.6,
    "neutral": -0.3,
    "calm": -0.5,
    "sad": -0.5,
    "boredom": -0.6,
}
"""Where a corpus gives no value; by judgement, after Russell: A circumplex model of affect, 1980."""
_VALENCE: Final = {
    "angry": -0.7,
    "happy": 0.8,
    "fear": -0.6,
    "neutral": 0.0,
    "calm": 0.1,
    "sad": -0.7,
    "disgust": -0.7,
    "boredom": -0.3,
}


def arousal(row: Row) -> float | None:
    """Of the row, or of its emotion; None where neither is known."""
    return row.arousal if row.arousal is not None else _AROUSAL.get(row.emotion)


def valence(row: Row) -> float | None:
    """As ``arousal``."""
    return row.valence if row.valence is not None else _VALENCE.get(row.emotion)


def _row(path: Path, corpus: str, speaker: str, emotion: str) -> Row:
    return Row(path, corpus, speaker, emotion, None, None, "train")


_RAVDESS: Final = dict(enumerate(("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"), start=1))


def ravdess(root: Path) -> Iterator[Row]:
    """``Actor_01/03-01-05-01-02-01-01.wav``: third field the emotion, seventh the actor; speech only, no song."""
    for path in sorted(root.rglob("*.wav")):
        fields = path.stem.split("-")
        if len(fields) == 7 and fields[:2] == ["03", "01"] and int(fields[2]) in _RAVDESS:
            yield _row(path, "ravdess", fields[6], _RAVDESS[int(fields[2])])


_CREMA: Final = {"ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}


def crema_d(root: Path) -> Iterator[Row]:
    """``AudioWAV/1001_DFA_ANG_XX.wav``: actor, sentence, emotion, intensity."""
    for path in sorted(root.rglob("*.wav")):
        fields = path.stem.split("_")
        if len(fields) == 4 and fields[2] in _CREMA:
            yield _row(path, "crema-d", fields[0], _CREMA[fields[2]])


_EMODB: Final = {
    "W": "angry",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}


def emo_db(root: Path) -> Iterator[Row]:
    """``wav/03a01Fa.wav``: speaker, text, emotion in German, version."""
    for path in sorted(root.rglob("*.wav")):
        found = re.fullmatch(r"(\d\d)[ab]\d\d([WLEAFTN])[a-z]?", path.stem)
        if found is not None:
            yield _row(path, "emo-db", found[1], _EMODB[found[2]])


def casia(root: Path) -> Iterator[Row]:
    """``liuchanhg/angry/201.wav``."""
    for path in sorted(root.rglob("*.wav")):
        emotion = path.parent.name.lower()
        if emotion in LABELS or emotion == "surprise":
            yield _row(path, "casia", path.parent.parent.name, emotion)


def esd(root: Path) -> Iterator[Row]:
    """``0001/Angry/0001_000351.wav``, with or without a folder of the split below the emotion."""
    for path in sorted(root.rglob("*.wav")):
        emotion = next((part.lower() for part in reversed(path.parts[:-1]) if part.lower() in _ESD), None)
        speaker, _, number = path.stem.partition("_")
        if emotion is not None and number:
            part = path.parent.name
            row = _row(path, "esd", speaker, emotion)
            yield row._replace(split="eval") if part in {"test", "evaluation"} else row


_ESD: Final = frozenset({"angry", "happy", "neutral", "sad", "surprise"})

_IEMOCAP: Final = {
    "ang": "angry",
    "hap": "happy",
    "exc": "happy",
    "neu": "neutral",
    "sad": "sad",
    "fea": "fear",
    "sur": "surprise",
    "dis": "disgust",
}
_IEMOCAP_LINE: Final = re.compile(r"^\[[^\]]+\]\t(\w+)\t(\w+)\t\[([\d.]+), ([\d.]+), ([\d.]+)\]", re.MULTILINE)


def iemocap(root: Path) -> Iterator[Row]:
    """``SessionN/dialog/EmoEvaluation/*.txt`` and ``SessionN/sentences/wav/DIALOG/UTTERANCE.wav``; values 1 to 5."""
    for notes in sorted(root.glob("Session*/dialog/EmoEvaluation/*.txt")):
        for name, emotion, v, a, _ in _IEMOCAP_LINE.findall(notes.read_text(encoding="utf-8")):
            session = notes.parents[2]
            path = session / "sentences" / "wav" / notes.stem / f"{name}.wav"
            # Ses01F_impro01_M003: the letter of the turn says which of the two speaks.
            speaker = f"{name[:5]}{name.rsplit('_', 1)[1][0]}"
            yield Row(
                path,
                "iemocap",
                speaker,
                _IEMOCAP.get(str(emotion), str(emotion)),
                (float(v) - 3) / 2,
                (float(a) - 3) / 2,
                "train",
            )


_MSP: Final = {
    "A": "angry",
    "H": "happy",
    "N": "neutral",
    "S": "sad",
    "F": "fear",
    "U": "surprise",
    "D": "disgust",
    "C": "contempt",
}


def msp_podcast(root: Path) -> Iterator[Row]:
    """``Labels/labels_consensus.csv`` and ``Audios/``; values are 1 ... 7."""
    with (root / "Labels" / "labels_consensus.csv").open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            yield Row(
                root / "Audios" / line["FileName"],
                "msp-podcast",
                # A speaker that nobody knows is a speaker of one utterance.
                line["FileName"] if line["SpkrID"] == "Unknown" else line["SpkrID"],
                _MSP.get(line["EmoClass"], "other"),
                (float(line["EmoVal"]) - 4) / 3,
                (float(line["EmoAct"]) - 4) / 3,
                "train" if line["Split_Set"] == "Train" else "eval",
            )


def manifest(root: Path) -> Iterator[Row]:
    """``manifest.csv`` with path, speaker, emotion, split and, in ``detail``, ``valence=...;arousal=...`` if known."""
    with (root / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            pairs = (pair.partition("=") for pair in (line.get("detail") or "").split(";") if "=" in pair)
            detail = {key.strip(): value.strip() for key, _, value in pairs}
            yield Row(
                root / line["path"],
                root.name,
                line.get("speaker") or line["path"],
                line.get("emotion") or "",
                float(detail["valence"]) if "valence" in detail else None,
                float(detail["arousal"]) if "arousal" in detail else None,
                line.get("split") or "train",
            )


LAYOUTS: Final[dict[str, Callable[[Path], Iterator[Row]]]] = {
    "manifest": manifest,
    "ravdess": ravdess,
    "crema-d": crema_d,
    "emo-db": emo_db,
    "casia": casia,
    "esd": esd,
    "iemocap": iemocap,
    "msp-podcast": msp_podcast,
}
"""How a folder is read, by name."""
