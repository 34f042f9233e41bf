"""The texts that intents are learned from: public sets by their labels, and our own sentences; clean and as heard."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

from models.intent import Intent
from models.training.confusion import Confusion, plain
from models.training.labels import SOURCES, Labelled, read
from models.training.phrasing import Phrasing

SEED: Final = 7
_EACH: Final = 6
"""Texts of each of our sentences."""
_MOST: Final = {
    "en_banking77": 10_000,
    "en_clinc150": 15_000,
    "en_bitext": 2_500,
    "en_goemotions": 2_000,
    "zh_crosswoz": 2_500,
    "zh_cped": 6_000,
}
"""Texts of a set at most, so that no trade speaks for all."""
_AGAIN: Final = {"ours": 0.8, "public": 0.3}
"""Share of the texts that come once more, without punctuation and capitals."""
_WRONG: Final = 0.75
"""Share of those that have a recogniser's errors besides."""
_LIGHT, _HEAVY = 0.08, 0.20
"""Rates of errors, half of the texts each."""


class Lesson(NamedTuple):
    """A text to learn from."""

    given: Labelled
    source: str
    group: str
    """Texts of one group are alike: they are never on both sides of a fold."""
    variant: Literal["clean", "plain", "heard"]


def lessons(directory: Path, weights: Literal["open", "research"]) -> list[Lesson]:
    """
    All texts.

    Args:
        directory: Holds a directory a set.
        weights: "open" for sets whose terms allow weights to be given away.
    """
    random = Random(SEED)
    clean = _ours(random)
    for name, source in SOURCES.items():
        if source.open or weights == "research":
            rows = read(directory / name, "train")
            chosen = random.sample(rows, min(len(rows), _MOST.get(name, len(rows))))
            clean += [Lesson(row, name, f"{name}:{row.text}", "clean") for row in chosen]
    return clean + _as_heard(clean, random)


def _ours(random: Random) -> list[Lesson]:
    made: list[Lesson] = []
    for language in ("zh", "en"):
        for one in Phrasing(language).make(_EACH, random):
            given = Labelled(one.text, language, frozenset(map(Intent, one.intents)))
            made.append(Lesson(given, "ours", f"{language}:{one.origin}", "clean"))
    return made


def _as_heard(clean: Sequence[Lesson], random: Random) -> list[Lesson]:
    """Some of the texts once more, as a recogniser leaves them."""
    more: list[Lesson] = []
    for language in ("zh", "en"):
        of_it = [one for one in clean if one.given.language == language]
        texts = [one.given.text for one in of_it]
        errors = [Confusion(texts, rate=rate) for rate in (_LIGHT, _HEAVY)]
        for one in of_it:
            if random.random() < _AGAIN["ours" if one.source == "ours" else "public"]:
                wrong = random.random() < _WRONG
                text = plain(one.given.text)
                text = random.choice(errors)(text, random) if wrong else text
                given = one.given._replace(text=text)
                more.append(one._replace(given=given, variant="heard" if wrong else "plain"))
    return more
