"""Labelled texts, as they were written and as a recogniser would give them."""

import csv
import gzip
import io
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

from models.training.confusion import Confusion, plain
from stream.errors import StreamError

Polarity = Literal["negative", "neutral", "positive"]

_POLARITIES: Final[dict[str, Polarity]] = {
    "positive": "positive",
    "happy": "positive",
    "joy": "positive",
    "satisfied": "positive",
    "negative": "negative",
    "angry": "negative",
    "anger": "negative",
    "sad": "negative",
    "sadness": "negative",
    "fear": "negative",
    "disgust": "negative",
    "dissatisfied": "negative",
    "neutral": "neutral",
}
"""Of a sentiment or an emotion; surprise and what is mixed are neither."""
_LABELS: Final = ("sentiment", "label", "emotion")
_SEED: Final = 7
_WORDS: Final = ("text", "text_a")
_GAP: Final = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")


class Labelled(NamedTuple):
    """One text."""

    text: str
    language: str
    """"zh", "en" or "unknown"."""
    polarity: Polarity | None
    """None where nobody judged it."""


class Texts(NamedTuple):
    """A file of them."""

    name: str
    rows: list[Labelled]
    business: bool
    """Questions and requests to a service, of which nobody said how they feel."""

    @property
    def language(self) -> str:
        """Several joined by "+"."""
        return "+".join(sorted({row.language for row in self.rows}))

    @property
    def ways(self) -> int:
        """2, or 3 where some are neutral; 0 for business."""
        return 0 if self.business else 3 if any(row.polarity == "neutral" for row in self.rows) else 2


def read(path: Path, *, split: str | None = None, limit: int | None = None) -> Texts:
    """
    The texts of a CSV, gzipped or not.

    Its columns: ``text`` (or ``text_a`` of pairs); ``sentiment``, or else ``label``, or else ``emotion``; ``language``,
    without which the beginning of the folder's name tells it, zh_ or en_. Texts whose label is none of ours are left
    out, those without any label are business.

    Args:
        limit: So many of them, spread over the whole file, whose labels may stand in a row.

    Raises:
        StreamError: If there are no texts, or labels of which none is ours.
    """
    name, lines = path.resolve().parent.name, _lines(path)
    chosen = [line for line in lines if split is None or line.get("split") == split]
    if not chosen or not (words := [column for column in _WORDS if column in chosen[0]]):
        raise StreamError(f"expected texts in a column {' or '.join(_WORDS)}, got none ({path}, split {split})")
    labels = [column for column in _LABELS if column in chosen[0]]
    rows = [
        Labelled(
            text=line[words[0]],
            language=line.get("language") or (name[:2] if name[:3] in {"zh_", "en_"} else "unknown"),
            polarity=_POLARITIES.get(line[labels[0]]) if labels else None,
        )
        for line in chosen
    ]
    judged = [row for row in rows if row.polarity is not None]
    business = not labels or words[0] != "text"
    if not judged and not business:
        raise StreamError(f"expected labels like {', '.join(_POLARITIES)}, got {chosen[0][labels[0]]} ({path})")
    return Texts(name, _spread(rows if business else judged, limit), business)


def unmarked(row: Labelled) -> Labelled:
    """Without punctuation, capitals and signs, as speech has none; ideographs stand together."""
    return row._replace(text=_GAP.sub("", plain(row.text)))


def bare(rows: Sequence[Labelled]) -> list[Labelled]:
    """All of them unmarked."""
    return [unmarked(row) for row in rows]


def misheard(rows: Sequence[Labelled]) -> list[Labelled]:
    """Unmarked, and with errors like a recogniser's, the same each time; words are taken for others of these texts."""
    wrong, chance = Confusion(row.text for row in rows), Random(_SEED)
    return [row._replace(text=wrong(unmarked(row).text, chance)) for row in rows]


def _spread(rows: list[Labelled], limit: int | None) -> list[Labelled]:
    kept = len(rows) if limit is None else min(limit, len(rows))
    return [rows[n * len(rows) // kept] for n in range(kept)]


def _lines(path: Path) -> list[dict[str, str]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
