"""The four classes of emotion that the corpora share with us, and the figures of whoever predicts them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from benchmarks.figures import Confusion, Interval, accuracy, confusion, interval, macro_f1, rounded, uar
from models.types import EmotionLabel

CLASSES: Final = {
    "angry": EmotionLabel.ANGRY,
    "happy": EmotionLabel.SATISFIED,
    "neutral": EmotionLabel.NEUTRAL,
    "sad": EmotionLabel.DISAPPOINTED,
}
"""The corpora's word for each of our classes."""
_MERGED: Final = {"calm": "neutral"}


class Classified(NamedTuple):
    """Figures over files of the four classes; None of nothing."""

    uar: float | None
    uar_interval: Interval | None
    accuracy: float | None
    accuracy_interval: Interval | None
    macro_f1: float | None
    confusion: Confusion


def truth(emotion: str) -> str:
    """A corpus's label as it counts."""
    return _MERGED.get(emotion, emotion)


def classified(true: Sequence[str], said: Sequence[str], speakers: Sequence[str]) -> Classified:
    """
    Of predictions; the intervals resample speakers where there are enough of them.

    Raises:
        KeyError: If there is a label besides the four.
    """
    return Classified(
        rounded(uar(true, said)),
        interval(uar, true, said, groups=speakers),
        rounded(accuracy(true, said)),
        interval(accuracy, true, said, groups=speakers),
        rounded(macro_f1(true, said)),
        confusion(true, said, list(CLASSES)),
    )
