"""The benchmark of words counts what it should, for both sides alike."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.types import SAMPLE_RATE
from benchmarks.asr import Row, _ours, _Said, evaluate, interval, rows_of, utterances
from models.textnorm import Errors
from models.types import Capacity, Hypothesis, Spoken


class Parrot:
    """Says what it was built with, in turn."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)

    capacity = Capacity(workers=1, finals=1, partials=1)

    def shape(self, spoken: Spoken) -> int:
        return len(spoken.pcm)

    def transcribe(self, batch: Sequence[Spoken], *, hurried: bool = False) -> list[Hypothesis]:
        assert all(spoken.final for spoken in batch)
        return [
            Hypothesis(text=self.texts.pop(0), language="en", language_confidence=0.9, confidence=1.0) for _ in batch
        ]


def rows(*transcripts: str) -> list[Row]:
    return [Row(text, "en", np.zeros(SAMPLE_RATE, np.int16)) for text in transcripts]


def test_errors_are_summed_over_the_set_for_both() -> None:
    said = iter(["five", "nothing of it"])
    found = evaluate(
        "digits",
        rows("five", "one two three"),
        [
            _ours(Parrot("5", "one two")),
            _ours(Parrot("5", "two"), hurried=True),
            lambda row: _Said(next(said)),
        ],
        1,
        lambda files: None,
    )
    assert (found.n, found.words, found.seconds, found.language) == (2, 4, 2.0, "en")
    assert (found.wer, found.ours.deletions) == (0.25, 1)
    assert (found.hurried.wer, found.hurried.deletions) == (0.5, 2)
    assert (found.peer.wer, found.peer.substitutions) == (0.75, 3)
    assert found.language_accuracy == 1.0


def test_every_hearing_counts_and_the_files_stay_the_sample() -> None:
    said = iter(["five six", "five", "five six", "five six"])
    found = evaluate(
        "digits",
        rows("five six"),
        [
            _ours(Parrot("5 6", "5")),
            _ours(Parrot("5 6", "6"), hurried=True),
            lambda row: _Said(next(said)),
        ],
        1,
        lambda files: None,
        times=2,
    )
    assert (found.n, found.words, found.seconds) == (1, 2, 1.0)
    assert (found.wer, found.peer.deletions, found.ours.ms.n) == (0.25, 1, 2)
    assert found.ours.wer_interval == (0.25, 0.25)


def test_the_interval_holds_the_rate_and_shrinks_with_the_set() -> None:
    few = [Errors(substitutions=1, n=4), Errors(n=4)] * 3
    low, high = interval(few)
    assert low < 0.125 < high
    narrow = interval(few * 30)
    assert high - low > narrow[1] - narrow[0] > 0
    assert interval([Errors(n=5)] * 4) == (0.0, 0.0)


def test_a_manifest_gives_its_transcribed_rows_at_16_khz(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((8_000, 2), np.int16), 8_000)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,transcript,language,split\na.wav,one,en,eval\na.wav,,en,eval\na.wav,two,en,train\n")
    assert [(row.transcript, len(row.pcm)) for row in rows_of(manifest, None, None)] == [
        ("one", 16_000),
        ("two", 16_000),
    ]
    assert [row.transcript for row in rows_of(manifest, "train", None)] == ["two"]
    assert [row.transcript for row in rows_of(manifest, None, 1)] == ["one"]


@pytest.mark.parametrize("seconds", [1, 28])
def test_an_utterance_is_taken_whole(seconds: int) -> None:
    pcm = np.ones(seconds * SAMPLE_RATE, np.int16)
    assert [len(one) for one in utterances(pcm)] == [len(pcm)]
