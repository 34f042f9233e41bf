"""
Fit the fusion of voice and words: ``python -m models.training.fusion --data DIR [--voice FILE] [--text FILE]``.

No set here has both a voice and words that bear a mood, so pairs are made: acted speech, whose words are plain, with
plain sentences; calm acted speech with sentences that bear a mood; and both of one mood. Each third counts the same, so
the shares that come out say how far each view is to be trusted where it is not known which of them bears the mood, and
not how often people raise their voice. Only rows for training are read, and of texts those that the text model was not
trained on. Prints a ``models.fusion.Fit``, one for each of ``models.fusion.FITS``.
"""

import argparse
import csv
import gzip
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.progress import track

from audio.resample import Resampler
from models.acoustic import AcousticModel
from models.embedding import Embedding
from models.emotion import Baseline, Voice, VoiceModel
from models.fusion import LABELS, Chances, Fit, class_scores, of_voice, of_words, signs
from models.sentiment import Phrases, Sentiment, TextModel, joined, score
from models.training.augment import RATE, TELEPHONE, through
from models.training.corpora import LABELS as OF_CORPORA
from models.training.corpora import LAYOUTS
from models.training.hearing import read
from models.types import EmotionLabel
from models.unsupervised import UnsupervisedVoice
from models.weights import locate
from models.wording import TextModel as Heads

_SEED: Final = 0
_SPEECH: Final = ("emo_casia_zh", "emo_ravdess_en")
_TEXTS: Final = {
    "en_goemotions": ("emotion", {"anger": "angry", "joy": "satisfied", "sadness": "disappointed", "fear": "anxious"}),
    "zh_smp2020_usual": ("label", {"happy": "satisfied", "sad": "disappointed", "fear": "anxious"}),
}
"""Column of the label, and the labels that have another name here."""
_AGITATED: Final = frozenset({EmotionLabel.ANGRY})
_HELD_BACK: Final = 10
"""Every tenth text, by its CRC-32, is none that a text model was trained on."""
_RIDGE: Final = 0.003
_AGITATED_SHARE: Final = 0.375
"""Of utterances of which nothing is known: a little below even odds, so that a raised voice alone is not enough."""
_EACH: Final = 600
"""Pairs of each class and kind."""


class Pair(NamedTuple):
    """What both views say of one mood."""

    label: EmotionLabel
    voice: Voice
    words: Sentiment


def fit(pairs: Sequence[Pair]) -> Fit:
    """
    Shares and biases of the greatest likelihood, then the weights of agitation by logistic regression.

    Args:
        pairs: Every class as often as the others.
    """
    grid = np.linspace(0.05, 1.0, 20)
    heard, read = _table(of_voice(pair.voice) for pair in pairs), _table(of_words(pair.words) for pair in pairs)
    truth = np.array([LABELS.index(pair.label) for pair in pairs])
    best = max(
        ((float(v), float(w)) for v in grid for w in grid),
        key=lambda shares: _likelihood(_evidence(heard, shares[0]) + _evidence(read, shares[1]), truth),
    )
    scores = _evidence(heard, best[0]) + _evidence(read, best[1])
    biases = np.zeros(len(LABELS))
    for _ in range(200):
        chances = _softmax(scores + biases)
        biases += np.log((np.bincount(truth, minlength=len(LABELS)) + 1) / (chances.sum(axis=0) + 1))
    biases -= biases[0]
    return Fit(round(best[0], 2), round(best[1], 2), tuple(round(float(b), 2) for b in biases), _agitated(pairs))


def _table(views: Iterable[Chances | None]) -> npt.NDArray[np.float64]:
    """Shape (n, labels); where a view says nothing, all are alike."""
    even = dict.fromkeys(LABELS, 1 / len(LABELS))
    return np.array([[(view or even)[label] for label in LABELS] for view in views])


def _evidence(chances: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(share * chances + (1 - share) * chances[:, :1], 1e-6)))


def _softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _likelihood(scores: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]) -> float:
    return float(np.log(_softmax(scores)[np.arange(len(truth)), truth]).mean())


def _agitated(pairs: Sequence[Pair]) -> tuple[float, ...]:
    """By projected gradients: no sign may speak against agitation."""
    x = np.array([(1.0, *signs(pair.voice, pair.words)) for pair in pairs])
    y = np.array([pair.label in _AGITATED for pair in pairs], dtype=np.float64)
    weight = np.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    found = np.zeros(x.shape[1])
    for _ in range(20_000):
        chances = 1 / (1 + np.exp(-x @ found))
        found -= 0.5 * (x.T @ (weight * (chances - y)) / len(y) + _RIDGE * found)
        found[1:] = np.maximum(found[1:], 0.0)
    found[0] += np.log(_AGITATED_SHARE / (1 - _AGITATED_SHARE))
    return tuple(round(float(one), 2) for one in found)


def pairs(data: Path, model: VoiceModel, texts: TextModel) -> list[Pair]:
    """Pairs of the three kinds, each class as often as the others."""
    rng = np.random.default_rng(_SEED)
    voices, words = _voices(data, model), _words(data, texts)
    plain = EmotionLabel.NEUTRAL
    found = []
    for label in LABELS:
        for loud, said in ((label, plain), (plain, label), (label, label)):
            heard, read = voices[loud], words[said]
            found += [
                Pair(label, heard[int(rng.integers(len(heard)))], read[int(rng.integers(len(read)))])
                for _ in range(_EACH)
            ]
    return found


def _voices(data: Path, model: VoiceModel) -> dict[EmotionLabel, list[Voice]]:
    """Of the rows for training, each speaker's baseline grown as in a call, from rows in a random order."""
    rows = [row for folder in _SPEECH for row in LAYOUTS["manifest"](data / folder) if row.split == "train"]
    known: dict[str, Baseline] = {}
    found: dict[EmotionLabel, list[Voice]] = {label: [] for label in LABELS}
    for n in track(np.random.default_rng(_SEED).permutation(len(rows)), description="voices"):
        row = rows[n]
        resampler = Resampler(RATE)
        heard = through(read(row), TELEPHONE, np.random.default_rng(_SEED))
        [sound] = model.hear([np.concatenate([resampler.push(heard), resampler.flush()])])
        speaker = f"{row.corpus}/{row.speaker}"
        baseline = known.get(speaker, Baseline())
        voice = model.judge(sound, baseline)
        known[speaker] = baseline.learn(sound, voice)
        if row.emotion in OF_CORPORA:
            found[OF_CORPORA[row.emotion]].append(voice)
    return found


def _words(data: Path, model: TextModel) -> dict[EmotionLabel, list[Sentiment]]:
    found: dict[EmotionLabel, list[Sentiment]] = {label: [] for label in LABELS}
    for folder, (column, labels) in _TEXTS.items():
        with gzip.open(data / "text" / folder / "train.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if zlib.crc32(row["text"].encode()) % _HELD_BACK == 0]
        chosen = [(row["text"], labels.get(row[column], row[column])) for row in rows]
        chosen = [(text, label) for text, label in chosen if label in set(LABELS)]
        texts = [text for text, _ in chosen]
        read = model.read(texts, [folder[:2]] * len(chosen))
        said = [joined(score(text, folder[:2]), words) for text, words in zip(texts, read, strict=True)]
        for (_, label), words in zip(chosen, said, strict=True):
            found[EmotionLabel(label)].append(words)
    return found


def main() -> None:
    """Read the command line and fit."""
    parser = argparse.ArgumentParser(prog="python -m models.training.fusion", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="with folders of speech, and text/ with those of texts"
    )
    parser.add_argument("--voice", type=Path, help="weights of the voice model; without them, arousal by rule")
    parser.add_argument("--text", type=Path, help="weights of the text model; without them, phrases")
    parser.add_argument("--cache", type=Path, default=Path(".warmline/weights"), help="where weights are kept")
    given = parser.parse_args()
    voices: VoiceModel = UnsupervisedVoice() if given.voice is None else AcousticModel(given.voice)
    texts: TextModel = Phrases()
    if given.text is not None:
        texts = Heads(given.text, Embedding(locate("multilingual-e5-small", directory=None, cache=given.cache)))
    made = pairs(given.data, voices, texts)
    found = fit(made)
    right = [_best(class_scores(pair.voice, pair.words, found)) is pair.label for pair in made]
    print(found)
    print(f"{len(made)} pairs, {np.mean(right):.3f} right")


def _best(chances: Chances) -> EmotionLabel:
    return max(chances, key=lambda label: chances[label])


if __name__ == "__main__":
    main()
