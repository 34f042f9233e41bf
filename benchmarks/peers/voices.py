"""The SVM beside a model of voices: within a set, and from other corpora."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.classes import CLASSES, classified, truth
from benchmarks.clips import Clip, Codec, clips, splits
from benchmarks.figures import Confusion, Interval
from benchmarks.peers import svm
from stream.errors import StreamError


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """The SVM on the same files, each speaker known beforehand."""

    name: str
    trained_on: str
    """"split train", "other speakers" in folds, or the name of another manifest."""
    trained_n: int
    """Files; of folds, all that are tested."""
    n: int
    uar: float | None
    uar_interval: Interval | None
    accuracy: float | None
    accuracy_interval: Interval | None
    macro_f1: float | None
    confusion: Confusion


def corpora(manifests: Sequence[Path], codec: Codec) -> dict[str, svm.Described]:
    """
    What the SVM is trained on besides a set's own: rows with split train, or all where none says so.

    Raises:
        StreamError: If one of them has fewer than two classes.
    """
    found: dict[str, svm.Described] = {}
    for path in manifests:
        described = _train(path, "train" if "train" in splits(path) else None, codec)
        if not _trainable(described):
            raise StreamError(f"expected at least two classes to train on, got {len(set(described.labels))} ({path})")
        found[path.resolve().parent.name] = described
    return found


def beside(
    manifest: Path, files: Sequence[Clip], split: str | None, codec: Codec, others: Mapping[str, svm.Described]
) -> list[Peer]:
    """
    The SVM on the files of a manifest: trained within it, if that can be done on other speakers, and on each other.

    Args:
        manifest: Without a column split there is no peer.
        files: Of it, those of the split.
        split: None for all; then, and for "train", within means in folds.
        codec: Through which the files went.
        others: From ``corpora``; the one of this name is left out.
    """
    parts = splits(manifest)
    test = _described(files)
    if not parts or not test.labels:
        return []
    found: list[Peer] = []
    if split not in {None, "train"} and "train" in parts:
        train = _train(manifest, "train", codec)
        if _trainable(train) and not set(train.speakers) & set(test.speakers):
            found.append(_peer("split train", len(train.labels), test, svm.predicted(train, test)))
    elif len(set(test.speakers)) > 1 and _trainable(test):
        found.append(_peer("other speakers", len(test.labels), test, svm.folded(test)))
    for name, train in others.items():
        if name != manifest.resolve().parent.name:
            found.append(_peer(name, len(train.labels), test, svm.predicted(train, test)))
    return found


def _train(manifest: Path, split: str | None, codec: Codec) -> svm.Described:
    return _described(list(clips(manifest, split=split, limit=None, codec=codec)))


def _described(files: Sequence[Clip]) -> svm.Described:
    return svm.describe(files, [truth(clip.emotion) for clip in files]).labelled(list(CLASSES))


def _trainable(described: svm.Described) -> bool:
    return len(set(described.labels)) > 1


def _peer(trained_on: str, trained_n: int, test: svm.Described, said: Sequence[str]) -> Peer:
    figures = classified(test.labels, said, test.speakers)
    return Peer(name="SVM", trained_on=trained_on, trained_n=trained_n, n=len(said), **figures._asdict())
